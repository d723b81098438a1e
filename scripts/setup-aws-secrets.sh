#!/usr/bin/env bash
# Make the secrets of an environment in AWS Secrets Manager, and rotate them. docs/adr/0040 names them.
#
# No value is ever printed, put on a command line (ps shows those) or left in a file: values live in a directory in
# memory that only this user reads and that goes when the script ends, whatever ends it.
set -euo pipefail
umask 077
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: setup-aws-secrets.sh ENV [COMMAND] [--dry-run] [--now] [--admin-email ADDRESS]

  setup                       (default) make what is missing; what is there is never changed
  rotate-kek                  add a new key-encryption key at the end of the ring; every pod learns it
  promote-kek                 put the newest key first, so that new data keys are wrapped by it; the others stay
  rotate-jwt                  make a new signing key and have its public half trusted
  promote-jwt                 sign with that key; the old public half stays trusted
  retire-jwt                  trust only the key that signs
  rotate-database-passwords   new passwords for migrate, command_api, query_api and projector
  rotate-kafka-password       a new password of the MSK user

  --dry-run       say which keys of which secret would be written, and write nothing
  --now           promote or retire although the secret was changed within the last 90 minutes
  --admin-email   address of the first administrator (default: admin@ the domain of Terraform's outputs)

ENV is dev, stage or prod. Hosts and region come from `terraform output cluster_values` of that environment.
USAGE
}

env='' command=setup dry_run='' now='' admin_email=''
# External Secrets reads each secret once an hour, then pods restart one by one: who promotes earlier breaks those
# that have not heard of the key.
settle_seconds=5400

arguments() {
  local words=()
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help)
        usage
        exit 0
        ;;
      --dry-run) dry_run=1 ;;
      --now) now=1 ;;
      --admin-email)
        [ $# -gt 1 ] || wrong "--admin-email needs an address"
        admin_email=$2
        shift
        ;;
      -*) wrong "unknown option $1" ;;
      *) words+=("$1") ;;
    esac
    shift
  done
  [ ${#words[@]} -gt 0 ] || wrong "which environment?"
  [ ${#words[@]} -le 2 ] || wrong "one command at a time"
  env=${words[0]}
  command=${words[1]:-setup}
  environment "$env"
}

# ---- AWS -------------------------------------------------------------------------------------------------------------

# read_secret NAME: its JSON object into $work/NAME.json, {} where it has no value yet, and the time of that value
# into $work/NAME.at.
read_secret() {
  local name=$1 id=$2
  if aws secretsmanager get-secret-value --region "$region" --secret-id "$id" --output json \
    >"$work/$name.answer" 2>"$work/$name.error"; then
    jq -e '.SecretString | fromjson | objects' "$work/$name.answer" >"$work/$name.json" 2>/dev/null ||
      die "$id is there but is no JSON object; look at it in the console before anything overwrites it"
    jq -r '.CreatedDate // 0' "$work/$name.answer" >"$work/$name.at"
  elif grep -q ResourceNotFoundException "$work/$name.error"; then
    echo '{}' >"$work/$name.json"
    echo 0 >"$work/$name.at"
  else
    # The CLI's own words: they name the account and the right that is missing, never a value.
    cat "$work/$name.error" >&2
    die "cannot read $id"
  fi
  cp "$work/$name.json" "$work/$name.new"
}

# write_secret NAME ID: only if it changed. Says the keys, never the values.
write_secret() {
  local name=$1 id=$2 keys
  keys=$(jq -rn --slurpfile old "$work/$name.json" --slurpfile new "$work/$name.new" \
    '[$new[0] | keys_unsorted[] | select($new[0][.] != $old[0][.])] + [$old[0] | keys_unsorted[] | select($new[0][.] == null) | "-" + .]
     | join(", ")')
  if [ -z "$keys" ]; then
    say "$id: nothing to do"
  elif [ -n "$dry_run" ]; then
    say "$id: would write $keys"
  else
    if ! aws secretsmanager put-secret-value --region "$region" --secret-id "$id" \
      --secret-string "file://$work/$name.new" --query VersionId --output text >/dev/null 2>"$work/$name.error"; then
      grep -q ResourceNotFoundException "$work/$name.error" &&
        die "$id does not exist: Terraform makes it, with its key and who may read it (terraform apply for $env)"
      cat "$work/$name.error" >&2
      die "cannot write $id"
    fi
    say "$id: wrote $keys"
  fi
}

# ---- one key of one secret ------------------------------------------------------------------------------------------

has() { jq -e --arg key "$2" 'has($key)' "$work/$1.new" >/dev/null; }

# put NAME KEY: the value arrives on standard input, as arguments of jq would be seen by ps.
put() {
  local name=$1 key=$2
  cat >"$work/value"
  jq --arg key "$key" --rawfile value "$work/value" '.[$key] = ($value | rtrimstr("\n"))' "$work/$name.new" >"$work/next"
  mv "$work/next" "$work/$name.new"
  rm "$work/value"
}

take() { jq -r --arg key "$2" '.[$key] // ""' "$work/$1.new"; }

# missing NAME KEY COMMAND…: puts what COMMAND prints, unless the key is there.
missing() {
  local name=$1 key=$2
  shift 2
  has "$name" "$key" || "$@" >"$work/made"
  [ ! -e "$work/made" ] || put "$name" "$key" <"$work/made"
  rm -f "$work/made"
}

# ---- what is generated ----------------------------------------------------------------------------------------------

# A version 4 UUID from openssl, so that nothing but openssl is trusted with randomness.
uuid() {
  local hex
  hex=$(openssl rand -hex 16)
  printf '%s-%s-4%s-%x%s-%s\n' "${hex:0:8}" "${hex:8:4}" "${hex:13:3}" $((8 + 16#${hex:16:1} % 4)) "${hex:17:3}" "${hex:20:12}"
}

# Needs no escape in a URL or SQL; its end satisfies servers that ask for both cases, a digit and a sign.
password() { printf '%s-Aa1' "$(openssl rand -hex 24)"; }
kek() { printf '%s:%s' "$(uuid)" "$(openssl rand -base64 32)"; }
claims_key() { printf '1:%s' "$(openssl rand -base64 32)"; }
signing_key() { openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:4096; }
public_half() { openssl pkey -pubout; }

# database_url ACCOUNT SCHEMA: with the password in $work/password-ACCOUNT, one for all URLs of an account. One that a
# URL of the secret already has is taken from there.
database_url() {
  local account=$1 schema=$2 file=$work/password-$1
  [ -s "$file" ] || password_in_use "$account" >"$file"
  [ -s "$file" ] || password >"$file"
  printf 'mysql://%s:%s@%s:%s/%s?ssl-mode=%s' "$account" "$(cat "$file")" "$db_host" "$db_port" "$schema" "$db_tls"
}

password_in_use() {
  jq -r --arg account "$1" '[.[] | strings | capture("^mysql://" + $account + ":(?<word>[^@]*)@").word] | first // empty' \
    "$work/database.new" | tr -d '\n'
}

# The administrator of RDS, which keeps the account in a secret of its own and may rotate it: this URL follows it
# whenever the script runs.
admin_url() {
  aws secretsmanager get-secret-value --region "$region" --secret-id "$db_admin_secret" --output json |
    jq -r --arg at "$db_host:$db_port" --arg tls "$db_tls" '.SecretString | fromjson
      | "mysql://\(.username | @uri):\(.password | @uri)@\($at)/mysql?ssl-mode=\($tls)"' | tr -d '\n'
}

# ---- the commands ---------------------------------------------------------------------------------------------------

# The URLs of the accounts: key, account, schema.
service_urls=(
  'migrate-events-url migrate praxis'
  'migrate-views-url migrate praxis_views'
  'command-api-events-url command_api praxis'
  'query-api-events-url query_api praxis'
  'query-api-views-url query_api praxis_views'
  'projector-events-url projector praxis'
  'projector-views-url projector praxis_views'
)

setup() {
  local row key account schema
  # The server in the cluster is given this password when its disk is empty; RDS has one of its own.
  if [ -z "$db_admin_secret" ]; then
    missing database mysql-root-password password
    take database mysql-root-password | tr -d '\n' >"$work/password-root"
    missing database admin-url database_url root mysql
  else
    missing database mysql-root-password printf ''
    admin_url >"$work/admin"
    [ -s "$work/admin" ] || die "the administrator's secret $db_admin_secret cannot be read"
    put database admin-url <"$work/admin"
  fi
  for row in "${service_urls[@]}"; do
    read -r key account schema <<<"$row"
    missing database "$key" database_url "$account" "$schema"
  done
  missing application kek kek
  missing application claims-key claims_key
  if [ -n "$kafka_scram" ]; then
    missing application kafka-username printf praxis
    missing application kafka-password password
    copy_to_msk
  else
    missing application kafka-username printf ''
    missing application kafka-password printf ''
  fi
  missing jwt private-key signing_key
  take jwt private-key | public_half >"$work/public"
  missing jwt public-keys cat "$work/public"
  missing first-admin email printf %s "${admin_email:-admin@$domain}"
  missing first-admin password password
}

# MSK asks for a secret of its own, whose name begins with AmazonMSK_, with a user and a password.
copy_to_msk() {
  take application kafka-username | put msk username
  take application kafka-password | put msk password
}

rotate_kek() {
  has application kek || die "there is no key yet: run setup first"
  {
    take application kek | tr -d '\n'
    printf ,
    kek
  } >"$work/ring"
  put application kek <"$work/ring"
  say "when every pod has restarted (an hour and some): $0 $env promote-kek"
}

promote_kek() {
  [[ $(take application kek) == *,* ]] || die "the ring has one key: run rotate-kek first"
  settled application
  take application kek | tr -d '\n' | awk 'BEGIN { RS = "," } { key[NR] = $0 }
    END { printf "%s", key[NR]; for (i = 1; i < NR; i++) printf ",%s", key[i] }' >"$work/ring"
  put application kek <"$work/ring"
}

rotate_jwt() {
  has jwt private-key || die "there is no key yet: run setup first"
  if has jwt next-private-key; then die "a key waits already: run promote-jwt"; fi
  signing_key >"$work/next-key"
  put jwt next-private-key <"$work/next-key"
  {
    take jwt public-keys
    public_half <"$work/next-key"
  } >"$work/public"
  put jwt public-keys <"$work/public"
  say "when every pod has restarted (an hour and some): $0 $env promote-jwt"
}

promote_jwt() {
  has jwt next-private-key || die "no key waits: run rotate-jwt first"
  settled jwt
  take jwt next-private-key >"$work/next-key"
  put jwt private-key <"$work/next-key"
  jq 'del(."next-private-key")' "$work/jwt.new" >"$work/next"
  mv "$work/next" "$work/jwt.new"
  say "when the tokens of the old key have expired: $0 $env retire-jwt"
}

retire_jwt() {
  if has jwt next-private-key; then die "a key waits that is trusted already: run promote-jwt first"; fi
  settled jwt
  take jwt private-key | public_half >"$work/public"
  put jwt public-keys <"$work/public"
}

rotate_database_passwords() {
  local row key account schema
  has database migrate-events-url || die "there are no accounts yet: run setup first"
  for account in migrate command_api query_api projector; do password >"$work/password-$account"; done
  for row in "${service_urls[@]}"; do
    read -r key account schema <<<"$row"
    database_url "$account" "$schema" >"$work/url"
    put database "$key" <"$work/url"
  done
  say "MySQL learns the new passwords when migrations run next; see docs/adr/0044 for the order"
}

rotate_kafka_password() {
  [ -n "$kafka_scram" ] || die "Kafka asks for no password in $env"
  password >"$work/new-password"
  put application kafka-password <"$work/new-password"
  copy_to_msk
}

# settled NAME: every pod has what the secret says.
settled() {
  local at
  at=$(cat "$work/$1.at")
  # A date in the second version of the AWS CLI, seconds in the first.
  [[ $at =~ ^[0-9]+(\.[0-9]+)?$ ]] || at=$(date -d "$at" +%s)
  [ -n "$now" ] || [ $(($(date +%s) - ${at%.*})) -ge $settle_seconds ] ||
    die "praxis/$env/$1 was changed less than $((settle_seconds / 60)) minutes ago, and some pods may not know it;" \
      "wait, or say --now once validate-deployment.sh shows that all have restarted"
}

# ---- main -----------------------------------------------------------------------------------------------------------

arguments "$@"
need aws jq openssl terraform
case $command in
  setup | rotate-kek | promote-kek | rotate-jwt | promote-jwt | retire-jwt | rotate-database-passwords | rotate-kafka-password) ;;
  *) wrong "unknown command $command" ;;
esac

facts=$(facts_of "$env")
fact() { jq -r --arg key "$1" '.[$key] // ""' <<<"$facts"; }
region=$(fact region)
domain=$(fact domain)
db_host=$(fact database_host)
db_port=$(fact database_port)
db_admin_secret=$(fact database_admin_secret_arn)
kafka_scram=$(fact kafka_secret_name)
# By whom RDS is vouched for comes from Git (scripts/database-ca.sh), to every program as PRAXIS_DATABASE_CA, which has it
# verified whatever a URL asks for; this is so that without it nobody connects. The MySQL of the cluster makes its
# certificate itself.
db_tls=VERIFY_IDENTITY
[ -n "$db_host" ] || db_tls=REQUIRED
: "${db_host:=mysql}" "${db_port:=3306}" "${domain:=praxis.example}"

memory=${SECRETS_WORK_DIR:-/dev/shm}
[ -w "$memory" ] || memory=${TMPDIR:-/tmp}
work=$(mktemp -d "$memory/praxis-secrets.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# Which secrets a command touches. MSK's copy is written before ours: a password that MSK does not know yet locks out
# every pod that restarts with it.
case $command in
  setup) names=(database msk application jwt first-admin) ;;
  *-kek) names=(application) ;;
  *-jwt) names=(jwt) ;;
  rotate-database-passwords) names=(database) ;;
  rotate-kafka-password) names=(msk application) ;;
esac
id_of() { if [ "$1" = msk ]; then echo "${kafka_scram:-}"; else echo "praxis/$env/$1"; fi; }
for name in "${names[@]}"; do
  [ -z "$(id_of "$name")" ] || read_secret "$name" "$(id_of "$name")"
done
"${command//-/_}"
for name in "${names[@]}"; do
  [ -z "$(id_of "$name")" ] || write_secret "$name" "$(id_of "$name")"
done
