#!/usr/bin/env bash
# How do I get a private MySQL 9 without installing one?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: mysql.sh setup                            unpack MySQL and prepare a data directory to copy (once)
       mysql.sh run DATA_DIR PORT [OPTION…]      serve in the foreground; DATA_DIR is made when absent;
                                                 OPTION goes to mysqld, for example --skip-log-bin
       mysql.sh wait PORT SECONDS [PID]          wait until it answers a statement over TLS (or PID is gone)
       mysql.sh client PORT [OPTION…]            the mysql client as user praxis, over TLS
       mysql.sh tool PORT PROGRAM [OPTION…]      another of MySQL's programs so, for example mysqldump, mysqlbinlog
       mysql.sh url PORT                         the address with user and password

MySQL comes from Debian unstable's packages, unpacked under .dev/mysql (PRAXIS_DEV_DIR overrides .dev), never
installed. The server listens on 127.0.0.1 only. User praxis has every right; its password is in
.dev/mysql/password. PRAXIS_DEBIAN_MIRROR overrides the mirror, which is otherwise read from apt's configuration.
USAGE
}

home=$dev_dir/mysql
packages=$home/packages
template=$home/template
lib_dir=''
loader=''

# The packages bring a newer C library than the machine's; everything runs through that library's own loader.
find_loader() {
  case $(uname -m) in
    x86_64) lib_dir=$packages/usr/lib/x86_64-linux-gnu loader=$lib_dir/ld-linux-x86-64.so.2 ;;
    aarch64) lib_dir=$packages/usr/lib/aarch64-linux-gnu loader=$lib_dir/ld-linux-aarch64.so.1 ;;
    *) die "the private MySQL runs on x86_64 and aarch64, not on $(uname -m); set PRAXIS_TEST_MYSQL_URL instead" ;;
  esac
}

debian_mirror() {
  if [ -n "${PRAXIS_DEBIAN_MIRROR:-}" ]; then
    echo "$PRAXIS_DEBIAN_MIRROR"
    return
  fi
  local found
  found=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list 2>/dev/null |
    sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' |
    grep -E '/debian/?$' | head -n 1) || true
  [ -n "$found" ] ||
    die "apt's configuration names no Debian mirror; set PRAXIS_DEBIAN_MIRROR, or PRAXIS_TEST_MYSQL_URL to use a server you have"
  echo "$found"
}

unpack() {
  [ -e "$packages/.complete" ] && return
  local tool
  for tool in apt-get apt-cache dpkg; do
    command -v "$tool" >/dev/null ||
      die "the private MySQL needs $tool (Debian or a relative); set PRAXIS_TEST_MYSQL_URL, or start a Docker engine"
  done
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg work=$home/download
  mirror=$(debian_mirror)
  [ -e "$keyring" ] || install_packages "the private MySQL needs Debian's archive keyring" debian-archive-keyring
  say "downloading MySQL 9 from Debian unstable (about 55 MB, once)"
  rm -rf "$work" "$packages" "$packages.new"
  mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,none} "$packages.new"
  echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list"
  # Its own sources, lists, cache and pins: the machine's apt state is neither read nor changed.
  local apt=(-q -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/none"
    -o "Dir::Etc::Preferences=$work/no-preferences" -o "Dir::Etc::PreferencesParts=$work/none"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=$(id -un)")
  logged "$work/log" apt-get "${apt[@]}" update
  # Perl and debconf serve maintainer scripts, which are never run here.
  local names
  names=$(apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances mysql-server-core mysql-client-core |
    grep -E '^[a-z]' | sort -u | grep -vE '^(perl|libperl|debconf|init-system)')
  # shellcheck disable=SC2086 # a list of package names
  (cd "$work/debs" && logged "$work/log" apt-get "${apt[@]}" download $names)
  local deb
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$packages.new"; done
  touch "$packages.new/.complete"
  mv "$packages.new" "$packages"
  rm -rf "$work"
}

# logged LOG COMMAND…: quiet when it works, its last lines when it does not.
logged() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "failed: $1 ${*: -1}"; }
}

mysqld_command() {
  mysqld=("$loader" --library-path "$lib_dir:$packages/usr/lib" "$packages/usr/sbin/mysqld" --no-defaults
    --user="$(id -un)" --basedir="$packages/usr" --lc-messages-dir="$packages/usr/share/mysql"
    --secure-file-priv=NULL --mysqlx=OFF)
}

# A data directory made once and copied for every server: initialising takes seconds, copying a fraction of one.
make_template() {
  [ -s "$home/password" ] || rm -rf "$template"
  [ -e "$template/.complete" ] && return
  say "preparing a MySQL data directory (once)"
  local password new=$template.new
  password=$(mysql_password)
  rm -rf "$template" "$new"
  (
    umask 077
    cat >"$home/client.cnf" <<CNF
[client]
user=praxis
password=$password
host=127.0.0.1
protocol=TCP
ssl-mode=REQUIRED
CNF
    # root keeps a password too: 127.0.0.1 counts as localhost.
    cat >"$home/users.sql" <<SQL
ALTER USER root@localhost IDENTIFIED WITH caching_sha2_password BY '$password';
CREATE USER praxis@'%' IDENTIFIED WITH caching_sha2_password BY '$password';
GRANT ALL ON *.* TO praxis@'%' WITH GRANT OPTION;
SQL
  )
  mysqld_command
  logged "$home/template.log" "${mysqld[@]}" --initialize-insecure --datadir="$new" --init-file="$home/users.sql"
  rm -f "$home/users.sql" "$new/auto.cnf"
  touch "$new/.complete"
  mv "$new" "$template"
}

setup() {
  mkdir -p "$home"
  find_loader
  if [ -e "$packages/.complete" ] && [ -e "$template/.complete" ] && [ -s "$home/password" ]; then return; fi
  with_lock "$home/setup.lock" unpack
  with_lock "$home/setup.lock" make_template
}

run() {
  local data=$1 port=$2
  shift 2
  if [ ! -e "$data" ]; then
    mkdir -p "$(dirname "$data")"
    cp -a --reflink=auto "$template" "$data.new"
    mv "$data.new" "$data"
  fi
  data=$(cd "$data" && pwd)
  mysqld_command
  end_with_owner
  # The socket is relative to the data directory: its whole path may not be longer than 107 bytes. The durability
  # settings are MySQL's defaults, stated because the event store refuses a server without them.
  exec "${mysqld[@]}" --datadir="$data" --port="$port" --bind-address=127.0.0.1 --socket=mysqld.sock \
    --pid-file="$data/mysqld.pid" --log-bin=binlog --sync-binlog=1 --innodb-flush-log-at-trx-commit=1 \
    --max-connections=600 "$@"
}

client() { tool "$1" mysql "${@:2}"; }

tool() {
  local port=$1 program=$2
  shift 2
  [ -e "$packages/.complete" ] || die "run 'mysql.sh setup' first"
  [ -x "$packages/usr/bin/$program" ] || die "MySQL has no program $program here"
  "$loader" --library-path "$lib_dir:$packages/usr/lib" "$packages/usr/bin/$program" \
    --defaults-file="$home/client.cnf" --port="$port" "$@"
}

serves() { client "$1" --connect-timeout=2 -Nse 'SELECT 1' >/dev/null 2>&1; }

need() { [ "$1" -ge "$2" ] || { usage >&2; exit 2; }; }

case ${1:-} in
  setup) setup ;;
  run)
    need $# 3
    setup
    run "${@:2}"
    ;;
  wait)
    need $# 3
    find_loader
    wait_until "$3" "${4:-}" serves "$2" || die "MySQL on port $2 did not serve within $3 s"
    ;;
  client)
    need $# 2
    find_loader
    client "${@:2}"
    ;;
  tool)
    need $# 3
    find_loader
    tool "${@:2}"
    ;;
  url)
    need $# 2
    echo "mysql://praxis:$(mysql_password)@127.0.0.1:$2/?ssl-mode=REQUIRED"
    ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
