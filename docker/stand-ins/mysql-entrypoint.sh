#!/usr/bin/env bash
# The part of the real image's entry point that compose.yaml uses: MYSQL_ROOT_PASSWORD_FILE, and options as arguments.
set -euo pipefail

data=/var/lib/mysql
[[ ${1:-} != -* ]] || set -- mysqld "$@"
[ "${1:-}" = mysqld ] || exec "$@"
shift

# Cleared is only what a start of ours left half made. Data without that mark may be the real image's, and is served.
# (--initialize takes a directory whose only files are hidden.)
if [ -e "$data/.initialising" ] || [ -z "$(ls "$data")" ]; then
  find "$data" -mindepth 1 -delete
  touch "$data/.initialising"
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
  rm -f "$users" "$data/.initialising"
fi

exec mysqld --no-defaults --datadir="$data" --socket=/var/run/mysqld/mysqld.sock --pid-file=/var/run/mysqld/mysqld.pid \
  --secure-file-priv=NULL "$@"
