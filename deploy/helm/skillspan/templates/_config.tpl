{{/* The configuration of a pod; .Values.config is merged over it. */}}
{{- define "skillspan.config" -}}
{{- $own := dict
  "extensions" (dict
    "health" (dict "endpoint" (printf "0.0.0.0:%v" (index .Values.ports "health").containerPort))
    "sessions_table" (dict "path" "/var/lib/skillspan/sessions"))
  "receivers" (dict "otlp" (dict
    "insecure" true
    "protocols" (dict
      "grpc" (dict "endpoint" (printf "0.0.0.0:%v" (index .Values.ports "otlp").containerPort))
      "http" (dict "endpoint" (printf "0.0.0.0:%v" (index .Values.ports "otlp-http").containerPort)))))
  "exporters" (dict "filesystem" (dict "path" "/var/lib/skillspan/skills"))
  "service" (dict
    "journal" (dict "path" "/var/lib/skillspan/journal")
    "telemetry" (dict "logs" (dict "level" "info" "format" "json"))) }}
{{- mergeOverwrite $own (deepCopy .Values.config) | toYaml }}
{{- end }}
