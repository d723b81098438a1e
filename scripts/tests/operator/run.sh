#!/usr/bin/env bash
# Do the operator's scripts do what they say? Runs every function test_… of scripts/tests/operator/*_test.sh by itself, with
# stand-ins for aws, kubectl, helm and terraform on the PATH. Usage: run.sh [WORD]; WORD picks tests by their name.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${1:-} in -h | --help) sed -n '2,3s/^# //p' "$0"; exit ;; esac
command -v jq >/dev/null || { echo 'run.sh: jq is missing' >&2; exit 1; }
all=$(mktemp -d)
mkdir "$all/keys"
trap 'rm -rf "$all"' EXIT
passed=0 failed=0
for file in "$here"/*_test.sh; do
  while read -r name; do
    [[ $name == *"${1:-}"* ]] || continue
    mkdir "$all/state"
    # A shell of its own for each: -e ends it at the first assertion that fails.
    if STUB_STATE=$all/state STUB_KEYS=$all/keys PATH=$here/stubs:$PATH bash -euo pipefail -c \
      'source "$1/lib.sh"; source "$2"; "$3"' run "$here" "$file" "$name" >"$all/log" 2>&1; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      printf 'FAIL %s: %s\n' "$(basename "$file")" "$name"
      tail -n 30 "$all/log" | sed 's/^/     /'
    fi
    rm -rf "$all/state"
  done < <(sed -n 's/^\(test_[a-z0-9_]*\)() {$/\1/p' "$file")
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
