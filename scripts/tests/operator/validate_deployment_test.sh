# shellcheck shell=bash disable=SC2154,SC2016 # $out and $status are set by run; $ in jq programs is jq's
# Does validate-deployment.sh find each fault, name its cause, and find nothing in what is well?

script=$root_dir/scripts/validate-deployment.sh
answers=$STUB_STATE/kubectl

# A cluster praxis-prod in which all is well.
given_cluster() {
  local name
  mkdir -p "$answers/metrics"
  echo praxis-prod >"$answers/cluster"
  jq -n '{items: [("praxis", "argocd", "external-secrets", "keda", "monitoring", "kube-system") | {metadata: {name: .}}]}' \
    >"$answers/namespaces-all.json"
  jq -n '{items: [("root", "argocd", "external-secrets", "aws-load-balancer-controller", "metrics-server",
    "kube-prometheus-stack", "keda", "reloader", "platform", "migrate", "command-api", "query-api")
    | {metadata: {name: .}, status: {sync: {status: "Synced"}, health: {status: "Healthy"}, operationState: {phase: "Succeeded"}}}]}' \
    >"$answers/applications.argoproj.io-argocd.json"
  jq -n '{items: [{metadata: {namespace: "praxis", name: "command-api-0", creationTimestamp: "2026-01-01T00:00:00Z",
      labels: {"app.kubernetes.io/name": "command-api"}},
    status: {phase: "Running", conditions: [{type: "Ready", status: "True"}],
      containerStatuses: [{name: "command-api", image: "registry.example/praxis/command-api:v1", state: {running: {}}}]}}]}' \
    >"$answers/pods-praxis.json"
  jq -n '{items: [{metadata: {name: "praxis-database"}, status: {conditions: [{type: "Ready", status: "True"}]}}]}' \
    >"$answers/externalsecrets.external-secrets.io-praxis.json"
  echo 'admin-url migrate-events-url migrate-views-url command-api-events-url query-api-events-url query-api-views-url projector-events-url projector-views-url ' >"$answers/secret-praxis-database"
  echo 'claims-key kafka-password kafka-username kek ' >"$answers/secret-praxis-application"
  echo 'private-key public-keys ' >"$answers/secret-praxis-jwt"
  echo 'email password ' >"$answers/secret-praxis-first-admin"
  jq -n '{items: [{metadata: {name: "command-api", annotations: {"alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:ap-south-1:123456789012:certificate/1"}},
    spec: {rules: [{host: "api.praxis.example"}]}, status: {loadBalancer: {ingress: [{hostname: "lb.example"}]}}}]}' \
    >"$answers/ingresses-praxis.json"
  jq -n '{items: [{metadata: {name: "s", labels: {"kubernetes.io/service-name": "command-api"}}, endpoints: [{conditions: {ready: true}}]}]}' \
    >"$answers/endpointslices-praxis.json"
  echo 1 >"$answers/metrics/praxis_relay_leader"
  for name in praxis_relay_lag_events praxis_projection_lag_events praxis_projection_parked_streams; do echo 0 >"$answers/metrics/$name"; done
}

# change FILE PROGRAM: one thing is otherwise
change() {
  jq "$2" "$answers/$1.json" >"$STUB_STATE/changed"
  mv "$STUB_STATE/changed" "$answers/$1.json"
}
pod() { change pods-praxis ".items[0].status.containerStatuses[0] |= (. + $1)"; }

expect_one_finding() {
  run "$script" prod
  expect_status 1
  expect_says "$1"
  expect_says "$2"
  expect_says '1 findings in praxis-prod'
}

test_nothing_is_found_where_all_is_well() {
  given_cluster
  run "$script" prod
  expect_status 0
  expect_says '0 findings'
}

# An area that is looked at and never named as sound looks as if it had been forgotten.
test_each_area_that_may_have_a_finding_is_said_to_be_sound() {
  local area areas
  given_cluster
  run "$script" prod
  areas=$(grep -oE '\b(found|find_in) [a-z]+' "$script" | cut -d' ' -f2 | sort -u)
  [ "$(wc -l <<<"$areas")" -gt 10 ] || fail "only these are known: $areas"
  for area in $areas; do expect_says "ok   $area"; done
}

test_nothing_is_ever_changed() {
  given_cluster
  run "$script" prod
  expect_equal "$(grep '^kubectl' "$STUB_STATE/calls" | grep -cvE '^kubectl (get|logs|config view) ')" 0
}

test_another_cluster_is_refused() {
  given_cluster
  run "$script" dev
  expect_status 1
  expect_says "kubectl speaks to 'praxis-prod', not to 'praxis-dev'"
}

test_a_cluster_that_does_not_answer_is_said() {
  given_cluster
  : >"$answers/away"
  run "$script" prod
  expect_status 1
  expect_says 'does not answer: Unable to connect'
}

test_a_missing_namespace() {
  given_cluster
  change namespaces-all 'del(.items[3])'
  expect_one_finding 'there is no namespace keda' 'has not been synced'
}

test_a_missing_kind() {
  given_cluster
  : >"$answers/unknown-scaledobjects.keda.sh"
  expect_one_finding 'cannot list scaledobjects.keda.sh' 'the kind is not installed yet'
}

test_an_application_that_an_earlier_wave_holds_up() {
  given_cluster
  change applications.argoproj.io-argocd 'del(.items[] | select(.metadata.name == "query-api"))'
  expect_one_finding 'there is no Application query-api' 'an earlier wave is not healthy'
}

test_a_failed_migration() {
  given_cluster
  change applications.argoproj.io-argocd '(.items[] | select(.metadata.name == "migrate")).status.operationState = {phase: "Failed", message: "Job failed"}'
  expect_one_finding 'Application migrate: its last sync failed' 'the services keep the release they have'
}

test_a_failed_smoke_job() {
  given_cluster
  change applications.argoproj.io-argocd '.items[4].status.operationState = {phase: "Failed", message: "one or more hooks failed"}'
  expect_one_finding 'Application metrics-server: its last sync failed' 'its smoke Job failed'
}

test_a_database_that_is_not_trusted() {
  given_cluster
  echo '{"message":"it ended: cannot use the event store: event store is unavailable: the database'"'"'s certificate is refused"}' >"$answers/logs"
  expect_one_finding "MySQL's certificate is refused by migrate command-api projector query-api" 'scripts/database-ca.sh prod --check'
  expect_silent_on 'ok   database'
}

test_other_words_about_the_database_are_no_refusal_of_its_certificate() {
  given_cluster
  echo '{"message":"cannot use the event store: event store is unavailable: connection refused"}' >"$answers/logs"
  run "$script" prod
  expect_status 0
  expect_says 'ok   database'
}

test_an_application_that_does_not_render() {
  given_cluster
  change applications.argoproj.io-argocd '.items[2].status.conditions = [{type: "ComparisonError", message: "helm template failed"}]'
  expect_one_finding 'Application external-secrets: helm template failed' 'a chart does not render'
}

test_a_sync_that_fails_again_and_again() {
  given_cluster
  change applications.argoproj.io-argocd '.items[4].status.operationState = {phase: "Running", retryCount: 3, message: "one or more hooks failed. Retrying attempt #3"}'
  expect_one_finding 'its last sync failed: one or more hooks failed' 'its smoke Job failed'
}

test_a_degraded_application() {
  given_cluster
  change applications.argoproj.io-argocd '.items[6].status.health = {status: "Degraded", message: "no minimum availability"}'
  expect_one_finding 'Application keda is Degraded: no minimum availability' 'one of its objects is not well'
}

test_drift() {
  given_cluster
  change applications.argoproj.io-argocd '.items[6].status.sync.status = "OutOfSync"'
  expect_one_finding 'Application keda is OutOfSync' 'changes by hand what Git says'
}

test_a_crash_by_settings() {
  given_cluster
  pod '{state: {waiting: {reason: "CrashLoopBackOff"}}, lastState: {terminated: {exitCode: 2, reason: "Error"}}}'
  expect_one_finding 'crashes again and again (Error, exit code 2)' 'its settings are wrong'
}

test_a_crash_by_memory() {
  given_cluster
  pod '{state: {waiting: {reason: "CrashLoopBackOff"}}, lastState: {terminated: {exitCode: 137, reason: "OOMKilled"}}}'
  expect_one_finding OOMKilled 'needs more memory than its limit'
}

test_an_image_that_is_not_there() {
  given_cluster
  pod '{state: {waiting: {reason: "ImagePullBackOff"}}}'
  expect_one_finding 'the image registry.example/praxis/command-api:v1 cannot be pulled' 'no such tag or digest'
}

test_a_missing_key_of_a_mounted_secret() {
  given_cluster
  pod '{state: {waiting: {reason: "CreateContainerConfigError", message: "secret \"praxis-jwt\" not found"}}}'
  expect_one_finding 'secret "praxis-jwt" not found' 'a Secret or one of its keys is missing'
}

test_a_pod_without_a_node() {
  given_cluster
  change pods-praxis '.items[0].status = {phase: "Pending", conditions: [{type: "PodScheduled", status: "False", message: "Insufficient memory"}]}'
  expect_one_finding 'finds no node: Insufficient memory' 'the nodes are full'
}

test_a_pod_that_was_evicted() {
  given_cluster
  change pods-praxis '.items[0].status = {phase: "Failed", reason: "Evicted"}'
  expect_one_finding 'failed: Evicted' 'ran out of memory or disk'
}

test_a_pod_that_is_not_ready_for_long_and_one_that_is_not_yet() {
  given_cluster
  change pods-praxis '.items[0].status.conditions = [{type: "Ready", status: "False", lastTransitionTime: "2026-01-01T00:00:00Z"}]'
  expect_one_finding 'runs and is not ready' 'what it depends on is away'
  change pods-praxis '.items[0].status.conditions[0].lastTransitionTime = (now | todate)'
  run "$script" prod
  expect_status 0
}

test_an_external_secret_that_is_not_ready() {
  given_cluster
  change externalsecrets.external-secrets.io-praxis '.items[0].status.conditions = [{type: "Ready", status: "False", message: "key kek does not exist"}]'
  expect_one_finding 'key kek does not exist' 'is missing in AWS'
}

test_a_store_that_is_not_ready() {
  given_cluster
  jq -n '{items: [{metadata: {name: "aws-secrets-manager"}, status: {conditions: [{type: "Ready", status: "False", message: "AccessDenied"}]}}]}' \
    >"$answers/clustersecretstores.external-secrets.io-all.json"
  expect_one_finding 'ClusterSecretStore aws-secrets-manager is not ready: AccessDenied' 'the role of External Secrets'
}

test_a_secret_without_a_key_and_one_that_is_missing() {
  given_cluster
  echo 'kafka-password kafka-username kek ' >"$answers/secret-praxis-application"
  expect_one_finding 'Secret praxis-application has no key claims-key' 'missing in AWS'
  rm "$answers/secret-praxis-application"
  expect_one_finding 'there is no Secret praxis-application' 'was never ready'
}

test_a_failed_job() {
  given_cluster
  jq -n '{items: [{metadata: {namespace: "praxis", name: "migrate-1", labels: {"app.kubernetes.io/name": "migrate"}},
    status: {conditions: [{type: "Failed", status: "True", message: "BackoffLimitExceeded"}]}}]}' >"$answers/jobs-praxis.json"
  expect_one_finding 'Job praxis/migrate-1 failed: BackoffLimitExceeded' 'a migration or an account failed'
}

test_an_autoscaler_without_a_number_and_one_at_its_end() {
  given_cluster
  jq -n '{items: [{metadata: {name: "query-api"}, spec: {maxReplicas: 10}, status: {conditions: [{type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric", message: "no metrics"}]}}]}' \
    >"$answers/horizontalpodautoscalers-praxis.json"
  expect_one_finding 'HPA query-api does not scale: no metrics' 'metrics-server or KEDA gives it no number'
  change horizontalpodautoscalers-praxis '.items[0].status.conditions = [{type: "ScalingLimited", status: "True", reason: "TooManyReplicas"}]'
  expect_one_finding 'at its most replicas, 10' 'more load than it may scale for'
}

test_lag_that_keda_cannot_read() {
  given_cluster
  jq -n '{items: [{metadata: {name: "projector-01234567"}, status: {conditions: [{type: "Ready", status: "True"}, {type: "Fallback", status: "True"}]}}]}' \
    >"$answers/scaledobjects.keda.sh-praxis.json"
  expect_one_finding 'cannot read the lag' 'Kafka refuses KEDA'
}

test_a_service_without_a_ready_pod() {
  given_cluster
  change endpointslices-praxis '.items[0].endpoints[0].conditions.ready = false'
  expect_one_finding 'Service command-api has no ready pod' 'its pods are not ready'
}

test_an_ingress_without_a_load_balancer() {
  given_cluster
  change ingresses-praxis '.items[0].status = {}'
  expect_one_finding 'Ingress command-api has no load balancer' 'may not make one'
}

test_a_certificate_that_is_not_issued() {
  given_cluster
  echo PENDING_VALIDATION >"$STUB_STATE/certificate"
  expect_one_finding 'is PENDING_VALIDATION' 'not in its DNS'
}

test_an_address_that_leads_nowhere_or_to_nobody() {
  given_cluster
  echo 503 >"$STUB_STATE/http"
  run "$script" prod
  expect_status 1
  expect_says 'https://api.praxis.example/ready answers 503'
  echo 000 >"$STUB_STATE/http"
  run "$script" prod
  expect_says 'cannot be reached'
  expect_says 'does not lead to the load balancer'
}

test_a_relay_without_a_leader() {
  given_cluster
  echo 0 >"$answers/metrics/praxis_relay_leader"
  expect_one_finding 'the relay to Kafka has 0 leaders' 'take the lease or reach Kafka'
}

test_a_prometheus_that_knows_nothing() {
  given_cluster
  rm "$answers"/metrics/*
  expect_one_finding 'Prometheus knows no praxis_relay_leader' 'scrapes no command-api'
}

# Nothing that it did not say is taken for a number, and the look goes on to its end.
test_a_prometheus_that_is_away_and_one_that_goes_away() {
  given_cluster
  echo 0 >"$answers/prometheus"
  expect_one_finding 'Prometheus knows no praxis_relay_leader' 'it does not run'
  echo 2 >"$answers/prometheus"
  expect_one_finding 'no projector tells its lag' 'none runs, or none is scraped'
}

test_lag_of_the_relay_and_of_the_projectors() {
  given_cluster
  echo 2e6 >"$answers/metrics/praxis_relay_lag_events"
  expect_one_finding 'events are not in Kafka yet' 'Kafka is slow or refuses'
  echo 0 >"$answers/metrics/praxis_relay_lag_events"
  echo 100001.5 >"$answers/metrics/praxis_projection_lag_events"
  expect_one_finding 'read models are 100001.5 events behind' 'too few projectors'
}

test_no_projector_and_parked_records() {
  given_cluster
  rm "$answers/metrics/praxis_projection_lag_events"
  expect_one_finding 'no projector tells its lag' 'none runs'
  echo 0 >"$answers/metrics/praxis_projection_lag_events"
  echo 3 >"$answers/metrics/praxis_projection_parked_streams"
  expect_one_finding '3 records are parked' 'could not be read'
}

test_findings_as_json() {
  given_cluster
  echo 0 >"$answers/metrics/praxis_relay_leader"
  run "$script" prod --json
  expect_status 1
  expect_equal "$(jq -r '.[0] | keys | join(" ")' <<<"$out")" 'area cause next what'
}
