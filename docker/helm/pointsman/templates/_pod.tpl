{{/* A probe. The kubelet does not reach a loopback address; there the probe runs in the container. */}}
{{- define "pointsman.probe" -}}
{{- if eq .root.Values.mode "sidecar" -}}
exec:
  command:
    - /opt/pointsman/bin/python
    - -m
    - gateway.probe
    - http://127.0.0.1:{{ include "pointsman.port" .root }}{{ .path }}
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
{{- end }}
{{- end -}}

{{- define "pointsman.container" -}}
name: pointsman
image: {{ include "pointsman.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --config, /etc/pointsman/gateway.yaml]
{{- if eq .Values.mode "deployment" }}
ports:
  - name: http
    containerPort: {{ include "pointsman.port" . }}
    protocol: TCP
{{- end }}
envFrom:
  - secretRef:
      name: {{ .Values.secret.name }}
{{- with .Values.env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
startupProbe:
  {{- include "pointsman.probe" (dict "root" . "path" "/readyz") | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  {{- include "pointsman.probe" (dict "root" . "path" "/healthz") | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  {{- include "pointsman.probe" (dict "root" . "path" "/readyz") | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- if gt (int .Values.preStopSeconds) 0 }}
lifecycle:
  preStop:
    {{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}
    sleep:
      seconds: {{ int .Values.preStopSeconds }}
    {{- else }}
    exec:
      command: [/opt/pointsman/bin/python, -c, {{ printf "import time; time.sleep(%d)" (int .Values.preStopSeconds) | quote }}]
    {{- end }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
volumeMounts:
  - name: config
    mountPath: /etc/pointsman
    readOnly: true
  - name: data
    mountPath: /var/lib/pointsman
  - name: tmp
    mountPath: /tmp
  {{- with .Values.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The containers, in the three ways in which they can stand together. */}}
{{- define "pointsman.containers" -}}
{{- if eq .Values.mode "deployment" -}}
containers:
  - {{ include "pointsman.container" . | indent 4 | trim }}
{{- else if .Values.sidecar.native -}}
{{- if semverCompare "<1.29-0" .Capabilities.KubeVersion.Version -}}
{{- fail (printf "sidecar.native needs Kubernetes 1.29, and this is %s: set sidecar.native to false" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
initContainers:
  - restartPolicy: Always
    {{- include "pointsman.container" . | nindent 4 }}
containers:
  - {{ toYaml .Values.app.container | indent 4 | trim }}
{{- else -}}
containers:
  - {{ include "pointsman.container" . | indent 4 | trim }}
  - {{ toYaml .Values.app.container | indent 4 | trim }}
{{- end -}}
{{- end -}}
