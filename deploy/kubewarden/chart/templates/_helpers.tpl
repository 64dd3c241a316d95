{{/* The labels of every object. */}}
{{- define "fedward.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: fedward
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Which policies run, each with its settings, as JSON. */}}
{{- define "fedward.chosen" -}}
{{- $known := (.Files.Get "files/policies.json" | fromJson).policies }}
{{- $common := .Values.settings | default dict }}
{{- $chosen := dict }}
{{- if eq .Values.use "suite" }}
  {{- /* Only what is not so anyway. */}}
  {{- $policies := dict }}
  {{- range $id, $own := .Values.policies }}
    {{- $set := dict }}
    {{- if not $own.enabled }}
      {{- $_ := set $set "enabled" false }}
    {{- end }}
    {{- with $own.settings }}
      {{- $_ := set $set "settings" . }}
    {{- end }}
    {{- if $set }}
      {{- $_ := set $policies $id $set }}
    {{- end }}
  {{- end }}
  {{- $settings := deepCopy $common }}
  {{- if $policies }}
    {{- $_ := set $settings "policies" (deepCopy $policies) }}
  {{- end }}
  {{- $_ := set $chosen "suite" $settings }}
{{- else }}
  {{- range $id, $own := .Values.policies }}
    {{- if $own.enabled }}
      {{- $settings := deepCopy $common }}
      {{- if hasKey $settings "severities" }}
        {{- /* A policy refuses severities of rules that it does not have. */}}
        {{- $severities := dict }}
        {{- range $rule, $severity := $settings.severities }}
          {{- if has $rule (get $known $id).ruleIds }}
            {{- $_ := set $severities $rule $severity }}
          {{- end }}
        {{- end }}
        {{- $_ := set $settings "severities" $severities }}
      {{- end }}
      {{- $_ := set $chosen $id (mergeOverwrite $settings (deepCopy ($own.settings | default dict))) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $chosen | toJson }}
{{- end }}

{{/* Of a list of rules, resources or kinds those of groups that the cluster serves, as JSON: {"list": …}. */}}
{{- define "fedward.present" -}}
{{- $absent := .absent }}
{{- $list := list }}
{{- range .list }}
  {{- if hasKey . "apiVersion" }}
    {{- $group := ternary (first (splitList "/" .apiVersion)) "" (contains "/" .apiVersion) }}
    {{- if not (has $group $absent) }}
      {{- $list = append $list . }}
    {{- end }}
  {{- else }}
    {{- $groups := list }}
    {{- range .apiGroups }}
      {{- if not (has . $absent) }}
        {{- $groups = append $groups . }}
      {{- end }}
    {{- end }}
    {{- if $groups }}
      {{- $list = append $list (merge (dict "apiGroups" $groups) .) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- dict "list" $list | toJson }}
{{- end }}

{{/* A role that may read what is listed, bound to a service account. */}}
{{- define "fedward.access" -}}
{{- $name := printf "%s%s" .name .root.Values.nameSuffix }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  labels:
    {{- include "fedward.labels" .root | nindent 4 }}
rules:
  {{- range .list }}
  {{- if .resources }}
  - apiGroups: {{ .apiGroups | toJson }}
    resources: {{ .resources | toJson }}
    verbs: [get, list, watch]
  {{- end }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "fedward.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    namespace: {{ .root.Values.access.namespace }}
    name: {{ .account }}
{{- end }}
