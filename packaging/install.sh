#!/usr/bin/env bash
# Install Praxis from this archive as a service of systemd, or upgrade it. Run as root, in the unpacked folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'USAGE'
usage: install.sh            install or upgrade: user praxis, /usr/local/bin/praxis, praxis.service, /etc/praxis/praxis.env
       install.sh --prefix D the same below the folder D, without a user and without starting anything (to look at)

Data and keys lie in /var/lib/praxis and are never touched here. Settings in /etc/praxis/praxis.env are kept.
USAGE
}

root=''
case "${1:-}" in
  '') [ "$(id -u)" = 0 ] || { echo "install.sh: must be root" >&2; exit 1; } ;;
  --prefix) root=${2:?the folder after --prefix is missing} ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

if [ -z "$root" ] && [ ! -d /run/systemd/system ]; then
  echo "install.sh: systemd does not run on this machine; to unpack only: install.sh --prefix DIR" >&2
  exit 1
fi
# Before anything is changed: one that was built for another machine, or needs a newer C library, leaves what runs alone.
"$here/praxis" --version >/dev/null || { echo "install.sh: praxis does not run on this machine ($(uname -m))" >&2; exit 1; }

if [ -z "$root" ] && ! getent passwd praxis >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/praxis --no-create-home --shell /usr/sbin/nologin praxis
fi
install -D -m 0755 "$here/praxis" "$root/usr/local/bin/praxis.new"
mv "$root/usr/local/bin/praxis.new" "$root/usr/local/bin/praxis"
install -D -m 0644 "$here/praxis.service" "$root/etc/systemd/system/praxis.service"
[ -e "$root/etc/praxis/praxis.env" ] || install -D -m 0644 "$here/praxis.env" "$root/etc/praxis/praxis.env"
install -D -m 0644 -t "$root/usr/local/share/doc/praxis" "$here/operate-a-small-practice.md" "$here/configuration.md" \
  "$here/LICENSE" "$here/CHANGELOG.md"
[ -n "$root" ] && exit 0

systemctl daemon-reload
systemctl enable --quiet praxis.service
# Where the service is asked is one of its settings.
admin=$(sed -nE 's/^PRAXIS_ADMIN_LISTEN="?([^"]*)"?$/\1/p' /etc/praxis/praxis.env | tail -n 1)
systemctl restart praxis.service || true
for _ in $(seq 30); do
  runuser -u praxis -- /usr/local/bin/praxis healthcheck ${admin:+--admin "$admin"} >/dev/null 2>&1 &&
    { echo "praxis serves"; exit 0; }
  sleep 1
done
echo "install.sh: praxis is not ready after 30 s (new read models of a large practice may take longer); it says why:" >&2
journalctl --unit praxis.service --no-pager --output cat --lines 5 >&2
exit 1
