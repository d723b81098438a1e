{{- define "praxis.name" -}}
{{- .Values.fullnameOverride | default .Release.Name -}}
{{- end }}

{{- define "praxis.image" -}}
{{- with .Values.image -}}
{{ .registry }}/{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end }}

{{- define "praxis.selector" -}}
app.kubernetes.io/name: migrate
app.kubernetes.io/instance: {{ include "praxis.name" . }}
{{- end }}

{{- define "praxis.labels" -}}
{{ include "praxis.selector" . }}
app.kubernetes.io/part-of: praxis
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Everything the two containers have alike. What the restricted profile demands cannot be loosened by values. */}}
{{- define "praxis.container" -}}
image: {{ include "praxis.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: PRAXIS_EVENTS_URL_FILE
    value: /run/secrets/praxis/migrate-events-url
  - name: PRAXIS_VIEWS_URL_FILE
    value: /run/secrets/praxis/migrate-views-url
  {{- with .Values.mysql.ca }}
  - name: PRAXIS_DATABASE_CA
    value: {{ . | quote }}
  {{- end }}
  {{- range $setting, $value := .Values.config }}
  - name: {{ $setting }}
    value: {{ $value | quote }}
  {{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: secrets
    mountPath: /run/secrets/praxis
    readOnly: true
{{- end }}

{{/* The pods of the Job. A Job cannot be edited, so its name has a hash of them: another version is another Job. */}}
{{- define "praxis.template" -}}
metadata:
  labels: {{- include "praxis.labels" . | nindent 4 }}
  {{- with .Values.rerun }}
  annotations:
    praxis.dev/rerun: {{ . | quote }}
  {{- end }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "praxis.name" . }}
  automountServiceAccountToken: false
  # Variables of other Services would begin with PRAXIS_ if one's name did, and an unknown one is a fault.
  enableServiceLinks: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile:
      type: RuntimeDefault
  # The accounts first: the migration logs in as one of them.
  initContainers:
    - name: accounts
      args: [accounts, apply, --from, /run/secrets/praxis]
      {{- include "praxis.container" . | nindent 6 }}
  containers:
    - name: migrate
      args: [migrate]
      {{- include "praxis.container" . | nindent 6 }}
  volumes:
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          - secret:
              name: praxis-database
{{- end }}
