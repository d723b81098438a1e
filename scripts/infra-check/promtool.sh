#!/usr/bin/env bash
# Where do the checks of alerts get promtool and amtool?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: promtool.sh [promtool | amtool]

Prints the path of the tool (promtool). One that is installed is taken, else Debian's package `prometheus` or
`prometheus-alertmanager` is unpacked under .dev (PRAXIS_DEV_DIR overrides it): nothing is installed or started.
USAGE
}

unpack() {
  [ -x "$home/usr/bin/$tool" ] && return
  local work=$home.new
  rm -rf "$work" "$home"
  mkdir -p "$work"
  # Lists that are missing or name a version that is gone are fetched anew, which needs root.
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package" ||
    { apt-get -q update && apt-get -q -o APT::Sandbox::User=root download "$package"; }) >"$home.log" 2>&1 ||
    { tail -n 20 "$home.log" >&2; die "apt-get could not download the package $package"; }
  dpkg -x "$work/$package"_*.deb "$work"
  rm "$work/$package"_*.deb
  mv "$work" "$home"
}

tool=${1:-promtool}
case $tool in
  promtool) package=prometheus ;;
  amtool) package=prometheus-alertmanager ;;
  -h | --help)
    usage
    exit
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
home=$dev_dir/$tool
found=$(command -v "$tool" || true)
if [ -z "$found" ]; then
  for needed in apt-get dpkg; do
    command -v "$needed" >/dev/null || die "no $needed here: install $tool, which comes with $package"
  done
  with_lock "$home.lock" unpack
  found=$home/usr/bin/$tool
fi
echo "$found"
