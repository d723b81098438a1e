# shellcheck shell=bash disable=SC2154,SC2016 # $out and $status are set by run; $ in jq programs is jq's
# Does wait-for-rollout.sh wait for the commit, the health and the smoke Job, and give up when there is no hope?

script=$root_dir/scripts/wait-for-rollout.sh
answers=$STUB_STATE/kubectl
export PRAXIS_ROLLOUT_PAUSE_SECONDS=0
before=$(git -C "$root_dir" rev-parse HEAD~1)
commit=$(git -C "$root_dir" rev-parse HEAD)

# application SYNC HEALTH PHASE REVISION
given() {
  mkdir -p "$answers"
  echo praxis-dev >"$answers/cluster"
  jq -n --arg sync "$1" --arg health "$2" --arg phase "$3" --arg revision "$4" '{items: [{metadata: {name: "query-api"},
    status: {sync: {status: $sync, revisions: [$revision, $revision]}, health: {status: $health}, operationState: {phase: $phase}}}]}' \
    >"$answers/applications.argoproj.io-argocd.json"
}

test_rollout_of_the_commit_that_is_healthy_has_ended() {
  given Synced Healthy Succeeded "$commit"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 0
}

test_rollout_to_a_later_commit_has_the_earlier_one() {
  given Synced Healthy Succeeded "$commit"
  run "$script" dev "$before" --seconds 0 query-api
  expect_status 0
}

test_rollout_is_not_over_while_an_earlier_commit_is_healthy() {
  given Synced Healthy Succeeded "$before"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 1
  expect_says "query-api is at ${before:0:12}"
}

test_rollout_is_not_over_while_the_smoke_job_runs() {
  given Synced Healthy Running "$commit"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 1
  expect_says 'Synced Healthy Running'
}

test_rollout_that_is_not_healthy_is_said_to_be() {
  given Synced Degraded Succeeded "$commit"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 1
  expect_says 'Degraded'
}

test_rollout_whose_sync_failed_is_given_up_at_once() {
  given Synced Healthy Failed "$commit"
  run "$script" dev "$commit" --seconds 600 query-api
  expect_status 1
  expect_says 'its sync failed'
}

test_failure_of_the_commit_before_is_none_of_this_one() {
  given Synced Degraded Failed "$before"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 1
  expect_says 'is at'
}

test_rollout_of_an_application_that_is_not_there_is_waited_for() {
  given Synced Healthy Succeeded "$commit"
  run "$script" dev "$commit" --seconds 0 query-api projector-01234567
  expect_status 1
  expect_says 'projector-01234567 is not there yet'
}

test_rollout_in_another_cluster_is_refused() {
  given Synced Healthy Succeeded "$commit"
  run "$script" prod "$commit" --seconds 0 query-api
  expect_status 1
  expect_says "not to 'praxis-prod'"
}
