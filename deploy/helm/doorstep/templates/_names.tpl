{{- define "doorstep.name" -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{- end -}}
{{- define "doorstep.labels" -}}
app.kubernetes.io/name: doorstep
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}
{{- define "doorstep.selector" -}}
app.kubernetes.io/name: doorstep
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "doorstep.env" -}}
- {name: DOORSTEP_CONFIG, value: /etc/doorstep/doorstep.toml}
- {name: DOORSTEP_DATA_DIR, value: /var/lib/doorstep/data}
- {name: DOORSTEP_DATA_WITNESS, value: ""}
- {name: DOORSTEP_DATA_COPY_DIR, value: {{ ternary "/mnt/copy" "" (ne .Values.copy.size "") | quote }}}
- {name: DOORSTEP_BACKUP_DIR, value: {{ ternary "/mnt/backup/journal" "" (ne .Values.backup.size "") | quote }}}
- {name: DOORSTEP_BACKUP_KEYS_DIR, value: {{ ternary "/mnt/backup/keys" "" (ne .Values.backup.size "") | quote }}}
# Files of a secret show as readable by the pod's own group; named as systemd names
# its credentials, they are taken.
- {name: CREDENTIALS_DIRECTORY, value: /secrets}
- {name: DOORSTEP_SECRETS_DIR, value: /secrets}
- {name: DOORSTEP_LISTEN_ADDRESS, value: "0.0.0.0:8480"}
- {name: DOORSTEP_LISTEN_INSECURE_HTTP, value: "true"} # the network policy lets the Ingress alone in
- {name: DOORSTEP_LISTEN_TRUSTED_PROXIES, value: {{ .Values.trustedProxies | quote }}}
- {name: DOORSTEP_METRICS_ADDRESS, value: "0.0.0.0:8481"}
- {name: DOORSTEP_METRICS_OPEN, value: "true"}
{{- end -}}
{{- define "doorstep.locked" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
