#!/usr/bin/env bash
# How does somebody who has just cloned this get all services running on their own machine?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: setup-local.sh                 build the images, start all services, print a first request to try
       setup-local.sh --observe       the same, with Prometheus and Grafana
       setup-local.sh --images        only build the images
       setup-local.sh --down          stop and remove them; the data stays
       setup-local.sh --down --data   and remove the data and the keys, for good

Needs a Docker engine with compose v2. Where there is none, root on Debian gets a private one (docker-engine.sh). It may be
run again at any time: what is there is kept, what has changed is built and started anew. GATEWAY_PORT (8080) is where the
gateway listens on the loopback address; PROFILE=dev builds faster and runs slower. For one process without containers: make run.
USAGE
}

observe='' action=up data=''
while [ $# -gt 0 ]; do
  case $1 in
    --observe) observe=1 ;;
    --images) action=images ;;
    --down) action=down ;;
    --data) data=--volumes ;;
    -h | --help | help)
      usage
      exit
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done
[ -z "$data" ] || [ "$action" = down ] || { usage >&2; exit 2; }

export GATEWAY_PORT=${GATEWAY_PORT:-8080}
cd "$root_dir"

compose() { docker compose --progress quiet "$@"; }

use_engine() {
  local engine
  engine=$(scripts/docker-engine.sh env)
  eval "$engine"
}

have_engine() {
  if ! command -v docker >/dev/null && { [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; }; then
    die "there is no Docker: install Docker Engine with the compose plugin, or Docker Desktop (https://docs.docker.com/get-docker/)"
  fi
  scripts/docker-engine.sh start
  use_engine
  local version
  version=$(docker compose version --short)
  # depends_on with conditions, up --wait, inline merges of networks.
  [[ $version =~ ^v?(2\.(2[0-9]|[3-9][0-9])|[3-9]|[1-9][0-9])(\.|$) ]] ||
    die "docker compose is version $version; 2.20 or later is needed"
}

# A port that somebody else has is better named now than by the engine after the build.
port_is_free() {
  if listening "$GATEWAY_PORT" && [ "$(compose port gateway 8080 2>/dev/null)" != "127.0.0.1:$GATEWAY_PORT" ]; then
    die "port $GATEWAY_PORT of this machine is in use; choose another: GATEWAY_PORT=8088 $0"
  fi
}

first_request() {
  local token url=http://127.0.0.1:$GATEWAY_PORT
  token=$(compose run --rm --no-deps --no-TTY token --role STAFF --minutes 60)
  # The gateway splits: the first goes to the command API, the second to the query API.
  cat <<TEXT

Praxis serves at $url (its API: $url/docs).

A member of the front desk, for an hour:
  TOKEN=$token

Register a patient, and search by name:
  curl -s $url/patients -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' \\
    -d '{"given_names": ["Ada"], "family_name": "Example", "birth_date": "1990-01-31"}'
  curl -s $url/patients/search -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' -d '{"name": "Example"}'

Another token, for instance an administrator's:  docker compose run --rm token --role ADMIN
Logs:  docker compose logs --follow command-api        Stop:  $0 --down
TEXT
  if [ -n "${DOCKER_HOST:-}${DOCKER_CONFIG:-}" ]; then
    # shellcheck disable=SC2016 # to be typed
    echo 'In another shell first:  eval "$(scripts/docker-engine.sh env)"'
  fi
}

build_images() {
  scripts/base-images.sh
  say "building the images (the first time takes several minutes)"
  COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null || true)
  export COMMIT
  compose build
}

start() {
  say "starting"
  # From here on they are somebody's practice, which e2e-compose.sh may not throw away.
  rm -f "$dev_dir/e2e-made-the-volumes"
  compose up --detach --wait --remove-orphans ||
    { compose ps --all >&2; die "not everything became healthy; look at: docker compose logs"; }
  [ -n "$observe" ] || return 0
  compose up --detach --wait prometheus || die "Prometheus did not become healthy; look at: docker compose logs prometheus"
  say "Prometheus: http://127.0.0.1:${PROMETHEUS_PORT:-9091}"
  if compose up --detach --wait grafana; then
    say "Grafana: http://127.0.0.1:${GRAFANA_PORT:-3000}"
  else
    say "no Grafana: its image comes from a registry only"
  fi
}

case $action in
  down)
    # Where no engine answers nothing runs, and none is started to say so.
    use_engine
    compose --profile observe down --remove-orphans ${data:+"$data"}
    ;;
  images)
    have_engine
    build_images
    ;;
  up)
    have_engine
    port_is_free
    build_images
    start
    first_request
    ;;
esac
