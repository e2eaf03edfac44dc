{{- define "seatkeeper.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "seatkeeper.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "seatkeeper.selector" . }}
{{- end }}

{{- define "seatkeeper.selector" -}}
app.kubernetes.io/name: seatkeeper
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "seatkeeper.serviceAccount" -}}
{{ if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "seatkeeper.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "seatkeeper.policies" -}}
{{ .Values.policies.existingConfigMap | default (printf "%s-policies" (include "seatkeeper.name" .)) }}
{{- end }}

{{/* One process of Seatkeeper: a dict of root, command, resources and served (whether it serves health). */}}
{{- define "seatkeeper.pod" -}}
serviceAccountName: {{ include "seatkeeper.serviceAccount" .root }}
automountServiceAccountToken: false  # nothing here speaks to Kubernetes; workload identities bring tokens of their own
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: seatkeeper
    image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: {{ .command | toJson }}
    env:
      - name: SEATKEEPER_DATABASE_URL
        valueFrom: {secretKeyRef: {name: {{ .root.Values.database.existingSecret }}, key: url}}
      - name: SEATKEEPER_REDIS_URL
        valueFrom: {secretKeyRef: {name: {{ .root.Values.redis.existingSecret }}, key: url}}
      {{- with .root.Values.smtp.existingSecret }}
      - name: SEATKEEPER_SMTP_URL
        valueFrom: {secretKeyRef: {name: {{ . }}, key: url}}
      {{- end }}
    {{- with .root.Values.secrets.environmentSecret }}
    envFrom:
      - secretRef: {name: {{ . }}}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    {{- if .served }}
    ports:
      - {name: http, containerPort: 8480}
    livenessProbe:
      httpGet: {path: /healthz, port: http}
      periodSeconds: 20
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: /readyz, port: http}
      periodSeconds: 10
      timeoutSeconds: 5  # it asks the database
    {{- end }}
    {{- with .resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      - {name: policies, mountPath: /etc/seatkeeper/policies.d, readOnly: true}
      {{- if .root.Values.secrets.existingSecret }}
      - {name: secrets, mountPath: /run/secrets, readOnly: true}
      {{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  - name: policies
    {{- with .root.Values.policies.volume }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    configMap: {name: {{ include "seatkeeper.policies" .root }}}
    {{- end }}
  {{- with .root.Values.secrets.existingSecret }}
  - name: secrets
    secret: {secretName: {{ . }}, defaultMode: 0440}  # not for everybody: the program refuses such files
  {{- end }}
{{- if .served }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "seatkeeper.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ index .command 0 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
