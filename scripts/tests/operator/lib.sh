# shellcheck shell=bash disable=SC2034 # what is set here is read by the tests
# What the tests of the operator's scripts share. Sourced by run.sh.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
: "${STUB_STATE:?run.sh gives each test a directory}"

# Whoever's machine this is: commits are the tests' own, and nothing of a home is read or written.
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
export HOME=$STUB_STATE

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

# run COMMAND…: its output and error into $out, its exit code into $status.
run() {
  status=0
  out=$("$@" 2>&1) || status=$?
}

expect_status() { [ "$status" = "$1" ] || fail "ended with $status, not $1: $out"; }
expect_says() { [[ $out == *"$1"* ]] || fail "does not say '$1': $out"; }
expect_silent_on() { [[ $out != *"$1"* ]] || fail "says '$1': $out"; }
expect_equal() { [ "$1" = "$2" ] || fail "'$1' is not '$2'"; }
calls() { grep -c -- "$1" "$STUB_STATE/calls" || true; }

# What is copied from gitops/ says what the owner of this tree has filled in: the example's facts, or those of a deployment. A
# test that counts on one of them writes it first. set_line FILE KEY VALUE: in each line `KEY: …`, of which there must be one.
set_line() {
  grep -q "^ *$2: " "$1" || fail "$1 has no line $2"
  sed -i -E "s|^( *)$2: .*|\1$2: $3|" "$1"
}
