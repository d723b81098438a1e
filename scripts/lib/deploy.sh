# shellcheck shell=bash
# What the operator's scripts share: messages, tools, the environment's name and what Terraform says of it.
# Sourced, never run. The sourcing script has set -euo pipefail.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# wrong USE…: the command line is at fault, and how it should be is said by the script's own usage.
wrong() {
  say "$@"
  usage >&2
  exit 2
}

# need TOOL…: all that are missing are named at once.
need() {
  local tool missing=()
  for tool in "$@"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  [ ${#missing[@]} = 0 ] || die "missing on the PATH: ${missing[*]}"
}

# environment NAME: is that one of ours?
environment() {
  case $1 in
    dev | stage | prod) ;;
    *) wrong "'$1' is no environment: dev, stage or prod" ;;
  esac
}

# facts_of ENV: Terraform's output cluster_values as JSON; refused if the folder's state is another environment's, which
# happens after `terraform init` with another's key.
facts_of() {
  local env=$1 dir facts named
  dir=$root_dir/terraform/envs/$env
  facts=$(terraform -chdir="$dir" output -json cluster_values) ||
    die "$dir has no output cluster_values: run terraform init and apply for $env there first"
  named=$(jq -r '.environment // ""' <<<"$facts") || die "the output cluster_values of $dir is not JSON"
  [ "$named" = "$env" ] ||
    die "the state of $dir is that of '$named', not of '$env': run terraform init with the backend of $env"
  printf '%s\n' "$facts"
}

# right_cluster ENV: does kubectl speak to praxis-ENV? Asked of the context's cluster, whose name may be an EKS ARN.
right_cluster() {
  local env=$1 cluster
  cluster=$(kubectl config view --minify -o 'jsonpath={.contexts[0].context.cluster}' 2>/dev/null) ||
    die "kubectl has no current context: aws eks update-kubeconfig --name praxis-$env"
  [ "${cluster##*/}" = "praxis-$env" ] ||
    die "kubectl speaks to '${cluster##*/}', not to 'praxis-$env': aws eks update-kubeconfig --name praxis-$env"
}
