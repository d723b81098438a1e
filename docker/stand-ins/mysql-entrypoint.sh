#!/usr/bin/env bash
# The part of the real image's entry point that compose.yaml uses: MYSQL_ROOT_PASSWORD_FILE, and options as arguments.
set -euo pipefail

data=/var/lib/mysql
[[ ${1:-} != -* ]] || set -- mysqld "$@"
[ "${1:-}" = mysqld ] || exec "$@"
shift

# --initialize takes a directory whose only files are hidden; one without this file is what a killed start left.
if [ ! -e "$data/.initialised" ]; then
  find "$data" -mindepth 1 -delete
  password=$(<"${MYSQL_ROOT_PASSWORD_FILE:?names the file with the password of root}")
  password=${password//\\/\\\\}
  password=${password//\'/\'\'}
  users=$(mktemp)
  cat >"$users" <<SQL
ALTER USER root@localhost IDENTIFIED WITH caching_sha2_password BY '$password';
CREATE USER root@'%' IDENTIFIED WITH caching_sha2_password BY '$password';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
SQL
  mysqld --no-defaults --initialize-insecure --datadir="$data" --init-file="$users"
  rm -f "$users"
  touch "$data/.initialised"
fi

exec mysqld --no-defaults --datadir="$data" --socket=/var/run/mysqld/mysqld.sock --pid-file=/var/run/mysqld/mysqld.pid \
  --secure-file-priv=NULL "$@"
