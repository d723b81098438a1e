# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does bootstrap-cluster.sh refuse the wrong cluster, do nothing when asked to, and install what GitOps then keeps?

# given_project ENV: a clone whose repository and account are named, which those of the tree are not
given_project() {
  project=$STUB_STATE/project
  mkdir -p "$project/scripts" "$STUB_STATE/kubectl"
  cp -r "$root_dir/gitops" "$project/gitops"
  cp -r "$root_dir/scripts/lib" "$root_dir/scripts/bootstrap-cluster.sh" "$project/scripts/"
  repository=$(sed -n 's/^ *repoURL: //p' "$project/gitops/root.yaml")
  git -C "$project" init -q
  git -C "$project" remote add origin "$repository"
  sed -i 's/000000000000/123456789012/g' "$project/gitops/values/$1/cluster.yaml"
  sed -i "/^# The example's/d" "$project/gitops/values/$1/database-ca.yaml"
  echo "arn:aws:eks:ap-south-1:123456789012:cluster/praxis-$1" >"$STUB_STATE/kubectl/cluster"
  script=$project/scripts/bootstrap-cluster.sh
}

changes() { grep -cE '^(helm|kubectl (apply|create)) ' "$STUB_STATE/calls" || true; }

test_the_version_of_its_own_application_is_installed_and_root_points_at_the_environment() {
  given_project prod
  run "$script" prod
  expect_status 0
  version=$(sed -n 's/^ *targetRevision: //p' "$root_dir/gitops/apps/argocd.yaml" | head -n 1)
  expect_equal "$(calls "^helm upgrade --install argocd argo-cd .*--version $version ")" 1
  grep -q 'path: gitops/clusters/prod$' "$STUB_STATE/applied" || fail "root does not point at prod"
  expect_equal "$(grep -c 'kind: Application$' "$STUB_STATE/applied")" 1
}

test_nothing_but_argo_cd_its_projects_and_root_is_installed() {
  given_project dev
  run "$script" dev
  expect_equal "$(changes)" 3
}

test_a_second_run_does_the_same_again() {
  given_project dev
  run "$script" dev
  expect_status 0
  cp "$STUB_STATE/applied" "$STUB_STATE/first"
  : >"$STUB_STATE/applied"
  run "$script" dev
  expect_status 0
  cmp "$STUB_STATE/first" "$STUB_STATE/applied"
}

test_the_wrong_cluster_is_refused() {
  given_project prod
  echo "arn:aws:eks:ap-south-1:123456789012:cluster/praxis-dev" >"$STUB_STATE/kubectl/cluster"
  run "$script" prod
  expect_status 1
  expect_says "kubectl speaks to 'praxis-dev', not to 'praxis-prod'"
  expect_equal "$(changes)" 0
}

test_a_dry_run_changes_nothing() {
  given_project prod
  run "$script" prod --dry-run
  expect_status 0
  expect_says 'would install Argo CD'
  expect_equal "$(changes)" 0
}

test_the_examples_account_is_refused() {
  given_project prod
  sed -i 's/123456789012/000000000000/g' "$project/gitops/values/prod/cluster.yaml"
  run "$script" prod
  expect_status 1
  expect_says 'scripts/cluster-values.sh prod'
  expect_equal "$(changes)" 0
}

test_another_repository_is_refused_and_the_same_by_ssh_is_not() {
  given_project dev
  git -C "$project" remote set-url origin https://git.example.org/mine/praxis.git
  run "$script" dev
  expect_status 1
  expect_says 'but this clone is of'
  git -C "$project" remote set-url origin "$(sed -E 's,https://([^/]*)/,git@\1:,' <<<"$repository")"
  run "$script" dev
  expect_status 0
}

test_a_deploy_key_goes_in_as_a_file() {
  given_project dev
  grep -rl "$repository" "$project/gitops" | xargs sed -i "s,$repository,ssh://git@${repository#https://},"
  echo 'not a real key' >"$STUB_STATE/key"
  run "$script" dev --deploy-key "$STUB_STATE/key"
  expect_status 0
  expect_equal "$(calls "from-file=sshPrivateKey=$STUB_STATE/key")" 1
  expect_equal "$(calls 'from-literal=url=ssh://git@')" 1
  expect_equal "$(calls 'not a real key')" 0
}

test_a_deploy_key_for_an_address_that_takes_none_is_refused() {
  given_project dev
  echo 'not a real key' >"$STUB_STATE/key"
  run "$script" dev --deploy-key "$STUB_STATE/key"
  expect_status 1
  expect_says 'name it by SSH'
  expect_equal "$(changes)" 0
}

test_the_examples_authority_of_the_database_is_refused() {
  given_project prod
  cp "$root_dir/gitops/values/prod/database-ca.yaml" "$project/gitops/values/prod/"
  run "$script" prod
  expect_status 1
  expect_says 'scripts/database-ca.sh prod'
  expect_equal "$(changes)" 0
}
