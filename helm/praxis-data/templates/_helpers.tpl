{{/* Takes {root, name}: mysql or kafka. */}}
{{- define "praxis-data.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}
{{- define "praxis-data.labels" -}}
{{ include "praxis-data.selector" . }}
app.kubernetes.io/part-of: praxis
app.kubernetes.io/version: {{ (index .root.Values .name).image.tag | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}
{{- define "praxis-data.image" -}}
{{ .registry }}/{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- define "praxis-data.clients" -}}
- podSelector:
    matchLabels: {app.kubernetes.io/part-of: praxis}
    matchExpressions:
      - {key: app.kubernetes.io/name, operator: In, values: {{ toJson . }}}
{{- end }}
{{- define "praxis-data.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
