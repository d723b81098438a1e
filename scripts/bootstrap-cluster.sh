#!/usr/bin/env bash
# Install Argo CD into a new cluster and point it at gitops/clusters/<env>. Everything else comes from there.
#
# May be run again at any time: it installs nothing twice and changes nothing that is as it should be.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: bootstrap-cluster.sh ENV [--dry-run] [--deploy-key FILE] [--not-pushed]

  --dry-run           check everything, say what would be done, and change nothing
  --deploy-key FILE   a private SSH key that may read the repository, where it is not public,
                      and which gitops/ then names as ssh://git@…
  --not-pushed        go on though gitops/ or helm/ here is not what main of origin has, which is what Argo CD reads

kubectl must speak to the cluster praxis-ENV: aws eks update-kubeconfig --name praxis-ENV
USAGE
}

env='' dry_run='' deploy_key='' not_pushed=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --dry-run) dry_run=1 ;;
    --not-pushed) not_pushed=1 ;;
    --deploy-key)
      [ $# -gt 1 ] || wrong "--deploy-key needs a file"
      deploy_key=$2
      shift
      ;;
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
[ -z "$deploy_key" ] || [ -r "$deploy_key" ] || die "cannot read $deploy_key"

gitops=$root_dir/gitops
# one_of FILE KEY: the value of the first line `KEY: value`
one_of() { sed -n "s/^ *\(- \)\{0,1\}$2: *//p" "$1" | head -n 1; }
# The version is said once, where Argo CD then keeps itself.
chart_version=$(one_of "$gitops/apps/argocd.yaml" targetRevision)
chart_repository=$(one_of "$gitops/apps/argocd.yaml" repoURL)
repository=$(one_of "$gitops/root.yaml" repoURL)

need kubectl helm git
right_cluster "$env"

# What would only be found out by an Argo CD that stands there and does nothing.
origin=$(git -C "$root_dir" remote get-url origin 2>/dev/null || true)
# git@host:owner/name.git, ssh://…, https://… and with or without .git are all the same repository.
plain() { sed -E 's,^(ssh|https?)://,,; s,^[^@/]*@,,; s,:,/,; s,\.git/?$,,' <<<"$1"; }
[ "$(plain "$origin")" = "$(plain "$repository")" ] ||
  die "gitops names the repository $repository, but this clone is of '$origin';" \
    "name yours: git grep -l '$repository' gitops | xargs sed -i 's,$repository,$origin,', then commit and push"
if [ -n "$deploy_key" ] && [[ $repository == https://* ]]; then
  die "gitops names $repository, which Argo CD opens with no SSH key; name it by SSH:" \
    "git grep -l '$repository' gitops | xargs sed -i 's,$repository,ssh://git@${repository#https://},', then commit and push"
fi
if grep -q 'account_id: "000000000000"' "$gitops/values/$env/cluster.yaml"; then
  die "gitops/values/$env/cluster.yaml is still the example's: scripts/cluster-values.sh $env, then commit and push"
fi
if grep -q "^# The example's" "$gitops/values/$env/database-ca.yaml"; then
  die "gitops/values/$env/database-ca.yaml is still the example's: scripts/database-ca.sh $env, then commit and push"
fi
unreleased=$(grep -rlE '^ *digest: "?sha256:0{64}"?$' "$gitops/values/$env" || true)
[ -z "$unreleased" ] ||
  die "no release is named yet in ${unreleased//$'\n'/, }: scripts/release-values.sh $env prepare, and serve, then commit and push"

# What was checked here is what Argo CD will read. Compared by content, since a pull request may be merged as another commit.
branch=$(one_of "$gitops/root.yaml" targetRevision)
pushed() {
  git -C "$root_dir" diff --quiet "refs/remotes/origin/$branch" -- gitops helm 2>/dev/null &&
    [ -z "$(git -C "$root_dir" status --porcelain -- gitops helm)" ]
}
if ! pushed; then
  differs="gitops/ or helm/ here is not what $branch of origin has, and Argo CD reads that and not this folder"
  [ -n "$not_pushed" ] || die "$differs: commit and push (after a merge there: git pull), or say --not-pushed"
  say "warning: $differs"
fi

root=$(sed "s,path: gitops/clusters/dev,path: gitops/clusters/$env," "$gitops/root.yaml")
# Else another environment's applications would come into this cluster.
[ "$(grep -c "path: gitops/clusters/$env\$" <<<"$root")" = 1 ] || die "gitops/root.yaml has no path gitops/clusters/dev to make $env's of"

if [ -n "$dry_run" ]; then
  say "would install Argo CD, chart $chart_version of $chart_repository, into namespace argocd of praxis-$env"
  [ -z "$deploy_key" ] || say "would give it the key to $repository"
  say "would apply gitops/projects and the Application root, path gitops/clusters/$env of $repository"
  exit 0
fi

# The values are those of Argo CD's own Application, so it finds nothing to change when it takes over.
helm upgrade --install argocd argo-cd --repo "$chart_repository" --version "$chart_version" \
  --namespace argocd --create-namespace --values "$gitops/argocd/values.yaml" --wait --timeout 10m >&2
say "Argo CD is there"

if [ -n "$deploy_key" ]; then
  # Applied by the server: kubectl's own way would keep a second copy of the key, in an annotation.
  kubectl create secret generic repository --namespace argocd --from-literal=type=git \
    --from-literal="url=$repository" --from-file="sshPrivateKey=$deploy_key" --dry-run=client -o yaml |
    kubectl label --local -f - argocd.argoproj.io/secret-type=repository -o yaml |
    kubectl apply --server-side --force-conflicts --field-manager=bootstrap-cluster -f - >&2
fi

# Projects first: an Application of a project that is not there is an error until somebody looks again.
kubectl apply --server-side --force-conflicts --field-manager=bootstrap-cluster -k "$gitops/projects" >&2
kubectl apply --server-side --force-conflicts --field-manager=bootstrap-cluster -f - <<<"$root" >&2
say "root is there, and brings the rest wave by wave. Watch: scripts/validate-deployment.sh $env"
