{{/* What everything is called: the release, and the chart if the release does not say it. */}}
{{- define "CHART.name" -}}
{{- $own := default .Chart.Name .Values.name -}}
{{- if contains $own .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $own | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels that select pods. */}}
{{- define "CHART.selected" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of everything. */}}
{{- define "CHART.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "CHART.selected" . }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The service account of the pods. */}}
{{- define "CHART.account" -}}
{{- if .Values.account.create -}}
{{- default (include "CHART.name" .) .Values.account.name -}}
{{- else -}}
{{- default "default" .Values.account.name -}}
{{- end -}}
{{- end -}}
