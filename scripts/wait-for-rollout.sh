#!/usr/bin/env bash
# Has Argo CD brought a commit into a cluster, and is it healthy? Waits; changes nothing.
# shellcheck disable=SC2016 # in single quotes are the variables of jq
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: wait-for-rollout.sh ENV COMMIT [--seconds N] APPLICATION…

Ends with 0 when each APPLICATION is synced to COMMIT or one that has it, healthy, and its smoke Job passed; with 1 when a
sync failed, or after N seconds (900), saying of each what was last seen. kubectl must speak to praxis-ENV, as somebody who
may read Applications in the namespace argocd.
USAGE
}

seconds=900 pause=${PRAXIS_ROLLOUT_PAUSE_SECONDS:-5}
case ${1:-} in -h | --help) usage; exit 0 ;; esac
[ $# -ge 3 ] || wrong "which environment, commit and applications?"
environment "$1"
env=$1 commit=$2
shift 2
if [ "$1" = --seconds ]; then
  seconds=${2:-}
  [[ $seconds =~ ^[0-9]+$ ]] || wrong "--seconds takes a number"
  shift 2
fi
[ $# -gt 0 ] || wrong "which applications?"
need kubectl jq git
[[ $commit =~ ^[0-9a-f]{40}$ ]] || wrong "'$commit' is no commit: 40 hexadecimal digits"
right_cluster "$env"

# state_of APPLICATION: ok, wait or failed, and why. Argo CD compares every three minutes, or when its webhook says so.
state_of() {
  local application=$1 said revision operated
  said=$(jq -r --arg name "$application" '
    (.items[] | select(.metadata.name == $name)) // error("none")
    | def last_of: .revisions // [.revision] | map(select(. != null and . != "")) | last // "none";
      [.status.sync.status // "Unknown", .status.health.status // "Unknown", .status.operationState.phase // "None",
       (.status.operationState.syncResult // {} | last_of), (.status.sync | last_of)] | join(" ")' \
    <<<"$applications" 2>/dev/null) || { echo 'wait is not there yet'; return; }
  revision=${said##* }
  # Before the commit has come, what is seen is of another one.
  if ! has_commit "$revision"; then echo "wait is at ${revision:0:12}"; return; fi
  said=${said% *} operated=${said##* } said=${said% *}
  # The last sync may be one of an earlier commit: ours has been compared, and is not synced yet or had nothing to sync.
  case $said in
    *' Failed' | *' Error')
      if has_commit "$operated"; then
        echo "failed its sync failed: kubectl -n argocd get application $application -o yaml"
        return
      fi
      ;;
  esac
  case $said in
    'Synced Healthy Running' | 'Synced Healthy Terminating') echo "wait is $said" ;;
    'Synced Healthy '*) echo ok ;;
    *) echo "wait is $said" ;;
  esac
}

# has_commit REVISION: is our commit part of it? A revision this clone does not know is fetched once.
has_commit() {
  [[ $1 =~ ^[0-9a-f]{40}$ ]] || return 1
  [ "$1" != "$commit" ] || return 0
  git -C "$root_dir" cat-file -e "$1" 2>/dev/null || git -C "$root_dir" fetch --quiet origin "$1" 2>/dev/null || return 1
  git -C "$root_dir" merge-base --is-ancestor "$commit" "$1"
}

began=$SECONDS
while :; do
  # A cluster that does not answer for a moment says nothing of the release, which would be taken back for it.
  applications=$(kubectl get applications.argoproj.io --namespace argocd -o json) ||
    { say "the cluster cannot be asked, and is asked again"; applications='{"items": []}'; }
  pending=()
  for application in "$@"; do
    state=$(state_of "$application")
    case $state in
      ok) ;;
      failed*) die "$application: ${state#failed }" ;;
      wait*) pending+=("$application ${state#wait }") ;;
    esac
  done
  if [ ${#pending[@]} = 0 ]; then
    say "${*} serve ${commit:0:12}"
    exit 0
  fi
  if [ $((SECONDS - began)) -ge "$seconds" ]; then
    say "not after $seconds s:"
    printf '  %s\n' "${pending[@]}" >&2
    exit 1
  fi
  sleep "$pause"
done
