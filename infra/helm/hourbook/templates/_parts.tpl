{{/*
What each part is: its command, the logins and keys that it is shown, and settings of its own. A part that keeps something has
a volume under /var/lib/hourbook/audit; of one that is alone, and of one that keeps something, the old pod ends before the new
one starts.
*/}}
{{- define "hourbook.parts" -}}
service:
  command: [serve]
  logins: [ledger.database, ledger.nats, projections.database, billing.database]
  keys: [follower.key, billing.key]
  signing: [seal.pem, secret]
  settings:
    HOURBOOK_ALLOWED_HOSTS: {{ join "," (concat (list .Release.Name (printf "%s.%s" .Release.Name .Release.Namespace) (printf "%s.%s.svc" .Release.Name .Release.Namespace)) .Values.allowedHosts) | quote }}
    HOURBOOK_LEDGER_KEY_FILE: /run/secrets/keys/follower.key
    HOURBOOK_BILLING_KEY_FILE: /run/secrets/keys/billing.key
    HOURBOOK_SEAL_KEY_FILE: /run/secrets/signing/seal.pem
    HOURBOOK_PAGES_FOLDER: /run/secrets/signing
relay:
  command: [ledger, --only, relay]
  logins: [relay.database, relay.nats, keeper.nats]
expiry:
  command: [ledger, --only, expiry]
  logins: [expiry.database, expiry.nats]
  signing: [seal.pem]
  keeps: true
  settings:
    HOURBOOK_AUDIT_KEY_FILE: /var/lib/hourbook/audit/key.pem
    HOURBOOK_SEAL_KEY_FILE: /run/secrets/signing/seal.pem
worker:
  command: [projections, --only, worker]
  logins: [projections.database, worker.nats, alerts.nats]
  keys: [follower.key]
  settings:
    HOURBOOK_LEDGER_URL: http://{{ .Release.Name }}:8000
    HOURBOOK_LEDGER_KEY_FILE: /run/secrets/keys/follower.key
billing:
  command: [billing]
  logins: [billing.database]
  keys: [billing.key]
  settings:
    HOURBOOK_URL: http://{{ .Release.Name }}:8000
    HOURBOOK_BILLING_KEY_FILE: /run/secrets/keys/billing.key
{{- if .Values.settings.HOURBOOK_SMTP_URL }}
sender:
  command: [sender]
  logins: [billing.database]
  keys: [billing.key]
  settings:
    HOURBOOK_URL: http://{{ .Release.Name }}:8000
    HOURBOOK_BILLING_KEY_FILE: /run/secrets/keys/billing.key
{{- end }}
auditor:
  command: [audit, verify, --every, "60", --data, /var/lib/hourbook]
  logins: [auditor.database]
  keeps: true
{{- if .Values.bitrix24.enabled }}
bitrix24:
  command: [bitrix24, run, --url, "http://{{ .Release.Name }}:8000"]
  keys: [connector.key]
  alone: true
  settings:
    HOURBOOK_KEY_FILE: /run/secrets/keys/connector.key
    HOURBOOK_BITRIX24_FILE: /run/secrets/portal/portal.toml
{{- end }}
{{- end }}

{{- define "hourbook.labels" -}}
app.kubernetes.io/name: hourbook
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hourbook.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Of every pod: nobody is root, and nobody reads the API of the cluster. */}}
{{- define "hourbook.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{- define "hourbook.container" -}}
image: {{ include "hourbook.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}
