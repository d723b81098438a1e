#!/usr/bin/env bash
# Does the deployment of compose.yaml keep its promises, from the sources to a rolling restart under load?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: e2e-compose.sh [--keep] [--only STAGE]… [--seed N]

Has an engine, base images and our images, starts everything anew, runs system-tests/examples/compose against it, and
takes it down with its data. --keep leaves it running. --only and --seed are the driver's. The last line counts; what
containers wrote is kept in .dev/e2e when something failed. Volumes that it did not make itself are not touched: it refuses
to start beside the practice of setup-local.sh.
USAGE
}

keep=
driver=()
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=1 ;;
    --only | --seed)
      [ $# -ge 2 ] || die "$1 needs a value"
      driver+=("$1" "$2")
      shift
      ;;
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

home=$dev_dir/e2e
# There while volumes of the project are this test's, which it may throw away.
ours=$dev_dir/e2e-made-the-volumes
export NEXT_SOURCES=$home/next
export COMPOSE_FILE=compose.yaml:docker/compose.e2e.yaml:system-tests/examples/compose/next.yaml
cd "$root_dir"

# Every check of the driver is made with what this tree builds; so is the next release, but for one number.
make_next_sources() {
  local fold=crates/read-models/src/models/locations.rs
  rm -rf "$NEXT_SOURCES"
  mkdir -p "$NEXT_SOURCES"
  git ls-files -z --cached --others --exclude-standard --deduplicate |
    tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$NEXT_SOURCES"
  sed -i 's/const FOLD_VERSION: u32 = \([0-9]*\);/const FOLD_VERSION: u32 = \1 + 1;/' "$NEXT_SOURCES/$fold"
  if cmp -s "$fold" "$NEXT_SOURCES/$fold"; then die "$fold has no FOLD_VERSION to raise"; fi
}

build_images() {
  docker compose --progress quiet build
  make_next_sources
  docker compose --progress quiet --profile next build projector-next query-api-next
  rm -rf "$NEXT_SOURCES"
}

# The project's name is that of compose.yaml, and so are its volumes.
own_volumes() {
  if [ ! -e "$ours" ] && [ -n "$(docker volume ls --quiet --filter label=com.docker.compose.project=praxis)" ]; then
    die "there is a practice in the volumes praxis_…, which this would destroy; to lose it: scripts/setup-local.sh --down --data"
  fi
  touch "$ours"
}

timed() {
  local began=$SECONDS
  "$@"
  say "$1 took $((SECONDS - began)) s"
}

start_everything() {
  docker compose --progress quiet --profile next down --volumes --remove-orphans
  docker compose --progress quiet up --detach --wait
}

keep_logs() {
  docker compose --profile next ps --all >"$home/containers" 2>&1 || true
  docker compose --profile next logs --no-color --timestamps >"$home/logs" 2>&1 || true
  say "what the containers wrote is in $home/logs"
}

finish() {
  local code=$?
  [ "$code" = 0 ] || keep_logs
  if [ -z "$keep" ]; then
    docker compose --progress quiet --profile next down --volumes --remove-orphans && rm -f "$ours" || true
  fi
  exit "$code"
}

rm -rf "$home"
mkdir -p "$home"
scripts/docker-engine.sh start
engine=$(scripts/docker-engine.sh env)
eval "$engine"
own_volumes
timed scripts/base-images.sh
timed build_images
cargo build -q -p praxis-system-tests --example compose
trap finish EXIT
timed start_everything
cargo run -q -p praxis-system-tests --example compose -- "${driver[@]}"
