#!/usr/bin/env bash
# Where do the checks of alerts get promtool?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: promtool.sh    print the path of a promtool; one that is installed is taken, else Debian's package `prometheus` is
                      unpacked under .dev/promtool (PRAXIS_DEV_DIR overrides .dev): nothing is installed or started
USAGE
}

home=$dev_dir/promtool

unpack() {
  [ -x "$home/usr/bin/promtool" ] && return
  local work=$home.new
  rm -rf "$work" "$home"
  mkdir -p "$work"
  # Lists that are missing or name a version that is gone are fetched anew, which needs root.
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download prometheus ||
    { apt-get -q update && apt-get -q -o APT::Sandbox::User=root download prometheus; }) >"$dev_dir/promtool.log" 2>&1 ||
    { tail -n 20 "$dev_dir/promtool.log" >&2; die "apt-get could not download the package prometheus"; }
  dpkg -x "$work"/prometheus_*.deb "$work"
  rm "$work"/prometheus_*.deb
  mv "$work" "$home"
}

case ${1:-} in
  '') ;;
  -h | --help)
    usage
    exit
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
found=$(command -v promtool || true)
if [ -z "$found" ]; then
  for tool in apt-get dpkg; do
    command -v "$tool" >/dev/null || die "no $tool here: install promtool, which comes with Prometheus"
  done
  with_lock "$dev_dir/promtool.lock" unpack
  found=$home/usr/bin/promtool
fi
echo "$found"
