# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does cluster-values.sh write what Terraform says, and refuse what a chart could not use?

script=$root_dir/scripts/cluster-values.sh

given_facts() {
  jq -n --arg env "$1" '{environment: $env, account_id: "123456789012", region: "ap-south-1", cluster_name: "praxis-\($env)",
    vpc_id: "vpc-1", registry: "registry.example", domain: "api.praxis.example", certificate_arn: "arn:certificate",
    public_subnet_cidrs: ["10.0.0.0/20"], data_subnet_cidrs: ["10.0.64.0/24"], pod_identity: false,
    external_secrets_role_arn: "arn:es", load_balancer_controller_role_arn: "arn:lbc",
    alertmanager_role_arn: "arn:am", alarms_topic_arn: "arn:topic", heartbeat_topic_arn: "arn:heartbeat", database_host: "db.example",
    database_port: 3306, kafka_brokers: "b-1.example:9096"}' | jq "${2:-.}" >"$STUB_STATE/cluster_values.json"
  into=$STUB_STATE/values
}

test_facts_become_the_values_of_each_chart() {
  given_facts prod
  run "$script" prod --into "$into"
  expect_status 0
  grep -q '^  brokers: "b-1.example:9096"$' "$into/from-terraform/projector.yaml" || fail "no brokers"
  grep -q '^  host: "api.praxis.example"$' "$into/from-terraform/query-api.yaml" || fail "no host"
  grep -q 'role-arn: "arn:es"$' "$into/from-terraform/external-secrets.yaml" || fail "no role"
  grep -q 'role-arn: "arn:am"$' "$into/from-terraform/kube-prometheus-stack.yaml" || fail "Alertmanager has no role"
  [ "$(grep -c '"topic_arn":"arn:topic","sigv4":{"region":"ap-south-1"}' "$into/from-terraform/kube-prometheus-stack.yaml")" = 2 ] ||
    fail "Alertmanager does not know the topic"
  [ "$(grep -c '"topic_arn":"arn:heartbeat"' "$into/from-terraform/kube-prometheus-stack.yaml")" = 1 ] ||
    fail "Alertmanager does not know where its heartbeat goes"
  ! grep -q kafka "$into/from-terraform/query-api.yaml" || fail "query-api is told of Kafka"
  run "$script" prod --into "$into" --check
  expect_status 0
}

test_without_rds_and_msk_the_charts_own_addresses_stay() {
  given_facts dev '.database_host = "" | .kafka_brokers = "" | .data_subnet_cidrs = []'
  run "$script" dev --into "$into"
  expect_status 0
  ! grep -qE 'mysql|kafka' "$into/from-terraform/command-api.yaml" || fail "addresses of nothing"
}

test_with_pod_identity_no_account_names_a_role() {
  given_facts prod '.pod_identity = true'
  run "$script" prod --into "$into"
  ! grep -q role-arn "$into"/from-terraform/*.yaml || fail "a role is named"
  grep -q 'identity: "pod-identity"' "$into/from-terraform/platform.yaml" || fail "platform is not told"
}

test_a_fact_that_is_missing_is_named() {
  given_facts prod 'del(.certificate_arn) | .registry = "" | .heartbeat_topic_arn = ""'
  run "$script" prod --into "$into"
  expect_status 1
  expect_says 'cluster_values does not say: registry, certificate_arn, heartbeat_topic_arn'
  [ ! -e "$into" ] || fail "something was written"
}

test_values_that_are_stale_are_told() {
  given_facts prod
  run "$script" prod --into "$into"
  given_facts prod '.registry = "another.example"'
  run "$script" prod --into "$into" --check
  expect_status 1
  expect_says 'not as Terraform says'
  grep -q 'registry.example' "$into/from-terraform/migrate.yaml" || fail "a check wrote"
}
