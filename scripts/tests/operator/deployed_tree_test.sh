# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Do the tests that read gitops/ pass in the repository of somebody who has filled it in? They are part of a required check.

test_the_tests_that_read_gitops_pass_where_it_is_filled_in() {
  local file files tree=$STUB_STATE/tree
  PATH=${PATH#*:} # without these stand-ins; the copy has its own
  "$root_dir/scripts/tests/operator/deployed-tree.sh" "$tree"
  ! grep -E 'praxis-example/praxis|000000000000|ap-south-1|sha256:0{64}' "$tree"/gitops/{root.yaml,values/*/{cluster,migrate,query-api}.yaml} ||
    fail 'that is still the example'
  mapfile -t files < <(cd "$tree/scripts/tests/operator" && grep -lF "\$root_dir/gitops" ./*_test.sh)
  [ ${#files[@]} -ge 4 ] || fail "these alone read gitops: ${files[*]}"
  for file in "${files[@]}"; do
    [ "${file##*/}" != deployed_tree_test.sh ] || continue
    run "$tree/scripts/tests/operator/run.sh" "/${file##*/}"
    expect_status 0
  done
}
