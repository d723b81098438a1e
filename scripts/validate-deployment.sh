#!/usr/bin/env bash
# What is wrong with a deployment, why probably, and what to do next? Looks at everything and changes nothing.
# shellcheck disable=SC2016 # in single quotes are the variables of jq
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: validate-deployment.sh ENV [--json]

Exit code 0: nothing found. 1: something found, or the cluster cannot be asked. 2: wrong use.
  --json   the findings as a JSON array of {area, what, cause, next}
USAGE
}

env='' json=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --json) json=1 ;;
    -*) wrong "unknown option $1" ;;
    *)
      [ -z "$env" ] || wrong "one environment at a time"
      env=$1
      ;;
  esac
  shift
done
[ -n "$env" ] || wrong "which environment?"
environment "$env"
need kubectl jq curl

# Relay and read models further behind than this are found; docs/slo.md alerts earlier and on trends.
lag_events_max=100000
pod_unready_seconds=300
namespaces=(praxis argocd external-secrets keda monitoring kube-system)
applications=(root argocd external-secrets aws-load-balancer-controller metrics-server kube-prometheus-stack keda reloader
  platform migrate command-api query-api)
[ "$env" != dev ] || applications+=(data)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/findings"

# found AREA WHAT CAUSE NEXT
found() { jq -nc --arg area "$1" --arg what "$2" --arg cause "$3" --arg next "$4" '$ARGS.named' >>"$work/findings"; }

# get NAME KIND [ARGUMENT…]: the objects as $work/NAME.json; a kind that the cluster does not know is a finding.
get() {
  local name=$1
  shift
  kubectl get "$@" -o json >"$work/$name.json" 2>"$work/error" && return
  echo '{"items": []}' >"$work/$name.json"
  found "$name" "cannot list $1: $(head -n 1 "$work/error")" \
    "the kind is not installed yet, or you may not read it" "kubectl -n argocd get applications"
}

# find AREA FILE PROGRAM: PROGRAM makes {what, cause, next} of $work/FILE.json
find_in() {
  jq -c --arg area "$1" --arg env "$env" --argjson now "$(date +%s)" --argjson patience "$pod_unready_seconds" \
    "$3 | {area: \$area} + ." "$work/$2.json" >>"$work/findings"
}

look_at_namespaces() {
  local name
  get namespaces namespaces
  for name in "${namespaces[@]}"; do
    jq -e --arg name "$name" 'any(.items[]; .metadata.name == $name)' "$work/namespaces.json" >/dev/null ||
      found namespaces "there is no namespace $name" "its Application has not been synced" "scripts/bootstrap-cluster.sh $env"
  done
}

look_at_applications() {
  local name
  get applications applications.argoproj.io --namespace argocd
  for name in "${applications[@]}"; do
    jq -e --arg name "$name" 'any(.items[]; .metadata.name == $name)' "$work/applications.json" >/dev/null ||
      found applications "there is no Application $name" \
        "$([ "$name" = root ] && echo "the cluster was not bootstrapped" || echo "an earlier wave is not healthy, and root waits for it")" \
        "$([ "$name" = root ] && echo "scripts/bootstrap-cluster.sh $env" || echo "kubectl -n argocd get applications")"
  done
  find_in applications applications '.items[] | .metadata.name as $name | .status as $s
    | ($s.operationState // {}) as $op
    | if ([$s.conditions[]? | select(.type | test("Error"))] | length) > 0 then
        {what: "Application \($name): \([$s.conditions[] | select(.type | test("Error")) | .message][0])",
         cause: "the repository cannot be read, a chart does not render, or its project forbids it",
         next: "kubectl -n argocd describe application \($name)"}
      # Between two tries Argo CD calls it running.
      elif $op.phase == "Failed" or $op.phase == "Error" or ($op.phase == "Running" and ($op.retryCount // 0) > 0) then
        {what: "Application \($name): its last sync failed: \($op.message // "no message")",
         cause: (if $name == "migrate" then "a migration or an account failed; the services keep the release they have"
                 elif ($op.message // "" | test("hook|[Jj]ob")) then "its smoke Job failed"
                 else "an object was refused" end),
         next: (if $name == "migrate" then "kubectl -n praxis logs -l app.kubernetes.io/name=migrate --tail=50"
                else "kubectl -n argocd describe application \($name)" end)}
      elif ($s.health.status // "Unknown") != "Healthy" then
        {what: "Application \($name) is \($s.health.status // "not judged yet")\(if $s.health.message then ": \($s.health.message)" else "" end)",
         cause: "one of its objects is not well; see the findings about pods", next: "kubectl -n argocd describe application \($name)"}
      elif ($s.sync.status // "Unknown") != "Synced" then
        {what: "Application \($name) is \($s.sync.status // "not compared yet")",
         cause: "a sync is under way, or somebody changes by hand what Git says", next: "kubectl -n argocd describe application \($name)"}
      else empty end'
}

look_at_pods() {
  local name
  echo '{"items": []}' >"$work/pods.json"
  for name in "${namespaces[@]}"; do
    get part pods --namespace "$name"
    jq -s '{items: (.[0].items + .[1].items)}' "$work/pods.json" "$work/part.json" >"$work/all" && mv "$work/all" "$work/pods.json"
  done
  find_in pods pods '.items[] | "\(.metadata.namespace)/\(.metadata.name)" as $pod
    | "kubectl -n \(.metadata.namespace)" as $k | .metadata.name as $name
    | [(.status.initContainerStatuses // [])[], (.status.containerStatuses // [])[]] as $containers
    | [$containers[] | select(.state.waiting.reason != null and
        (.state.waiting.reason | IN("PodInitializing", "ContainerCreating") | not))][0] as $stuck
    | [$containers[] | select(.lastState.terminated != null)][0].lastState.terminated as $ended
    | ([.status.conditions[]? | select(.type == "PodScheduled" and .status == "False")][0]) as $unscheduled
    | ([.status.conditions[]? | select(.type == "Ready" and .status == "False")][0]) as $unready
    | if $stuck.state.waiting.reason == "CrashLoopBackOff" then
        {what: "\($pod) crashes again and again (\($ended.reason // "Error"), exit code \($ended.exitCode // "unknown"))",
         cause: (if $ended.reason == "OOMKilled" then "it needs more memory than its limit"
                 elif $ended.exitCode == 2 then "its settings are wrong: a program ends with 2 then, and names the fault"
                 elif $ended.exitCode == 137 then "it was killed: the liveness probe, or memory"
                 else "it cannot reach MySQL or Kafka, the schema is not migrated, or a key does not fit" end),
         next: "\($k) logs \($name) --previous --container \($stuck.name)"}
      elif $stuck.state.waiting.reason | IN("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull") then
        {what: "\($pod): the image \($stuck.image) cannot be pulled",
         cause: "no such tag or digest in the registry, or the nodes may not read it; the digest may be of one platform only",
         next: "scripts/release-values.sh \($env) show; \($k) describe pod \($name)"}
      elif $stuck.state.waiting.reason == "CreateContainerConfigError" then
        {what: "\($pod): \($stuck.state.waiting.message // "its configuration cannot be made")",
         cause: "a Secret or one of its keys is missing", next: "scripts/setup-aws-secrets.sh \($env) --dry-run"}
      elif $stuck != null then
        {what: "\($pod) waits: \($stuck.state.waiting.reason)", cause: ($stuck.state.waiting.message // "not said"),
         next: "\($k) describe pod \($name)"}
      elif .status.phase == "Pending" and $unscheduled != null then
        {what: "\($pod) finds no node: \($unscheduled.message // "not said")",
         cause: (if ($unscheduled.message // "" | test("[Vv]olume")) then "its disk is in another zone, or there is no storage class"
                 else "the nodes are full, or in too few zones" end),
         next: "kubectl describe nodes; aws eks list-nodegroups --cluster-name praxis-\($env), then aws eks update-nodegroup-config with --scaling-config desiredSize=…"}
      elif .status.phase == "Pending" and ($now - (.metadata.creationTimestamp | fromdate)) > $patience then
        {what: "\($pod) does not start", cause: "a Secret or volume it mounts is missing, or the network plug-in has no address left",
         next: "\($k) describe pod \($name)"}
      elif .status.phase == "Failed" and ([.metadata.ownerReferences[]? | select(.kind == "Job")] | length) == 0 then
        {what: "\($pod) failed: \(.status.reason // "no reason given")",
         cause: (if .status.reason == "Evicted" then "its node ran out of memory or disk" else "its container ended" end),
         next: "\($k) describe pod \($name)"}
      elif .status.phase == "Running" and $unready != null and ($now - ($unready.lastTransitionTime | fromdate)) > $patience then
        {what: "\($pod) runs and is not ready",
         cause: (if (.metadata.labels["app.kubernetes.io/name"] // "") == "query-api" then "no generation of its fingerprint is ready yet, or MySQL is away"
                 else "what it depends on is away; /ready on its admin port says which" end),
         next: "\($k) logs \($name) --tail=50"}
      else empty end'
}

# A handshake that is refused is told by the programs only, in these words of theirs.
look_at_database_trust() {
  local component refused=()
  for component in migrate command-api projector query-api; do
    ! kubectl logs --namespace praxis --selector "app.kubernetes.io/name=$component" --all-containers --since 15m --tail 200 \
      2>/dev/null | grep -q "the database's certificate is refused" || refused+=("$component")
  done
  [ ${#refused[@]} = 0 ] || found database "MySQL's certificate is refused by ${refused[*]}" \
    "gitops/values/$env/database-ca.yaml is the example's, of another region, or older than RDS's new authority; else somebody poses as the database" \
    "scripts/database-ca.sh $env --check; docs/how-to/rotate-secrets.md, the authority of the database"
}

look_at_secrets() {
  local secret keys key have
  get stores clustersecretstores.external-secrets.io
  find_in secrets stores '.items[] | select(any(.status.conditions[]?; .type == "Ready" and .status == "True") | not)
    | {what: "ClusterSecretStore \(.metadata.name) is not ready: \([.status.conditions[]?.message][0] // "no message")",
       cause: "the role of External Secrets, its trust in the service account, or the region is wrong",
       next: "scripts/cluster-values.sh \($env) --check; kubectl -n external-secrets logs deployment/external-secrets --tail=50"}'
  get externalsecrets externalsecrets.external-secrets.io --namespace praxis
  find_in secrets externalsecrets '.items[] | select(any(.status.conditions[]?; .type == "Ready" and .status == "True") | not)
    | {what: "ExternalSecret \(.metadata.name) is not ready: \([.status.conditions[]?.message][0] // "no message")",
       cause: "a secret or one of its keys is missing in AWS, or may not be read", next: "scripts/setup-aws-secrets.sh \($env) --dry-run"}'
  while read -r secret keys; do
    # Names of keys only: values do not leave kubectl.
    # shellcheck disable=SC2016 # a template, not bash
    if ! have=$(kubectl get secret "$secret" --namespace praxis -o 'go-template={{range $key, $value := .data}}{{$key}} {{end}}' 2>/dev/null); then
      found secrets "there is no Secret $secret" "its ExternalSecret was never ready" "kubectl -n praxis describe externalsecret $secret"
      continue
    fi
    for key in $keys; do
      [[ " $have " == *" $key "* ]] ||
        found secrets "Secret $secret has no key $key" "it is missing in AWS" "scripts/setup-aws-secrets.sh $env"
    done
  done <<'KEYS'
praxis-database admin-url migrate-events-url migrate-views-url command-api-events-url query-api-events-url query-api-views-url projector-events-url projector-views-url
praxis-application kek claims-key kafka-username kafka-password
praxis-jwt private-key public-keys
praxis-first-admin email password
KEYS
}

look_at_jobs() {
  get jobs jobs --namespace praxis
  get smoke jobs --namespace argocd
  local area
  for area in jobs smoke; do
    find_in jobs "$area" '.items[] | select(any(.status.conditions[]?; .type == "Failed" and .status == "True"))
      | {what: "Job \(.metadata.namespace)/\(.metadata.name) failed: \([.status.conditions[] | select(.type == "Failed") | .message][0])",
         cause: (if .metadata.labels["app.kubernetes.io/name"] == "migrate" then "a migration or an account failed; the services keep the release they have"
                 else "what it checks is not well" end),
         next: "kubectl -n \(.metadata.namespace) logs job/\(.metadata.name) --all-containers"}'
  done
}

look_at_scaling() {
  get scalers horizontalpodautoscalers --namespace praxis
  find_in scaling scalers '.items[] | .metadata.name as $name
    | ([.status.conditions[]? | select(.type == "ScalingActive" and .status == "False")][0]) as $idle
    | ([.status.conditions[]? | select(.type == "ScalingLimited" and .status == "True" and .reason == "TooManyReplicas")][0]) as $limited
    | if $idle != null and $idle.reason != "ScalingDisabled" then
        {what: "HPA \($name) does not scale: \($idle.message)", cause: "metrics-server or KEDA gives it no number",
         next: "kubectl get apiservices | grep metrics"}
      elif $limited != null then
        {what: "HPA \($name) is at its most replicas, \(.spec.maxReplicas)", cause: "there is more load than it may scale for",
         next: "docs: scaling guide; raise maxReplicas, for a projector up to the partitions"}
      else empty end'
  get scaledobjects scaledobjects.keda.sh --namespace praxis
  find_in scaling scaledobjects '.items[] | .metadata.name as $name
    | ([.status.conditions[]? | select(.type == "Ready" and .status != "True")][0]) as $unready
    | ([.status.conditions[]? | select(.type == "Fallback" and .status == "True")][0]) as $fallback
    | if $unready != null then
        {what: "ScaledObject \($name) is not ready: \($unready.message // "no message")", cause: "KEDA cannot use it, or cannot make its HPA",
         next: "kubectl -n praxis describe scaledobject \($name)"}
      elif $fallback != null then
        {what: "ScaledObject \($name) cannot read the lag, so the number of projectors stays", cause: "Kafka refuses KEDA: brokers, user name or password",
         next: "kubectl -n keda logs deployment/keda-operator --tail=50"}
      else empty end'
}

look_at_entrances() {
  get slices endpointslices --namespace praxis
  find_in endpoints slices '[.items[] | {service: .metadata.labels["kubernetes.io/service-name"], ready: ([.endpoints[]? | select(.conditions.ready != false)] | length)}]
    | group_by(.service)[] | select(([.[].ready] | add) == 0)
    | {what: "Service \(.[0].service) has no ready pod behind it", cause: "its pods are not ready; see the findings about pods",
       next: "kubectl -n praxis get pods -l app.kubernetes.io/instance=\(.[0].service)"}'
  get ingresses ingresses --namespace praxis
  find_in ingress ingresses '(if (.items | length) == 0 then {what: "there is no Ingress", cause: "ingress.enabled is false in the values of command-api and query-api", next: "scripts/cluster-values.sh \($env)"} else empty end),
    (.items[] | select((.status.loadBalancer.ingress // []) | length == 0)
    | {what: "Ingress \(.metadata.name) has no load balancer",
       cause: "the load balancer controller may not make one: its role, the tags of the public subnets, or the certificate",
       next: "kubectl -n praxis describe ingress \(.metadata.name)"})'
}

look_at_certificates() {
  local arn status
  while read -r arn; do
    if ! command -v aws >/dev/null; then
      found certificates "the certificate $arn was not looked at" "there is no aws on the PATH" "install the AWS CLI"
      continue
    fi
    status=$(aws acm describe-certificate --region "$(cut -d: -f4 <<<"$arn")" --certificate-arn "$arn" \
      --query Certificate.Status --output text 2>/dev/null || echo unreadable)
    [ "$status" = ISSUED ] || found certificates "the certificate $arn is $status" \
      "the records that prove the domain are not in its DNS, or the account is another" "terraform output of the domain module; add the records it names"
  done < <(jq -r '[.items[].metadata.annotations["alb.ingress.kubernetes.io/certificate-arn"] // empty] | unique[]' "$work/ingresses.json")
}

look_from_outside() {
  local host path code
  while read -r host; do
    for path in /health /ready; do
      code=$(curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' "https://$host$path" 2>/dev/null) || true
      case $code in
        200) ;;
        000) found public "https://$host$path cannot be reached" "the name does not lead to the load balancer, or its certificate is for another name" \
          "kubectl -n praxis get ingress; dig $host" ;;
        503) found public "https://$host$path answers 503" "no pod is ready behind the load balancer" "kubectl -n praxis get pods" ;;
        *) found public "https://$host$path answers $code" "something else answers at this name" "curl -v https://$host$path" ;;
      esac
    done
  done < <(jq -r '[.items[].spec.rules[]?.host // empty] | unique[]' "$work/ingresses.json")
}

# measure QUERY: what Prometheus says, as a number; empty if it says nothing, or is not to be reached.
measure() {
  kubectl get --raw "/api/v1/namespaces/monitoring/services/http:prometheus-operated:9090/proxy/api/v1/query?query=$(jq -rn --arg q "$1" '$q | @uri')" \
    2>/dev/null | jq -r '.data.result[0].value[1] // empty' || true
}

# more NUMBER LIMIT: numbers of Prometheus may have a fraction
more() { jq -en --argjson a "$1" --argjson b "$2" '$a > $b' >/dev/null; }

look_at_metrics() {
  local leaders lag behind parked
  leaders=$(measure 'sum(praxis_relay_leader)')
  if [ -z "$leaders" ]; then
    found metrics "Prometheus knows no praxis_relay_leader" "it does not run, or scrapes no command-api" \
      "kubectl -n monitoring get prometheus,servicemonitor -A"
    return
  fi
  # Two only in the moment of a change, which one question may catch.
  [ "$leaders" = 1 ] || found metrics "the relay to Kafka has $leaders leaders" \
    "$([ "$leaders" = 0 ] && echo "no command-api can take the lease or reach Kafka" || echo "it is changing hands; ask again in a minute")" \
    "kubectl -n praxis logs -l app.kubernetes.io/name=command-api --tail=50"
  lag=$(measure 'max(praxis_relay_lag_events)')
  if [ -n "$lag" ] && more "$lag" $lag_events_max; then
    found metrics "$lag events are not in Kafka yet" "Kafka is slow or refuses; callers notice nothing, lists are old" \
      "kubectl -n praxis logs -l app.kubernetes.io/name=command-api --tail=50"
  fi
  behind=$(measure 'max(praxis_projection_lag_events)')
  if [ -z "$behind" ]; then
    found metrics "no projector tells its lag" "none runs, or none is scraped" "kubectl -n praxis get pods -l app.kubernetes.io/name=projector"
  elif more "$behind" $lag_events_max; then
    found metrics "read models are $behind events behind" "a rebuild is under way, or there are too few projectors" \
      "kubectl -n praxis get scaledobject,hpa; kubectl -n praxis logs -l app.kubernetes.io/name=projector --tail=50"
  fi
  parked=$(measure 'max(praxis_projection_parked_streams)')
  if [ -n "$parked" ] && more "$parked" 0; then
    found metrics "$parked records are parked: an event of them could not be read" "a projector older than the event's version, or a key is missing" \
      "docs/how-to/rebuild-read-models.md"
  fi
}

right_cluster "$env"
kubectl get --raw /readyz >/dev/null 2>"$work/error" ||
  die "the cluster praxis-$env does not answer: $(head -n 1 "$work/error"); are you logged in to AWS, and may you reach its API?"
look_at_namespaces
look_at_applications
look_at_pods
look_at_database_trust
look_at_secrets
look_at_jobs
look_at_scaling
look_at_entrances
look_at_certificates
look_from_outside
look_at_metrics

count=$(wc -l <"$work/findings")
if [ -n "$json" ]; then
  jq -s . "$work/findings"
else
  jq -r '"BAD  \(.area): \(.what)\n     likely: \(.cause)\n     next:   \(.next)"' "$work/findings"
  for area in namespaces applications pods database secrets jobs scaling endpoints ingress certificates public metrics; do
    jq -se --arg area "$area" 'any(.[]; .area == $area)' "$work/findings" >/dev/null || echo "ok   $area"
  done
  echo "$count findings in praxis-$env"
fi
[ "$count" = 0 ]
