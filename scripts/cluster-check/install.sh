#!/usr/bin/env bash
# Build what check.sh runs, from Go modules at fixed versions and checksums.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/dev.sh
source "$here/../lib/dev.sh"

usage="usage: install.sh [DIR]    installs into DIR (default: \$PRAXIS_DEV_DIR/cluster-tools, or .dev/cluster-tools);
                           takes ten minutes of one core and 5 GB once; 0.4 GB stay"
case ${1:-} in
-h | --help) echo "$usage" && exit ;;
-*) echo "$usage" >&2 && exit 2 ;;
esac
dir=${1:-$dev_dir/cluster-tools}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
stamp=$dir/.praxis-$(cat "$here"/{install.sh,go.mod,go.sum,modules.txt} | sha256sum | cut -c1-12)

# taken MODULE: the folder of a module of modules.txt, as its checksum says it is
taken() {
  local name version sum answer
  read -r name version sum < <(grep "^$1 " "$here/modules.txt")
  answer=$(cd "$tmp" && go mod download -json "$name@$version") || die "$name $version cannot be had: $answer"
  [ "$(jq -r .Sum <<<"$answer")" = "$sum" ] || die "$name $version is not what it was: $(jq -r .Sum <<<"$answer")"
  jq -r .Dir <<<"$answer"
}

control_plane() {
  local version
  cd "$here"
  version=$(go list -mod=readonly -m -f '{{.Version}}' k8s.io/kubernetes)
  say "building Kubernetes $version"
  # A server that was not told its version has none, and clients refuse to read that.
  go build -mod=readonly -o "$tmp/bin/" -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version
    -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$version")" tool
  mv "$tmp/bin/server" "$tmp/bin/etcd"
}

nodes() {
  local folder
  folder=$(taken sigs.k8s.io/kwok)
  cd "$folder"
  say "building kwok"
  go build -mod=readonly -o "$tmp/bin/" -ldflags '-s -w' ./cmd/kwok
  # What becomes of a node and a pod: they are ready at once, and a pod of a Job ends well.
  cp kustomize/stage/node/{fast/node-initialize,heartbeat-with-lease/node-heartbeat-with-lease}.yaml \
    kustomize/stage/pod/fast/pod-{ready,complete,delete}.yaml "$tmp/stages/"
}

crds() {
  local secrets keda prometheus argocd gateway
  say "taking CRDs"
  secrets=$(taken github.com/external-secrets/external-secrets)
  keda=$(taken github.com/kedacore/keda/v2)
  prometheus=$(taken github.com/prometheus-operator/prometheus-operator)
  argocd=$(taken github.com/argoproj/argo-cd/v3)
  gateway=$(taken sigs.k8s.io/gateway-api)
  cp "$secrets"/config/crds/bases/external-secrets.io_{externalsecrets,clustersecretstores}.yaml \
    "$keda"/config/crd/bases/keda.sh_{scaledobjects,triggerauthentications}.yaml \
    "$prometheus"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,servicemonitors,prometheusrules,prometheuses,alertmanagers}.yaml \
    "$argocd"/manifests/crds/{application,applicationset,appproject}-crd.yaml \
    "$gateway"/config/crd/standard/gateway.networking.k8s.io_{gatewayclasses,gateways,httproutes}.yaml "$tmp/crds/"
}

install() {
  [ ! -e "$stamp" ] || return 0
  command -v go >/dev/null || die "Go $(awk '$1 == "go" { print $2 }' "$here/go.mod") or later is missing"
  command -v jq >/dev/null || install_packages "the cluster's check needs jq" jq
  tmp=$(mktemp -d "$dir/tmp.XXXXXX")
  # Modules are read-only, and what was built of them is needed once.
  trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
  mkdir "$tmp/bin" "$tmp/crds" "$tmp/stages"
  export GOMODCACHE=$tmp/modules GOCACHE=$tmp/cache GOWORK=off CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false'
  crds
  (nodes)
  (control_plane)
  rm -rf "${dir:?}"/{bin,crds,stages} "$dir"/.praxis-*
  mv "$tmp/bin" "$tmp/crds" "$tmp/stages" "$dir/"
  touch "$stamp"
}

with_lock "$dir/install.lock" install
