#!/usr/bin/env bash
# Write the certificates of the authorities that vouch for RDS in an environment's region into gitops/values/<env>, from
# where the charts give them to every program that speaks to MySQL. Public, and trusted by all of them: review, commit.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: database-ca.sh ENV [--from FILE | --check]

  --from FILE   a bundle that was fetched otherwise: other partitions of AWS publish theirs at other addresses
  --check       write nothing; fail if the certificates in Git are not those of RDS in the region, or soon expire

ENV is dev, stage or prod; its region is that of gitops/values/ENV/cluster.yaml (scripts/cluster-values.sh writes it first;
PRAXIS_GITOPS_VALUES names another folder than gitops/values). Where Terraform made no RDS nothing is verified, and the file
says so. What is written is told: name, end and SHA-256 of each certificate, to be compared by whoever reviews it.
USAGE
}

env='' from='' check=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --from)
      [ $# -gt 1 ] || wrong "--from needs a path"
      from=$2
      shift
      ;;
    --check) check=1 ;;
    -*) wrong "unknown option $1" ;;
    *)
      [ -z "$env" ] || wrong "one environment at a time"
      env=$1
      ;;
  esac
  shift
done
[ -n "$env" ] || wrong "which environment?"
environment "$env"
[ -z "$from" ] || [ -z "$check" ] || wrong "--from or --check, not both"
need openssl curl

values=${PRAXIS_GITOPS_VALUES:-$root_dir/gitops/values}/$env
file=$values/database-ca.yaml
[ -f "$values/cluster.yaml" ] || die "there is no $values/cluster.yaml: scripts/cluster-values.sh $env"
fact() { awk -F'"' -v key="$1:" '$0 ~ "^" key { print $2 }' "$values/cluster.yaml"; }
region=$(fact region)
host=$(fact database_host)

if [ -z "$host" ]; then
  if [ -n "$check" ]; then
    say "$env has no RDS: nothing to check"
    exit 0
  fi
  cat >"$file" <<YAML
# Written by scripts/database-ca.sh. There is no RDS here: the MySQL of the cluster makes its certificate itself, and is not
# verified. Connections are encrypted; who could pose as it is already in the namespace.
mysql:
  ca: ""
YAML
  say "$file: $env has no RDS, so nothing is verified"
  exit 0
fi
[[ $region =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || die "$values/cluster.yaml names no region"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$check" ]; then
  sed -n '/^  ca: |$/,$ s/^    //p' "$file" >"$work/bundle" 2>/dev/null || die "there is no $file: scripts/database-ca.sh $env"
elif [ -n "$from" ]; then
  cat -- "$from" >"$work/bundle"
else
  url=https://truststore.pki.rds.amazonaws.com/$region/$region-bundle.pem
  curl --fail --silent --show-error --location --proto '=https' --max-time 60 --output "$work/bundle" "$url" ||
    die "cannot fetch $url; fetch it otherwise and name it by --from"
fi
tr -d '\r' <"$work/bundle" | awk -v to="$work/certificate." '/^-----BEGIN CERTIFICATE-----$/ { file = to sprintf("%03d", ++count) }
  file { print >file } /^-----END CERTIFICATE-----$/ { file = "" }'
# Programs get it in their environment, where Linux takes 128 KiB.
[ "$(cat "$work"/certificate.* 2>/dev/null | wc -c)" -le 100000 ] ||
  die "that is too much for a program to be given: name the bundle of $region alone"

# A program does not look at the end of an authority that it was told to trust: one that has ended is left out here.
soon=$((90 * 24 * 3600)) regional='' lasting=''
for certificate in "$work"/certificate.*; do
  [ -e "$certificate" ] || die "no certificate in ${from:-${url:-$file}}"
  subject=$(openssl x509 -in "$certificate" -noout -subject -nameopt multiline 2>/dev/null | sed -n 's/^ *commonName *= //p') ||
    die "what is in ${from:-${url:-$file}} is no certificate, or cut short"
  ends=$(openssl x509 -in "$certificate" -noout -enddate | cut -d= -f2)
  openssl x509 -in "$certificate" -noout -ext basicConstraints 2>/dev/null | grep -q 'CA:TRUE' ||
    die "'$subject' is no authority"
  [[ $subject == "Amazon RDS "* ]] || die "'$subject' is no authority of RDS; is $file still the example's? scripts/database-ca.sh $env"
  if ! openssl x509 -in "$certificate" -noout -checkend 0 >/dev/null; then
    say "left out, ended $ends: $subject"
    continue
  fi
  [[ "$subject " != "Amazon RDS $region "* ]] || regional=1
  ! openssl x509 -in "$certificate" -noout -checkend "$soon" >/dev/null || lasting=1
  openssl x509 -in "$certificate" >>"$work/good"
  say "$subject, until $ends, SHA-256 $(openssl x509 -in "$certificate" -noout -fingerprint -sha256 | cut -d= -f2)"
done
[ -n "$regional" ] || die "none of these is of RDS in $region"
[ -n "$lasting" ] || die "none of these is good for another 90 days: scripts/database-ca.sh $env, and docs/how-to/rotate-secrets.md"
[ -z "$check" ] || exit 0

{
  echo "# Written by scripts/database-ca.sh: who vouches for RDS in $region. Compare before you commit."
  echo 'mysql:'
  echo '  ca: |'
  sed 's/^/    /' "$work/good"
} >"$work/values"
if cmp -s "$work/values" "$file"; then
  say "$file: nothing to do"
else
  cp "$work/values" "$file"
  say "$file: written; compare, then commit and push"
fi
