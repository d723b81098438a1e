#!/usr/bin/env bash
# Is everything between a commit and a cluster sound? Offline, but for package registries on the first run.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parts_known=(scripts images workflows charts gitops terraform)

usage() {
  cat <<USAGE
usage: check.sh [PART…]    of: ${parts_known[*]} (all)

Prints each check that fails with the end of its output, and last 'N passed, N failed'.

PRAXIS_DEV_DIR              where the tools are kept (.dev): its folder infra-tools
PRAXIS_TERRAFORM_PROVIDER   registry: the real hashicorp/aws; stand-in: only its schema, which needs no registry of
                            Terraform's. By default registry in GitHub Actions, stand-in elsewhere.
USAGE
}
parts=("$@")
for part in "${parts[@]}"; do
  case " ${parts_known[*]} " in
  *" $part "*) ;;
  *)
    if [ "$part" = --help ] || [ "$part" = -h ]; then usage && exit; fi
    usage >&2
    exit 2
    ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || parts=("${parts_known[@]}")

cd "$here/../.." || exit 1
project=$PWD
tools=${PRAXIS_DEV_DIR:-.dev}/infra-tools
"$here/install.sh" "$tools" || { echo "the tools could not be installed" >&2 && exit 1; }
tools=$(cd "$tools" && pwd)
export PATH=$tools/bin:$tools/venv/bin:$tools/argocd/bin:$PATH PYTHONDONTWRITEBYTECODE=1
python=$tools/venv/bin/python
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/rendered"
passed=0
failed=0

# check NAME COMMAND…: runs it; its output is shown only when it fails
check() {
  local name=$1
  shift
  if "$@" >"$out/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    tail -n 25 "$out/log" | sed 's/^/     /'
  fi
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

# found NAME FILES…: whether there are any; none is a failure, since nothing would be checked
found() {
  [ $# -gt 1 ] && return
  failed=$((failed + 1))
  echo "FAIL $1: nothing to check was found"
  return 1
}

# tracked PATTERN…: files in git, those not yet added included
tracked() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [ ! -e "$file" ] || echo "$file"; done; }

trivy_config() {
  trivy config --skip-check-update --skip-version-check -q --exit-code 1 --severity HIGH,CRITICAL "$@"
}

check_scripts() {
  mapfile -t files < <(tracked '*.sh')
  found scripts "${files[@]}" && check shellcheck shellcheck -x "${files[@]}"
}

check_images() {
  mapfile -t files < <(tracked '*Dockerfile*' | grep -v dockerignore)
  found images "${files[@]}" || return
  check hadolint hadolint "${files[@]}"
  check "trivy docker" trivy_config docker
}

check_workflows() {
  mapfile -t files < <(tracked '.github/workflows/*.yml' '.github/workflows/*.yaml')
  found workflows "${files[@]}" || return
  check actionlint actionlint "${files[@]}"
  check zizmor zizmor --offline .github
  check "each job is let in where it must" "$python" "$here/trust_check.py"
  check "jobs that AWS would not let in are refused" "$python" "$here/trust_check_test.py"
}

# render HELM CHART VALUES OUTPUT
render() { "$1" template praxis "$2" --namespace praxis --kube-version 1.35.0 -f "$3" >"$4"; }

# same_of_files CHART RELEASE RENDERED: whether Helm makes the same of a release's several files
same_of_files() {
  local files
  mapfile -t files < <("$python" "$here/ci_values.py" --sources "$2")
  helm template praxis "$1" --namespace praxis --kube-version 1.35.0 "${files[@]/#/--values=}" | diff - "$3"
}

check_chart() {
  local chart=$1 name=${1##*/} values release environment rendered=()
  mapfile -t files < <(compgen -G "$chart/ci/*-values.yaml")
  found "$chart/ci/*-values.yaml" "${files[@]}" || return
  mkdir "$out/rendered/$name"
  for values in "${files[@]}"; do
    release=$(basename "$values" -values.yaml)
    for helm in helm3 helm; do
      check "$helm lint $values" "$helm" lint --strict --quiet -f "$values" "$chart"
      check "$helm template $values" render $helm "$chart" "$values" "$out/$name-$release.$helm"
    done
    check "Helm 3 and 4 agree on $values" diff -Bb "$out/$name-$release.helm3" "$out/$name-$release.helm"
    [ ! -e "$chart/ci/releases/$release.yaml" ] || check "$release is the same of several files" \
      same_of_files "$chart" "$chart/ci/releases/$release.yaml" "$out/$name-$release.helm"
    mv "$out/$name-$release.helm" "$out/rendered/$name/$release.yaml"
    rendered+=("$out/rendered/$name/$release.yaml")
  done
  for version in 1.35 1.36 1.37; do
    check "schemas $version $name" "$python" "$here/manifest_check.py" -k $version "${rendered[@]}"
  done
  # Restricted, of every pod; a chart without pods has nothing to answer for.
  check "pod security $name" podsecurity "${rendered[@]}"
  check "trivy $name" trivy_config "$out/rendered/$name"
  mapfile -t files < <(compgen -G "$chart/tests/*_test.yaml")
  found "$chart/tests/*_test.yaml" "${files[@]}" && check "unit tests $name" helm-unittest --strict "$chart"
}

check_charts() {
  local charts=() chart file environment secrets=()
  mapfile -t charts < <(compgen -G 'helm/*/Chart.yaml' | xargs -r -n1 dirname)
  found charts "${charts[@]}" || return
  check "ci values are those of the releases" "$python" "$here/ci_values.py" --check
  for chart in "${charts[@]}"; do check_chart "$chart"; done

  for file in "$out"/rendered/praxis-platform/*.yaml; do secrets+=(--secrets "$file"); done
  for file in "$out"/rendered/*/*.yaml; do
    environment=$(grep -oE '(dev|stage|prod)' <<<"${file##*/}" | head -n 1)
    check "policies ${file#"$out/rendered/"}" "$python" "$here/policies.py" --environment "${environment:-dev}" "${secrets[@]}" "$file"
  done
  check_refusals
  check "rules, dashboards and metrics" "$python" "$here/metrics_check.py"
  check "what rules and dashboards may not say is refused" "$python" "$here/metrics_check_test.py"
}

# A check that cannot fail is none: each of them has something to refuse.
check_refusals() {
  check "each policy refuses its cases" "$python" "$here/policies_test.py" "$out/rendered"
  check "what no release may say is refused" "$python" "$here/refused_values.py" helm
  cat >"$out/root.yaml" <<'POD'
apiVersion: v1
kind: Pod
metadata: {name: root}
spec:
  containers: [{name: main, image: "example/main:1"}]
POD
  check "pod security refuses a pod as root" refused runAsNonRoot podsecurity "$out/root.yaml"
  sed 's/kind: Pod/kind: Pdo/' "$out/root.yaml" >"$out/kind.yaml"
  check "schemas refuse an unknown kind" refused "FAIL" "$python" "$here/manifest_check.py" -k 1.35 "$out/kind.yaml"
  cp -r helm/praxis-migrate "$out/chart"
  cat >"$out/chart/tests/wrong_test.yaml" <<'SUITE'
suite: wrong
templates: [serviceaccount.yaml]
values: [../ci/migrate-dev-values.yaml]
tests:
  - it: mounts the token
    asserts: [{equal: {path: automountServiceAccountToken, value: true}}]
SUITE
  check "unit tests fail where the chart does" refused "1 failed" helm-unittest --strict "$out/chart"
  mkdir -p "$out/stale/helm"
  cp -r helm/praxis-migrate helm/praxis-service "$out/stale/helm/"
  sed -i 's/backoffLimit: .*/backoffLimit: 9/; s/tag: .*/tag: v9/' "$out/stale/helm/praxis-migrate/ci/migrate-dev-values.yaml"
  check "ci values that are stale are refused" refused "is stale" "$python" "$here/ci_values.py" --check "$out/stale"
}

check_gitops() {
  mapfile -t files < <(tracked 'gitops/*.yaml' | grep -v -e '/values/' -e 'values.*\.yaml$')
  found gitops "${files[@]}" || return
  check "schemas gitops" "$python" "$here/manifest_check.py" -k 1.35 "${files[@]}"
  check "pod security gitops" podsecurity "${files[@]}"
  # Argo CD's own view of it, argocd-source-lint included.
  check "gitops" "$python" "$here/gitops_check.py" "$project"
  check "what GitOps may not say is refused" "$python" "$here/gitops_check_test.py"
  check "waves wait" "$python" "$here/argocd_health_check.py"
  sed '/phase == "Failed"/s/== "Failed"/== "Fell"/' gitops/argocd/values.yaml >"$out/argocd.yaml"
  check "waves that do not wait are refused" refused "not Degraded" "$python" "$here/argocd_health_check.py" "$out/argocd.yaml"
  check "alerts reach somebody" "$python" "$here/alertmanager_check.py"
  check "alerts that reach nobody are refused" "$python" "$here/alertmanager_check_test.py"
}

check_terraform() {
  local init=':'
  command -v terraform >/dev/null || { found "terraform, which is not installed" && return; }
  mapfile -t dirs < <(tracked 'terraform/*.tf' | xargs -r -n1 dirname | sort -u)
  found terraform "${dirs[@]}" || return
  check "terraform fmt" terraform fmt -check -recursive terraform
  check "costs add up" "$python" terraform/cost.py --check
  case ${PRAXIS_TERRAFORM_PROVIDER:-$([ "${GITHUB_ACTIONS:-}" = true ] && echo registry || echo stand-in)} in
  registry) init='terraform init -backend=false -input=false' ;;
  stand-in) export TF_CLI_CONFIG_FILE=$tools/terraformrc ;;
  *) check "PRAXIS_TERRAFORM_PROVIDER is registry or stand-in" false ;;
  esac
  # A copy: what a run leaves behind must not be in the project.
  cp -r terraform "$out/terraform"
  for dir in "${dirs[@]}"; do
    check "terraform validate $dir" sh -c "cd '$out/$dir' && $init && terraform get && terraform validate"
    compgen -G "$dir/tests/*.tftest.hcl" >/dev/null && check "terraform test $dir" sh -c "cd '$out/$dir' && terraform test"
  done
  check "bootstrap asks which environments" refused 'required variable "environments"' \
    test_without '^ *environments *= .*"stage"' "$out/terraform/bootstrap"
  for dir in terraform/envs/*; do
    # Also where the domain is somebody's own by now.
    sed -i -E 's/^( *domain *= ").*"/\1praxis.example"/' "$out/$dir/main.tf"
    check "the example's domain is refused in $dir" refused "domain is still an example's" test_without allow_examples "$out/$dir"
  done
  check "trivy terraform" trivy_config terraform
  # As the guide has it: the API server answers somebody's network.
  sed -i -E 's|^( *api_allowed_cidrs *= )\[\]|\1["203.0.113.7/32"]|' "$out"/terraform/envs/*/main.tf
  check "trivy terraform with an API server that answers" trivy_config --skip-dirs '**/.terraform' "$out/terraform"
}

# test_without PATTERN DIR: terraform test of a copy, without the lines of its tests that say so
test_without() {
  sed -i -E "/$1/d" "$2"/tests/*.tftest.hcl
  (cd "$2" && terraform test -no-color)
}

for part in "${parts[@]}"; do "check_$part"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
