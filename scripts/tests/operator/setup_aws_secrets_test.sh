# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does setup-aws-secrets.sh make what our programs accept, keep what is there, and tell nobody?

script=$root_dir/scripts/setup-aws-secrets.sh
store=$STUB_STATE/aws

# given_cluster ENV [MORE]: what Terraform says of it, and the secrets it has made, empty.
given_cluster() {
  jq -n --arg env "$1" "{environment: \$env, region: \"ap-south-1\", domain: \"praxis.example\"} + ${2:-{\}}" \
    >"$STUB_STATE/cluster_values.json"
  mkdir -p "$store"
  for name in database application jwt first-admin; do : >"$store/praxis_$1_$name"; done
  : >"$store/AmazonMSK_praxis-$1"
}

rds='{database_host: "db.example", database_port: 3306, database_admin_secret_arn: "arn:admin", kafka_secret_name: "AmazonMSK_praxis-prod"}'

given_rds() {
  given_cluster prod "$rds"
  printf '{"username":"root","password":"p@ss/word"}' >"$store/arn_admin"
}

value() { jq -r --arg key "$2" '.[$key]' "$store/praxis_$1"; }

# age NAME: as if it had been written two hours ago.
age() { touch -d '2 hours ago' "$store/praxis_$1"; }

# no_value_was_told: nothing of any secret is in the arguments of any call or in what the script said.
no_value_was_told() {
  local word
  while read -r word; do
    ! grep -qF -- "$word" "$STUB_STATE/calls" || fail "a value is on a command line"
    [[ $out != *"$word"* ]] || fail "a value was printed"
  done < <(jq -r '.. | strings' "$store"/praxis_* "$store"/AmazonMSK_* | tr ',:@/' '\n' | awk 'length > 15' | grep -v -e BEGIN -e END)
}

test_all_keys_of_all_four_secrets_are_made() {
  given_cluster dev
  run "$script" dev
  expect_status 0
  expect_equal "$(jq -r 'keys | join(" ")' "$store/praxis_dev_database")" \
    'admin-url command-api-events-url migrate-events-url migrate-views-url mysql-root-password projector-events-url projector-views-url query-api-events-url query-api-views-url'
  expect_equal "$(jq -r 'keys | join(" ")' "$store/praxis_dev_application")" 'claims-key kafka-password kafka-username kek'
  expect_equal "$(jq -r 'keys | join(" ")' "$store/praxis_dev_jwt")" 'private-key public-keys'
  expect_equal "$(jq -r 'keys | join(" ")' "$store/praxis_dev_first-admin")" 'email password'
  expect_equal "$(value dev_application kafka-password)" ''
  [[ $(value dev_database mysql-root-password) =~ ^[0-9a-f]{48}-Aa1$ ]] || fail "mysql-root-password"
  expect_equal "$(value dev_database admin-url)" "mysql://root:$(value dev_database mysql-root-password)@mysql:3306/mysql?ssl-mode=REQUIRED"
  openssl rsa -in <(value dev_jwt private-key) -noout -text 2>/dev/null | grep -q '4096 bit' || fail "not RSA 4096"
  no_value_was_told
}

test_both_urls_of_an_account_have_one_password() {
  given_cluster dev
  run "$script" dev
  expect_equal "$(value dev_database projector-events-url | sed 's,/[^/]*$,,')" "$(value dev_database projector-views-url | sed 's,/[^/]*$,,')"
}

test_a_second_run_writes_nothing() {
  given_rds
  run "$script" prod
  expect_status 0
  run "$script" prod
  expect_status 0
  expect_equal "$(calls put-secret-value)" 5
  expect_says 'praxis/prod/jwt: nothing to do'
}

test_only_the_missing_key_is_added() {
  given_cluster dev
  run "$script" dev
  before=$(value dev_database projector-views-url)
  kek=$(value dev_application kek)
  jq 'del(."claims-key")' "$store/praxis_dev_application" >"$STUB_STATE/cut" && cp "$STUB_STATE/cut" "$store/praxis_dev_application"
  jq 'del(."projector-views-url")' "$store/praxis_dev_database" >"$STUB_STATE/cut" && cp "$STUB_STATE/cut" "$store/praxis_dev_database"
  run "$script" dev
  expect_status 0
  expect_says 'praxis/dev/application: wrote claims-key'
  expect_equal "$(value dev_application kek)" "$kek"
  # The account's other URL still has the password, so the new one has the same.
  expect_equal "$(value dev_database projector-views-url)" "$before"
}

test_a_dry_run_writes_nothing_and_names_keys_only() {
  given_rds
  run "$script" prod --dry-run
  expect_status 0
  expect_equal "$(calls put-secret-value)" 0
  expect_says 'praxis/prod/application: would write kek, claims-key, kafka-username, kafka-password'
  expect_silent_on mysql://
}

test_on_rds_the_administrator_comes_from_its_own_secret_escaped() {
  given_rds
  run "$script" prod
  expect_status 0
  expect_equal "$(value prod_database admin-url)" 'mysql://root:p%40ss%2Fword@db.example:3306/mysql?ssl-mode=VERIFY_IDENTITY'
  # RDS rotates it: the next run follows.
  printf '{"username":"root","password":"another-word"}' >"$store/arn_admin"
  run "$script" prod
  expect_says 'praxis/prod/database: wrote admin-url'
  expect_equal "$(value prod_database admin-url)" 'mysql://root:another-word@db.example:3306/mysql?ssl-mode=VERIFY_IDENTITY'
}

test_every_url_of_rds_asks_to_verify_it() {
  given_rds
  run "$script" prod
  expect_equal "$(jq -r '[to_entries[] | select(.key | endswith("-url"))
    | .value | endswith("?ssl-mode=VERIFY_IDENTITY")] | "\(length) \(all)"' "$store/praxis_prod_database")" '8 true'
  run "$script" prod rotate-database-passwords
  expect_status 0
  expect_equal "$(jq -r '[.[] | select(startswith("mysql:") and (endswith("=VERIFY_IDENTITY") | not))] | length' \
    "$store/praxis_prod_database")" 0
}

test_the_user_of_msk_is_the_one_we_use() {
  given_rds
  run "$script" prod
  expect_equal "$(jq -r .password "$store/AmazonMSK_praxis-prod")" "$(value prod_application kafka-password)"
  before=$(value prod_application kafka-password)
  run "$script" prod rotate-kafka-password
  expect_status 0
  expect_equal "$(jq -r .password "$store/AmazonMSK_praxis-prod")" "$(value prod_application kafka-password)"
  [ "$before" != "$(value prod_application kafka-password)" ] || fail "the password did not change"
  expect_equal "$(sed -n 's/.* put-secret-value .*--secret-id \([^ ]*\).*/\1/p' "$STUB_STATE/calls" | tail -n 2 | tr '\n' ' ')" \
    'AmazonMSK_praxis-prod praxis/prod/application '
  no_value_was_told
}

test_a_rotated_key_waits_at_the_end_and_the_old_one_stays_when_it_is_promoted() {
  given_cluster dev
  run "$script" dev
  old=$(value dev_application kek)
  run "$script" dev rotate-kek
  expect_status 0
  ring=$(value dev_application kek)
  expect_equal "${ring%%,*}" "$old"
  age dev_application
  run "$script" dev promote-kek
  expect_status 0
  expect_equal "$(value dev_application kek)" "${ring##*,},$old"
  no_value_was_told
}

test_promoting_before_the_pods_can_know_is_refused() {
  given_cluster dev
  run "$script" dev
  run "$script" dev rotate-kek
  before=$(value dev_application kek)
  run "$script" dev promote-kek
  expect_status 1
  expect_says 'less than 90 minutes ago'
  expect_equal "$(value dev_application kek)" "$before"
  run "$script" dev promote-kek --now
  expect_status 0
}

test_a_ring_of_one_key_is_not_promoted() {
  given_cluster dev
  run "$script" dev
  run "$script" dev promote-kek --now
  expect_status 1
  expect_says 'run rotate-kek first'
}

test_a_signing_key_is_trusted_before_it_signs() {
  given_cluster dev
  run "$script" dev
  old=$(value dev_jwt private-key)
  run "$script" dev rotate-jwt
  expect_status 0
  expect_equal "$(value dev_jwt private-key)" "$old"
  expect_equal "$(value dev_jwt public-keys | grep -c BEGIN)" 2
  run "$script" dev rotate-jwt
  expect_status 1
  next=$(value dev_jwt next-private-key)
  run "$script" dev promote-jwt --now
  expect_status 0
  expect_equal "$(value dev_jwt private-key)" "$next"
  expect_equal "$(jq 'has("next-private-key")' "$store/praxis_dev_jwt")" false
  expect_equal "$(value dev_jwt public-keys | grep -c BEGIN)" 2
  run "$script" dev retire-jwt --now
  expect_equal "$(value dev_jwt public-keys)" "$(value dev_jwt private-key | openssl pkey -pubout)"
  no_value_was_told
}

test_new_database_passwords_leave_the_administrator_alone() {
  given_cluster dev
  run "$script" dev
  admin=$(value dev_database admin-url)
  before=$(value dev_database query-api-views-url)
  run "$script" dev rotate-database-passwords
  expect_status 0
  expect_equal "$(value dev_database admin-url)" "$admin"
  [ "$before" != "$(value dev_database query-api-views-url)" ] || fail "the password did not change"
  expect_equal "$(value dev_database query-api-views-url | sed 's,/[^/]*$,,')" "$(value dev_database query-api-events-url | sed 's,/[^/]*$,,')"
  no_value_was_told
}

test_a_right_that_is_missing_is_no_empty_secret() {
  given_cluster dev
  : >"$store/denied"
  run "$script" dev
  expect_status 1
  expect_says AccessDeniedException
  expect_equal "$(calls put-secret-value)" 0
}

test_a_secret_that_terraform_has_not_made_is_named() {
  given_cluster dev
  rm "$store/praxis_dev_database"
  run "$script" dev
  expect_status 1
  expect_says 'praxis/dev/database does not exist: Terraform makes it'
}

test_the_state_of_another_environment_is_refused() {
  given_rds
  run "$script" stage
  expect_status 1
  expect_says "is that of 'prod', not of 'stage'"
  expect_equal "$(calls secretsmanager)" 0
}

test_an_unknown_environment_or_command_is_a_usage_error() {
  run "$script" production
  expect_status 2
  run "$script" dev rotate-everything
  expect_status 2
  expect_says usage
}

test_nothing_is_left_in_memory_or_on_disk() {
  given_cluster dev
  export SECRETS_WORK_DIR=$STUB_STATE/memory TMPDIR=$STUB_STATE/tmp
  mkdir "$SECRETS_WORK_DIR" "$TMPDIR"
  run "$script" dev
  expect_status 0
  run "$script" dev promote-kek
  expect_status 1
  expect_equal "$(find "$SECRETS_WORK_DIR" "$TMPDIR" -type f | wc -l)" 0
}

# The programs of this tree judge the values: PRAXIS_BIN names their folder where it is not cargo's.
test_our_programs_accept_the_values() {
  bin=${PRAXIS_BIN:-${CARGO_TARGET_DIR:-$root_dir/target}/debug}
  [ -x "$bin/command-api" ] || fail "no $bin/command-api: cargo build --workspace --bins, or name its folder by PRAXIS_BIN"
  given_rds
  run "$script" prod
  run "$script" prod rotate-kek
  run "$script" prod rotate-jwt
  values=$STUB_STATE/values
  mkdir -p "$values"
  for key in $(jq -r 'keys[]' "$store/praxis_prod_database"); do value prod_database "$key" >"$values/$key"; done
  for key in kek claims-key kafka-password; do value prod_application "$key" >"$values/$key"; done
  for key in private-key public-keys next-private-key; do value prod_jwt "$key" >"$values/$key"; done
  settings=(
    PRAXIS_EVENTS_URL_FILE="$values/command-api-events-url" PRAXIS_KEK_FILE="$values/kek"
    PRAXIS_CLAIMS_KEY_FILE="$values/claims-key" PRAXIS_JWT_PUBLIC_KEYS_FILE="$values/public-keys"
    PRAXIS_JWT_PRIVATE_KEY_FILE="$values/private-key" PRAXIS_KAFKA_BROKERS=b-1.example:9096
    PRAXIS_KAFKA_SECURITY=sasl_ssl PRAXIS_KAFKA_SASL_MECHANISM=SCRAM-SHA-512 PRAXIS_KAFKA_USERNAME=praxis
    PRAXIS_KAFKA_PASSWORD_FILE="$values/kafka-password"
  )
  run env -i "${settings[@]}" "$bin/command-api" config check
  expect_status 0
  # And it can refuse: a ring with a key cut short is a fault.
  head -c 60 "$values/kek" >"$values/cut"
  run env -i "${settings[@]}" PRAXIS_KEK_FILE="$values/cut" "$bin/command-api" config check
  expect_status 1
}
