# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does database-ca.sh take the authorities of RDS in the region, whole and lasting, and nothing else?

script=$root_dir/scripts/database-ca.sh
export PRAXIS_GITOPS_VALUES=$STUB_STATE/values
file=$PRAXIS_GITOPS_VALUES/prod/database-ca.yaml
bundle=$STUB_STATE/bundle.pem

# authority NAME [DAYS [CONSTRAINTS]]: a certificate of that name at the end of the bundle
authority() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$STUB_STATE/key" \
    -out "$STUB_STATE/request" 2>/dev/null
  openssl x509 -req -in "$STUB_STATE/request" -signkey "$STUB_STATE/key" -days "${2:-3650}" \
    -extfile <(echo "basicConstraints=critical,${3:-CA:TRUE}") 2>/dev/null >>"$bundle"
}

given() {
  mkdir -p "$PRAXIS_GITOPS_VALUES/prod"
  cp "$root_dir/gitops/values/prod/cluster.yaml" "$PRAXIS_GITOPS_VALUES/prod/"
  set_line "$PRAXIS_GITOPS_VALUES/prod/cluster.yaml" region '"ap-south-1"'
  set_line "$PRAXIS_GITOPS_VALUES/prod/cluster.yaml" database_host '"praxis-prod.example"'
}

test_the_regions_authorities_become_values_that_the_charts_take() {
  given
  authority 'Amazon RDS ap-south-1 Root CA RSA2048 G1'
  authority 'Amazon RDS ap-south-1 Root CA ECC384 G1'
  sed -i '1i some words before' "$bundle"
  run "$script" prod --from "$bundle"
  expect_status 0
  expect_says 'Amazon RDS ap-south-1 Root CA ECC384 G1, until'
  expect_equal "$(grep -c 'BEGIN CERTIFICATE' "$file")" 2
  ! grep -q words "$file" || fail "words were kept"
  run "$script" prod --check
  expect_status 0
  run "$script" prod --from "$bundle"
  expect_says 'nothing to do'
}

test_it_is_fetched_from_where_aws_publishes_the_regions() {
  given
  run "$script" prod
  expect_equal "$(calls 'curl .*--proto =https .* https://truststore.pki.rds.amazonaws.com/ap-south-1/ap-south-1-bundle.pem')" 1
  # The stand-in gives no certificate.
  expect_status 1
  [ ! -e "$file" ] || fail "nothing was had, and written"
}

test_an_authority_that_has_ended_is_left_out() {
  given
  authority 'Amazon RDS ap-south-1 Root CA RSA2048 G1'
  authority 'Amazon RDS ap-south-1 2019 CA' -1
  run "$script" prod --from "$bundle"
  expect_status 0
  expect_says 'left out, ended'
  expect_equal "$(grep -c 'BEGIN CERTIFICATE' "$file")" 1
}

test_what_is_no_authority_of_rds_in_the_region_is_refused() {
  local name
  for name in 'Amazon RDS eu-central-1 Root CA RSA2048 G1' 'Amazon RDS ap-south-10 Root CA' 'Somebody else'; do
    given
    rm -f "$bundle"
    authority "$name"
    run "$script" prod --from "$bundle"
    expect_status 1
    [ ! -e "$file" ] || fail "$name was written"
  done
  authority 'Amazon RDS ap-south-1 Root CA RSA2048 G1' 3650 CA:FALSE
  run "$script" prod --from "$bundle"
  expect_status 1
  printf '%s\n' '-----BEGIN CERTIFICATE-----' 'AAAA' '-----END CERTIFICATE-----' >"$bundle"
  run "$script" prod --from "$bundle"
  expect_status 1
  expect_says 'no certificate, or cut short'
  expect_equal "$(find "$PRAXIS_GITOPS_VALUES" -name database-ca.yaml)" ''
}

test_a_bundle_that_no_program_could_be_given_is_refused() {
  given
  authority 'Amazon RDS ap-south-1 Root CA RSA2048 G1'
  local one
  one=$(cat "$bundle")
  for _ in $(seq $((100000 / ${#one}))); do printf '%s\n' "$one"; done >>"$bundle"
  run "$script" prod --from "$bundle"
  expect_status 1
  expect_says 'name the bundle of ap-south-1 alone'
}

test_a_bundle_that_ends_soon_is_told_before_it_does() {
  given
  authority 'Amazon RDS ap-south-1 Root CA RSA2048 G1' 89
  run "$script" prod --from "$bundle"
  expect_status 1
  expect_says 'another 90 days'
}

test_the_examples_is_no_authority() {
  given
  authority "The example's"
  { printf 'mysql:\n  ca: |\n' && sed 's/^/    /' "$bundle"; } >"$file"
  run "$script" prod --check
  expect_status 1
  expect_says "is no authority of RDS"
}

test_without_rds_nothing_is_verified_and_the_file_says_so() {
  given
  set_line "$PRAXIS_GITOPS_VALUES/prod/cluster.yaml" database_host '""'
  run "$script" prod
  expect_status 0
  grep -q 'ca: ""' "$file" || fail "there are certificates"
  # This tree's dev is such a one, unless its owner gave it RDS.
  ! grep -q '^database_host: ""' "$root_dir/gitops/values/dev/cluster.yaml" || cmp "$file" "$root_dir/gitops/values/dev/database-ca.yaml"
}
