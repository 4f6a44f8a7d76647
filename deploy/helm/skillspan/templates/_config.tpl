{{/* The configuration of a collector's pod; .Values.config is merged over it. With a worker it has
     the sessions pipeline alone. */}}
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
  "service" (dict
    "journal" (dict "path" "/var/lib/skillspan/journal")
    "telemetry" (dict "logs" (dict "level" "info" "format" "json"))) }}
{{- if .Values.worker.enabled }}
{{- $sessions := dict
  "receivers" (list "otlp" "langfuse" "hooks")
  "processors" (list "redact" "workspace" "limits")
  "exporters" (list "parquet") }}
{{- $_ := set $own.service "pipelines" (dict "sessions" $sessions) }}
{{- else }}
{{- $_ := set $own "exporters" (dict "filesystem" (dict "path" "/var/lib/skillspan/skills")) }}
{{- end }}
{{- mergeOverwrite $own (deepCopy .Values.config) | toYaml }}
{{- end }}

{{/* The worker's: the collectors' table, and a skills pipeline alone; .Values.worker.config is merged
     over it. */}}
{{- define "skillspan.workerConfig" -}}
{{- $collector := include "skillspan.config" . | fromYaml }}
{{- $git := .Values.worker.git }}
{{- $own := dict
  "extensions" (dict
    "health" (dict "endpoint" (printf "0.0.0.0:%v" (index .Values.ports "health").containerPort))
    "sessions_table" $collector.extensions.sessions_table)
  "service" (dict "telemetry" (dict "logs" (dict "level" "info" "format" "json"))) }}
{{- /* Which workspace sessions without one belong to. */}}
{{- with dig "processors" "workspace" dict $collector }}
{{- $_ := set $own "processors" (dict "workspace" .) }}
{{- end }}
{{- if $git.remote }}
{{- $exporter := dict "remote" $git.remote "branch" $git.branch "mode" $git.mode }}
{{- if $git.existingSecret }}
{{- if hasPrefix "https://" $git.remote }}
{{- $_ := set $exporter "auth" (dict "token" "${file:/run/secrets/git/token}") }}
{{- else }}
{{- $_ := set $exporter "auth" (dict
  "key_file" "/run/secrets/git/ssh-privatekey"
  "known_hosts_file" "/run/secrets/git/known_hosts") }}
{{- end }}
{{- end }}
{{- $_ := set $own "exporters" (dict "git" $exporter) }}
{{- $skills := dict "receivers" (list "skillify") "exporters" (list "git") }}
{{- $_ := set $own.service "pipelines" (dict "skills" $skills) }}
{{- end }}
{{- if ne .Values.worker.coordination "file" }}
{{- $_ := set $own "connectors" (dict "skillify" (dict "coordination" .Values.worker.coordination)) }}
{{- end }}
{{- mergeOverwrite $own (deepCopy .Values.worker.config) | toYaml }}
{{- end }}

{{/* How the workers agree on who mines what, as their configuration has it in the end. */}}
{{- define "skillspan.coordination" -}}
{{- $config := include "skillspan.workerConfig" . | fromYaml }}
{{- dig "connectors" "skillify" "coordination" "file" $config }}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "skillspan.check" -}}
{{- $config := include "skillspan.config" . | fromYaml }}
{{- $table := $config.extensions.sessions_table.path }}
{{- $isBucket := regexMatch "^(s3|gs|az)://." $table }}
{{- $pipelines := dig "service" "pipelines" dict .Values.config }}
{{- if and .Values.worker.enabled (not $isBucket) }}
{{- fail (printf "worker.enabled needs a table that every pod reaches: set config.extensions.sessions_table.path to s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; it is %s, which only one pod has" $table) }}
{{- end }}
{{- $most := int (include "skillspan.mostReplicas" .) }}
{{- $key := ternary "autoscaling.maxReplicas" "replicaCount" .Values.autoscaling.enabled }}
{{- if and (gt $most 1) (not $isBucket) }}
{{- fail (printf "%s %d needs a table that every pod reaches: set config.extensions.sessions_table.path to s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; it is %s, which only one pod has" $key $most $table) }}
{{- end }}
{{- if and (gt $most 1) (not .Values.worker.enabled) (not $pipelines) }}
{{- fail "with several replicas each would mine and publish: set worker.enabled, or config.service.pipelines without a skills pipeline" }}
{{- end }}
{{- if .Values.worker.enabled }}
{{- if .Values.config.connectors }}
{{- fail "with worker.enabled the collectors do not mine: move config.connectors to worker.config.connectors" }}
{{- end }}
{{- range $name, $_ := $pipelines }}
{{- if regexMatch "^skills(/|$)" $name }}
{{- fail (printf "with worker.enabled the collectors do not mine: move config.service.pipelines.%s to worker.config.service.pipelines" $name) }}
{{- end }}
{{- end }}
{{- if not (or .Values.worker.git.remote .Values.worker.config.exporters) }}
{{- fail "worker.enabled needs a place for the skills: set worker.git.remote, or exporters and service.pipelines in worker.config" }}
{{- end }}
{{- $workers := int (include "skillspan.mostWorkers" .) }}
{{- $workersKey := ternary "autoscaling.maxReplicas" "replicas" .Values.worker.autoscaling.enabled }}
{{- if and (gt $workers 1) (eq (include "skillspan.coordination" .) "file") }}
{{- fail (printf "worker.%s %d needs workers that share out their work: set worker.coordination to store or kubernetes" $workersKey $workers) }}
{{- end }}
{{- include "skillspan.checkAutoscaling" (dict "values" .Values.worker.autoscaling "of" "worker.autoscaling" "target" .Values.worker.autoscaling.targetDueWorkspaces "targetKey" "targetDueWorkspaces") }}
{{- end }}
{{- include "skillspan.checkAutoscaling" (dict "values" .Values.autoscaling "of" "autoscaling" "target" .Values.autoscaling.targetLagSeconds "targetKey" "targetLagSeconds") }}
{{- $least := int (ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled) }}
{{- $leastKey := ternary "autoscaling.minReplicas" "replicaCount" .Values.autoscaling.enabled }}
{{- if and .Values.drain.enabled (lt (int .Values.drain.ordinal) $least) }}
{{- fail (printf "drain.ordinal %d is a replica that runs (%s %d) and empties its journal itself; drain is for one that is gone" (int .Values.drain.ordinal) $leastKey $least) }}
{{- end }}
{{- if and .Values.loadTest.enabled .Values.config.extensions .Values.config.extensions.auth (not .Values.loadTest.existingSecret) }}
{{- fail "loadTest.enabled with extensions.auth needs a token: set loadTest.existingSecret" }}
{{- end }}
{{- end }}

{{/* Of a dict of `values`, `of` (their name), `target` and `targetKey` (what it scales by beside CPU). */}}
{{- define "skillspan.checkAutoscaling" -}}
{{- if .values.enabled }}
{{- if gt (int .values.minReplicas) (int .values.maxReplicas) }}
{{- fail (printf "%s.minReplicas %d is more than maxReplicas %d" .of (int .values.minReplicas) (int .values.maxReplicas)) }}
{{- end }}
{{- if not (or .target .values.targetCPUUtilizationPercentage) }}
{{- fail (printf "%s.enabled scales by nothing: set %s.%s or %s.targetCPUUtilizationPercentage" .of .of .targetKey .of) }}
{{- end }}
{{- end }}
{{- end }}
