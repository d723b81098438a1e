#!/usr/bin/env bash
# The part of the real image's entry point that compose.yaml uses: settings from KAFKA_… variables, storage formatted
# once, KAFKA_HEAP_OPTS.
set -euo pipefail

settings=/opt/kafka/config/server.properties

# KAFKA_LOG_DIRS is log.dirs, and so on; the JVM's options are no settings of the broker.
while IFS='=' read -r -d '' name value; do
  case $name in
    KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_JVM_PERFORMANCE_OPTS) ;;
    KAFKA_*)
      name=${name#KAFKA_}
      name=${name,,}
      printf '%s=%s\n' "${name//_/.}" "$value"
      ;;
  esac
done < <(env -0) >"$settings"

classes='/opt/kafka/libs/*'
quiet=-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
if [ ! -e "$KAFKA_LOG_DIRS/meta.properties" ]; then
  java -cp "$classes" "$quiet" kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config "$settings"
fi
# shellcheck disable=SC2086 # several options
exec java ${KAFKA_HEAP_OPTS:--Xmx1G} "$quiet" -cp "$classes" kafka.Kafka "$settings"
