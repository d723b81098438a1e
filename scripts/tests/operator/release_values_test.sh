# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does release-values.sh edit tag and digest only, keep the old projector, and refuse what is out of order?

script=$root_dir/scripts/release-values.sh
old=0123456789abcdef new=fedcba9876543210

given_values() {
  export PRAXIS_GITOPS_VALUES=$STUB_STATE/values
  cp -r "$root_dir/gitops/values" "$PRAXIS_GITOPS_VALUES"
  values=$PRAXIS_GITOPS_VALUES/prod
  rm -f "$values"/projectors/*.yaml
  cp "$root_dir/gitops/values/prod/migrate.yaml" "$values/migrate.yaml"
  git -C "$PRAXIS_GITOPS_VALUES" init -q
}

# commit DAYS: as if it had been that many days ago
commit() {
  local at
  at=$(date -d "$1 days ago" +%FT%T%:z)
  git -C "$PRAXIS_GITOPS_VALUES" add -A
  GIT_AUTHOR_DATE=$at GIT_COMMITTER_DATE=$at git -C "$PRAXIS_GITOPS_VALUES" commit -qm "as of $1 days ago"
}

# release TAG FINGERPRINT DIGIT: a release.json whose digests are made of that digit
release() {
  jq -n --arg tag "$1" --arg fingerprint "$2" --arg digit "$3" '($digit * 63) as $d | {commit: "0", $tag, $fingerprint, images: {
    "command-api": "sha256:\($d)1", "query-api": "sha256:\($d)2", projector: "sha256:\($d)3", praxis: "sha256:\($d)4"}}' \
    >"$STUB_STATE/$1.json"
}

test_a_release_edits_tag_and_digest_only() {
  given_values
  release v1.0.0 $old a
  run "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  expect_status 0
  commit 1
  echo 'replicas: 3 # by a person' >>"$values/query-api.yaml"
  commit 1
  release v1.1.0 $old b
  run "$script" prod prepare "$STUB_STATE/v1.1.0.json"
  run "$script" prod serve "$STUB_STATE/v1.1.0.json"
  expect_status 0
  changed=$(git -C "$PRAXIS_GITOPS_VALUES" diff -U0 | grep '^[-+] ' | sed 's/^[-+] *//; s/:.*//' | sort -u | tr '\n' ' ')
  expect_equal "$changed" 'digest tag '
  expect_equal "$("$script" prod show | grep query-api)" "query-api v1.1.0 sha256:$(printf 'b%.0s' {1..63})2"
  grep -q 'replicas: 3 # by a person' "$values/query-api.yaml" || fail "a person's line is gone"
}

test_the_same_release_again_changes_nothing() {
  given_values
  release v1.0.0 $old a
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  "$script" prod serve "$STUB_STATE/v1.0.0.json"
  commit 1
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  "$script" prod serve "$STUB_STATE/v1.0.0.json"
  expect_equal "$(git -C "$PRAXIS_GITOPS_VALUES" status --porcelain)" ''
}

test_a_new_fingerprint_is_a_new_file_and_the_old_one_stays() {
  given_values
  release v1.0.0 $old a
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  commit 30
  before=$(cat "$values/projectors/01234567.yaml")
  release v2.0.0 $new b
  run "$script" prod prepare "$STUB_STATE/v2.0.0.json"
  expect_status 0
  expect_equal "$(cat "$values/projectors/01234567.yaml")" "$before"
  grep -q "^fingerprint: \"$new\"$" "$values/projectors/fedcba98.yaml" || fail "no file of the new fingerprint"
}

# set_by_people DIGITS: what is added to that projector's file
set_by_people() {
  cat >>"$values/projectors/$1.yaml" <<'YAML'

# more of them
autoscaling:
  maxReplicas: 6
  keda: # where the lag is read
    generation: 3
YAML
}

test_what_people_have_set_for_the_projector_that_serves_goes_on() {
  given_values
  release v1.0.0 $old a
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  "$script" prod serve "$STUB_STATE/v1.0.0.json"
  set_by_people 01234567
  release v2.0.0 $new b
  run "$script" prod prepare "$STUB_STATE/v2.0.0.json"
  expect_status 0
  expect_equal "$(cat "$values/projectors/fedcba98.yaml")" "$(
    sed -E -e "s/$old/$new/; s/v1.0.0/v2.0.0/; s/(sha256:)a+/\1$(printf 'b%.0s' {1..63})/; s/generation: 3/generation: 0/" \
      "$values/projectors/01234567.yaml"
  )"
}

test_it_goes_on_when_a_release_was_prepared_and_never_served() {
  given_values
  release v1.0.0 $old a
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  "$script" prod serve "$STUB_STATE/v1.0.0.json"
  set_by_people 01234567
  commit 1
  release v1.1.0 $old b
  "$script" prod prepare "$STUB_STATE/v1.1.0.json"
  release v2.0.0 $new c
  run "$script" prod prepare "$STUB_STATE/v2.0.0.json"
  expect_status 0
  grep -q 'maxReplicas: 6' "$values/projectors/fedcba98.yaml" || fail "what was set is lost"
}

test_serving_before_preparing_is_refused() {
  given_values
  release v1.0.0 $old a
  run "$script" prod serve "$STUB_STATE/v1.0.0.json"
  expect_status 1
  expect_says 'prepare first'
}

test_two_fingerprints_of_one_name_are_refused() {
  given_values
  release v1.0.0 $old a
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  release v2.0.0 0123456700000000 b
  run "$script" prod prepare "$STUB_STATE/v2.0.0.json"
  expect_status 1
  expect_says 'another fingerprint with the same first 8 digits'
}

test_a_digest_or_tag_of_another_form_is_refused() {
  given_values
  release v1.0.0 $old a
  jq '.images.praxis = "latest"' "$STUB_STATE/v1.0.0.json" >"$STUB_STATE/bad.json"
  run "$script" prod prepare "$STUB_STATE/bad.json"
  expect_status 1
  expect_says "is 'latest'"
  jq '.tag = "v1\n  evil: true"' "$STUB_STATE/v1.0.0.json" >"$STUB_STATE/bad.json"
  run "$script" prod prepare "$STUB_STATE/bad.json"
  expect_status 1
}

# two_projectors DAYS: the second came that many days ago and serves
two_projectors() {
  given_values
  release v1.0.0 $old a
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  commit 30
  release v2.0.0 $new b
  "$script" prod prepare "$STUB_STATE/v2.0.0.json"
  "$script" prod serve "$STUB_STATE/v2.0.0.json"
  commit "$1"
}

test_the_old_projector_outlives_the_rollback_window_and_no_more() {
  two_projectors 6
  run "$script" prod expire
  expect_status 0
  [ -e "$values/projectors/01234567.yaml" ] || fail "removed within the window"
  rm -rf "$PRAXIS_GITOPS_VALUES"
  two_projectors 8
  run "$script" prod expire
  expect_says 'removed 01234567'
  [ ! -e "$values/projectors/01234567.yaml" ] || fail "not removed"
  [ -e "$values/projectors/fedcba98.yaml" ] || fail "the one in use was removed"
}

test_after_a_rollback_nothing_expires() {
  two_projectors 8
  "$script" prod prepare "$STUB_STATE/v1.0.0.json"
  "$script" prod serve "$STUB_STATE/v1.0.0.json"
  commit 1
  run "$script" prod expire
  expect_says 'nothing expires'
  [ -e "$values/projectors/01234567.yaml" ] || fail "the one in use was removed"
}

test_without_history_nothing_expires() {
  two_projectors 8
  git clone -q --depth 1 "file://$PRAXIS_GITOPS_VALUES" "$STUB_STATE/shallow"
  PRAXIS_GITOPS_VALUES=$STUB_STATE/shallow run "$script" prod expire
  expect_status 1
  expect_says 'fetch all of it'
}
