# shellcheck shell=bash
# What the development scripts share: where things are kept, messages, locks, ports, missing packages.
# Sourced, never run. The sourcing script has set -euo pipefail.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dev_dir=${PRAXIS_DEV_DIR:-$root_dir/.dev}
mkdir -p "$dev_dir"
dev_dir=$(cd "$dev_dir" && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# with_lock FILE COMMAND…: one process at a time. Call it as a plain statement: behind || or if, bash would
# ignore failures inside COMMAND. A process that COMMAND leaves behind would keep the lock, unless it is started with 9>&-.
with_lock() {
  local lock=$1
  shift
  (
    flock 9
    "$@"
  ) 9>"$lock"
}

# install_packages WHY PACKAGE…: as root on Debian installs them, elsewhere stops and names the command.
install_packages() {
  local why=$1
  shift
  local command="apt-get install -y --no-install-recommends $*"
  command -v apt-get >/dev/null ||
    die "$why; this is no Debian, so install the equivalent of these Debian packages by hand: $*"
  [ "$(id -u)" = 0 ] || die "$why; install it with: sudo $command"
  say "$why; installing $*"
  with_lock "$dev_dir/apt.lock" apt_install "$@"
}

apt_install() {
  local log=$dev_dir/apt.log
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y
    --no-install-recommends "$@")
  # A fresh container has no package lists; a machine in use has them, and an update would only cost time.
  if "${install[@]}" >"$log" 2>&1; then return; fi
  if apt-get -q update >"$log" 2>&1 && "${install[@]}" >>"$log" 2>&1; then return; fi
  tail -n 20 "$log" >&2
  die "apt-get could not install $*"
}

# listening PORT: does something accept connections on the loopback address?
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: a port nobody listens on, below the range the kernel hands to outgoing connections.
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    if ! listening "$port"; then
      echo "$port"
      return
    fi
  done
  die "found no free port between 20000 and 32000"
}

# alive PID: running, and not a zombie that only waits to be reaped.
alive() {
  local state
  state=$(ps -o stat= -p "$1" 2>/dev/null) && [[ $state != Z* ]]
}

# kill_child PID: ends a process that this script started, and waits for it, without bash's word on that. One that ended before
# may have left its number to a stranger.
kill_child() {
  {
    if [ "$(($(ps -o ppid= -p "$1") + 0))" = "$$" ]; then kill -KILL "$1"; fi
    wait "$1" || true
  } 2>/dev/null
}

# end_with_owner: for a script about to exec its server: kills that server once the process named by
# PRAXIS_OWNER_PID is gone, so that a test killed by kill -9 leaves no server behind.
end_with_owner() {
  [ -n "${PRAXIS_OWNER_PID:-}" ] || return 0
  local server=$$
  (
    while kill -0 "$server" 2>/dev/null; do
      if ! kill -0 "$PRAXIS_OWNER_PID" 2>/dev/null; then
        kill -KILL "$server" 2>/dev/null || true
        exit 0
      fi
      sleep 1
    done
  ) </dev/null >/dev/null 2>&1 &
}

# wait_until SECONDS PID PROBE…: 0 once PROBE succeeds, 1 when the time is up or the process PID (if not empty) is gone.
wait_until() {
  local deadline=$((SECONDS + $1)) pid=$2
  shift 2
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
    if [ -n "$pid" ] && ! alive "$pid"; then return 1; fi
    sleep 0.1
  done
}

# mysql_password: the password of the user praxis on every development server of this folder.
mysql_password() {
  mkdir -p "$dev_dir/mysql"
  with_lock "$dev_dir/mysql/password.lock" make_mysql_password
  cat "$dev_dir/mysql/password"
}

make_mysql_password() {
  local file=$dev_dir/mysql/password
  [ -s "$file" ] && return
  # Letters and digits only, so that it needs no quoting in SQL, URLs and option files.
  (umask 077 && head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$file.new" && mv "$file.new" "$file")
}
