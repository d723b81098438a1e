#!/usr/bin/env bash
# How does a release reach an environment? Two commits to gitops/values, each waited for; what fails is reverted.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: deploy.sh ENV release.json URL

  0. asks whether main's release signed every image of release.json (release.sh verify), and does nothing if it did not
  1. prepare: migrations and the projector (of a new fingerprint: beside the old one); waits until they are done and ready
  2. serve: command-api and query-api; waits until they serve, then asks URL from outside (smoke-test.sh)
  3. takes away projectors whose rollback window is over

Each step is a commit, pushed to the branch PRAXIS_DEPLOY_BRANCH (main). A step that fails is reverted, waited for again,
and this ends with 1. The work tree must be clean and have the whole history; kubectl must speak to praxis-ENV; docker must be
logged in to the registry. PRAXIS_REGISTRY and PRAXIS_SIGNER are as release.sh --help says.
USAGE
}

case ${1:-} in -h | --help) usage; exit 0 ;; esac
[ $# = 3 ] || wrong "which environment, release and address?"
# Asked for at the end only, when a release without an address would be taken back.
[[ $3 == https://?* ]] || wrong "'$3' is no address: https://…"
environment "$1"
env=$1 release=$(realpath "$2") url=$3
need git jq kubectl curl docker cosign
branch=${PRAXIS_DEPLOY_BRANCH:-main}
seconds=${PRAXIS_ROLLOUT_SECONDS:-1200}
pushes_max=5
cd "$root_dir"
# Before anything is pushed: who cannot watch would take every release for one that does not come up.
right_cluster "$env"
kubectl get applications.argoproj.io --namespace argocd -o json >/dev/null || die "the cluster cannot be asked"
[ -z "$(git status --porcelain -- gitops)" ] || die "gitops/ has changes that are not committed"
tag=$(jq -er .tag "$release") || die "$release does not say which tag"
projector=projector-$(jq -er '.fingerprint[:8]' "$release")

scripts/release.sh verify "$release"

# Another environment's deployment may have pushed meanwhile; it never touches the same files.
push() {
  local try
  for ((try = 1; try <= pushes_max; try++)); do
    git push --quiet origin "HEAD:$branch" && return
    git pull --quiet --rebase origin "$branch"
  done
  die "$branch moved $pushes_max times while this pushed; nothing of this step is deployed"
}

# step NAME APPLICATION…: one edit, one commit, waited for; reverted when it does not come up
step() {
  local name=$1
  shift
  scripts/release-values.sh "$env" "$name" "$release"
  if [ -z "$(git status --porcelain -- gitops)" ]; then
    say "$name: $tag is there already"
  else
    git add -A -- "gitops/values/$env"
    git commit --quiet -m "gitops: $env, $name $tag"
    push
  fi
  local commit
  commit=$(git rev-parse HEAD)
  if scripts/wait-for-rollout.sh "$env" "$commit" --seconds "$seconds" "$@" && { [ "$name" != serve ] || scripts/smoke-test.sh "$url"; }; then
    return
  fi
  [ "$(git log -1 --format=%s)" = "gitops: $env, $name $tag" ] ||
    die "$name of $tag does not come up, and it was there before: nothing to revert"
  say "$name of $tag does not come up: going back"
  git revert --no-edit HEAD >/dev/null
  push
  # Gone back to: what was there before, which may have had no projector of this fingerprint.
  local before=()
  for application in "$@"; do
    [ "$application" = "$projector" ] && [ ! -e "gitops/values/$env/projectors/${projector#projector-}.yaml" ] || before+=("$application")
  done
  scripts/wait-for-rollout.sh "$env" "$(git rev-parse HEAD)" --seconds "$seconds" "${before[@]}" ||
    die "and what was there before does not come up either: scripts/validate-deployment.sh $env"
  die "$name of $tag failed; $env is as it was before"
}

step prepare migrate "$projector"
step serve command-api query-api
scripts/release-values.sh "$env" expire
if [ -n "$(git status --porcelain -- gitops)" ]; then
  git add -A -- "gitops/values/$env"
  git commit --quiet -m "gitops: $env, take away projectors that nobody goes back to"
  push
fi
say "$env serves $tag"
