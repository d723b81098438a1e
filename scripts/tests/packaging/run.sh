#!/usr/bin/env bash
# Does the archive for a small practice do what its page says, on a machine that systemd runs?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../lib/dev.sh
source "$here/../../lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: run.sh [SUITE]

Packs the archive by release.sh, boots a Debian SUITE (this machine's own) in systemd-nspawn, with no network but its loopback, and
follows docs/how-to/operate-a-small-practice.md there: install, serve, kill, stop, back up, reboot, upgrade, take away. Needs root on
Debian; the Debian is made by debootstrap once and kept under .dev (PRAXIS_DEV_DIR overrides .dev). PRAXIS_DEV_BIN is the folder of
the program praxis; without it, it is built. The last line counts.
USAGE
}

case ${1:-} in
  -h | --help | help)
    usage
    exit
    ;;
  -*)
    usage >&2
    exit 2
    ;;
esac
[ "$(id -u)" = 0 ] || die "only root can start a machine: sudo $0"
suite=${1:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
home=$dev_dir/packaging
boot_seconds_max=60
# What the unit allows for a stop.
stop_seconds_max=30
passed=0
failed=0
work=''
machine=''
leader=''

# check WHAT COMMAND…: one line, counted
check() {
  local what=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $what"
  else
    failed=$((failed + 1))
    echo "FAILED  $what"
    sed 's/^/        /' "$work/out"
  fi
}

refuses() { ! "$@"; }
same() { [ "$1" = "$2" ] || { echo "expected '$2', found '$1'"; return 1; }; }
says() { [[ $2 == *"$1"* ]] || { echo "'$1' is not in: $2"; return 1; }; }

clean_up() {
  local status=$?
  trap - EXIT
  power_off || true
  if [ -n "$work" ]; then
    rm -rf "$work/machine"
    if [ "$status" = 0 ]; then rm -rf "$work"; else say "what was written is in $work"; fi
  fi
  exit "$status"
}

debian() {
  [ -e "$home/$suite.complete" ] && return
  say "making a Debian of the suite $suite (once)"
  rm -rf "${home:?}/$suite"
  debootstrap --variant=minbase --include=systemd-sysv,dbus,curl "$suite" "$home/$suite" >"$home/$suite.log" 2>&1 ||
    { tail -n 20 "$home/$suite.log" >&2; die "debootstrap could not make $suite"; }
  rm -rf "$home/$suite"/var/cache/apt/archives/*.deb "$home/$suite"/var/lib/apt/lists/*
  touch "$home/$suite.complete"
}

# A machine without systemd has nobody to ask for a unit of its own.
boot() {
  local options=(--quiet --directory "$work/machine" --boot --private-network --register=no --console=pipe)
  [ -d /run/systemd/system ] || options+=(--keep-unit)
  systemd-nspawn "${options[@]}" </dev/null >>"$work/console" 2>&1 &
  machine=$!
  wait_until "$boot_seconds_max" "$machine" is_up || { tail -n 20 "$work/console" >&2; die "$suite did not boot"; }
}

is_up() {
  leader=$(pgrep -P "$machine") && [[ $(inside systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

# start_anew: by itself, or, with a unit that is not its own, by who started it: nspawn then ends with 133
start_anew() {
  local before=$leader status=0
  inside systemctl reboot
  if wait_until "$boot_seconds_max" "$machine" another_is_up "$before"; then return; fi
  gone "$machine" || die "$suite does not start anew"
  wait "$machine" || status=$?
  machine=''
  [ "$status" = 133 ] || die "$suite did not start anew but ended with $status"
  boot
}

another_is_up() { is_up && [ "$leader" != "$1" ]; }

power_off() {
  [ -n "$machine" ] || return 0
  # What asks systemd to power off; nspawn ends with its machine.
  if [ -n "$leader" ]; then kill -s RTMIN+4 "$leader" 2>/dev/null || true; fi
  wait_until 60 '' gone "$machine" || kill -KILL "$machine"
  wait "$machine" 2>/dev/null || true
  machine=''
}

gone() { ! alive "$1"; }

# inside COMMAND…: in the machine, as root
inside() {
  nsenter --target "$leader" --all --root --wd -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

as_service() { inside runuser -u praxis -- "$@"; }
property() { inside systemctl show praxis.service --property="$1" --value; }
process() { property MainPID; }

# pack: the archive, by the step that makes the released one; its `docker` is a folder that holds the program
pack() {
  local program=$1 name
  mkdir -p "$work/bin"
  cat >"$work/bin/docker" <<SH
#!/bin/sh
case \$1 in create) echo container ;; cp) cp "$program" "\$3" ;; rm) ;; *) exit 1 ;; esac
SH
  chmod +x "$work/bin/docker"
  PATH=$work/bin:$PATH PRAXIS_REGISTRY=none "$root_dir/scripts/release.sh" archive "$version" "$architecture" "$work/archive"
  name=praxis-$version-linux-$architecture.tar.gz
  install -D -m 0644 -t "$work/machine/root" "$work/archive/$name" "$work/archive/$name.sha256"
}

# unpack_and_install: as the page says
unpack_and_install() {
  inside sh -euc "cd /root && sha256sum --check --quiet praxis-*.tar.gz.sha256 && tar -xzf praxis-*.tar.gz && cd praxis-*/ && ./install.sh"
}

# request METHOD PATH [BODY]: status, and the body on a line of its own
request() {
  inside curl -sS -m 20 -X "$1" "http://$listen$2" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    ${3:+-d "$3"} -w '\n%{http_code}'
}

answers() {
  local answer
  answer=$(request "${@:2}")
  [ "${answer##*$'\n'}" = "$1" ] || { echo "$answer"; return 1; }
}

# new_token: tokens are signed by a key of the data directory's own
new_token() { token=$(as_service praxis token --data /var/lib/praxis/practice --role ADMIN); }

# write_all_the_time: registers patients until the file /root/enough is there, and notes the ids that were acknowledged
write_all_the_time() {
  inside rm -f /root/enough /root/acknowledged
  # shellcheck disable=SC2016 # the machine's variables
  inside env "TOKEN=$token" "URL=http://$listen/patients" bash -c '
    n=0
    while [ ! -e /root/enough ]; do
      n=$((n + 1))
      curl -sS -m 5 "$URL" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
        -d "{\"family_name\": \"Invented-$n\"}" -w " %{http_code}\n" 2>/dev/null |
        sed -nE "s/^\{\"id\":\"([^\"]+)\".* 201$/\1/p" >>/root/acknowledged
    done' &
  writer=$!
}

acknowledged() { inside sh -c 'cat /root/acknowledged 2>/dev/null | wc -l'; }
more_than() { [ "$(acknowledged)" -gt "$1" ]; }

enough() {
  inside touch /root/enough
  wait "$writer"
}

# nothing_lost: each that was acknowledged is in its history
nothing_lost() {
  more_than 10 || { echo "only $(acknowledged) were acknowledged"; return 1; }
  # shellcheck disable=SC2016 # the machine's variables
  inside env "TOKEN=$token" "URL=http://$listen/patients" bash -c '
    lost=0
    while read -r id; do
      status=$(curl -sS -m 20 -o /dev/null -w "%{http_code}" -H "Authorization: Bearer $TOKEN" "$URL/$id/history")
      [ "$status" = 200 ] || { echo "$id: $status"; lost=1; }
    done </root/acknowledged
    exit "$lost"'
}

ready() { as_service praxis healthcheck --admin "$admin" >/dev/null 2>&1; }
back() { wait_until 30 '' ready; }

# keeps_to_itself: nothing of data and keys can be read by others, and all of it is the service's. (A lock holds nothing.)
keeps_to_itself() {
  same "$(inside stat -c '%U:%G %a' /var/lib/praxis)" 'praxis:praxis 700' &&
    same "$(inside find /var/lib/praxis -perm /077 ! -empty -o ! -user praxis)" '' &&
    inside test -s /var/lib/praxis/practice/events.db -a -s /var/lib/praxis/practice.keys/kek
}

confined() {
  local status
  status=$(inside cat "/proc/$(process)/status") || return
  # The users it knows are root, by name only, and its own.
  same "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' <<<"$status" | sort -u)" 0000000000000000 &&
    same "$(awk '/^(NoNewPrivs|Seccomp|Umask):/ { print $2 }' <<<"$status" | paste -sd' ')" '0077 1 2' &&
    same "$(inside sh -c "wc -l </proc/$(process)/uid_map")" 2
}

exposes_little() {
  local said
  said=$(inside systemd-analyze security praxis.service | tail -n 1)
  [[ $said =~ [[:space:]]([0-9]+)\.[0-9]\ OK ]] && [ "${BASH_REMATCH[1]}" -le 1 ] || { echo "$said"; return 1; }
}

# probe NAME [SED_PROGRAM]: what a process under praxis.service, so changed, can do: the words of probe.sh
probe() {
  sed -e '/^ExecStartPre=/d; /^Restart/d; s/^Type=.*/Type=oneshot/; s/^StateDirectory=.*/StateDirectory=probe/' \
    -e 's|^ExecStart=.*|ExecStart=/usr/local/bin/probe|' -e "${2:-}" \
    "$root_dir/packaging/praxis.service" >"$work/machine/etc/systemd/system/$1.service"
  inside systemctl daemon-reload
  inside systemctl start "$1.service" || true
  inside journalctl --sync
  inside journalctl --no-pager --output cat --unit "$1.service" | sed -n 's/^can //p' | paste -sd' '
  inside rm -rf /var/lib/probe
}

prepare_probes() {
  install -m 0755 "$here/probe.sh" "$work/machine/usr/local/bin/probe"
  install -m 4755 "$work/machine/usr/bin/id" "$work/machine/usr/local/bin/probe-id"
  install -D -m 0644 /dev/null "$work/machine/home/somebody/letter"
  chmod 1777 "$work/machine/srv"
}

# A unit that says no more than what to run. By it is known that each attempt of the probe can succeed.
unconfined='/^# It reads/,/^SystemCallErrorNumber/d; /^User=/d; /^Group=/d; /^UMask=/d'

stops_cleanly() {
  local began=$SECONDS
  inside systemctl stop praxis.service
  same "$((SECONDS - began < stop_seconds_max)) $(property Result) $(property ExecMainStatus)" '1 success 0'
}

restarts() { [ "$(property NRestarts)" -gt "$1" ]; }

# take_away: by the page's own words
take_away() {
  local words
  # shellcheck disable=SC2016 # the page's quotes
  words=$(sed -n '/^## Take it away/,$ { /^```sh$/,/^```$/ { /^```/!p } }' "$root_dir/docs/how-to/operate-a-small-practice.md")
  says 'disable --now praxis' "$words" && inside sh -euc "$words"
}

# restored FILE: loses the data directory, and puts the copy in its place
restored() {
  inside sh -euc "systemctl stop praxis.service
    mv /var/lib/praxis/practice /root/damaged
    install -d -o praxis -g praxis -m 0700 /var/lib/praxis/practice
    install -o praxis -g praxis -m 0600 '$1' /var/lib/praxis/practice/events.db
    runuser -u praxis -- praxis restore --data /var/lib/praxis/practice --yes
    systemctl start praxis.service" && back
}

runs() { cmp -s "$1" "$work/machine/usr/local/bin/praxis" && same "$(inside readlink "/proc/$(process)/exe")" /usr/local/bin/praxis; }

kill_service() { inside sh -c "kill -KILL $(process)"; }

# kill_while_written: the process, as a power cut would, a few times
kill_while_written() {
  local killed before
  for killed in 1 2 3; do
    before=$(acknowledged)
    wait_until 30 '' more_than "$((before + 10))" || { echo "nothing was written before kill $killed"; return 1; }
    kill_service
    wait_until 30 '' restarts "$((killed - 1))" || { echo "not started again after kill $killed"; return 1; }
    back || { echo "not ready again after kill $killed"; return 1; }
  done
}

mkdir -p "$home"
for program in debootstrap:debootstrap systemd-nspawn:systemd-container nsenter:util-linux pgrep:procps; do
  command -v "${program%%:*}" >/dev/null || install_packages "trying the package needs ${program%%:*}" "${program##*:}"
done
if [ -n "${PRAXIS_DEV_BIN:-}" ]; then
  bin=$PRAXIS_DEV_BIN
else
  (cd "$root_dir" && cargo build -q -p praxis)
  bin=${CARGO_TARGET_DIR:-$root_dir/target}/debug
fi
[ -x "$bin/praxis" ] || die "there is no program $bin/praxis"
with_lock "$home/$suite.lock" debian

work=$(mktemp -d "$home/run-XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp -a --reflink=auto "$home/$suite" "$work/machine"
version=v$("$bin/praxis" --version | cut -d ' ' -f 2)
case $(uname -m) in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) die "there is no archive for $(uname -m)" ;; esac
# Another program of the same version: what an upgrade brings.
strip --strip-debug -o "$work/praxis.old" "$bin/praxis"
strip --strip-all -o "$work/praxis.new" "$bin/praxis"
listen=127.0.0.1:8080 admin=127.0.0.1:9090 token='' writer=''

boot
echo "--- $suite, $(inside systemctl --version | head -n 1)"
pack "$work/praxis.old"
check "the archive installs, and ends with what serves" unpack_and_install
check "it says so" says 'praxis serves' "$(cat "$work/out")"
inside cp -r "/root/praxis-$version-linux-$architecture" /opt/archive
check "who is not root is told so" says 'must be root' "$(inside runuser -u nobody -- /opt/archive/install.sh 2>&1)"
new_token
check "a command is taken" answers 201 POST /patients '{"family_name": "Before-Crash"}'
check "and read" answers 200 POST /patients/search '{"name": "Before-Crash"}'
check "data and keys are the service's alone" keeps_to_itself

echo "--- hardening"
check "the process has no capability, no way to one, a filter and users of its own" confined
check "systemd finds little exposed" exposes_little
prepare_probes
can='keep-its-state speak-tcp'
everything=$(sed -n 's/^try \([a-z-]*\) .*/\1/p' "$here/probe.sh" | paste -sd' ')
# In this order: what root left behind is nobody's else to touch.
check "under this unit it keeps its state and speaks TCP, and nothing else" same "$(probe confined)" "$can"
check "under a bare unit each attempt succeeds" same "$(probe bare "$unconfined")" "$everything"

echo "--- killed three times while it is written"
write_all_the_time
check "it is back each time" kill_while_written
enough
check "nothing that was acknowledged is lost" nothing_lost

echo "--- stopped while it is written"
write_all_the_time
wait_until 30 '' more_than 10 || die "nothing is written"
check "it ends with 0 within the unit's time" stops_cleanly
enough
inside systemctl start praxis.service
back || die "praxis is not ready after a start"
check "nothing that was acknowledged is lost" nothing_lost

echo "--- backed up, lost, restored"
inside install -d -o praxis -g praxis -m 0700 /var/backups/praxis
check "the log is copied while it is served" as_service praxis backup --data /var/lib/praxis/practice --to /var/backups/praxis/log.db
check "the copy is put in the place of the log" restored /var/backups/praxis/log.db
check "nothing that was acknowledged is lost" nothing_lost
check "data and keys are the service's alone" keeps_to_itself

echo "--- the machine starts anew"
start_anew
check "the service is there" back
check "with what it kept" nothing_lost

echo "--- upgraded, its settings changed"
inside sed -i 's/8080/8181/; s/9090/9191/' /etc/praxis/praxis.env
listen=127.0.0.1:8181 admin=127.0.0.1:9191
rm -r "$work"/machine/root/praxis-*
printf '#!/bin/sh\nexit 1\n' >"$work/praxis.broken"
chmod +x "$work/praxis.broken"
pack "$work/praxis.broken"
check "a program that does not run here is refused" refuses unpack_and_install
check "and leaves what runs alone" runs "$work/praxis.old"
rm -r "$work"/machine/root/praxis-*
pack "$work/praxis.new"
check "the new archive installs" unpack_and_install
check "its program runs" runs "$work/praxis.new"
check "the settings are kept, the data too" nothing_lost
inside sh -c 'echo PRAXIS_LISTN=127.0.0.1:8282 >>/etc/praxis/praxis.env'
check "with a fault in the settings the installer fails" refuses unpack_and_install
check "and says which" says 'PRAXIS_LISTN is not a setting' "$(cat "$work/out")"
inside sed -i /LISTN/d /etc/praxis/praxis.env
check "with the fault mended the service comes up by itself" back

echo "--- taken away, and installed again"
check "it is taken away as the page says" take_away
check "no process of it is left" same "$(inside sh -c 'ls -d /proc/[0-9]*/exe | xargs -n 1 readlink' 2>/dev/null | grep -c praxis)" 0
check "data and keys are still there" keeps_to_itself
check "and are served again" unpack_and_install
check "with what they hold" nothing_lost
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
