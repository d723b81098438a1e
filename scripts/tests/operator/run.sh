#!/usr/bin/env bash
# Do the operator's scripts do what they say? Runs every function test_… of scripts/tests/operator/*_test.sh by itself, with
# stand-ins for aws, kubectl, helm, terraform and curl on the PATH. Usage: run.sh [WORD]; WORD picks tests
# by the name of their file or their own.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# one FILE NAME: a test in a shell of its own, where -e ends it at the first assertion that fails.
one() {
  local state=$all/$2
  mkdir "$state"
  if STUB_STATE=$state STUB_KEYS=$all/keys PATH=$here/stubs:$PATH bash -euo pipefail -c \
    'source "$1/lib.sh"; source "$2"; "$3"' run "$here" "$1" "$2" >"$all/$2.log" 2>&1; then
    echo passed >"$all/$2.result"
  else
    echo failed >"$all/$2.result"
    printf 'FAIL %s: %s\n%s\n' "$(basename "$1")" "$2" "$(tail -n 30 "$all/$2.log" | sed 's/^/     /')"
  fi
  rm -rf "$state"
}

case ${1:-} in
  -h | --help)
    sed -n '2,4s/^# //p' "$0"
    exit
    ;;
  --one) # how xargs calls this script again
    one "$2" "$3"
    exit
    ;;
esac
command -v jq >/dev/null || { echo 'run.sh: jq is missing' >&2; exit 1; }
all=$(mktemp -d)
export all
trap 'rm -rf "$all"' EXIT
mkdir "$all/keys"
for file in "$here"/*_test.sh; do
  sed -n 's/^\(test_[a-z0-9_]*\)() {$/\1/p' "$file" | sed "s|^|$file |"
done | grep -F -- "${1:-}" >"$all/tests"
[ "$(cut -d' ' -f2 "$all/tests" | sort | uniq -d)" = '' ] || { echo 'run.sh: two tests have one name' >&2; exit 1; }
xargs -r -P "$(nproc)" -L 1 "$0" --one <"$all/tests"
passed=$(cat "$all"/*.result 2>/dev/null | grep -c passed)
# A test that left no result was killed, which is no success.
failed=$(($(wc -l <"$all/tests") - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
