{{/* gateway.yaml, with what the chart knows better. */}}
{{- define "pointsman.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $host := ternary "0.0.0.0" "127.0.0.1" (eq .Values.mode "deployment") -}}
{{- $_ := set $config "server" (merge (dict "host" $host) (default dict $config.server)) -}}
{{- $_ := set $config "store" (merge (dict "path" "/var/lib/pointsman/pointsman.db") (default dict $config.store)) -}}
{{- if $config.keys -}}
{{- $_ := set $config "keys" (merge $config.keys (dict "path" "/var/lib/pointsman/keys.db")) -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- $_ := set $config "redis" (merge (dict "url" "${REDIS_URL}") (default dict $config.redis)) -}}
{{- end -}}
{{- $files := list -}}
{{- range $name := keys .Values.policies | sortAlpha -}}
{{- $files = append $files (printf "%s.yaml" $name) -}}
{{- end -}}
{{- toYaml (set $config "policies" $files) -}}
{{- end -}}

{{- define "pointsman.port" -}}
{{- dig "server" "port" 8080 .Values.config | int -}}
{{- end -}}

{{- define "pointsman.drainSeconds" -}}
{{- dig "server" "drain_s" 30 .Values.config | float64 | ceil | int -}}
{{- end -}}

{{/* How long a pod may take to end; what is written has to be enough. */}}
{{- define "pointsman.graceSeconds" -}}
{{- $needed := add .Values.preStopSeconds (include "pointsman.drainSeconds" .) (ternary (int .Values.app.stopSeconds) 0 (eq .Values.mode "sidecar")) -}}
{{- $written := .Values.terminationGracePeriodSeconds -}}
{{- if kindIs "invalid" $written -}}
{{- add $needed 10 -}}
{{- else if le (int $written) (int $needed) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: preStopSeconds, config.server.drain_s and (sidecar) app.stopSeconds take %d; give more, or leave it out" (int $written) (int $needed)) -}}
{{- else -}}
{{- int $written -}}
{{- end -}}
{{- end -}}
