#!/bin/sh
# Run in the place of the program under its unit: what can a process there do? Says `can WORD` for each thing that worked.

try() {
  word=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "can $word"; fi
}

state=${STATE_DIRECTORY:?}
socket() { perl -e 'socket(my $s, $ARGV[0], $ARGV[1], 0) or exit 1' "$1" "$2"; }
become_root() { [ "$(/usr/local/bin/probe-id -u)" = 0 ]; }
set_uid() { cp /bin/true "$state/probe" && chmod u+s "$state/probe" && [ -u "$state/probe" ]; }
shared_tmp() { ! grep -q '/systemd-private-.* /tmp ' /proc/self/mountinfo; }

try keep-its-state touch "$state/probe"
try speak-tcp socket 2 1
try write-settings touch /etc/praxis/probe
try write-programs touch /usr/local/bin/probe.new
try write-state-of-others touch /var/lib/probe.other
try write-where-anybody-may touch /srv/probe
try share-tmp shared_tmp
try read-homes cat /home/somebody/letter
try see-other-processes test -d /proc/1
try read-kernel-settings cat /proc/sys/kernel/osrelease
try speak-unix socket 1 1
try speak-raw socket 17 3
try make-namespaces unshare --user true
try become-root become_root
try leave-a-set-uid-program set_uid
try make-devices mknod "$state/device" c 1 3
try mount-things mount -t tmpfs none /mnt
try name-the-machine hostname probed
