#!/usr/bin/env bash
# Write a release into gitops/values/<env>: tag and digest of each image, and the projector's file. Commits nothing.
#
# A release takes two steps, each a commit of its own, so that what serves follows what it needs:
#   prepare   migrations, and the projector; a new fingerprint is a new file beside the old one, which goes on
#   serve     command-api and query-api, once migrations are done and the projector is ready
# To roll back, `git revert` the commit of `serve`: the old projector has kept its read models up to date all along. It
# goes by `expire`, seven days after the one that followed it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: release-values.sh ENV prepare release.json
       release-values.sh ENV serve release.json
       release-values.sh ENV expire           remove projectors whose rollback window is over
       release-values.sh ENV show             release, tag and digest of each, by line

release.json is what release.sh writes: {commit, tag, fingerprint, images: {program: digest}}.
PRAXIS_GITOPS_VALUES names another folder than gitops/values.
USAGE
}

window_days=7
unreleased=sha256:$(printf '0%.0s' {1..64})

values_of() { # values_of FILE KEY: a value of the block image
  awk -v key="$2:" '/^[^ #]/ { inside = $1 == "image:" } inside && $1 == key { gsub(/"/, "", $2); print $2 }' "$1"
}

# set_image FILE TAG DIGEST: those two lines and no other. A file that has not exactly one of each is not ours to edit.
set_image() {
  local file=$1
  [ -f "$file" ] || die "there is no $file"
  [ "$(values_of "$file" tag | wc -l)/$(values_of "$file" digest | wc -l)" = 1/1 ] ||
    die "$file should have one image.tag and one image.digest"
  awk -v tag="$2" -v digest="$3" '/^[^ #]/ { inside = $1 == "image:" }
    inside && $1 == "tag:" { print "  tag: " tag; next }
    inside && $1 == "digest:" { print "  digest: " digest; next }
    { print }' "$file" >"$file.new"
  mv "$file.new" "$file"
}

# of_release PATTERN FILTER: a value of release.json, which must be of that form
of_release() {
  local value
  value=$(jq -er "$2" "$release" 2>/dev/null) || die "$release does not say $2"
  [[ $value =~ ^$1$ ]] || die "$release: $2 is '$value'"
  printf '%s' "$value"
}

digest_of() { of_release 'sha256:[0-9a-f]{64}' ".images[\"$1\"]"; }

# When a file came: by its commit, as a checkout gives every file the same time.
added_at() { git -C "$values" log --diff-filter=A --format=%ct -1 -- "$1"; }

# The file of the projector that came last; one that is not committed counts as the first.
newest_projector() {
  local file
  for file in "$values"/projectors/*.yaml; do
    if [ -e "$file" ]; then printf '%s %s\n' "$(added_at "$file")" "$file"; fi
  done | sort -snr -k 1,1 | sed -n '1s/^[0-9]* //p'
}

# The file of the projector that serves. After a release that was prepared and not served none has its tag: then the newest.
projector_before() {
  local file serving
  serving=$(values_of "$values/query-api.yaml" tag)
  for file in "$values"/projectors/*.yaml; do
    if [ -e "$file" ] && [ "$(values_of "$file" tag)" = "$serving" ]; then
      echo "$file"
      return
    fi
  done
  newest_projector
}

# projector_after FILE FINGERPRINT: that projector's file for another fingerprint. What people have set goes on, but for the
# number of the generation, which is another one's.
projector_after() {
  sed -E -e "s/^fingerprint:.*/fingerprint: \"$2\"/" -e 's/generation( *: *)[0-9]+/generation\10/' "${1:-/dev/stdin}" <<YAML
# Edited by scripts/release-values.sh: tag and digest. Everything else is for people, and goes on into the next one's file.
# The file's name is the first 8 digits of the fingerprint, and the release's.
fingerprint: ""
image:
  tag: ""
  digest: ""
YAML
}

prepare() {
  local tag fingerprint file before digest migrations
  tag=$(of_release '[A-Za-z0-9][A-Za-z0-9_.-]{0,62}' .tag)
  fingerprint=$(of_release '[0-9a-f]{16}' .fingerprint)
  # Each by itself: a refusal within the words of another command would be lost.
  digest=$(digest_of projector)
  migrations=$(digest_of praxis)
  set_image "$values/migrate.yaml" "$tag" "$migrations"
  file=$values/projectors/${fingerprint:0:8}.yaml
  if [ -e "$file" ]; then
    grep -q "^fingerprint: \"$fingerprint\"$" "$file" ||
      die "$file is of another fingerprint with the same first 8 digits; remove it or change a fold"
  else
    before=$(projector_before)
    projector_after "$before" "$fingerprint" >"$file.new"
    mv "$file.new" "$file"
  fi
  set_image "$file" "$tag" "$digest"
  # The file that a new environment begins with, which never ran.
  for file in "$values"/projectors/*.yaml; do
    if [ "$(values_of "$file" digest)" = "$unreleased" ]; then rm "$file"; fi
  done
}

serve() {
  local tag fingerprint migrations commands queries
  tag=$(of_release '[A-Za-z0-9][A-Za-z0-9_.-]{0,62}' .tag)
  fingerprint=$(of_release '[0-9a-f]{16}' .fingerprint)
  migrations=$(digest_of praxis)
  commands=$(digest_of command-api)
  queries=$(digest_of query-api)
  [ "$(values_of "$values/migrate.yaml" digest)" = "$migrations" ] ||
    die "migrations are of another release: prepare first, and wait until they are done"
  [ -e "$values/projectors/${fingerprint:0:8}.yaml" ] ||
    die "there is no projector of fingerprint $fingerprint, and query-api would have nothing to read: prepare first"
  set_image "$values/command-api.yaml" "$tag" "$commands"
  set_image "$values/query-api.yaml" "$tag" "$queries"
}

expire() {
  local file successor serving
  serving=$(values_of "$values/query-api.yaml" tag)
  [ "$(git -C "$values" rev-parse --is-shallow-repository)" = false ] ||
    die "the history is not here, which says since when a projector runs: fetch all of it (fetch-depth: 0)"
  for file in "$values"/projectors/*.yaml; do
    [ -n "$(added_at "$file")" ] || die "$file is not committed"
  done
  successor=$(newest_projector)
  if [ $(($(date +%s) - $(added_at "$successor"))) -lt $((window_days * 86400)) ]; then
    say "$(basename "$successor" .yaml) has been there for less than $window_days days: nothing expires"
    return
  fi
  # Rolled back: query-api reads what an older projector writes, and the newest is the one that nobody uses.
  if [ "$(values_of "$successor" tag)" != "$serving" ]; then
    say "query-api is $serving, not the newest projector's $(values_of "$successor" tag): nothing expires"
    return
  fi
  for file in "$values"/projectors/*.yaml; do
    [ "$file" != "$successor" ] || continue
    rm "$file"
    say "removed $(basename "$file" .yaml)"
  done
}

show() {
  local file name
  for file in "$values"/{migrate,command-api,query-api}.yaml "$values"/projectors/*.yaml; do
    name=$(basename "$file" .yaml)
    case $file in */projectors/*) name=projector-$name ;; esac
    printf '%s %s %s\n' "$name" "$(values_of "$file" tag)" "$(values_of "$file" digest)"
  done
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  '') wrong "which environment?" ;;
esac
environment "$1"
values=${PRAXIS_GITOPS_VALUES:-$root_dir/gitops/values}/$1
release=${3:-}
case ${2:-} in
  prepare | serve)
    [ $# = 3 ] || wrong "$2 takes a release.json"
    [ -f "$release" ] || die "there is no $release"
    need jq
    ;;
  expire | show) [ $# = 2 ] || wrong "$2 takes nothing more" ;;
  *) wrong "what to do: prepare, serve, expire or show" ;;
esac
shopt -s nullglob
"$2"
