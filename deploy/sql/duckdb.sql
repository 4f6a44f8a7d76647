-- The sessions table for DuckDB: observations merged into facts and facts named by their session, as
-- `skillspan sessions` does it.
--
--     SET VARIABLE sessions_table = '/var/lib/skillspan/sessions';
--     SET VARIABLE default_workspace = 'default';
--     .read duckdb.sql
--     SELECT * FROM sessions ORDER BY started_at;
--
-- Each step looks at the one before from several sides, so the steps are temporary tables: read the
-- file again to see newer rows.
--
-- | table | holds |
-- |---|---|
-- | observations | every row once, its time clipped to an hour after its arrival |
-- | homes | the session of every observation, and how it was found |
-- | said | observations without what a later one of the same id replaces |
-- | reconciled | observations with the keys and agents that only several of them together show |
-- | facts | one row a fact |
-- | sessions | one row a session |
--
-- What only the reader puts together (aliases, endings, sub-agents by their conversations, costs) is listed in
-- docs/reference/table.md. Two more things are simpler here: `attributes` are those of the observation
-- that knows best, not merged key by key; and a call that an assistant's hook states without its id stays
-- apart from the same call on a span.

CREATE OR REPLACE TEMP TABLE observations AS
SELECT * EXCLUDE (arrival) FROM (
    SELECT * REPLACE (least("timestamp", ingested_at + INTERVAL 1 HOUR) AS "timestamp"),
        row_number() OVER (PARTITION BY event_id ORDER BY ingested_at) AS arrival
    FROM read_parquet(getvariable('sessions_table') || '/v1/**/*.parquet', hive_partitioning = false)
) WHERE arrival = 1;

-- Sessions --------------------------------------------------------------------------------------

CREATE OR REPLACE TEMP TABLE trace_sessions AS
SELECT tenant, trace_id,
    count(DISTINCT session_id) FILTER (session_id <> '') AS sessions,
    min(session_id) FILTER (session_id <> '') AS session_id
FROM observations WHERE trace_id <> '' GROUP BY ALL;

-- In a trace of several sessions: that of the nearest span, itself or above, that has one.
CREATE OR REPLACE TEMP TABLE nearest_sessions AS
WITH RECURSIVE spans AS (
    SELECT tenant, trace_id, span_id, max(parent_span_id) AS parent,
        mode(session_id ORDER BY session_id) FILTER (session_id <> '') AS session_id
    FROM observations SEMI JOIN trace_sessions t USING (tenant, trace_id)
    WHERE span_id <> '' AND EXISTS (
        FROM trace_sessions t WHERE t.tenant = observations.tenant AND t.trace_id = observations.trace_id AND t.sessions > 1)
    GROUP BY ALL
), above AS (
    SELECT tenant, trace_id, span_id, parent AS next, session_id, [span_id] AS seen FROM spans
    UNION ALL
    SELECT a.tenant, a.trace_id, a.span_id, s.parent, s.session_id, list_append(a.seen, s.span_id)
    FROM above a JOIN spans s ON (s.tenant, s.trace_id, s.span_id) = (a.tenant, a.trace_id, a.next)
    WHERE a.session_id IS NULL AND NOT list_contains(a.seen, s.span_id)
)
SELECT tenant, trace_id, span_id, session_id FROM above WHERE session_id IS NOT NULL;

-- What each trace shows of a conversation, and which trace it may continue.
CREATE OR REPLACE TEMP TABLE conversations AS
SELECT tenant, trace_id, max(service) AS service, min("timestamp") AS begins, max("timestamp") AS ends,
    coalesce(list(DISTINCT history_after) FILTER (kind = 'response'), []) AS afters,
    coalesce(list({moment: "timestamp", before: history_before} ORDER BY "timestamp", history_before)
        FILTER (kind = 'prompt' AND history_before <> ''), []) AS befores
FROM observations WHERE trace_id <> '' AND history_after <> '' GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE continuations AS
WITH RECURSIVE candidates AS (
    SELECT b.tenant, b.trace_id, b.begins, a.trace_id AS predecessor,
        row_number() OVER (PARTITION BY b.tenant, b.trace_id ORDER BY asked.moment, asked.before, a.ends DESC, a.trace_id DESC) AS choice
    FROM conversations b, unnest(b.befores) AS _(asked), conversations a
    WHERE (SELECT sessions FROM trace_sessions t WHERE (t.tenant, t.trace_id) = (b.tenant, b.trace_id)) = 0
        AND NOT list_contains(b.afters, asked.before) AND list_contains(a.afters, asked.before)
        AND a.tenant = b.tenant AND a.service = b.service AND a.trace_id <> b.trace_id
        AND a.ends - INTERVAL 1 MILLISECOND <= b.begins
), numbered AS (
    SELECT tenant, trace_id, list({predecessor: predecessor, choice: choice} ORDER BY choice) AS choices,
        row_number() OVER (ORDER BY tenant, begins, trace_id) AS number
    FROM candidates GROUP BY tenant, trace_id, begins
), chosen AS (
    -- In order of time, each takes the best that is left.
    SELECT 0::BIGINT AS number, NULL::VARCHAR AS tenant, NULL::VARCHAR AS trace_id, NULL::VARCHAR AS predecessor,
        []::VARCHAR[] AS taken
    UNION ALL
    SELECT number, tenant, trace_id, predecessor,
        CASE WHEN predecessor IS NULL THEN taken ELSE list_append(taken, tenant || ' ' || predecessor) END
    FROM (
        SELECT n.number, n.tenant, n.trace_id, c.taken,
            list_extract(list_filter(n.choices, lambda x: NOT list_contains(c.taken, n.tenant || ' ' || x.predecessor)), 1).predecessor AS predecessor
        FROM chosen c JOIN numbered n ON n.number = c.number + 1
    )
), links AS (
    SELECT tenant, trace_id, predecessor FROM chosen WHERE predecessor IS NOT NULL
), chains AS (
    SELECT tenant, trace_id, predecessor AS first, [trace_id, predecessor] AS seen FROM links
    UNION ALL
    SELECT c.tenant, c.trace_id, l.predecessor, list_append(c.seen, l.predecessor)
    FROM chains c JOIN links l ON (l.tenant, l.trace_id) = (c.tenant, c.first)
    WHERE NOT list_contains(c.seen, l.predecessor)
), ends AS (
    SELECT tenant, trace_id, first FROM chains c
    WHERE NOT EXISTS (FROM links l WHERE (l.tenant, l.trace_id) = (c.tenant, c.first))
)
SELECT e.tenant, e.trace_id, coalesce(t.session_id, 'trace:' || e.first) AS session_id
FROM ends e JOIN trace_sessions t ON (t.tenant, t.trace_id) = (e.tenant, e.first) WHERE t.sessions <= 1;

CREATE OR REPLACE TEMP TABLE homes AS
SELECT o.event_id,
    CASE
        WHEN o.session_id <> '' THEN o.session_id
        WHEN o.trace_id = '' THEN 'event:' || o.event_id
        WHEN t.sessions = 1 THEN t.session_id
        WHEN n.session_id IS NOT NULL THEN n.session_id
        WHEN c.session_id IS NOT NULL THEN c.session_id
        ELSE 'trace:' || o.trace_id
    END AS home,
    CASE
        WHEN o.session_id <> '' OR t.sessions = 1 OR n.session_id IS NOT NULL THEN 'attribute'
        WHEN o.trace_id = '' THEN 'none'
        WHEN c.session_id IS NOT NULL THEN 'history'
        ELSE 'trace'
    END AS source
FROM observations o
LEFT JOIN trace_sessions t USING (tenant, trace_id)
LEFT JOIN nearest_sessions n USING (tenant, trace_id, span_id)
LEFT JOIN continuations c USING (tenant, trace_id);

-- Facts -----------------------------------------------------------------------------------------

-- Words that are said again under one id, which stands behind the @ of their key, are replaced: they take
-- the key of the latest. A result of a span that made no call is an update of something that was no tool.
CREATE OR REPLACE TEMP TABLE said AS
WITH upserts AS (
    SELECT o.event_id, tenant, home, trace_id, kind, rank, seq, "text",
        regexp_extract(fact_key, '^(.*)@[^@]*$', 1) AS words, regexp_extract(fact_key, '@([^@]*)$', 1) AS id
    FROM observations o JOIN homes USING (event_id)
    WHERE trace_id <> '' AND kind IN ('prompt', 'response', 'error') AND contains(fact_key, '@')
), latest AS (
    SELECT tenant, home, trace_id, kind, id, arg_max(words, (rank, seq, "text", words)) AS words
    FROM upserts GROUP BY ALL
), renamed AS (
    SELECT u.event_id, l.words FROM upserts u JOIN latest l USING (tenant, home, trace_id, kind, id)
), calls AS (
    SELECT DISTINCT tenant, home, trace_id, span_id FROM observations JOIN homes USING (event_id)
    WHERE kind = 'tool_call'
)
SELECT o.* REPLACE (coalesce(r.words, o.fact_key) AS fact_key)
FROM observations o JOIN homes h USING (event_id) LEFT JOIN renamed r USING (event_id)
-- `ends@…` tells how a command ended that another call started: the reader gives it to that call.
WHERE NOT starts_with(o.fact_key, 'ends@')
AND NOT (o.kind = 'tool_result' AND o.assistant = '' AND o.span_id <> '' AND o.fact_key = o.span_id
    AND NOT EXISTS (FROM calls c WHERE (c.tenant, c.home, c.trace_id, c.span_id) = (o.tenant, h.home, o.trace_id, o.span_id)));

-- The spans of tools: one call with its result, and no words.
CREATE OR REPLACE TEMP TABLE tool_spans AS
SELECT tenant, home, trace_id, span_id, max(tool) AS tool,
    max("timestamp") FILTER (kind = 'tool_result' AND duration_us > 0) AS until,
    min("timestamp" - to_microseconds(duration_us)) FILTER (kind = 'tool_result' AND duration_us > 0) AS "from"
FROM said JOIN homes USING (event_id)
WHERE assistant = '' AND trace_id <> '' AND span_id <> ''
GROUP BY ALL
HAVING count(DISTINCT fact_key) FILTER (kind IN ('tool_call', 'tool_result') AND fact_key <> '') = 1
    AND bool_or(kind = 'tool_call') AND bool_or(kind = 'tool_result')
    AND NOT bool_or(kind IN ('prompt', 'response', 'error'));

-- The tool that each span is below.
CREATE OR REPLACE TEMP TABLE tools_above AS
WITH RECURSIVE parents AS (
    SELECT tenant, home, trace_id, span_id, max(parent_span_id) AS parent
    FROM said JOIN homes USING (event_id)
    WHERE assistant = '' AND trace_id <> '' AND parent_span_id <> '' GROUP BY ALL
), above AS (
    SELECT tenant, home, trace_id, span_id, parent AS next, [span_id] AS seen FROM parents WHERE parent <> span_id
    UNION ALL
    SELECT a.tenant, a.home, a.trace_id, a.span_id, p.parent, list_append(a.seen, a.next)
    FROM above a JOIN parents p ON (p.tenant, p.home, p.trace_id, p.span_id) = (a.tenant, a.home, a.trace_id, a.next)
    WHERE NOT list_contains(a.seen, p.parent) AND NOT EXISTS (
        FROM tool_spans t WHERE (t.tenant, t.home, t.trace_id, t.span_id) = (a.tenant, a.home, a.trace_id, a.next) AND t.until IS NOT NULL)
)
SELECT a.tenant, a.home, a.trace_id, a.span_id, t.span_id AS tool_span, t.tool AS tool_above
FROM above a JOIN tool_spans t ON (t.tenant, t.home, t.trace_id, t.span_id) = (a.tenant, a.home, a.trace_id, a.next)
WHERE t.until IS NOT NULL;

CREATE OR REPLACE TEMP TABLE with_agents AS
WITH housed AS (
    SELECT o.*, home, source FROM said o JOIN homes USING (event_id)
), around AS (
    SELECT h.event_id, min({took: t.until - t."from", span: t.span_id, tool: t.tool}) AS nearest
    FROM housed h JOIN tool_spans t USING (tenant, home, trace_id)
    WHERE h.assistant = '' AND h.agent = '' AND h.kind = 'prompt' AND h.span_id <> t.span_id
        AND t."from" < h."timestamp" AND h."timestamp" < t.until
    GROUP BY ALL
), found AS (
    SELECT h.*, coalesce(a.tool_span, r.nearest.span) AS below, coalesce(a.tool_above, r.nearest.tool) AS tool_above
    FROM housed h
    LEFT JOIN tools_above a ON h.assistant = '' AND h.agent = ''
        AND (a.tenant, a.home, a.trace_id, a.span_id) = (h.tenant, h.home, h.trace_id, h.span_id)
    LEFT JOIN around r ON r.event_id = h.event_id
)
SELECT * EXCLUDE (below, tool_above) REPLACE (
    coalesce(tool_above, agent) AS agent,
    CASE WHEN below IS NOT NULL AND fact_key <> '' AND kind IN ('prompt', 'response', 'error')
        THEN below || '/' || fact_key ELSE fact_key END AS fact_key)
FROM found;

CREATE OR REPLACE TEMP TABLE words AS
WITH spoken AS (
    SELECT event_id, tenant, home, trace_id, kind, fact_key, "timestamp",
        regexp_extract(fact_key, '^(.*)/[^/]*$', 1) AS speaker,
        CASE WHEN contains(fact_key, '#') THEN regexp_extract(fact_key, '^(.*)#[^#]*$', 1) END AS words
    FROM with_agents
    WHERE trace_id <> '' AND fact_key <> '' AND kind IN ('prompt', 'response')
), least AS (
    SELECT tenant, home, trace_id, kind, words, min(fact_key) AS numbered FROM spoken WHERE words IS NOT NULL GROUP BY ALL
), first AS (
    SELECT tenant, home, trace_id, kind, speaker, min({moment: "timestamp", key: fact_key}).key AS numbered
    FROM spoken WHERE words IS NOT NULL AND kind = 'prompt' GROUP BY ALL
)
SELECT s.event_id, coalesce(l.numbered, f.numbered) AS numbered
FROM spoken s
LEFT JOIN least l ON (l.tenant, l.home, l.trace_id, l.kind, l.words) = (s.tenant, s.home, s.trace_id, s.kind, s.fact_key)
LEFT JOIN first f ON (f.tenant, f.home, f.trace_id, f.kind, f.speaker) = (s.tenant, s.home, s.trace_id, s.kind, s.speaker)
WHERE s.words IS NULL AND coalesce(l.numbered, f.numbered) IS NOT NULL;

CREATE OR REPLACE TEMP TABLE with_words AS
SELECT w.* REPLACE (coalesce(s.numbered, w.fact_key) AS fact_key)
FROM with_agents w LEFT JOIN words s ON s.event_id = w.event_id;

-- Calls of different turns that share an id. A call is made where a model answers with it, and where no
-- answer shows it, where a tool's span has it.
CREATE OR REPLACE TEMP TABLE repeated_calls AS
WITH turns AS (
    SELECT tenant, home, min("timestamp") AS begins FROM with_words WHERE kind = 'prompt' AND agent = ''
    GROUP BY tenant, home, fact_key, CASE WHEN fact_key = '' THEN event_id ELSE '' END
), of_calls AS (
    SELECT w.event_id, w.tenant, w.home, w.trace_id, w.kind, w.fact_key, w.rank, w."timestamp",
        bool_or(s.span_id IS NOT NULL) AS executed, count(t.begins) AS turn
    FROM with_words w
    LEFT JOIN tool_spans s ON (s.tenant, s.home, s.trace_id, s.span_id) = (w.tenant, w.home, w.trace_id, w.span_id)
    LEFT JOIN turns t ON t.tenant = w.tenant AND t.home = w.home AND t.begins <= w."timestamp"
    WHERE w.assistant = '' AND w.fact_key <> '' AND w.kind IN ('tool_call', 'tool_result', 'decision')
    GROUP BY ALL
), makers AS (
    SELECT *, bool_or(NOT executed) OVER (PARTITION BY tenant, home, fact_key) AS is_answered
    FROM of_calls WHERE kind = 'tool_call' AND rank >= 2
), made AS (
    SELECT tenant, home, fact_key, turn, trace_id, min("timestamp") AS moment
    FROM makers WHERE NOT (executed AND is_answered) GROUP BY ALL
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, home, fact_key ORDER BY turn, moment, trace_id) AS number,
        count(*) OVER (PARTITION BY tenant, home, fact_key) AS several
    FROM made
), placed AS (
    SELECT c.event_id, c.fact_key, coalesce(
        max(n.number) FILTER (n.turn = c.turn AND n.trace_id = c.trace_id),
        max(n.number) FILTER (n.turn <= c.turn), 1) AS number
    FROM of_calls c JOIN numbered n ON (n.tenant, n.home, n.fact_key) = (c.tenant, c.home, c.fact_key)
    WHERE n.several > 1
    GROUP BY ALL
)
SELECT event_id, fact_key || '#' || number AS id FROM placed WHERE number > 1;

CREATE OR REPLACE TEMP TABLE separated AS
SELECT w.* REPLACE (coalesce(r.id, w.fact_key) AS fact_key, coalesce(r.id, w.tool_call_id) AS tool_call_id)
FROM with_words w LEFT JOIN repeated_calls r ON r.event_id = w.event_id;

-- Which call each span of a tool executes: of the same tool with the same input, of the same tool,
-- with the same input; each in order of time.
CREATE OR REPLACE TEMP TABLE calls AS
WITH sides AS (
    SELECT tenant, home, trace_id, fact_key AS key, t.span_id IS NOT NULL AS executed,
        min({moment: "timestamp", seq: seq}) AS moment, max(w.tool) AS tool,
        arg_max(CASE WHEN json_valid(input) THEN json(input)::VARCHAR ELSE to_json(input)::VARCHAR END,
            (CASE WHEN json_valid(input) THEN json_type(input) = 'OBJECT' ELSE false END, input)) AS input
    FROM separated w LEFT JOIN tool_spans t USING (tenant, home, trace_id, span_id)
    WHERE w.assistant = '' AND trace_id <> '' AND w.kind = 'tool_call' AND fact_key <> ''
    GROUP BY ALL
)
SELECT * FROM sides s WHERE NOT EXISTS (
    FROM sides o WHERE (o.tenant, o.home, o.trace_id, o.key) = (s.tenant, s.home, s.trace_id, s.key) AND o.executed <> s.executed);

CREATE OR REPLACE TEMP TABLE call_ids AS
WITH one AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, home, trace_id, executed, tool, input ORDER BY moment, key) AS place FROM calls
), first AS (
    SELECT a.tenant, a.home, a.trace_id, a.key AS span_key, b.key AS id FROM one a
    JOIN one b USING (tenant, home, trace_id, tool, input, place) WHERE a.executed AND NOT b.executed
), two AS (
    SELECT c.*, row_number() OVER (PARTITION BY tenant, home, trace_id, executed, tool ORDER BY moment, key) AS place FROM calls c
    WHERE NOT EXISTS (FROM first f WHERE (f.tenant, f.home, f.trace_id) = (c.tenant, c.home, c.trace_id) AND c.key IN (f.span_key, f.id))
), second AS (
    SELECT a.tenant, a.home, a.trace_id, a.key AS span_key, b.key AS id FROM two a
    JOIN two b USING (tenant, home, trace_id, tool, place) WHERE a.executed AND NOT b.executed
), three AS (
    SELECT t.* EXCLUDE (place), row_number() OVER (PARTITION BY tenant, home, trace_id, executed, input ORDER BY moment, key) AS place FROM two t
    WHERE NOT EXISTS (FROM second f WHERE (f.tenant, f.home, f.trace_id) = (t.tenant, t.home, t.trace_id) AND t.key IN (f.span_key, f.id))
), third AS (
    SELECT a.tenant, a.home, a.trace_id, a.key AS span_key, b.key AS id FROM three a
    JOIN three b USING (tenant, home, trace_id, input, place) WHERE a.executed AND NOT b.executed
)
FROM first UNION ALL FROM second UNION ALL FROM third;

CREATE OR REPLACE TEMP TABLE reconciled AS
SELECT w.* REPLACE (coalesce(c.id, w.fact_key) AS fact_key, coalesce(c.id, w.tool_call_id) AS tool_call_id)
FROM separated w
LEFT JOIN call_ids c ON w.assistant = '' AND w.kind IN ('tool_call', 'tool_result')
    AND (c.tenant, c.home, c.trace_id, c.span_key) = (w.tenant, w.home, w.trace_id, w.fact_key);

-- The value that wins: of those that are not empty the highest rank, the latest seq, the longest, the
-- greatest.
CREATE OR REPLACE MACRO best(value, rank, seq) AS
    coalesce(arg_max(value, (rank, seq, strlen(value), value)) FILTER (value <> ''), '');

CREATE OR REPLACE TEMP TABLE facts AS
WITH contents AS (
    SELECT *, CASE kind WHEN 'tool_call' THEN input WHEN 'tool_result' THEN output ELSE "text" END AS content
    FROM reconciled
)
SELECT min(event_id) AS event_id, list_sort(list(event_id)) AS event_ids, tenant, home AS session_id,
    min(source) AS source, kind, max(rank) AS rank, best(turn_id, rank, seq) AS turn_id,
    min("timestamp") AS "timestamp", max("timestamp") AS last_observed_at, max(seq) AS seq,
    min(ingested_at) AS ingested_at, max(duration_us) AS duration_us,
    best(workspace, rank, seq) AS workspace, best(project, rank, seq) AS project, best(cwd, rank, seq) AS cwd,
    best(user_id, rank, seq) AS user_id, best(service, rank, seq) AS service,
    best(assistant, rank, seq) AS assistant, best(assistant_version, rank, seq) AS assistant_version,
    best(agent, rank, seq) AS agent, best(model, rank, seq) AS model, best(tool, rank, seq) AS tool,
    best(tool_call_id, rank, seq) AS tool_call_id, best("text", rank, seq) AS "text",
    best(input, rank, seq) AS input, best(output, rank, seq) AS output,
    coalesce(arg_max(status, (rank, CASE status WHEN 'error' THEN 2 ELSE 1 END)) FILTER (status <> ''), '') AS status,
    best(decision, rank, seq) AS decision, best(decision_source, rank, seq) AS decision_source,
    arg_max(score, (rank, seq, score)) FILTER (score IS NOT NULL) AS score, best(skill, rank, seq) AS skill,
    max(input_tokens) AS input_tokens, max(output_tokens) AS output_tokens,
    arg_max(trace_id, (rank, seq, trace_id, span_id)) FILTER (trace_id <> '' OR span_id <> '') AS trace_id,
    arg_max(span_id, (rank, seq, trace_id, span_id)) FILTER (trace_id <> '' OR span_id <> '') AS span_id,
    best(dialect, rank, seq) AS dialect,
    coalesce(arg_max(truncated, (rank, seq, strlen(content), content, truncated)) FILTER (content <> ''), bool_or(truncated)) AS truncated,
    best(attributes, rank, seq) AS attributes
FROM contents
-- Without a key, an observation is a fact of its own.
GROUP BY tenant, home, kind, fact_key, CASE WHEN fact_key = '' THEN event_id ELSE '' END;

-- Of a column, the value that most observations name, then the lexically first.
CREATE OR REPLACE MACRO usual(value) AS mode(value ORDER BY value) FILTER (value <> '');

CREATE OR REPLACE TEMP TABLE sessions AS
WITH named AS (
    SELECT tenant, home AS id, min(source) AS source,
        min("timestamp") AS started_at, max("timestamp") AS last_event_at, max(ingested_at) AS last_ingested_at,
        coalesce(usual(workspace), getvariable('default_workspace'), 'default') AS workspace,
        coalesce(usual(project), '') AS project, coalesce(usual(user_id), '') AS user_id,
        coalesce(usual(assistant), usual(service), '') AS assistant,
        bool_or(kind = 'session_end') AS ended
    FROM reconciled GROUP BY tenant, home
), counted AS (
    SELECT tenant, session_id AS id, histogram(kind) AS events FROM facts GROUP BY ALL
)
FROM named JOIN counted USING (tenant, id);
