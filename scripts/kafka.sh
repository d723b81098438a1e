#!/usr/bin/env bash
# How do I get a private Apache Kafka (KRaft, one node) without installing one?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: kafka.sh setup                                  fetch Kafka's libraries (once)
       kafka.sh run DATA_DIR PORT [CONTROLLER_PORT [ADVERTISED_PORT [SECURED_PORT]]]
                                                       serve in the foreground; DATA_DIR is made when absent;
                                                       CONTROLLER_PORT is PORT + 1, ADVERTISED_PORT, which clients
                                                       are told, is PORT unless given (a proxy's); on SECURED_PORT
                                                       TLS is spoken (DATA_DIR/ca.pem) and user praxis, password
                                                       invented, let in by SASL PLAIN or, as MSK does, by
                                                       SCRAM-SHA-512
       kafka.sh wait PORT SECONDS [PID]                wait until the broker takes requests (or PID is gone)
       kafka.sh tool CLASS [ARGUMENT…]                 one of Kafka's tools, for example
                                                       org.apache.kafka.tools.TopicCommand --list …

Kafka comes from its Maven artefacts under .dev/kafka (PRAXIS_DEV_DIR overrides .dev). It needs Java 17 or later,
and Maven for the setup. The broker listens on 127.0.0.1 only. PRAXIS_KAFKA_HEAP_MB is its heap (512).
USAGE
}

version=4.1.1
home=$dev_dir/kafka
libs=$home/libs-$version

java_version() { java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -n 1; }

need_java() {
  local found=''
  if command -v java >/dev/null; then found=$(java_version); fi
  if [ "${found:-0}" -lt 17 ]; then
    install_packages "Kafka needs Java 17 or later" default-jre-headless
    hash -r
    found=$(java_version)
    [ "${found:-0}" -ge 17 ] || die "Kafka needs Java 17 or later, and java is version ${found:-unknown}"
  fi
}

fetch() {
  [ -e "$libs/.complete" ] && return
  command -v mvn >/dev/null || install_packages "fetching Kafka needs Maven" maven
  say "downloading Apache Kafka $version (about 54 MB, once)"
  rm -rf "$libs" "$libs.new"
  cat >"$home/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>praxis.dev</groupId><artifactId>kafka-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -f "$home/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs.new" >"$home/fetch.log" 2>&1 ||
    { tail -n 20 "$home/fetch.log" >&2; die "Maven could not fetch Kafka"; }
  touch "$libs.new/.complete"
  mv "$libs.new" "$libs"
}

setup() {
  mkdir -p "$home"
  need_java
  [ -e "$libs/.complete" ] || with_lock "$home/setup.lock" fetch
}

# A cluster id is a UUID in base64url; one that begins with a dash would be taken for an option.
cluster_id() {
  local id
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
  echo "${id/#-/A}"
}

# A certificate that vouches for itself, and one listener more: later lines of a properties file count.
add_secured_listener() {
  local data=$1 secured=$2 listeners advertised
  if [ ! -e "$data/server.pem" ]; then
    (umask 077 && : >"$data/server.pem.new")
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
      -keyout "$data/key.pem" -out "$data/ca.pem" 2>/dev/null || die "openssl could not make a certificate"
    cat "$data/key.pem" "$data/ca.pem" >"$data/server.pem.new"
    mv "$data/server.pem.new" "$data/server.pem"
  fi
  listeners=$(sed -n 's/^listeners=//p' "$data/server.properties")
  advertised=$(sed -n 's/^advertised.listeners=//p' "$data/server.properties")
  cat >>"$data/server.properties" <<PROPS
listeners=$listeners,SASL_SSL://127.0.0.1:$secured
advertised.listeners=$advertised,SASL_SSL://127.0.0.1:$secured
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=$data/server.pem
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_praxis="invented";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
PROPS
}

run() {
  local data=$1 port=$2 controller=${3:-$(($2 + 1))} advertised=${4:-$2} secured=${5:-} heap=${PRAXIS_KAFKA_HEAP_MB:-512}
  mkdir -p "$data"
  data=$(cd "$data" && pwd)
  # The session timeouts are what a broker killed by kill -9 has to wait for when it returns (9 s by default), and the
  # partitions of a consumer killed so (45 s).
  cat >"$data/server.properties" <<PROPS
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$advertised
controller.listener.names=CONTROLLER
log.dirs=$data/log
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.consumer.session.timeout.ms=6000
group.consumer.min.session.timeout.ms=6000
group.consumer.heartbeat.interval.ms=1000
group.consumer.min.heartbeat.interval.ms=1000
log.cleaner.dedupe.buffer.size=16777216
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
PROPS
  [ -z "$secured" ] || add_secured_listener "$data" "$secured"
  if [ ! -e "$data/log/meta.properties" ]; then
    # What proves a password by SCRAM is kept in the log of the cluster.
    java -cp "$libs/*" kafka.tools.StorageTool format --standalone -t "$(cluster_id)" -c "$data/server.properties" \
      --add-scram 'SCRAM-SHA-512=[name=praxis,password=invented]' \
      >"$data/format.log" 2>&1 || { tail -n 20 "$data/format.log" >&2; die "could not format $data/log"; }
  fi
  end_with_owner
  exec java "-Xms128m" "-Xmx${heap}m" -XX:+UseG1GC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$libs/*" \
    kafka.Kafka "$data/server.properties"
}

# An open port is not enough: a returning broker listens while it is still fenced, and then is missing from its own
# metadata. So a Metadata request (version 4, no topics) is sent, and the broker count of the answer looked at.
serves() {
  local answer
  # shellcheck disable=SC2016 # $1 is the inner shell's
  answer=$(timeout 3 bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1" &&
      printf "\0\0\0\17\0\3\0\4\0\0\0\1\377\377\0\0\0\0\0" >&3 && head -c 16 <&3 | od -An -tx1 | tr -d " \n"
  ' probe "$1" 2>/dev/null) || return 1
  # size, correlation id, throttle time, broker count
  [[ $answer =~ ^.{8}00000001.{8}00000001$ ]]
}

need() { [ "$1" -ge "$2" ] || { usage >&2; exit 2; }; }

case ${1:-} in
  setup) setup ;;
  run)
    need $# 3
    setup
    run "${@:2}"
    ;;
  wait)
    need $# 3
    wait_until "$3" "${4:-}" serves "$2" || die "Kafka on port $2 did not serve within $3 s"
    ;;
  tool)
    need $# 2
    setup
    exec java -Xmx128m -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$libs/*" "${@:2}"
    ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
