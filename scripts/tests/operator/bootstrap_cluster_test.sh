# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does bootstrap-cluster.sh refuse the wrong cluster, do nothing when asked to, and install what GitOps then keeps?

repository=https://github.com/praxis-example/praxis.git

# given_project ENV: a clone that is ready to be deployed to ENV, and pushed
given_project() {
  local named file
  project=$STUB_STATE/project
  values=$project/gitops/values/$1
  mkdir -p "$project/scripts" "$STUB_STATE/kubectl"
  cp -r "$root_dir/gitops" "$project/gitops"
  cp -r "$root_dir/scripts/lib" "$root_dir/scripts/bootstrap-cluster.sh" "$project/scripts/"
  named=$(sed -n 's/^ *repoURL: //p' "$project/gitops/root.yaml")
  grep -rl "$named" "$project/gitops" | xargs sed -i "s,$named,$repository,"
  set_line "$values/cluster.yaml" account_id '"123456789012"'
  sed -i "/^# The example's/d" "$values/database-ca.yaml"
  for file in "$values"/{migrate,command-api,query-api}.yaml "$values"/projectors/*.yaml; do
    set_line "$file" digest "sha256:$(printf 'a%.0s' {1..64})"
  done
  echo "arn:aws:eks:ap-south-1:123456789012:cluster/praxis-$1" >"$STUB_STATE/kubectl/cluster"
  script=$project/scripts/bootstrap-cluster.sh
  git -C "$project" init -q --initial-branch main
  git -C "$project" remote add origin "$repository"
  push
}

# push: as git does after a push, with nobody at the other end
push() {
  git -C "$project" add -A
  git -C "$project" commit -q -m 'as it is'
  git -C "$project" update-ref refs/remotes/origin/main HEAD
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
  set_line "$values/cluster.yaml" account_id '"000000000000"'
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

install_with_a_deploy_key() {
  given_project dev
  grep -rl "$repository" "$project/gitops" | xargs sed -i "s,$repository,ssh://git@${repository#https://},"
  push
  echo 'not a real key' >"$STUB_STATE/key"
  run "$script" dev --deploy-key "$STUB_STATE/key"
  expect_status 0
}

test_a_deploy_key_goes_in_as_a_file() {
  install_with_a_deploy_key
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
  sed -i "1i # The example's, of a key that nobody has: scripts/database-ca.sh prod writes those of RDS." "$values/database-ca.yaml"
  run "$script" prod
  expect_status 1
  expect_says 'scripts/database-ca.sh prod'
  expect_equal "$(changes)" 0
}

# The two go together: an authority in this tree that is not of RDS is in a file that bootstrap-cluster.sh refuses.
test_an_authority_in_this_tree_is_of_rds_or_says_that_it_is_the_examples() {
  local file subject
  for file in "$root_dir"/gitops/values/*/database-ca.yaml; do
    subject=$(sed -n '/^  ca: |$/,$ s/^    //p' "$file" | openssl x509 -noout -subject -nameopt multiline 2>/dev/null |
      sed -n 's/^ *commonName *= //p') || true
    [[ -z $subject || $subject == 'Amazon RDS '* ]] || grep -q "^# The example's" "$file" || fail "$file: $subject"
  done
}

test_an_environment_that_no_release_was_written_for_is_refused() {
  local name
  given_project prod
  for name in migrate command-api query-api; do
    set_line "$values/$name.yaml" digest "sha256:$(printf '0%.0s' {1..64})"
    push
    run "$script" prod
    expect_status 1
    expect_says "no release is named yet in $values/$name.yaml: scripts/release-values.sh prod prepare"
    set_line "$values/$name.yaml" digest "sha256:$(printf 'b%.0s' {1..64})"
  done
  expect_equal "$(changes)" 0
}

test_what_argo_cd_would_not_find_in_the_repository_is_refused() {
  given_project prod
  expect_not_pushed() {
    run "$script" prod
    expect_status 1
    expect_says 'not what main of origin has'
    expect_equal "$(changes)" 0
  }
  echo '# not committed' >>"$values/query-api.yaml"
  expect_not_pushed
  git -C "$project" commit -qam 'not pushed'
  expect_not_pushed
  git -C "$project" update-ref refs/remotes/origin/main HEAD
  echo '{}' >"$values/projectors/another.yaml" # not known to git
  expect_not_pushed
  run "$script" prod --not-pushed
  expect_status 0
  expect_says 'warning: gitops/ or helm/ here is not what main of origin has'
  rm "$values/projectors/another.yaml"
  # Merged as another commit: what counts is what it says.
  git -C "$project" commit -q --amend -m 'the same in other words'
  run "$script" prod
  expect_status 0
  expect_silent_on warning
  # Nothing was ever fetched or pushed.
  git -C "$project" update-ref -d refs/remotes/origin/main
  : >"$STUB_STATE/calls"
  expect_not_pushed
}

test_a_root_whose_path_is_no_environments_is_refused() {
  given_project prod
  sed -i 's,path: gitops/clusters/dev,path: gitops/clusters/develop,' "$project/gitops/root.yaml"
  push
  run "$script" prod
  expect_status 1
  expect_says "has no path gitops/clusters/dev to make prod's of"
  expect_equal "$(changes)" 0
}

# kubectl's own way to apply keeps all of it a second time, in the annotation last-applied-configuration.
test_a_deploy_key_is_applied_by_the_server() {
  install_with_a_deploy_key
  grep -q '"kind": "Secret"' "$STUB_STATE/applied" || fail 'the key was not applied'
  expect_equal "$(grep '^kubectl apply' "$STUB_STATE/calls" | grep -cv -- --server-side)" 0
}
