{{- define "praxis.name" -}}
{{- .Values.fullnameOverride | default .Release.Name -}}
{{- end }}

{{- define "praxis.image" -}}
{{- with .Values.image -}}
{{ .registry }}/{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end }}

{{/* What never changes in the life of a release: selectors cannot be edited. */}}
{{- define "praxis.selector" -}}
app.kubernetes.io/name: {{ .Values.component }}
app.kubernetes.io/instance: {{ include "praxis.name" . }}
{{- end }}

{{- define "praxis.labels" -}}
{{ include "praxis.selector" . }}
{{ include "praxis.labels.common" . }}
{{- end }}

{{- define "praxis.labels.common" -}}
app.kubernetes.io/part-of: praxis
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.fingerprint }}
praxis.dev/fingerprint: {{ . | quote }}
{{- end }}
{{- end }}

{{/* What the restricted profile demands of a pod, and of a container; values cannot loosen it. */}}
{{- define "praxis.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- define "praxis.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "praxis.usesSasl" -}}
{{- if and (has "kafka" .Values.uses) (hasPrefix "sasl_" .Values.kafka.security) }}true{{ end -}}
{{- end }}

{{/* The Secrets with the keys that are mounted; where Kafka asks for a password, its key too. */}}
{{- define "praxis.secrets" -}}
{{- $secrets := .Values.secrets -}}
{{- if include "praxis.usesSasl" . -}}
{{- $password := dict "key" "kafka-password" "setting" "PRAXIS_KAFKA_PASSWORD_FILE" -}}
{{- $secrets = append $secrets (dict "secret" "praxis-application" "keys" (list $password)) -}}
{{- end -}}
{{- dict "secrets" $secrets | toYaml -}}
{{- end }}

{{/* Where something is, as peers of a NetworkPolicy: {cidrs, namespace, pods}. Nowhere would mean everywhere. */}}
{{- define "praxis.peers" -}}
{{- if .cidrs -}}
{{- range $index, $cidr := .cidrs }}
{{- if $index }}{{ "\n" }}{{ end -}}
- ipBlock: {cidr: {{ $cidr }}}
{{- end }}
{{- else if .pods -}}
- podSelector:
    matchLabels: {{- toYaml .pods | nindent 6 }}
  {{- with .namespace }}
  namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . }}
  {{- end }}
{{- else -}}
{{- fail (printf "%s: say where it is, by cidrs or by pods" .what) -}}
{{- end -}}
{{- end }}

{{/* What a schema cannot say, because it compares two values. */}}
{{- define "praxis.check" -}}
{{- $name := include "praxis.name" . -}}
{{- $scaling := .Values.autoscaling -}}
{{- if ne $scaling.mode "none" -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "autoscaling: minReplicas (%d) is above maxReplicas (%d)" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $scaling.mode "keda") (not $scaling.keda.prometheus) (not $scaling.keda.generation) -}}
{{- fail "autoscaling.keda: neither prometheus nor generation says where the lag is to be read" -}}
{{- end -}}
{{- if eq .Values.component "projector" -}}
{{- $partitions := int .Values.kafka.partitions -}}
{{- $most := ternary .Values.replicas $scaling.maxReplicas (eq $scaling.mode "none") | int -}}
{{- if gt $most $partitions -}}
{{- fail (printf "a projector of up to %d replicas on a topic of %d partitions: those above %d would have nothing to read" $most $partitions $partitions) -}}
{{- end -}}
{{- $expected := printf "projector-%s" (trunc 8 .Values.fingerprint) -}}
{{- if ne $name $expected -}}
{{- fail (printf "this projector is called %s, but its fingerprint %s makes it %s; two releases of one name would replace each other" $name .Values.fingerprint $expected) -}}
{{- end -}}
{{- end -}}
{{- if has "kafka" .Values.uses -}}
{{- range splitList "," .Values.kafka.brokers -}}
{{- if not (hasSuffix (printf ":%d" (int $.Values.kafka.port)) .) -}}
{{- fail (printf "kafka.brokers: %s is not at kafka.port %d, which the network policy opens" . (int $.Values.kafka.port)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (include "praxis.usesSasl" .) (not .Values.kafka.username) -}}
{{- fail (printf "kafka.security is %s, so kafka.username must be set" .Values.kafka.security) -}}
{{- end -}}
{{- if and (or .Values.ingress.enabled .Values.gateway.enabled) (not .Values.routes) -}}
{{- fail "ingress or gateway is enabled, but routes names no requests to send here" -}}
{{- end -}}
{{- end }}
