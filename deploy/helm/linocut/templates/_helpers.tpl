{{- define "linocut.name" -}}
{{- printf "%s-linocut" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "linocut.labels" -}}
app.kubernetes.io/name: linocut
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "linocut.selector" -}}
app.kubernetes.io/name: linocut
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* An image: (dict "root" $ "own" .Values.workers.image) */}}
{{- define "linocut.image" -}}
{{- $own := .own | default dict -}}
{{- $image := .root.Values.image -}}
{{ $own.repository | default $image.repository }}:{{ $own.tag | default $image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{/* What every process of linocut is told. */}}
{{- define "linocut.environment" -}}
- {name: LINOCUT_DATA, value: /data}
- {name: LINOCUT_BASE, value: {{ .Values.base | quote }}}
- {name: LINOCUT_BASES, value: /bases}
- {name: LINOCUT_STORAGE_URL, value: {{ required "storage.url is empty; set it to s3://BUCKET" .Values.storage.url | quote }}}
- {name: LINOCUT_STOP_SECONDS, value: "30"}
- {name: LINOCUT_LOG_JSON, value: "true"}
- {name: AWS_REGION, value: {{ .Values.storage.region | quote }}}
{{- with .Values.storage.endpoint }}
- {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- define "linocut.secrets" -}}
- secretRef: {name: {{ required "existingSecret is empty; name a Secret with LINOCUT_DATABASE_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" .Values.existingSecret }}}
{{- end -}}

{{- define "linocut.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "linocut.pod" -}}
# Or Kubernetes would set LINOCUT_..._PORT and the like for the Service, which are no settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "linocut.mounts" -}}
- {name: data, mountPath: /data}
- {name: tmp, mountPath: /tmp}
{{- if .Values.basesClaim }}
- {name: bases, mountPath: /bases, readOnly: true}
{{- end }}
{{- end -}}

{{- define "linocut.volumes" -}}
- {name: data, emptyDir: {sizeLimit: {{ .Values.scratch }}}}
- {name: tmp, emptyDir: {sizeLimit: {{ .Values.scratch }}}}
{{- if .Values.basesClaim }}
- {name: bases, persistentVolumeClaim: {claimName: {{ .Values.basesClaim }}, readOnly: true}}
{{- end }}
{{- end -}}
