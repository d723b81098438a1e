# shellcheck shell=bash disable=SC2154,SC2016 # $out and $status are set by run; $ in jq programs is jq's
# Does wait-for-rollout.sh wait for the commit, the health and the smoke Job, and give up when there is no hope?

script=$root_dir/scripts/wait-for-rollout.sh
answers=$STUB_STATE/kubectl
export PRAXIS_ROLLOUT_PAUSE_SECONDS=0
before=$(git -C "$root_dir" rev-parse HEAD~1)
commit=$(git -C "$root_dir" rev-parse HEAD)

# given SYNC HEALTH PHASE REVISION [REVISION_OF_THE_LAST_SYNC]
given() {
  mkdir -p "$answers"
  echo praxis-dev >"$answers/cluster"
  jq -n --arg sync "$1" --arg health "$2" --arg phase "$3" --arg revision "$4" --arg operated "${5:-$4}" '{items: [{metadata: {name: "query-api"},
    status: {sync: {status: $sync, revisions: [$revision, $revision]}, health: {status: $health}, operationState: {phase: $phase, syncResult: {revisions: [$operated, $operated]}}}}]}' \
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

# As after a failed step that was reverted: the commit that takes it back has been compared, and its sync is still to begin.
test_failure_of_the_sync_before_is_none_of_this_commit() {
  given OutOfSync Degraded Failed "$commit" "$before"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 1
  expect_silent_on 'its sync failed'
  expect_says 'OutOfSync'
}

test_commit_that_has_nothing_to_sync_has_ended_whatever_failed_before() {
  given Synced Healthy Failed "$commit" "$before"
  run "$script" dev "$commit" --seconds 0 query-api
  expect_status 0
}

test_rollout_whose_cluster_is_away_for_a_moment_is_waited_for() {
  given Synced Healthy Succeeded "$commit"
  touch "$answers/unknown-applications.argoproj.io"
  (sleep 1 && rm "$answers/unknown-applications.argoproj.io") &
  PRAXIS_ROLLOUT_PAUSE_SECONDS=0.2 run "$script" dev "$commit" --seconds 30 query-api
  expect_status 0
  expect_says 'cannot be asked'
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
