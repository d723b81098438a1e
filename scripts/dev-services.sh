#!/usr/bin/env bash
# How do the tests get a real MySQL and a real Kafka?
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$scripts/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: dev-services.sh run -- COMMAND…    start MySQL and Kafka, run COMMAND, stop what was started
       dev-services.sh setup              only fetch what `run` would need

Each server is taken from the first of these that is there:
  1. an address in the environment: PRAXIS_TEST_MYSQL_URL, PRAXIS_TEST_KAFKA_BROKERS
  2. a Docker engine that answers and has or can pull the image (PRAXIS_TEST_MYSQL_IMAGE, PRAXIS_TEST_KAFKA_IMAGE)
  3. a private install under .dev (scripts/mysql.sh, scripts/kafka.sh; PRAXIS_DEV_DIR overrides .dev)
COMMAND finds both addresses in the two variables of line 1. The MySQL user may create schemas and users.
USAGE
}

mysql_image=${PRAXIS_TEST_MYSQL_IMAGE:-mysql:9}
kafka_image=${PRAXIS_TEST_KAFKA_IMAGE:-apache/kafka:4.1.1}
serving_seconds_max=120
run_dir=''
pids=()
containers=()

docker_answers() { command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1; }

docker_has() {
  docker_answers || return 1
  docker image inspect "$1" >/dev/null 2>&1 && return
  say "pulling $1"
  timeout 300 docker pull -q "$1" >/dev/null 2>&1 && return
  say "the Docker engine can not pull $1; using the private install"
  return 1
}

# source_of ENV_VALUE IMAGE: environment, docker or private
source_of() {
  if [ -n "$1" ]; then
    echo environment
  elif docker_has "$2"; then
    echo docker
  else
    echo private
  fi
}

# build_packages: rdkafka links the machine's OpenSSL, found through pkg-config.
build_packages() {
  if ! command -v pkg-config >/dev/null || ! pkg-config --exists openssl; then
    install_packages "building the Kafka client needs OpenSSL's headers" libssl-dev pkg-config
  fi
}

# reachable URL_OR_BROKERS DEFAULT_PORT: the first host:port of an address takes connections
reachable() {
  local address=${1#*://}
  address=${address##*@}
  address=${address%%[/?,]*}
  local host=${address%:*} port=$2
  if [[ $address == *:* ]]; then port=${address##*:}; fi
  # shellcheck disable=SC2016 # $0 and $1 are the inner shell's
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null
}

# start_private NAME SCRIPT SPARE_PORT_COUNT: sets port; another process may take a free port first, so try again
start_private() {
  local name=$1 script=$2 attempt pid ports
  for attempt in 1 2 3; do
    port=$(free_port)
    ports=("$port")
    if [ "$name" = kafka ]; then ports+=("$(free_port)"); fi
    PRAXIS_OWNER_PID=$$ "$script" run "$run_dir/$name" "${ports[@]}" >"$run_dir/$name.log" 2>&1 &
    pid=$!
    pids+=("$pid")
    if "$script" wait "$port" "$serving_seconds_max" "$pid"; then return; fi
    if alive "$pid"; then break; fi
    say "$name ended at once (attempt $attempt)"
    rm -rf "${run_dir:?}/$name"
  done
  tail -n 20 "$run_dir/$name.log" >&2
  die "the private $name did not start; its log is $run_dir/$name.log"
}

# mysql_in_container ID PASSWORD [STATEMENT]: neither of the last two stands on a command line, which others can read
mysql_in_container() {
  # Over TCP: while the image initialises, its temporary server answers on the socket only.
  MYSQL_PWD=$2 docker exec -i -e MYSQL_PWD "$1" mysql -h127.0.0.1 -uroot -Ns >/dev/null 2>&1 <<<"${3:-SELECT 1}"
}

start_mysql_container() {
  local password id
  password=$(mysql_password)
  port=$(free_port)
  id=$(MYSQL_ROOT_PASSWORD=$password docker run -d --rm -p "127.0.0.1:$port:3306" -e MYSQL_ROOT_PASSWORD "$mysql_image" \
    --mysqlx=OFF --max-connections=600)
  containers+=("$id")
  wait_until "$serving_seconds_max" '' mysql_in_container "$id" "$password" ||
    { docker logs "$id" 2>&1 | tail -n 20 >&2; die "MySQL in Docker did not serve"; }
  mysql_in_container "$id" "$password" "
    CREATE USER praxis@'%' IDENTIFIED WITH caching_sha2_password BY '$password';
    GRANT ALL ON *.* TO praxis@'%' WITH GRANT OPTION" || die "could not create the user praxis in Docker's MySQL"
}

start_kafka_container() {
  local id
  port=$(free_port)
  id=$(docker run -d --rm -p "127.0.0.1:$port:9092" \
    -e KAFKA_NODE_ID=1 -e KAFKA_PROCESS_ROLES=broker,controller -e KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER \
    -e KAFKA_CONTROLLER_QUORUM_VOTERS=1@127.0.0.1:9093 \
    -e KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093 \
    -e "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:$port" \
    -e KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT \
    -e KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0 \
    -e KAFKA_GROUP_CONSUMER_SESSION_TIMEOUT_MS=6000 -e KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS=6000 \
    -e KAFKA_GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS=1000 -e KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS=1000 \
    -e KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1 -e KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1 \
    -e KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1 -e KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR=1 \
    -e KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR=1 "$kafka_image")
  containers+=("$id")
  "$scripts/kafka.sh" wait "$port" "$serving_seconds_max" ||
    { docker logs "$id" 2>&1 | tail -n 20 >&2; die "Kafka in Docker did not serve"; }
}

provide_mysql() {
  local port=''
  case $1 in
    environment)
      reachable "$PRAXIS_TEST_MYSQL_URL" 3306 || die "nothing answers at the address in PRAXIS_TEST_MYSQL_URL"
      ;;
    docker) start_mysql_container ;;
    private) start_private mysql "$scripts/mysql.sh" ;;
  esac
  if [ -n "$port" ]; then PRAXIS_TEST_MYSQL_URL=$("$scripts/mysql.sh" url "$port"); fi
  export PRAXIS_TEST_MYSQL_URL
  say "MySQL ($1) on ${PRAXIS_TEST_MYSQL_URL##*@}"
}

provide_kafka() {
  local port=''
  case $1 in
    environment)
      reachable "$PRAXIS_TEST_KAFKA_BROKERS" 9092 || die "nothing answers at the address in PRAXIS_TEST_KAFKA_BROKERS"
      ;;
    docker) start_kafka_container ;;
    private) start_private kafka "$scripts/kafka.sh" ;;
  esac
  if [ -n "$port" ]; then PRAXIS_TEST_KAFKA_BROKERS=127.0.0.1:$port; fi
  export PRAXIS_TEST_KAFKA_BROKERS
  say "Kafka ($1) on $PRAXIS_TEST_KAFKA_BROKERS"
}

# The data is thrown away, so there is nothing to shut down gently. The logs stay when the run failed.
stop() {
  local status=$? pid id
  trap - EXIT
  for pid in "${pids[@]}"; do kill_child "$pid"; done
  for id in "${containers[@]}"; do docker rm -f "$id" >/dev/null 2>&1 || true; done
  if [ -n "$run_dir" ]; then
    if [ "$status" = 0 ] || [ ${#pids[@]} = 0 ]; then
      rm -rf "$run_dir"
    else
      find "$run_dir" -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
      say "the servers' logs are in $run_dir"
    fi
  fi
  exit "$status"
}

prepare() {
  build_packages
  mysql_source=$(source_of "${PRAXIS_TEST_MYSQL_URL:-}" "$mysql_image")
  kafka_source=$(source_of "${PRAXIS_TEST_KAFKA_BROKERS:-}" "$kafka_image")
  # Fault tests start and kill servers of their own through these scripts, wherever the shared ones come from; what
  # cannot be set up is then named by the test that needs it.
  if [ "$mysql_source" = private ]; then "$scripts/mysql.sh" setup; fi
  if [ "$kafka_source" = private ]; then "$scripts/kafka.sh" setup; fi
}

run() {
  [ "${1:-}" = -- ] && [ $# -ge 2 ] || { usage >&2; exit 2; }
  shift
  prepare
  mkdir -p "$dev_dir/run"
  # What a killed run left behind.
  find "$dev_dir/run" -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} +
  run_dir=$(mktemp -d "$dev_dir/run/services-XXXXXX")
  trap stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  provide_mysql "$mysql_source"
  provide_kafka "$kafka_source"
  "$@"
}

case ${1:-} in
  run) run "${@:2}" ;;
  setup) prepare ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
