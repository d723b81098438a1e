#!/usr/bin/env bash
# Does a deployment answer from outside as it should? Reads only what is public; needs no account.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: smoke-test.sh URL      for example https://praxis.example.org

The query API lives, both APIs refuse who has no token with a problem document, and the OpenAPI document is served.
USAGE
}

case "${1:-}/$#" in
  -h/1 | --help/1) usage; exit 0 ;;
  http*/1) url=${1%/} ;;
  *) wrong "which address?" ;;
esac
need curl jq
body=$(mktemp)
trap 'rm -f "$body"' EXIT
passed=0 failed=0

# expect NAME STATUS JQ_TEST METHOD PATH: the answer has that status, and its document passes the test
expect() {
  local name=$1 wanted=$2 document=$3 method=$4 path=$5 got data=()
  [ "$method" = GET ] || data=(-H 'Content-Type: application/json' --data '{}')
  got=$(curl -sS --max-time 15 --retry 3 --retry-connrefused -o "$body" -w '%{http_code}' -X "$method" "${data[@]}" "$url$path") || got=none
  if [ "$got" = "$wanted" ] && jq -e "$document" "$body" >/dev/null 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $name: $method $path was answered $got, not $wanted" >&2
  fi
}

expect 'the query API lives' 200 . GET /health
expect 'reads need a token' 401 '.code == "unauthenticated"' GET /patients
expect 'searches need a token' 401 '.code == "unauthenticated"' POST /patients/search
expect 'commands need a token' 401 '.code == "unauthenticated"' POST /patients
expect 'the API is described' 200 '.openapi | startswith("3.1")' GET /openapi.json
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
