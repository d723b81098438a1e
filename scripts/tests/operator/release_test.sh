# shellcheck shell=bash disable=SC2154
# Does release.sh build, name and pack what it should, and refuse what it must? docker and cosign are stand-ins;
# git, tar and jq are real. Run by run.sh.

export PRAXIS_REGISTRY=registry.example.org
export PRAXIS_SIGNER=https://github.com/praxis-example/praxis/.github/workflows/release.yml@refs/heads/main
# A repository of its own: in the one of this tree somebody may commit while a test runs.
project=$STUB_STATE/project
mkdir "$project"
(cd "$root_dir" && cp --parents -r scripts/release.sh scripts/lib/deploy.sh packaging Cargo.toml LICENSE CHANGELOG.md \
  docs/how-to/operate-a-small-practice.md docs/configuration.md "$project")
git -C "$project" init -q --initial-branch main
git -C "$project" add -A
git -C "$project" commit -q -m 'what is released'
short=$(git -C "$project" rev-parse --short=12 HEAD)
version=v$(sed -nE 's/^version = "(.*)"$/\1/p' "$project/Cargo.toml" | head -n 1)
release() { run "$project/scripts/release.sh" "$@"; }
in_registry() { cat "$STUB_STATE/registry_registry.example.org_praxis_$1"; }

released() {
  release build amd64 "$STUB_STATE/d" && expect_status 0
  release build arm64 "$STUB_STATE/d" && expect_status 0
  release publish "$STUB_STATE/d" && expect_status 0
}

test_release_names_images_by_commit_and_branch_and_signs_their_digests() {
  released
  expect_equal "$(in_registry "projector:sha-$short")" "$(in_registry projector:main)"
  expect_equal "$(grep -cE '^cosign sign --yes registry.example.org/praxis/[a-z-]+@sha256:[0-9a-f]{64}$' "$STUB_STATE/calls")" 4
  expect_equal "$(calls '--sbom=true --provenance=mode=max')" 8
}

test_release_again_keeps_what_the_commit_is() {
  released
  local first
  first=$(in_registry "projector:sha-$short")
  echo sha256:0000 >"$STUB_STATE/d/projector-amd64.digest"
  release publish "$STUB_STATE/d"
  expect_status 0
  expect_equal "$(in_registry "projector:sha-$short")" "$first"
}

test_release_notes_digests_and_fingerprint() {
  released
  jq -e '(.images | length) == 4 and (.images | all(test("^sha256:[0-9a-f]{64}$")))
    and .fingerprint == "0123456789abcdef" and (.tag | startswith("sha-"))' "$STUB_STATE/d/release.json" >/dev/null || fail "$(cat "$STUB_STATE/d/release.json")"
}

# Nothing is run before it is known whose it is.
test_what_main_did_not_sign_is_neither_run_nor_named() {
  released
  local projector
  projector=$(in_registry "projector:sha-$short")
  sed -i "/$projector/d" "$STUB_STATE/signed"
  : >"$STUB_STATE/calls"
  release describe "sha-$short" "$STUB_STATE/e"
  expect_status 1
  expect_says "projector@$projector is not signed by $PRAXIS_SIGNER"
  expect_equal "$(calls '^docker run')" 0
  [ ! -e "$STUB_STATE/e/release.json" ] || fail 'it was described'
}

test_what_another_workflow_signed_is_refused() {
  released
  PRAXIS_SIGNER=${PRAXIS_SIGNER/release.yml/other.yml}
  release verify "$STUB_STATE/d/release.json"
  expect_status 1
  expect_says 'is not signed by https://github.com/praxis-example/praxis/.github/workflows/other.yml@refs/heads/main'
}

test_what_was_signed_for_another_commit_is_refused() {
  released
  jq '.commit |= gsub("[0-9]"; "f")' "$STUB_STATE/d/release.json" >"$STUB_STATE/other.json"
  release verify "$STUB_STATE/other.json"
  expect_status 1
  expect_says 'is not signed by'
}

test_what_was_built_from_another_commit_is_refused() {
  released
  printf '%040d' 0 >"$STUB_STATE/built-from"
  release verify "$STUB_STATE/d/release.json"
  expect_status 1
  expect_says 'has no provenance that names commit'
}

test_a_release_without_a_digest_is_refused() {
  released
  jq '.images["query-api"] = "latest"' "$STUB_STATE/d/release.json" >"$STUB_STATE/other.json"
  release verify "$STUB_STATE/other.json"
  expect_status 1
  expect_says 'does not say which query-api'
}

test_without_a_name_to_trust_nothing_is_verified() {
  released
  unset PRAXIS_SIGNER
  release verify "$STUB_STATE/d/release.json"
  expect_status 1
  expect_says 'set PRAXIS_SIGNER'
}

test_release_of_one_platform_alone_is_refused() {
  release build amd64 "$STUB_STATE/d" && expect_status 0
  release publish "$STUB_STATE/d"
  expect_status 1
  expect_says 'was not built for arm64'
}

test_release_for_an_unknown_platform_is_refused() {
  release build riscv "$STUB_STATE/d"
  expect_status 1
  expect_says "unknown platform 'riscv'"
}

test_version_is_the_very_image_of_its_commit() {
  released
  release promote "$version" "$STUB_STATE/p"
  expect_status 0
  expect_equal "$(in_registry "praxis:$version")" "$(in_registry "praxis:sha-$short")"
  release promote "$version" "$STUB_STATE/p"
  expect_status 0
}

test_version_of_a_commit_that_was_not_released_is_refused() {
  release promote "$version" "$STUB_STATE/p"
  expect_status 1
  expect_says 'let the release of main end first'
}

test_version_other_than_that_of_the_programs_is_refused() {
  release promote v9.9.9 "$STUB_STATE/p"
  expect_status 1
  expect_says 'they must agree'
  release promote latest "$STUB_STATE/p"
  expect_status 1
  expect_says "'latest' is no version"
}

test_what_is_no_fingerprint_is_refused() {
  released
  FINGERPRINT='error: no such command' release describe "sha-$short" "$STUB_STATE/f"
  expect_status 1
  expect_says 'which is no fingerprint'
}

test_archive_holds_program_unit_and_papers_and_is_reproducible() {
  local name=praxis-$version-linux-amd64
  release archive "$version" amd64 "$STUB_STATE/a" && expect_status 0
  expect_equal "$(tar -tzf "$STUB_STATE/a/$name.tar.gz" |
    grep -cE '/(praxis|praxis.service|praxis.env|install.sh|LICENSE|CHANGELOG.md|operate-a-small-practice.md|configuration.md)$')" 8
  (cd "$STUB_STATE/a" && sha256sum -c --quiet "$name.tar.gz.sha256")
  release archive "$version" amd64 "$STUB_STATE/b" && expect_status 0
  cmp "$STUB_STATE/a/$name.tar.gz" "$STUB_STATE/b/$name.tar.gz"
}

test_installer_keeps_settings_when_it_upgrades() {
  local name=praxis-$version-linux-amd64
  release archive "$version" amd64 "$STUB_STATE/a" && expect_status 0
  tar -xzf "$STUB_STATE/a/$name.tar.gz" -C "$STUB_STATE"
  run "$STUB_STATE/$name/install.sh" --prefix "$STUB_STATE/root" && expect_status 0
  [ -e "$STUB_STATE/root/etc/systemd/system/praxis.service" ] || fail 'no unit'
  echo 'PRAXIS_LISTEN=127.0.0.1:9999' >"$STUB_STATE/root/etc/praxis/praxis.env"
  run "$STUB_STATE/$name/install.sh" --prefix "$STUB_STATE/root" && expect_status 0
  expect_equal "$(cat "$STUB_STATE/root/etc/praxis/praxis.env")" 'PRAXIS_LISTEN=127.0.0.1:9999'
}

test_unit_is_sound_and_exposes_little() {
  command -v systemd-analyze >/dev/null || fail 'systemd-analyze is missing (apt-get install -y systemd)'
  local said
  said=$(systemd-analyze security --offline=true "$root_dir/packaging/praxis.service" | tail -n 1) || fail "$said"
  [[ $said =~ [[:space:]]([0-9]+)\.[0-9]\ OK ]] && [ "${BASH_REMATCH[1]}" -le 1 ] || fail "$said"
}
