#!/usr/bin/env bash
# Does a real Kubernetes take what Git says, and do with it what we mean? docs/how-to/check-on-a-control-plane.md
# shellcheck disable=SC2016 # in single quotes are the variables of jq
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/dev.sh
source "$here/../lib/dev.sh"
# shellcheck source-path=SCRIPTDIR source=control-plane.sh
source "$here/control-plane.sh"
# shellcheck source-path=SCRIPTDIR source=checks.sh
source "$here/checks.sh"

usage() {
  cat <<'USAGE'
usage: check.sh [ENV…]    of: dev stage prod (all)

Starts a control plane of Kubernetes on 127.0.0.1 for each environment, gives it all that Argo CD would, and looks at what
becomes of it. Prints each check that fails with the end of its output, and last 'N passed, N failed'.

PRAXIS_DEV_DIR   where programs are kept (.dev): its folders cluster-tools and infra-tools
USAGE
}
environments=("$@")
for env in "${environments[@]}"; do
  case $env in
    dev | stage | prod) ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
done
[ ${#environments[@]} -gt 0 ] || environments=(dev stage prod)

infra=$dev_dir/infra-tools
tools=$dev_dir/cluster-tools
{ "$here/../infra-check/install.sh" "$infra" && "$here/install.sh" "$tools"; } || die "the tools could not be installed"
export PATH=$infra/bin:$PATH PYTHONDONTWRITEBYTECODE=1
out=$(mktemp -d)
trap 'end_control_plane; rm -rf "$out"' EXIT
trap 'exit 130' INT TERM HUP
times=$tools/times.log
: >"$times"
passed=0
failed=0

# check NAME COMMAND…: runs it; its output is shown only when it fails
check() {
  local name="$env: $1" began=$SECONDS
  shift
  if "$@" >"$out/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    tail -n 25 "$out/log" | sed 's/^/     /'
  fi
  printf '%4d s  %s\n' $((SECONDS - began)) "$name" >>"$times"
}

# must NAME COMMAND…: a check without which the others say nothing; where it fails the environment is left
must() {
  local before=$failed
  check "$@"
  [ "$failed" = "$before" ]
}

# refused WORDS COMMAND…: for `check`: the command fails, and for this reason
refused() {
  local words=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "was not refused: $*"
    return 1
  fi
  grep -qF -- "$words" <<<"$said" || { printf 'was refused, but not with "%s":\n%s\n' "$words" "$said" && return 1; }
}

# within SECONDS COMMAND…: it becomes true
within() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.5
  done
}

ours() { kubectl --namespace praxis "$@"; }
# says VALUE COMMAND…: that is what it prints
says() {
  local said
  said=$("${@:2}") || return 1
  [ "$said" = "$1" ] || { echo "said '$said', not '$1': ${*:2}" && return 1; }
}

# As Argo CD does: on the server's side, as the owner of what it says, whoever else said something there.
argocd=(--server-side --force-conflicts --field-manager=argocd-controller)

# taken FILE: without a warning either: of Pod Security, or of what a later version no longer has
taken() {
  local said
  said=$(kubectl apply "${argocd[@]}" --validate=strict -f "$1" 2>&1) || { echo "$said" && return 1; }
  if grep -i '^warning' <<<"$said"; then return 1; fi
}

# same FILE: what the cluster has of it is what Git says; else Argo CD would send it again for ever
same() { kubectl diff "${argocd[@]}" -f "$1"; }

# What is there before Argo CD sends anything: nodes in two zones, the namespaces of others, CRDs, and disks.
given() {
  local name i architecture
  architecture=$(sed -n 's/^node_architecture: "\(.*\)"$/\1/p' "$root_dir/gitops/values/$env/cluster.yaml")
  kubectl apply --server-side -f "$tools/crds" && kubectl wait --for=condition=Established --timeout=60s crd --all || return 1
  for name in argocd external-secrets keda monitoring; do kubectl create namespace "$name" || return 1; done
  for i in 1 2 3 4; do
    kubectl create -f - <<NODE || return 1
apiVersion: v1
kind: Node
metadata:
  name: node-$i
  annotations: {kwok.x-k8s.io/node: fake}
  labels:
    kubernetes.io/hostname: node-$i
    kubernetes.io/os: linux
    kubernetes.io/arch: $architecture
    topology.kubernetes.io/zone: ap-south-1$((i % 2))
status:
  allocatable: {cpu: "16", memory: 64Gi, pods: "110"}
  capacity: {cpu: "16", memory: 64Gi, pods: "110"}
NODE
    kubectl create -f - <<DISK || return 1
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk-$i}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 100Gi}
  storageClassName: disks
  hostPath: {path: /nowhere}
DISK
  done
  kubectl create -f - <<'CLASS'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: disks
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/no-provisioner
CLASS
  kubectl wait --for=condition=Ready --timeout=60s node --all
}

# release DIGIT FOLDER: the pipeline releases other images, and read models of another fingerprint; FOLDER has what Git says then
release() {
  local digit=$1 values=$project/gitops/values file=$out/$env/release-$1.json
  [ -d "$project" ] || { mkdir "$project" && cp -r "$root_dir"/{helm,gitops} "$project/"; } || return 1
  jq -n --arg digit "$digit" '("sha256:" + $digit * 64) as $digest | {commit: ($digit * 40), tag: "v0.0.\($digit)",
    fingerprint: ($digit * 16), images: {"command-api": $digest, "query-api": $digest, projector: $digest, praxis: $digest}}' >"$file"
  PRAXIS_GITOPS_VALUES=$values "$root_dir/scripts/release-values.sh" "$env" prepare "$file" &&
    PRAXIS_GITOPS_VALUES=$values "$root_dir/scripts/release-values.sh" "$env" serve "$file" &&
    "$infra/venv/bin/python" "$here/render.py" "$project" "$env" "$2"
}

for env in "${environments[@]}"; do
  say "$env"
  mkdir "$out/$env"
  project=$out/$env/tree
  if must "a control plane starts" start_control_plane "praxis-$env" &&
    must "nodes, CRDs and namespaces are there" given &&
    must "a first release is rendered" release 1 "$out/$env/git" &&
    must "a second release is rendered" release 2 "$out/$env/next"; then
    check_manifests
    check_release
    check_scaling
    check_disruption
    check_rights
    check_refusals
    check_scripts
    check_charts
  fi
  end_control_plane
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
