#!/usr/bin/env bash
# Write what Terraform knows of a cluster into gitops/values/<env>: cluster.yaml, its output cluster_values as it is, and
# from-terraform/<release>.yaml, the same facts as the values that each chart takes. Nobody edits these; commit them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"

usage() {
  cat <<'USAGE'
usage: cluster-values.sh ENV [--facts FILE] [--check] [--into DIR]

  --facts FILE   a JSON file with the output cluster_values, instead of asking Terraform
  --check        write nothing; fail if a file is not as it would be written
  --into DIR     instead of gitops/values/ENV
USAGE
}

env='' facts_file='' check='' into=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --check) check=1 ;;
    --facts | --into)
      [ $# -gt 1 ] || wrong "$1 needs a path"
      if [ "$1" = --facts ]; then facts_file=$2; else into=$2; fi
      shift
      ;;
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
into=${into:-$root_dir/gitops/values/$env}

if [ -n "$facts_file" ]; then
  need jq
  facts=$(cat "$facts_file")
  [ "$(jq -r .environment <<<"$facts")" = "$env" ] || die "$facts_file is not about $env"
else
  need jq terraform
  facts=$(facts_of "$env")
fi

# A fact that is missing would become an empty registry or a certificate called null, found out by a cluster.
unsaid=$(jq -r '. as $facts | ["account_id", "region", "cluster_name", "vpc_id", "registry", "domain",
  "certificate_arn", "public_subnet_cidrs", "external_secrets_role_arn", "load_balancer_controller_role_arn",
  "alertmanager_role_arn", "alarms_topic_arn", "heartbeat_topic_arn",
  (if (.database_host // "") + (.kafka_brokers // "") == "" then empty else "data_subnet_cidrs" end)][] | select($facts[.] == null or $facts[.] == "" or $facts[.] == [])' <<<"$facts")
[ -z "$unsaid" ] || die "cluster_values does not say: ${unsaid//$'\n'/, }"

# to_yaml: block style, keys as they come; strings as JSON, which YAML reads the same.
to_yaml='def to_yaml(indent):
  to_entries[] | "\(indent)\(.key):" + (
    if (.value | type) == "object" and (.value | length) > 0 then "\n" + ([.value | to_yaml(indent + "  ")] | join("\n"))
    elif (.value | type) == "array" and (.value | length) > 0 then "\n" + ([.value[] | "\(indent)  - \(tojson)"] | join("\n"))
    else " \(.value | tojson)" end);
  '

# The releases and what each is told. MySQL and Kafka are addresses outside where Terraform made them, and otherwise the
# pods of helm/praxis-data, which are the charts own defaults.
# shellcheck disable=SC2016 # jq, not bash
releases='. as $f
  | ($f.data_subnet_cidrs) as $data
  | (if ($f.database_host // "") == "" then {} else {mysql: {port: ($f.database_port // 3306), cidrs: $data}} end) as $mysql
  | (if ($f.kafka_brokers // "") == "" then {} else {kafka: {brokers: $f.kafka_brokers, port: 9096, cidrs: $data,
      security: "sasl_ssl", saslMechanism: "SCRAM-SHA-512", username: "praxis"}} end) as $kafka
  | {image: {registry: $f.registry}} as $image
  | {ingress: {enabled: true, host: $f.domain, certificateArn: $f.certificate_arn},
     networkPolicy: {entrance: {cidrs: $f.public_subnet_cidrs}}} as $entrance
  | ($f.pod_identity // false) as $pod_identity
  | def role(name): if $pod_identity then {} else {serviceAccount: {annotations: {"eks.amazonaws.com/role-arn": $f[name]}}} end;
  def sns(topic): {topic_arn: $f[topic + "_topic_arn"], sigv4: {region: $f.region}};
  {
    "external-secrets": role("external_secrets_role_arn"),
    "aws-load-balancer-controller":
      ({clusterName: $f.cluster_name, region: $f.region, vpcId: $f.vpc_id} + role("load_balancer_controller_role_arn")),
    # Lists are not merged by Helm: the receivers are whole here. The routes to them are in ../../common.
    "kube-prometheus-stack": {
      prometheus: {prometheusSpec: {externalLabels: {environment: $f.environment}}},
      alertmanager: (role("alertmanager_role_arn") + {config: {receivers:
        ([{name: "nobody"}, {name: "heartbeat", sns_configs: [sns("heartbeat") + {send_resolved: false,
            subject: "Praxis \($f.environment) lives", message: "{{ .GroupLabels.alertname }}"}]}] +
         (["page", "ticket"] | map({name: ., sns_configs: [sns("alarms") + {send_resolved: true, attributes: {urgency: .},
            subject: "{{ template \"praxis.subject\" . }}", message: "{{ template \"praxis.message\" . }}"}]})))}})
    },
    "platform": {aws: {region: $f.region, identity: (if $pod_identity then "pod-identity" else "irsa" end)}},
    "migrate": ($image + $mysql),
    "command-api": ($image + $mysql + $kafka + $entrance),
    "query-api": ($image + $mysql + $entrance),
    "projector": ($image + $mysql + $kafka)
  }'

stale=()
# put FILE: what arrives on standard input, or with --check whether it is there already.
put() {
  local file=$into/$1 text
  text=$(cat)
  if [ -n "$check" ]; then
    [ "$(cat "$file" 2>/dev/null)" = "$text" ] || stale+=("$file")
  else
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$text" >"$file"
  fi
}

put cluster.yaml < <(
  echo "# Terraform's output cluster_values of $env, written by scripts/cluster-values.sh."
  jq -r "$to_yaml"'to_yaml("")' <<<"$facts"
)
while read -r release; do
  put "from-terraform/$release.yaml" < <(
    echo "# Written by scripts/cluster-values.sh from ../cluster.yaml."
    jq -r --arg release "$release" "$to_yaml$releases"' | .[$release] | if . == {} then "{}" else to_yaml("") end' <<<"$facts"
  )
done < <(jq -r "$releases | keys_unsorted[]" <<<"$facts")
[ ${#stale[@]} = 0 ] || die "not as Terraform says; run scripts/cluster-values.sh $env and commit: ${stale[*]}"
