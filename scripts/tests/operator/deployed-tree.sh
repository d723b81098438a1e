#!/usr/bin/env bash
# Make a copy of this tree as it is in the repository of somebody who deploys from it, edited as docs/how-to/deploy-on-aws.md
# says: an SSH address of its own, accounts, regions and a registry of its own, authorities of RDS and a release.
# Whatever is checked on a pull request has to pass there, too. Usage: deployed-tree.sh DIR, which is made. Then for example
#   DIR/scripts/tests/operator/run.sh    or    PRAXIS_DEV_DIR=$PWD/.dev DIR/scripts/infra-check/check.sh charts gitops
set -euo pipefail

case ${1:-}/$# in
  -h/1 | --help/1) sed -n '2,5s/^# //p' "$0"; exit ;;
  ?*/1) ;;
  *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
[ ! -e "$1" ] || { echo "deployed-tree.sh: $1 is there already" >&2; exit 1; }
mkdir -p "$1"
tree=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ours=ssh://git@github.com/somebody/clinic.git
region=eu-central-1

cd "$root_dir"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --null --no-recursion -T - -cf - | tar -C "$tree" -xf -

cd "$tree"
# Step 1: whose it is.
repository=$(sed -n 's/^ *repoURL: //p' gitops/root.yaml)
grep -rlF "$repository" gitops | xargs sed -i "s,$repository,$ours,g"
grep -rlF "${repository%.git}/blob" gitops | xargs -r sed -i "s,${repository%.git}/blob,https://github.com/somebody/clinic/blob,g"

# authority KIND: an authority of RDS in the region, as far as a name can tell
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Amazon RDS $region Root CA $1 G1" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$work/key" 2>/dev/null
}
authority RSA2048 >"$work/bundle.pem"
authority ECC384 >>"$work/bundle.pem"
jq -n '{commit: ("c" * 40), tag: "sha-cccccccccccc", fingerprint: "0123456789abcdef",
  images: (["command-api", "query-api", "projector", "praxis"] | to_entries | map({key: .value, value: "sha256:\("\(.key + 1)" * 64)"}) | from_entries)}' \
  >"$work/release.json"

# Step 3: what Terraform made, who vouches for RDS, and the first release. The facts are those in Git with other values.
for env in dev stage prod; do
  jq -Rn --arg env "$env" --arg region "$region" --argjson account "$([ "$env" = prod ] && echo 456789012345 || echo 345678901234)" '
    [inputs | select(startswith("#") | not)]
    | reduce .[] as $line ({key: null, facts: {}};
        if $line | startswith("  - ") then .facts[.key] += [$line[4:] | fromjson]
        else ($line | capture("^(?<key>[a-z_]+):(?<value>.*)$")) as $l
          | .key = $l.key | .facts[.key] = (if $l.value == "" then [] else $l.value | fromjson end) end)
    | .facts | .account_id as $was | .region as $where
    | walk(if type == "string" then split($was) | join("\($account)") | split($where) | join($region)
        | sub("praxis\\.example$"; "clinic.example") | gsub("-0{12,}(?<last>[0-9]*)$"; "-0123456789abcde\(.last)") else . end)
    | .registry = "234567890123.dkr.ecr.eu-west-1.amazonaws.com"' "gitops/values/$env/cluster.yaml" >"$work/facts.json"
  scripts/cluster-values.sh "$env" --facts "$work/facts.json"
  scripts/database-ca.sh "$env" --from "$work/bundle.pem"
  scripts/release-values.sh "$env" prepare "$work/release.json"
  scripts/release-values.sh "$env" serve "$work/release.json"
done

# Two commits: rollouts are told from the one before.
export GIT_AUTHOR_NAME=somebody GIT_AUTHOR_EMAIL=somebody@example.org GIT_COMMITTER_NAME=somebody GIT_COMMITTER_EMAIL=somebody@example.org
git init -q --initial-branch main
git remote add origin "$ours"
git commit -q --allow-empty -m 'As it came'
git add -A
git commit -q -m 'gitops: Bring up all environments'
