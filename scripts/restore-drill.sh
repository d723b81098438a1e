#!/usr/bin/env bash
# Does a practice come back? Fill it, back it up, lose everything, restore to a point, verify, rebuild views, serve.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$scripts/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: restore-drill.sh [sqlite|mysql|all]

Runs docs/how-to/back-up-and-restore.md on a practice of invented people, on servers and folders of its own below .dev
(PRAXIS_DEV_DIR overrides .dev): the one-process tier from a copy made while it serves, the services tier from a dump and
the binary log, twice with one backup: beside the topic of the former life, and with a topic that is lost as well.
PRAXIS_DEV_BIN is the folder of the programs; without it they are built. The last line counts checks; exit code 0 if all passed.
USAGE
}

passed=0
failed=0
work=''
declare -A running=()

# check WHAT COMMAND…: one line, counted. What the command told is in told, for those that look at it next.
check() {
  local what=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $what"
  else
    failed=$((failed + 1))
    echo "FAILED  $what"
    sed 's/^/        /' "$work/out"
  fi
  case $1 in says | matches) ;; *) cp "$work/out" "$work/told" ;; esac
}

# refuses COMMAND…: ends with 1, which is a refusal; neither a misuse, a crash nor a program that went on until it was stopped
refuses() {
  local code=0
  "$@" || code=$?
  [ "$code" = 1 ] || { echo "ended with $code, not 1"; return 1; }
}
same() { [ "$1" = "$2" ] || { echo "expected '$2', found '$1'"; return 1; }; }
says() { grep -qF -- "$1" "$2" || { echo "'$1' is not in:"; cat "$2"; return 1; }; }
matches() { grep -qE -- "$1" "$2" || { echo "'$1' is not matched by:"; cat "$2"; return 1; }; }
is_less() { [ "$1" -lt "$2" ] || { echo "$1 is not less than $2"; return 1; }; }

clean_up() {
  local status=$? name
  trap - EXIT
  for name in "${!running[@]}"; do kill_child "${running[$name]}"; done
  if [ -n "$work" ]; then
    if [ "$status" = 0 ]; then rm -rf "$work"; else say "what was written is in $work"; fi
  fi
  exit "$status"
}

# start NAME COMMAND…: in the background; its output goes to NAME.log
start() {
  local name=$1
  shift
  "$@" >>"$work/$name.log" 2>&1 &
  running[$name]=$!
}

# lose NAME: as a power cut does
lose() {
  kill_child "${running[$1]}"
  unset "running[$1]"
}

# ready NAME ADMIN_ADDRESS: waits until it can be used
ready() {
  wait_until 60 "${running[$1]}" "$bin/praxis" healthcheck --admin "$2" 2>/dev/null ||
    { tail -n 20 "$work/$1.log" >&2; die "$1 was not ready within 60 s"; }
}

# request METHOD URL [BODY [HEADER…]]: sets status and headers; the body is in answer
request() {
  local method=$1 url=$2 body=${3:-} header options=()
  shift $(($# < 3 ? $# : 3))
  for header in "$@"; do options+=(-H "$header"); done
  if [ -n "$body" ]; then options+=(-H 'Content-Type: application/json' -d "$body"); fi
  status=$(curl -sS -m 20 -X "$method" -o "$work/answer" -D "$work/headers" -w '%{http_code}' \
    -H "Authorization: Bearer $token" "${options[@]}" "$url") || status=000
}

position() { tr -d '\r' <"$work/headers" | sed -nE 's/^praxis-position: (.*)/\1/ip'; }

# register NAME: a patient; sets id and at (the position of the write, as callers are told)
register() {
  request POST "$write_url/patients" "{\"family_name\":\"$1\"}"
  [ "$status" = 201 ] || { cat "$work/answer" >&2; die "registering $1 was answered $status"; }
  id=$(sed -E 's/^\{"id":"([^"]+)".*/\1/' "$work/answer")
  at=$(position)
}

# record_number: of the patient in the answer, without its check digit
record_number() { sed -nE 's/.*"record_number":"P-0*([0-9]+)-.*/\1/p' "$work/answer"; }

# shown ID NAME POSITION: the patient is read, no older than that, by name
shown() {
  request GET "$read_url/patients/$1" '' "Praxis-Min-Position: $3"
  same "$status" 200 && says "$2" "$work/answer"
}

# opens ID NAME: the log's own events of the patient show what is sealed in them
opens() {
  request GET "$read_url/patients/$1/history"
  same "$status" 200 && says "$2" "$work/answer"
}

answers() {
  request GET "$1" '' "${@:3}"
  same "$status" "$2" || { cat "$work/answer"; return 1; }
}

# counts POSITION: how many of each the read models show, once they have come so far
counts() {
  local kind
  for kind in patients practitioners locations; do
    request GET "$read_url/$kind?limit=100" '' "Praxis-Min-Position: $1"
    [ "$status" = 200 ] || { cat "$work/answer" >&2; die "listing $kind was answered $status"; }
    printf '%s=%s ' "$kind" "$(grep -oE '"id":"' "$work/answer" | wc -l)"
  done
}

praxis() { env "${settings[@]}" "$bin/praxis" "$@"; }
# shellcheck disable=SC2120 # checks hand it arguments
audited() { praxis audit verify "${where[@]}" "$@"; }
# shellcheck disable=SC2119 # as above
root() { audited | sed -n 's/^root //p'; }
demo() { praxis demo --server "$write_url" --token "$token" --patients "$1" --seed "$2"; }

seconds() { awk -v since="$1" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.1f", now - since }'; }

# After a restore, what was there at the point is there, what came after it is gone, and the practice goes on.
check_practice() {
  check "$1: as many records as at the point" same "$(counts "$at_restored")" "$counts_kept"
  check "$1: who was registered before the point is shown" shown "$id_kept" Anna-Before "$at_restored"
  check "$1: the history of that record is readable" opens "$id_kept" Anna-Before
  check "$1: who was registered after it is not known" answers "$read_url/patients/$id_lost" 404
  check "$1: a position of the former life is answered as lost" answers "$read_url/patients" 400 "Praxis-Min-Position: $at_lost"
  check "$1: that answer says so" says position-lost "$work/answer"
  register Carla-New
  check "$1: a new record takes the place after the point" same "${at#*-}" $((${root_kept%%:*} + 1))
  check "$1: in a later epoch than any before" is_less "$epoch_before" "${at%-*}"
  epoch_before=${at%-*}
  check "$1: the new record is read" shown "$id" Carla-New "$at"
  check "$1: its number was given to nobody before" is_less "$number_lost" "$(record_number)"
  check "$1: the log verifies, new events and all" audited --expect "$root_kept"
}

# restore WHAT: what an operator types, once the bytes are back
restore() {
  check "$1: the restored log is the one of the point" audited --expect "$root_kept"
  check "$1: a root of another log is refused" refuses audited --expect "${root_kept%%:*}:$(printf '00%.0s' {1..32})"
  check "$1: restore looks without changing anything" praxis restore "${where[@]}" --dry-run --expect "$root_lost"
  check "$1: it names what is lost" says "at positions $((${root_kept%%:*} + 1)) to ${root_lost%%:*}" "$work/told"
  check "$1: it begins the new life" praxis restore "${where[@]}" --yes --expect "$root_kept" --expect "$root_lost"
  at_restored=$(sed -nE 's/^epoch ([0-9]+) begins after position ([0-9]+);.*/\1-\2/p' "$work/told")
}

serve_practice() {
  start serve env "${settings[@]}" PRAXIS_LOG=info,praxis::request=warn "$bin/praxis" serve --data "$data" \
    --listen "127.0.0.1:$port" --admin-listen "127.0.0.1:$admin"
}

drill_sqlite() {
  local began data=$work/practice safe=$work/elsewhere vault=$work/safe port admin
  local settings=() where=(--data "$work/practice") epoch_before=1
  port=$(free_port) admin=$(free_port)
  write_url=http://127.0.0.1:$port read_url=$write_url
  mkdir -p "$safe" "$vault"
  echo "--- one process, SQLite"
  serve_practice
  ready serve "127.0.0.1:$admin"
  token=$(praxis token "${where[@]}" --role ADMIN)
  demo 20 1 >/dev/null
  cp -a "$data.keys" "$vault/keys"

  # Copied while it is written: that copy is somewhere in between, and sound.
  demo 60 2 >/dev/null &
  local writing=$!
  check "sqlite: a copy is made while the practice is written" praxis backup "${where[@]}" --to "$safe/under-load.db"
  check "sqlite: the writer was not disturbed" wait "$writing"
  check "sqlite: no copy is made beside the keys" refuses praxis backup "${where[@]}" --to "$data.keys"

  register Anna-Before
  id_kept=$id at_kept=$at
  counts_kept=$(counts "$at_kept") root_kept=$(root)
  check "sqlite: the log is copied at the point" praxis backup "${where[@]}" --to "$safe/events.db"
  check "sqlite: a backup is not written over" refuses praxis backup "${where[@]}" --to "$safe/events.db"
  # More than a process reserves numbers for at once.
  demo 40 3 >/dev/null
  register Berta-After
  id_lost=$id at_lost=$at
  shown "$id_lost" Berta-After "$at_lost" >/dev/null || die "what will be lost is not shown"
  number_lost=$(record_number)
  root_lost=$(root)
  check "sqlite: the roots that the leader logged are those of the log" audited --expect-from "$work/serve.log"

  lose serve
  rm -rf "$data" "$data.keys"
  echo "--- everything is lost: the directory, the keys beside it, the process"
  began=$EPOCHREALTIME
  mkdir -m 700 "$data"
  cp "$safe/events.db" "$data/events.db"
  check "sqlite: without the keys, restore says what cannot be read" praxis restore "${where[@]}" --dry-run
  check "sqlite: and says which key" says 'without the key-encryption key' "$work/told"
  check "sqlite: without the keys nothing is served" refuses timeout 20 "$bin/praxis" serve --data "$data" \
    --listen "127.0.0.1:$port" --admin-listen "127.0.0.1:$admin"
  check "sqlite: and the place of the keys is named" says "$data.keys" "$work/told"
  cp -a "$vault/keys" "$data.keys"
  restore sqlite
  serve_practice
  ready serve "127.0.0.1:$admin"
  echo "--- sqlite: back after $(seconds "$began") s, the refusals and checks on the way included"
  check_practice sqlite
  lose serve

  cp "$safe/events.db" "$work/damaged.db"
  damage "$work/damaged.db"
  rm -rf "$data" && mkdir -m 700 "$data" && cp "$work/damaged.db" "$data/events.db"
  check "sqlite: a damaged backup is not restored" refuses praxis restore "${where[@]}" --yes
  check "sqlite: the damage is named by position and code" matches '^fault: [0-9]+ leaf-differs' "$work/told"
}

# damage FILE: the first letter of each document; the file remains a database
damage() { LC_ALL=C sed -i 's/{"/["/g' "$1"; }

start_mysql() {
  PRAXIS_OWNER_PID=$$ start mysql "$scripts/mysql.sh" run "$work/mysql" "$mysql_port"
  "$scripts/mysql.sh" wait "$mysql_port" 60 "${running[mysql]}" || { tail -n 20 "$work/mysql.log" >&2; die "MySQL did not start"; }
}

start_kafka() {
  PRAXIS_OWNER_PID=$$ start kafka "$scripts/kafka.sh" run "$work/kafka" "$kafka_port" "$controller_port"
  "$scripts/kafka.sh" wait "$kafka_port" 60 "${running[kafka]}" || { tail -n 20 "$work/kafka.log" >&2; die "Kafka did not start"; }
}

start_services() {
  start command-api env "${settings[@]}" PRAXIS_LISTEN="127.0.0.1:$command_port" \
    PRAXIS_ADMIN_LISTEN="127.0.0.1:$command_admin" "$bin/command-api"
  start projector env "${settings[@]}" PRAXIS_ADMIN_LISTEN="127.0.0.1:$projector_admin" "$bin/projector"
  ready command-api "127.0.0.1:$command_admin"
  ready projector "127.0.0.1:$projector_admin"
  start query-api env "${settings[@]}" PRAXIS_LISTEN="127.0.0.1:$query_port" \
    PRAXIS_ADMIN_LISTEN="127.0.0.1:$query_admin" "$bin/query-api"
  ready query-api "127.0.0.1:$query_admin"
}

sql() { "$scripts/mysql.sh" client "$mysql_port" "$@"; }
mysql_tool() { "$scripts/mysql.sh" tool "$mysql_port" "$@"; }

# dump: a full backup of the log, consistent while it is written, that says where the binary log goes on
dump() { mysql_tool mysqldump --single-transaction --source-data=2 --set-gtid-purged=OFF --databases praxis >"$safe/full.sql"; }

# ship_logs: the binary log from the dump on, kept elsewhere as a server would all the time (--stop-never)
ship_logs() {
  mysql_tool mysqlbinlog --read-from-remote-server --raw --to-last-log --result-file="$safe/" "$log_file"
}

# put_back: the dump, then the binary log up to the point
put_back() {
  local logs=() log
  sql <"$safe/full.sql"
  for log in "$safe"/binlog.*; do
    if [[ ${log##*/} < $log_file || ${log##*/} > ${point% *} ]]; then continue; fi
    logs+=("$log")
  done
  mysql_tool mysqlbinlog --start-position="$log_position" --stop-position="${point#* }" --database=praxis "${logs[@]}" |
    sql --binary-mode
}

lose_services() {
  local name
  for name in command-api projector query-api mysql; do lose "$name"; done
  rm -rf "$work/mysql"
}

# bring_back WHAT: from an empty server to ready services
bring_back() {
  local began=$EPOCHREALTIME
  start_mysql
  check "$1: dump and binary log are put back up to the point" put_back
  # The registry of read models was lost too.
  praxis migrate >/dev/null
  restore "$1"
  start_services
  echo "--- $1: back after $(seconds "$began") s, the checks on the way included"
  check_practice "$1"
}

make_settings() {
  local keys=$work/keys url
  mkdir -m 700 "$keys"
  openssl genrsa -out "$keys/private.pem" 2048 2>/dev/null
  openssl rsa -in "$keys/private.pem" -pubout -out "$keys/public.pem" 2>/dev/null
  echo "$(cat /proc/sys/kernel/random/uuid):$(head -c 32 /dev/urandom | base64)" >"$keys/kek"
  echo "1:$(head -c 32 /dev/urandom | base64)" >"$keys/claims"
  url=$("$scripts/mysql.sh" url "$mysql_port")
  settings=("PRAXIS_EVENTS_URL=${url/\?/praxis?}" "PRAXIS_VIEWS_URL=${url/\?/praxis_views?}"
    "PRAXIS_KAFKA_BROKERS=127.0.0.1:$kafka_port" PRAXIS_KAFKA_TOPIC=praxis.drill PRAXIS_KAFKA_PARTITIONS=3
    "PRAXIS_KEK_FILE=$keys/kek" "PRAXIS_CLAIMS_KEY_FILE=$keys/claims" "PRAXIS_JWT_PUBLIC_KEYS_FILE=$keys/public.pem"
    "PRAXIS_JWT_PRIVATE_KEY_FILE=$keys/private.pem" "PRAXIS_LOG=info,praxis::request=warn")
}

drill_mysql() {
  local safe=$work/elsewhere-mysql settings=() where=() epoch_before=1 log_file log_position point
  local mysql_port kafka_port controller_port command_port command_admin query_port query_admin projector_admin
  mkdir -p "$safe"
  mysql_port=$(free_port) kafka_port=$(free_port) controller_port=$(free_port) command_port=$(free_port)
  command_admin=$(free_port) query_port=$(free_port) query_admin=$(free_port) projector_admin=$(free_port)
  write_url=http://127.0.0.1:$command_port read_url=http://127.0.0.1:$query_port
  echo "--- services, MySQL and Kafka"
  "$scripts/mysql.sh" setup
  "$scripts/kafka.sh" setup
  make_settings
  start_kafka
  start_mysql
  praxis migrate >/dev/null
  start_services
  token=$(praxis token --role ADMIN)
  demo 20 1 >/dev/null

  demo 60 2 >/dev/null &
  local writing=$!
  check "mysql: a dump is made while the practice is written" dump
  check "mysql: the writer was not disturbed" wait "$writing"
  read -r log_file log_position < <(sed -nE "s/^-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='([^']+)', SOURCE_LOG_POS=([0-9]+);.*/\1 \2/p" "$safe/full.sql")
  [ -n "$log_position" ] || die "the dump does not say where the binary log goes on"

  # In the binary log alone.
  register Anna-Before
  id_kept=$id at_kept=$at
  counts_kept=$(counts "$at_kept") root_kept=$(root)
  point=$(sql -Nse 'SHOW BINARY LOG STATUS' | cut -f1,2 | tr '\t' ' ')
  # More than a process reserves numbers for at once.
  demo 40 3 >/dev/null
  register Berta-After
  id_lost=$id at_lost=$at
  shown "$id_lost" Berta-After "$at_lost" >/dev/null || die "what will be lost is not shown"
  number_lost=$(record_number)
  root_lost=$(root)
  check "mysql: the roots that the leader logged are those of the log" audited --expect-from "$work/command-api.log"
  check "mysql: the binary log is kept elsewhere" ship_logs
  check "mysql: beside a running command-api no new life begins" refuses praxis restore --yes
  check "mysql: and it is named" says 'stop every command-api' "$work/told"

  lose_services
  echo "--- everything is lost but the topic: programs, databases, read models"
  bring_back "mysql, with the topic"
  check "mysql: without the key nothing personal is read, and restore says so" keyless

  lose_services
  lose kafka
  rm -rf "$work/kafka"
  echo "--- everything is lost once more, the topic too; the same backup again"
  start_kafka
  bring_back "mysql, without the topic"
}

keyless() {
  local without=() setting
  for setting in "${settings[@]}"; do [[ $setting == PRAXIS_KEK_FILE=* ]] || without+=("$setting"); done
  env "${without[@]}" "$bin/praxis" restore --dry-run >"$work/keyless.out" 2>&1
  says 'without the key-encryption key' "$work/keyless.out"
}

which=${1:-all}
case $which in
  sqlite | mysql | all) ;;
  -h | --help | help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
command -v curl >/dev/null || install_packages "the drill asks over HTTP" curl
command -v openssl >/dev/null || install_packages "the drill makes a signing key" openssl
if [ -n "${PRAXIS_DEV_BIN:-}" ]; then
  bin=$PRAXIS_DEV_BIN
else
  # What building needs is installed by what sets up the tests.
  { command -v pkg-config >/dev/null && pkg-config --exists openssl; } || "$scripts/dev-services.sh" setup
  (cd "$root_dir" && cargo build --workspace --bins)
  bin=${CARGO_TARGET_DIR:-$root_dir/target}/debug
fi
for program in praxis command-api projector query-api; do
  [ -x "$bin/$program" ] || die "there is no program $bin/$program"
done
mkdir -p "$dev_dir/run"
work=$(mktemp -d "$dev_dir/run/drill-XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
began_all=$EPOCHREALTIME
status='' token='' id='' at='' at_restored='' write_url='' read_url=''
id_kept='' at_kept='' counts_kept='' root_kept='' id_lost='' at_lost='' root_lost='' number_lost=''
case $which in sqlite | all) drill_sqlite ;; esac
case $which in mysql | all) drill_mysql ;; esac
echo "$(seconds "$began_all") s in all"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
