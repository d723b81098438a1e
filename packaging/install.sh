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
systemctl restart praxis.service
for _ in $(seq 30); do
  runuser -u praxis -- /usr/local/bin/praxis healthcheck >/dev/null 2>&1 && { echo "praxis serves"; exit 0; }
  sleep 1
done
echo "install.sh: praxis is not ready after 30 s; see: journalctl -u praxis" >&2
exit 1
