# shellcheck shell=bash disable=SC2154,SC2016 # $out and $status are set by run; $ in jq programs is jq's
# Does deploy.sh bring a release in two steps, and go back when one does not come up? git is real, with a bare repository
# as origin; the cluster and the outside are stand-ins that answer for whatever commit is there.

export PRAXIS_ROLLOUT_PAUSE_SECONDS=0 PRAXIS_ROLLOUT_SECONDS=0
export PRAXIS_REGISTRY=registry.example.org PRAXIS_SIGNER=https://github.com/o/r/.github/workflows/release.yml@refs/heads/main
work=$STUB_STATE/work
commit=$(printf 'c%.0s' {1..40})
old=$(printf 'a%.0s' {1..64})
new=$(printf 'b%.0s' {1..64})

# A checkout with the scripts, and an environment dev that serves v1 with the projector of 11111111….
given_dev() {
  local name
  mkdir -p "$work/gitops/values/dev/projectors" "$STUB_STATE/bin"
  cp -r "$root_dir/scripts" "$work/"
  for name in migrate command-api query-api; do
    printf 'image:\n  tag: v1\n  digest: sha256:%s\n' "$old" >"$work/gitops/values/dev/$name.yaml"
  done
  printf 'fingerprint: "1111111111111111"\nimage:\n  tag: v1\n  digest: sha256:%s\n' "$old" >"$work/gitops/values/dev/projectors/11111111.yaml"
  git init --quiet --bare --initial-branch main "$STUB_STATE/origin"
  git -C "$work" init --quiet --initial-branch main
  git -C "$work" add -A
  git -C "$work" commit --quiet -m 'as it was'
  git -C "$work" remote add origin "$STUB_STATE/origin"
  git -C "$work" push --quiet origin main
  # The cluster: every application serves what main says, but for those in the file broken while main has v2 for them.
  cat >"$STUB_STATE/bin/kubectl" <<'STUB'
#!/usr/bin/env bash
case "$1 $2" in
  'config view') echo praxis-dev ;;
  'get applications.argoproj.io')
    revision=$(git -C "$STUB_STATE/origin" rev-parse main)
    for name in migrate command-api query-api projector-11111111 projector-22222222; do
      file=gitops/values/dev/$name.yaml
      [[ $name == projector-* ]] && file=gitops/values/dev/projectors/${name#projector-}.yaml
      values=$(git -C "$STUB_STATE/origin" show "main:$file" 2>/dev/null) || continue
      health=Healthy
      grep -qx "$name" "$STUB_STATE/broken" 2>/dev/null && [[ $values == *v2* ]] && health=Degraded
      jq -n --arg name "$name" --arg revision "$revision" --arg health "$health" '{metadata: {$name},
        status: {sync: {status: "Synced", revisions: [$revision]}, health: {status: $health}, operationState: {phase: "Succeeded"}}}'
    done | jq -s '{items: .}' ;;
esac
STUB
  cat >"$STUB_STATE/bin/curl" <<'STUB'
#!/usr/bin/env bash
[ ! -e "$STUB_STATE/outside-is-broken" ] || exit 7
while [ $# -gt 0 ]; do
  case $1 in -o) body=$2 ;; http*) url=$1 ;; esac
  shift
done
case $url in
  */health) echo '{"status": "ok"}' >"$body"; printf 200 ;;
  */openapi.json) echo '{"openapi": "3.1.0"}' >"$body"; printf 200 ;;
  *) echo '{"code": "unauthenticated"}' >"$body"; printf 401 ;;
esac
STUB
  chmod +x "$STUB_STATE/bin/"*
  PATH=$STUB_STATE/bin:$PATH
}

# release FINGERPRINT
given_release() {
  local program
  echo "$commit" >"$STUB_STATE/built-from"
  for program in command-api query-api projector praxis; do
    echo "$PRAXIS_REGISTRY/praxis/$program@sha256:$new $PRAXIS_SIGNER $commit"
  done >"$STUB_STATE/signed"
  jq -n --arg digest "sha256:$new" --arg fingerprint "$1" --arg commit "$commit" '{$commit, tag: "v2", $fingerprint,
    images: {"command-api": $digest, "query-api": $digest, projector: $digest, praxis: $digest}}' >"$STUB_STATE/release.json"
}
deploy() { run "$work/scripts/deploy.sh" dev "$STUB_STATE/release.json" "${1-https://praxis.example.org}"; }
in_main() { git -C "$STUB_STATE/origin" show "main:gitops/values/dev/$1" 2>/dev/null || echo none; }
commits() { git -C "$STUB_STATE/origin" rev-list --count main; }

test_deployment_prepares_then_serves() {
  given_dev
  given_release 1111111111111111
  deploy
  expect_status 0
  expect_says 'dev serves v2'
  expect_equal "$(git -C "$STUB_STATE/origin" log --format=%s main)" "$(printf 'gitops: dev, serve v2\ngitops: dev, prepare v2\nas it was')"
  [[ $(in_main query-api.yaml) == *"$new"* ]] || fail 'query-api is not v2'
}

test_deployment_of_another_fingerprint_keeps_the_old_projector() {
  given_dev
  given_release 2222222222222222
  deploy
  expect_status 0
  [[ $(in_main projectors/22222222.yaml) == *"$new"* ]] || fail 'no projector of the new fingerprint'
  [[ $(in_main projectors/11111111.yaml) == *"$old"* ]] || fail 'the old projector is gone'
}

test_deployment_again_changes_nothing() {
  given_dev
  given_release 1111111111111111
  deploy && expect_status 0
  deploy
  expect_status 0
  expect_equal "$(commits)" 3
}

test_deployment_whose_projector_does_not_come_up_never_serves() {
  given_dev
  given_release 2222222222222222
  echo projector-22222222 >"$STUB_STATE/broken"
  deploy
  expect_status 1
  expect_says 'dev is as it was before'
  expect_equal "$(in_main projectors/22222222.yaml)" none
  [[ $(in_main query-api.yaml) == *"$old"* ]] || fail 'query-api was changed'
}

test_deployment_that_does_not_serve_goes_back() {
  given_dev
  given_release 1111111111111111
  echo query-api >"$STUB_STATE/broken"
  deploy
  expect_status 1
  expect_says 'serve of v2 failed; dev is as it was before'
  [[ $(in_main query-api.yaml) == *"$old"* ]] || fail 'query-api is still v2'
  [[ $(in_main migrate.yaml) == *"$new"* ]] || fail 'migrations only go forward'
}

test_deployment_that_is_not_seen_from_outside_goes_back() {
  given_dev
  given_release 1111111111111111
  touch "$STUB_STATE/outside-is-broken"
  deploy
  expect_status 1
  [[ $(in_main command-api.yaml) == *"$old"* ]] || fail 'command-api is still v2'
}

# As when the variable PUBLIC_URL is not set: a good release would be deployed, and then taken back.
test_deployment_that_could_not_be_asked_from_outside_pushes_nothing() {
  local url
  given_dev
  given_release 1111111111111111
  for url in '' https:// http://praxis.example.org praxis.example.org; do
    deploy "$url"
    expect_status 2
    expect_says "'$url' is no address"
  done
  expect_equal "$(commits)" 1
}

test_deployment_of_an_image_that_nobody_signed_pushes_nothing() {
  given_dev
  given_release 1111111111111111
  sed -i /query-api/d "$STUB_STATE/signed"
  deploy
  expect_status 1
  expect_says "query-api@sha256:$new is not signed by $PRAXIS_SIGNER"
  expect_equal "$(commits)" 1
}

test_deployment_over_changes_at_hand_is_refused() {
  given_dev
  given_release 1111111111111111
  echo '# mine' >>"$work/gitops/values/dev/query-api.yaml"
  deploy
  expect_status 1
  expect_says 'not committed'
}

test_deployment_that_cannot_be_watched_pushes_nothing() {
  given_dev
  given_release 1111111111111111
  printf '#!/bin/sh\n[ "$1" = config ] && echo praxis-dev\n' >"$STUB_STATE/bin/kubectl"
  deploy
  expect_status 1
  expect_says 'the cluster cannot be asked'
  expect_equal "$(commits)" 1
}

test_deployment_pushes_though_main_moved() {
  given_dev
  given_release 1111111111111111
  git clone --quiet "$STUB_STATE/origin" "$STUB_STATE/other"
  echo hello >"$STUB_STATE/other/README"
  git -C "$STUB_STATE/other" add README
  git -C "$STUB_STATE/other" commit --quiet -m 'meanwhile'
  git -C "$STUB_STATE/other" push --quiet origin main
  deploy
  expect_status 0
  expect_equal "$(commits)" 4
}
