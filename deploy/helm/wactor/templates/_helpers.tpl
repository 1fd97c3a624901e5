{{- define "wactor.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}
{{- define "wactor.selector" -}}
app.kubernetes.io/name: wactor
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "wactor.labels" -}}
{{ include "wactor.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "wactor.serviceAccount" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}{{ else if .Values.serviceAccount.create }}{{ include "wactor.name" . }}{{ else }}default{{ end }}
{{- end }}
{{- define "wactor.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}
{{- define "wactor.config" -}}
node: { name: "${POD_NAME}", data_dir: /var/lib/wactor/data }
listen: { http: ":8080", admin: ":8081" }
admin: { token: "${WACTOR_ADMIN_TOKEN}" }
cluster:
  secret: "${WACTOR_SECRET}"
  gossip: ":7946"
  rpc: ":7947"
  advertise: "${POD_IP}"
  join: [{{ printf "%s-nodes" (include "wactor.name" .) | quote }}]
  expect: {{ .Values.replicas }}
  shards: {{ .Values.cluster.shards }}
  replicas: {{ .Values.cluster.replicas }}
{{ toYaml .Values.config }}
{{- end }}
