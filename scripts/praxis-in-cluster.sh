#!/usr/bin/env bash
# Run the operator's tool `praxis` once, in a pod of an environment's cluster: it shows what the tool says, ends as it
# ended, and leaves nothing behind.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: praxis-in-cluster.sh ENV [--as RIGHTS] [--dry-run] -- ARGS…

  --as RIGHTS   whose accounts and keys the pod is given; without it what the first of ARGS needs:
                  projector   (views)     MySQL as projector; the key-encryption key
                  query-api   (audit)     MySQL as query_api, which only reads
                  restore     (restore)   the log as command_api, read models as projector; the key-encryption key
                  migrate     (migrate)   MySQL as migrate
                  admin       (accounts)  the whole of praxis-database in /run/secrets/praxis, admin-url too
  --dry-run     print the pod and make nothing

  praxis-in-cluster.sh prod -- views status
  praxis-in-cluster.sh prod -- restore --dry-run

ENV is dev, stage or prod. The image is that of migrations in gitops/values/ENV of this clone (PRAXIS_GITOPS_VALUES names
another folder than gitops/values). kubectl must speak to praxis-ENV, as somebody who may make pods in the namespace
praxis. The pod goes when this script ends, and is stopped after a day whatever happens. The exit code is that of praxis;
1 also if no pod came to run, 2 for a wrong command line.
USAGE
}

env='' rights='' dry_run=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --as)
      [ $# -gt 1 ] || wrong "--as needs rights"
      rights=$2
      shift
      ;;
    --dry-run) dry_run=1 ;;
    --)
      shift
      break
      ;;
    -*) wrong "unknown option $1" ;;
    *)
      [ -z "$env" ] || wrong "'$1': what praxis is told comes after --"
      env=$1
      ;;
  esac
  shift
done
[ -n "$env" ] || wrong "which environment?"
environment "$env"
[ $# -gt 0 ] || wrong "what shall praxis do? Say it after --"

if [ -z "$rights" ]; then
  case $1 in
    views) rights=projector ;;
    audit) rights=query-api ;;
    restore | migrate) rights=$1 ;;
    accounts) rights="admin" ;;
    *) wrong "'$1' has no rights of its own: say --as" ;;
  esac
fi

# Keys of secrets and the settings that name their files. docs/how-to/grant-database-rights.md says which account may what.
events='' views='' kek=''
case $rights in
  projector) events=projector-events-url views=projector-views-url kek=1 ;;
  query-api) events=query-api-events-url views=query-api-views-url ;;
  restore) events=command-api-events-url views=projector-views-url kek=1 ;;
  migrate | admin) events=migrate-events-url views=migrate-views-url ;;
  *) wrong "'$rights' are no rights: projector, query-api, restore, migrate or admin" ;;
esac

need jq
values=${PRAXIS_GITOPS_VALUES:-$root_dir/gitops/values}/$env

image_value() { # image_value FILE KEY: a value of the block image
  [ -f "$values/$1" ] || die "there is no $values/$1"
  awk -v key="$2:" '/^[^ #]/ { inside = $1 == "image:" } inside && $1 == key { gsub(/"/, "", $2); print $2 }' "$values/$1"
}
registry=$(image_value from-terraform/migrate.yaml registry)
tag=$(image_value migrate.yaml tag)
digest=$(image_value migrate.yaml digest)
[ -n "$registry" ] && [ -n "$tag" ] || die "$values names no registry or no tag of migrations"
[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || die "$values/migrate.yaml names no digest"
[[ ! $digest =~ ^sha256:0+$ ]] || die "nothing was released to $env yet: $values/migrate.yaml has the digest of zeros"

# Who vouches for MySQL, as the chart of migrations is given it; where MySQL is outside the cluster nobody goes without.
ca=$(sed -n '/^  ca: |$/,$ s/^    //p' "$values/database-ca.yaml" 2>/dev/null || true)
if [ -z "$ca" ] && grep -q '^  cidrs:' "$values/from-terraform/migrate.yaml"; then
  die "$values/database-ca.yaml has no certificates: scripts/database-ca.sh $env"
fi

pod=praxis-$(date +%H%M%S)-$RANDOM

# What the restricted profile demands is as in helm/praxis-migrate. The labels are those that its network policy lets out
# to MySQL; instance alone would not do.
manifest() {
  jq -n --arg pod "$pod" --arg image "$registry/praxis/praxis:$tag@$digest" --arg rights "$rights" --arg tag "$tag" \
    --arg events "$events" --arg views "$views" --arg kek "$kek" --arg ca "$ca" '
    def file(setting; key): {name: setting, value: "/run/secrets/praxis/\(key)"};
    def only(keys): {items: [keys | unique[] | {key: ., path: .}]};
    {apiVersion: "v1", kind: "Pod",
     metadata: {name: $pod, namespace: "praxis", labels: {
       "app.kubernetes.io/name": "migrate", "app.kubernetes.io/instance": "migrate", "app.kubernetes.io/part-of": "praxis",
       "app.kubernetes.io/version": $tag, "app.kubernetes.io/managed-by": "praxis-in-cluster", "praxis.dev/rights": $rights}},
     spec: {
       restartPolicy: "Never", activeDeadlineSeconds: 86400, serviceAccountName: "migrate",
       automountServiceAccountToken: false, enableServiceLinks: false, priorityClassName: "praxis-batch",
       securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532,
         seccompProfile: {type: "RuntimeDefault"}},
       containers: [{
         name: "praxis", image: $image, args: $ARGS.positional,
         env: ([file("PRAXIS_EVENTS_URL_FILE"; $events), file("PRAXIS_VIEWS_URL_FILE"; $views)]
           + if $ca == "" then [] else [{name: "PRAXIS_DATABASE_CA", value: $ca}] end
           + if $kek == "" then [] else [file("PRAXIS_KEK_FILE"; "kek")] end),
         resources: {requests: {cpu: "100m", memory: "192Mi"}, limits: {memory: "512Mi"}},
         securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: ["ALL"]}},
         volumeMounts: [{name: "secrets", mountPath: "/run/secrets/praxis", readOnly: true}]}],
       volumes: [{name: "secrets", projected: {defaultMode: 288, sources: (
         [{secret: ({name: "praxis-database"} + if $rights == "admin" then {} else only([$events, $views]) end)}]
         + if $kek == "" then [] else [{secret: ({name: "praxis-application"} + only(["kek"]))}] end)}}]}}' --args -- "$@"
}

if [ -n "$dry_run" ]; then
  manifest "$@"
  exit 0
fi
need kubectl
right_cluster "$env"

made=''
remove() { [ -z "$made" ] || kubectl delete pod "$pod" --namespace praxis --ignore-not-found --wait=false >/dev/null; }
trap remove EXIT
trap 'exit 130' INT TERM HUP

made=1
manifest "$@" | kubectl create --namespace praxis -f - >/dev/null || die "the cluster refused the pod"

seen() { kubectl get pod "$pod" --namespace praxis -o json; }
waiting_for() { jq -r '.status.containerStatuses[0].state.waiting.reason // ""' <<<"$status"; }

# started: an image is pulled and secrets are mounted, or why not.
started() {
  local until=$((SECONDS + ${PRAXIS_POD_START_SECONDS:-300}))
  while :; do
    status=$(seen) || die "the cluster cannot be asked"
    [ "$(jq -r '.status.phase // "Pending"' <<<"$status")" = Pending ] || return 0
    case $(waiting_for) in ImagePullBackOff | InvalidImageName | CreateContainerConfigError | CreateContainerError) return 1 ;; esac
    [ $SECONDS -lt $until ] || return 1
    sleep 1
  done
}
if ! started; then
  kubectl describe pod "$pod" --namespace praxis >&2 || true
  die "the pod did not start: $(waiting_for)"
fi

# The cluster tells of the end some moments after the stream ended. A stream that broke earlier is taken up again, and
# shows what was said last twice rather than miss it.
kubectl logs "$pod" --namespace praxis --follow || true
asked=0
while :; do
  status=$(seen) || die "the cluster cannot be asked how it ended; it may have done its work"
  code=$(jq -r '.status.containerStatuses[0].state.terminated.exitCode // ""' <<<"$status")
  [ -z "$code" ] || exit "$code"
  [ "$(jq -r .status.phase <<<"$status")" = Running ] ||
    die "the pod was ended from outside: $(jq -r '.status.reason // "no reason given"' <<<"$status")"
  asked=$((asked + 1))
  sleep 1
  if [ $((asked % 10)) = 0 ]; then kubectl logs "$pod" --namespace praxis --follow --tail=20 || true; fi
done
