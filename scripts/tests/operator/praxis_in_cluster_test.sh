# shellcheck shell=bash disable=SC2154 # $out and $status are set by run
# Does praxis-in-cluster.sh make a pod that the namespace admits, with the keys it needs and no other, and end as praxis ended?

script=$root_dir/scripts/praxis-in-cluster.sh
answers=$STUB_STATE/kubectl
digest=sha256:$(printf 'a%.0s' {1..64})
export PRAXIS_GITOPS_VALUES=$STUB_STATE/values PRAXIS_POD_START_SECONDS=0

# given [PHASE [EXIT-CODE]]: prod has a release, and the pod is as said
given() {
  mkdir -p "$answers" "$PRAXIS_GITOPS_VALUES/prod/from-terraform"
  cp "$root_dir/gitops/values/prod/from-terraform/migrate.yaml" "$PRAXIS_GITOPS_VALUES/prod/from-terraform/"
  set_line "$PRAXIS_GITOPS_VALUES/prod/from-terraform/migrate.yaml" registry '"registry.example.org"'
  cp "$root_dir/gitops/values/prod/database-ca.yaml" "$PRAXIS_GITOPS_VALUES/prod/"
  printf 'image:\n  tag: v1.2.3\n  digest: %s\n' "$digest" >"$PRAXIS_GITOPS_VALUES/prod/migrate.yaml"
  echo praxis-prod >"$answers/cluster"
  jq -n --arg phase "${1:-Succeeded}" --argjson code "${2:-0}" '{status: {phase: $phase, containerStatuses: [
    {state: (if $phase == "Pending" then {waiting: {reason: "ImagePullBackOff"}} else {terminated: {exitCode: $code}} end)}]}}' \
    >"$answers/pod-praxis.json"
  echo 'generation 1 is read' >"$answers/logs"
}

# manifest ARGUMENT…: what a dry run prints
manifest() { "$script" prod --dry-run "$@"; }
is() { jq -e "$1" <<<"$pod" >/dev/null || fail "not so: $1: $pod"; }

test_pod_satisfies_the_restricted_profile() {
  given
  pod=$(manifest -- views status)
  is '.spec.securityContext | .runAsNonRoot and .runAsUser == 65532 and .seccompProfile.type == "RuntimeDefault"'
  is '.spec.containers[0].securityContext | .allowPrivilegeEscalation == false and .readOnlyRootFilesystem and .capabilities == {drop: ["ALL"]}'
  is '.spec | .automountServiceAccountToken == false and ([.hostNetwork, .hostPID, .hostIPC] | any | not) and (.containers | length == 1)'
  is '[.spec.volumes[] | keys[]] | unique == ["name", "projected"]'
  is '.spec.restartPolicy == "Never" and .spec.activeDeadlineSeconds > 0 and .spec.containers[0].resources.limits.memory != null'
}

test_pod_has_the_labels_that_are_let_out_to_mysql() {
  given
  pod=$(manifest -- views status)
  is '.metadata.namespace == "praxis"'
  is '.metadata.labels | ."app.kubernetes.io/name" == "migrate" and ."app.kubernetes.io/instance" == "migrate"'
  # The chart's policy selects by these two; if it is changed, so must this be.
  grep -A3 'define "praxis.selector"' "$root_dir/helm/praxis-migrate/templates/_helpers.tpl" | grep -q 'name: migrate' ||
    fail "the chart selects other pods"
}

test_pod_runs_the_released_image_with_the_words_as_they_are() {
  given
  pod=$(manifest -- audit verify --expect '17:ab cd')
  is ".spec.containers[0].image == \"registry.example.org/praxis/praxis:v1.2.3@$digest\""
  is '.spec.containers[0].args == ["audit", "verify", "--expect", "17:ab cd"]'
}

keys_of() { jq -r '[.spec.volumes[0].projected.sources[].secret | .name + ":" + ([.items[]?.key] | join(","))] | join(" ")' <<<"$pod"; }

test_each_command_gets_the_keys_it_needs_and_no_other() {
  given
  pod=$(manifest -- views rebuild --here)
  expect_equal "$(keys_of)" 'praxis-database:projector-events-url,projector-views-url praxis-application:kek'
  pod=$(manifest -- audit verify)
  expect_equal "$(keys_of)" 'praxis-database:query-api-events-url,query-api-views-url'
  pod=$(manifest -- restore --dry-run)
  expect_equal "$(keys_of)" 'praxis-database:command-api-events-url,projector-views-url praxis-application:kek'
  is '[.spec.containers[0].env[] | select(.name != "PRAXIS_DATABASE_CA") | .name + "=" + .value] == ["PRAXIS_EVENTS_URL_FILE=/run/secrets/praxis/command-api-events-url",
    "PRAXIS_VIEWS_URL_FILE=/run/secrets/praxis/projector-views-url", "PRAXIS_KEK_FILE=/run/secrets/praxis/kek"]'
  pod=$(manifest -- migrate)
  expect_equal "$(keys_of)" 'praxis-database:migrate-events-url,migrate-views-url'
  pod=$(manifest -- accounts apply --from /run/secrets/praxis)
  expect_equal "$(keys_of)" 'praxis-database:'
  pod=$(manifest --as query-api -- views status)
  expect_equal "$(keys_of)" 'praxis-database:query-api-events-url,query-api-views-url'
}

test_pod_verifies_the_database_as_migrations_do() {
  given
  pod=$(manifest -- views status)
  jq -r '.spec.containers[0].env[] | select(.name == "PRAXIS_DATABASE_CA").value' <<<"$pod" | openssl x509 -noout ||
    fail "no certificate: $pod"
  printf 'mysql:\n  ca: ""\n' >"$PRAXIS_GITOPS_VALUES/prod/database-ca.yaml"
  run "$script" prod --dry-run -- views status
  expect_status 1
  expect_says 'has no certificates'
  # The MySQL of the cluster is taken as it is.
  sed -i '/^mysql:/,$d' "$PRAXIS_GITOPS_VALUES/prod/from-terraform/migrate.yaml"
  pod=$(manifest -- views status)
  is '[.spec.containers[0].env[] | select(.name == "PRAXIS_DATABASE_CA")] == []'
}

test_what_praxis_says_is_shown_and_the_pod_goes() {
  given
  run "$script" prod -- views status
  expect_status 0
  expect_says 'generation 1 is read'
  name=$(jq -r .metadata.name "$STUB_STATE/created")
  expect_equal "$(calls "delete pod $name --namespace praxis")" 1
}

test_exit_code_of_praxis_is_passed_on_and_the_pod_goes() {
  given Failed 3
  run "$script" prod -- audit verify
  expect_status 3
  expect_equal "$(calls 'delete pod')" 1
}

test_pod_that_does_not_start_is_told_and_goes() {
  given Pending
  run "$script" prod -- views status
  expect_status 1
  expect_says 'did not start: ImagePullBackOff'
  expect_equal "$(calls 'delete pod')" 1
  expect_equal "$(calls 'kubectl logs')" 0
}

test_pod_in_another_cluster_is_refused() {
  given
  echo praxis-dev >"$answers/cluster"
  run "$script" prod -- restore --yes
  expect_status 1
  expect_says "not to 'praxis-prod'"
  expect_equal "$(calls 'kubectl create')" 0
}

test_pod_that_the_cluster_refuses_is_told() {
  given
  touch "$answers/forbidden"
  run "$script" prod -- views status
  expect_status 1
  expect_says 'the cluster refused the pod'
}

test_pod_of_nothing_released_is_refused() {
  given
  cp "$root_dir/gitops/values/prod/migrate.yaml" "$PRAXIS_GITOPS_VALUES/prod/migrate.yaml"
  sed -i "s/sha256:.*/sha256:$(printf '0%.0s' {1..64})/" "$PRAXIS_GITOPS_VALUES/prod/migrate.yaml"
  run "$script" prod -- views status
  expect_status 1
  expect_says 'nothing was released'
}

test_pod_with_unknown_rights_or_no_words_is_refused() {
  given
  run "$script" prod --as root -- views status
  expect_status 2
  run "$script" prod
  expect_status 2
  run "$script" prod views status
  expect_status 2
  expect_says 'comes after --'
  run "$script" prod -- backup
  expect_status 2
  expect_says 'say --as'
}
