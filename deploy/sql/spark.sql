-- The sessions table for Spark 4.1 and newer: observations merged into facts and facts named by their
-- session, as `skillspan sessions` does it. `duckdb.sql` does the same, step by step, for DuckDB.
--
--     CREATE OR REPLACE TEMPORARY VIEW sessions_table USING parquet
--         OPTIONS (path '/var/lib/skillspan/sessions/v1', recursiveFileLookup 'true');
--     DECLARE OR REPLACE VARIABLE default_workspace STRING DEFAULT 'default';
--     CREATE DATABASE IF NOT EXISTS skillspan;
--     USE skillspan;
--     SOURCE spark.sql;            -- or spark-sql -i setup.sql -f spark.sql
--     SELECT * FROM sessions ORDER BY started_at;
--
-- Each step looks at the one before from several sides, so the steps are tables of the current database:
-- read the file again to see newer rows, and drop the database when done, because what is erased from the
-- sessions table is not erased from there.
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

DROP TABLE IF EXISTS observations;
CREATE TABLE observations USING parquet AS
SELECT * EXCEPT (arrival) FROM (
    SELECT * EXCEPT (`timestamp`), least(`timestamp`, ingested_at + INTERVAL '1' HOUR) AS `timestamp`,
        row_number() OVER (PARTITION BY event_id ORDER BY ingested_at) AS arrival
    FROM sessions_table
) WHERE arrival = 1;

-- Sessions --------------------------------------------------------------------------------------

DROP TABLE IF EXISTS trace_sessions;
CREATE TABLE trace_sessions USING parquet AS
SELECT tenant, trace_id,
    count(DISTINCT session_id) FILTER (WHERE session_id <> '') AS sessions,
    min(session_id) FILTER (WHERE session_id <> '') AS session_id
FROM observations WHERE trace_id <> '' GROUP BY tenant, trace_id;

-- In a trace of several sessions: that of the nearest span, itself or above, that has one.
DROP TABLE IF EXISTS nearest_sessions;
CREATE TABLE nearest_sessions USING parquet AS
WITH RECURSIVE spans AS (
    SELECT o.tenant, o.trace_id, o.span_id, max(o.parent_span_id) AS parent,
        mode(o.session_id, true) FILTER (WHERE o.session_id <> '') AS session_id
    FROM observations o JOIN trace_sessions t ON t.tenant = o.tenant AND t.trace_id = o.trace_id
    WHERE o.span_id <> '' AND t.sessions > 1
    GROUP BY o.tenant, o.trace_id, o.span_id
), above (tenant, trace_id, span_id, next, session_id, seen) MAX RECURSION LEVEL 10000 AS (
    SELECT tenant, trace_id, span_id, parent, session_id, array(span_id) FROM spans
    UNION ALL
    SELECT a.tenant, a.trace_id, a.span_id, s.parent, s.session_id, array_append(a.seen, s.span_id)
    FROM above a JOIN spans s ON s.tenant = a.tenant AND s.trace_id = a.trace_id AND s.span_id = a.next
    WHERE a.session_id IS NULL AND NOT array_contains(a.seen, s.span_id)
)
SELECT tenant, trace_id, span_id, session_id FROM above WHERE session_id IS NOT NULL;

-- What each trace shows of a conversation, and which trace it may continue.
DROP TABLE IF EXISTS conversations;
CREATE TABLE conversations USING parquet AS
SELECT tenant, trace_id, max(service) AS service, min(`timestamp`) AS begins, max(`timestamp`) AS ends,
    collect_set(history_after) FILTER (WHERE kind = 'response') AS afters,
    collect_list(struct(`timestamp` AS moment, history_before AS before))
        FILTER (WHERE kind = 'prompt' AND history_before <> '') AS befores
FROM observations WHERE trace_id <> '' AND history_after <> '' GROUP BY tenant, trace_id;

DROP TABLE IF EXISTS links;
CREATE TABLE links USING parquet AS
WITH asks AS (
    SELECT c.tenant, c.service, c.trace_id, c.begins, c.afters, explode(c.befores) AS asked
    FROM conversations c JOIN trace_sessions t ON t.tenant = c.tenant AND t.trace_id = c.trace_id
    WHERE t.sessions = 0
), candidates AS (
    SELECT b.tenant, b.service, b.begins, b.trace_id, a.trace_id AS predecessor,
        row_number() OVER (PARTITION BY b.tenant, b.trace_id
            ORDER BY b.asked.moment, b.asked.before, a.ends DESC, a.trace_id DESC) AS choice
    FROM asks b JOIN conversations a ON a.tenant = b.tenant AND a.service = b.service
        AND a.trace_id <> b.trace_id AND array_contains(a.afters, b.asked.before)
        AND a.ends - INTERVAL '0.001' SECOND <= b.begins
    WHERE NOT array_contains(b.afters, b.asked.before)
), choosers AS (
    SELECT tenant, service, begins, trace_id, sort_array(collect_list(struct(choice, predecessor))) AS choices
    FROM candidates GROUP BY tenant, service, begins, trace_id
), chosen AS (
    -- In order of time, each takes the best that is left.
    SELECT tenant, explode(aggregate(
        sort_array(collect_list(struct(begins, trace_id, choices))),
        CAST(array() AS ARRAY<STRUCT<trace_id: STRING, predecessor: STRING>>),
        (taken, chooser) -> array_append(taken, struct(chooser.trace_id AS trace_id, get(filter(
            chooser.choices,
            x -> NOT exists(taken, y -> y.predecessor <=> x.predecessor)), 0).predecessor AS predecessor))
        )) AS link
    FROM choosers GROUP BY tenant, service
)
SELECT tenant, link.trace_id, link.predecessor FROM chosen WHERE link.predecessor IS NOT NULL;

DROP TABLE IF EXISTS continuations;
CREATE TABLE continuations USING parquet AS
WITH RECURSIVE chains (tenant, trace_id, first, seen) MAX RECURSION LEVEL 10000 AS (
    SELECT tenant, trace_id, predecessor, array(trace_id, predecessor) FROM links
    UNION ALL
    SELECT c.tenant, c.trace_id, l.predecessor, array_append(c.seen, l.predecessor)
    FROM chains c JOIN links l ON l.tenant = c.tenant AND l.trace_id = c.first
    WHERE NOT array_contains(c.seen, l.predecessor)
), ends AS (
    SELECT c.tenant, c.trace_id, c.first FROM chains c
    LEFT ANTI JOIN links l ON l.tenant = c.tenant AND l.trace_id = c.first
)
SELECT e.tenant, e.trace_id, coalesce(t.session_id, 'trace:' || e.first) AS session_id
FROM ends e JOIN trace_sessions t ON t.tenant = e.tenant AND t.trace_id = e.first WHERE t.sessions <= 1;

DROP TABLE IF EXISTS homes;
CREATE TABLE homes USING parquet AS
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
LEFT JOIN trace_sessions t ON t.tenant = o.tenant AND t.trace_id = o.trace_id
LEFT JOIN nearest_sessions n ON n.tenant = o.tenant AND n.trace_id = o.trace_id AND n.span_id = o.span_id
LEFT JOIN continuations c ON c.tenant = o.tenant AND c.trace_id = o.trace_id;

-- Facts -----------------------------------------------------------------------------------------

-- Words that are said again under one id, which stands behind the @ of their key, are replaced: they take
-- the key of the latest. A result of a span that made no call is an update of something that was no tool.
DROP TABLE IF EXISTS said;
CREATE TABLE said USING parquet AS
WITH housed AS (
    SELECT o.*, h.home, h.source FROM observations o JOIN homes h ON h.event_id = o.event_id
), upserts AS (
    SELECT event_id, tenant, home, trace_id, kind, rank, seq, `text`,
        regexp_extract(fact_key, '^(.*)@[^@]*$', 1) AS words, regexp_extract(fact_key, '@([^@]*)$', 1) AS id
    FROM housed WHERE trace_id <> '' AND kind IN ('prompt', 'response', 'error') AND contains(fact_key, '@')
), latest AS (
    SELECT tenant, home, trace_id, kind, id, max_by(words, struct(rank, seq, `text`, words)) AS words
    FROM upserts GROUP BY tenant, home, trace_id, kind, id
), renamed AS (
    SELECT u.event_id, l.words FROM upserts u JOIN latest l ON l.tenant = u.tenant AND l.home = u.home
        AND l.trace_id = u.trace_id AND l.kind = u.kind AND l.id = u.id
), called AS (
    SELECT DISTINCT tenant, home, trace_id, span_id, true AS is_called FROM housed WHERE kind = 'tool_call'
)
SELECT h.* EXCEPT (fact_key), coalesce(r.words, h.fact_key) AS fact_key
FROM housed h
LEFT JOIN renamed r ON r.event_id = h.event_id
LEFT JOIN called c ON c.tenant = h.tenant AND c.home = h.home AND c.trace_id = h.trace_id AND c.span_id = h.span_id
-- `ends@…` tells how a command ended that another call started: the reader gives it to that call.
WHERE NOT startswith(h.fact_key, 'ends@')
AND NOT (h.kind = 'tool_result' AND h.assistant = '' AND h.span_id <> '' AND h.fact_key = h.span_id
    AND c.is_called IS NULL);

-- The spans of tools: one call with its result, and no words.
DROP TABLE IF EXISTS tool_spans;
CREATE TABLE tool_spans USING parquet AS
SELECT tenant, home, trace_id, span_id, max(tool) AS tool, true AS is_tool,
    max(`timestamp`) FILTER (WHERE kind = 'tool_result' AND duration_us > 0) AS until,
    min(timestamp_micros(unix_micros(`timestamp`) - duration_us))
        FILTER (WHERE kind = 'tool_result' AND duration_us > 0) AS `from`
FROM said
WHERE assistant = '' AND trace_id <> '' AND span_id <> ''
GROUP BY tenant, home, trace_id, span_id
HAVING count(DISTINCT fact_key) FILTER (WHERE kind IN ('tool_call', 'tool_result') AND fact_key <> '') = 1
    AND bool_or(kind = 'tool_call') AND bool_or(kind = 'tool_result')
    AND NOT bool_or(kind IN ('prompt', 'response', 'error'));

-- The tool that each span is below.
DROP TABLE IF EXISTS tools_above;
CREATE TABLE tools_above USING parquet AS
WITH RECURSIVE parents AS (
    SELECT h.tenant, h.home, h.trace_id, h.span_id, max(h.parent_span_id) AS parent, bool_or(t.until IS NOT NULL) AS runs
    FROM said h LEFT JOIN tool_spans t
        ON t.tenant = h.tenant AND t.home = h.home AND t.trace_id = h.trace_id AND t.span_id = h.span_id
    WHERE h.assistant = '' AND h.trace_id <> '' AND h.parent_span_id <> ''
    GROUP BY h.tenant, h.home, h.trace_id, h.span_id
), above (tenant, home, trace_id, span_id, next, seen) MAX RECURSION LEVEL 10000 AS (
    SELECT tenant, home, trace_id, span_id, parent, array(span_id) FROM parents WHERE parent <> span_id
    UNION ALL
    SELECT a.tenant, a.home, a.trace_id, a.span_id, p.parent, array_append(a.seen, a.next)
    FROM above a JOIN parents p
        ON p.tenant = a.tenant AND p.home = a.home AND p.trace_id = a.trace_id AND p.span_id = a.next
    WHERE NOT p.runs AND NOT array_contains(a.seen, p.parent)
)
SELECT a.tenant, a.home, a.trace_id, a.span_id, t.span_id AS tool_span, t.tool AS tool_above
FROM above a JOIN tool_spans t
    ON t.tenant = a.tenant AND t.home = a.home AND t.trace_id = a.trace_id AND t.span_id = a.next
WHERE t.until IS NOT NULL;

DROP TABLE IF EXISTS with_agents;
CREATE TABLE with_agents USING parquet AS
WITH around AS (
    SELECT h.event_id,
        min(struct(unix_micros(t.until) - unix_micros(t.`from`) AS took, t.span_id AS span, t.tool AS tool)) AS nearest
    FROM said h JOIN tool_spans t ON t.tenant = h.tenant AND t.home = h.home AND t.trace_id = h.trace_id
    WHERE h.assistant = '' AND h.agent = '' AND h.kind = 'prompt' AND h.span_id <> t.span_id
        AND t.`from` < h.`timestamp` AND h.`timestamp` < t.until
    GROUP BY h.event_id
), found AS (
    SELECT h.*, coalesce(a.tool_span, r.nearest.span) AS below, coalesce(a.tool_above, r.nearest.tool) AS tool_above
    FROM said h
    LEFT JOIN tools_above a ON h.assistant = '' AND h.agent = ''
        AND a.tenant = h.tenant AND a.home = h.home AND a.trace_id = h.trace_id AND a.span_id = h.span_id
    LEFT JOIN around r ON r.event_id = h.event_id
)
SELECT * EXCEPT (below, tool_above, agent, fact_key),
    coalesce(tool_above, agent) AS agent,
    CASE WHEN below IS NOT NULL AND fact_key <> '' AND kind IN ('prompt', 'response', 'error')
        THEN below || '/' || fact_key ELSE fact_key END AS fact_key
FROM found;

DROP TABLE IF EXISTS with_words;
CREATE TABLE with_words USING parquet AS
WITH spoken AS (
    SELECT event_id, tenant, home, trace_id, kind, fact_key, `timestamp`,
        regexp_extract(fact_key, '^(.*)/[^/]*$', 1) AS speaker,
        CASE WHEN contains(fact_key, '#') THEN regexp_extract(fact_key, '^(.*)#[^#]*$', 1) END AS words
    FROM with_agents
    WHERE trace_id <> '' AND fact_key <> '' AND kind IN ('prompt', 'response')
), least_numbered AS (
    SELECT tenant, home, trace_id, kind, words, min(fact_key) AS numbered
    FROM spoken WHERE words IS NOT NULL GROUP BY tenant, home, trace_id, kind, words
), first_asked AS (
    SELECT tenant, home, trace_id, kind, speaker, min_by(fact_key, struct(`timestamp`, fact_key)) AS numbered
    FROM spoken WHERE words IS NOT NULL AND kind = 'prompt' GROUP BY tenant, home, trace_id, kind, speaker
), joined AS (
    SELECT s.event_id, coalesce(l.numbered, f.numbered) AS numbered
    FROM spoken s
    LEFT JOIN least_numbered l ON l.tenant = s.tenant AND l.home = s.home AND l.trace_id = s.trace_id
        AND l.kind = s.kind AND l.words = s.fact_key
    LEFT JOIN first_asked f ON f.tenant = s.tenant AND f.home = s.home AND f.trace_id = s.trace_id
        AND f.kind = s.kind AND f.speaker = s.speaker
    WHERE s.words IS NULL AND coalesce(l.numbered, f.numbered) IS NOT NULL
)
SELECT w.* EXCEPT (fact_key), coalesce(j.numbered, w.fact_key) AS fact_key
FROM with_agents w LEFT JOIN joined j ON j.event_id = w.event_id;

-- Calls of different turns that share an id. A call is made where a model answers with it, and where no
-- answer shows it, where a tool's span has it.
DROP TABLE IF EXISTS repeated_calls;
CREATE TABLE repeated_calls USING parquet AS
WITH turns AS (
    SELECT tenant, home, min(`timestamp`) AS begins FROM with_words WHERE kind = 'prompt' AND agent = ''
    GROUP BY tenant, home, fact_key, CASE WHEN fact_key = '' THEN event_id ELSE '' END
), of_calls AS (
    SELECT w.event_id, w.tenant, w.home, w.trace_id, w.kind, w.fact_key, w.rank, w.`timestamp`,
        max(coalesce(s.is_tool, false)) AS executed, count(t.begins) AS turn
    FROM with_words w
    LEFT JOIN tool_spans s ON s.tenant = w.tenant AND s.home = w.home AND s.trace_id = w.trace_id AND s.span_id = w.span_id
    LEFT JOIN turns t ON t.tenant = w.tenant AND t.home = w.home AND t.begins <= w.`timestamp`
    WHERE w.assistant = '' AND w.fact_key <> '' AND w.kind IN ('tool_call', 'tool_result', 'decision')
    GROUP BY w.event_id, w.tenant, w.home, w.trace_id, w.kind, w.fact_key, w.rank, w.`timestamp`
), makers AS (
    SELECT *, max(NOT executed) OVER (PARTITION BY tenant, home, fact_key) AS is_answered
    FROM of_calls WHERE kind = 'tool_call' AND rank >= 2
), made AS (
    SELECT tenant, home, fact_key, turn, trace_id, min(`timestamp`) AS moment
    FROM makers WHERE NOT (executed AND is_answered) GROUP BY tenant, home, fact_key, turn, trace_id
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, home, fact_key ORDER BY turn, moment, trace_id) AS number,
        count(*) OVER (PARTITION BY tenant, home, fact_key) AS several
    FROM made
), placed AS (
    SELECT c.event_id, c.fact_key, coalesce(
        max(n.number) FILTER (WHERE n.turn = c.turn AND n.trace_id = c.trace_id),
        max(n.number) FILTER (WHERE n.turn <= c.turn), 1) AS number
    FROM of_calls c JOIN numbered n ON n.tenant = c.tenant AND n.home = c.home AND n.fact_key = c.fact_key
    WHERE n.several > 1
    GROUP BY c.event_id, c.fact_key
)
SELECT event_id, fact_key || '#' || number AS id FROM placed WHERE number > 1;

DROP TABLE IF EXISTS separated;
CREATE TABLE separated USING parquet AS
SELECT w.* EXCEPT (fact_key, tool_call_id), coalesce(r.id, w.fact_key) AS fact_key,
    coalesce(r.id, w.tool_call_id) AS tool_call_id
FROM with_words w LEFT JOIN repeated_calls r ON r.event_id = w.event_id;

-- Which call each span of a tool executes: of the same tool with the same input, of the same tool,
-- with the same input, each in order of time.
DROP TABLE IF EXISTS calls;
CREATE TABLE calls USING parquet AS
WITH inputs AS (
    SELECT *, coalesce(to_json(try_parse_json(input)), '"' || input) AS rendered FROM separated
    WHERE assistant = '' AND trace_id <> '' AND kind = 'tool_call' AND fact_key <> ''
), sides AS (
    SELECT i.tenant, i.home, i.trace_id, i.fact_key AS key, coalesce(t.is_tool, false) AS executed,
        min(struct(i.`timestamp`, i.seq)) AS moment, max(i.tool) AS tool,
        max_by(rendered, struct(startswith(rendered, '{'), rendered)) AS input
    FROM inputs i LEFT JOIN tool_spans t
        ON t.tenant = i.tenant AND t.home = i.home AND t.trace_id = i.trace_id AND t.span_id = i.span_id
    GROUP BY i.tenant, i.home, i.trace_id, i.fact_key, coalesce(t.is_tool, false)
)
SELECT * EXCEPT (both) FROM (
    SELECT *, count(*) OVER (PARTITION BY tenant, home, trace_id, key) AS both FROM sides
) WHERE both = 1;

DROP TABLE IF EXISTS call_ids;
CREATE TABLE call_ids USING parquet AS
WITH one AS (
    SELECT *, row_number() OVER (PARTITION BY tenant, home, trace_id, executed, tool, input ORDER BY moment, key) AS place FROM calls
), first AS (
    SELECT a.tenant, a.home, a.trace_id, a.key AS span_key, b.key AS id FROM one a
    JOIN one b ON b.tenant = a.tenant AND b.home = a.home AND b.trace_id = a.trace_id
        AND b.tool = a.tool AND b.input = a.input AND b.place = a.place
    WHERE a.executed AND NOT b.executed
), two AS (
    SELECT c.*, row_number() OVER (PARTITION BY tenant, home, trace_id, executed, tool ORDER BY moment, key) AS place FROM calls c
    LEFT ANTI JOIN first f ON f.tenant = c.tenant AND f.home = c.home AND f.trace_id = c.trace_id AND c.key IN (f.span_key, f.id)
), second AS (
    SELECT a.tenant, a.home, a.trace_id, a.key AS span_key, b.key AS id FROM two a
    JOIN two b ON b.tenant = a.tenant AND b.home = a.home AND b.trace_id = a.trace_id
        AND b.tool = a.tool AND b.place = a.place
    WHERE a.executed AND NOT b.executed
), three AS (
    SELECT t.* EXCEPT (place), row_number() OVER (PARTITION BY tenant, home, trace_id, executed, input ORDER BY moment, key) AS place FROM two t
    LEFT ANTI JOIN second f ON f.tenant = t.tenant AND f.home = t.home AND f.trace_id = t.trace_id AND t.key IN (f.span_key, f.id)
), third AS (
    SELECT a.tenant, a.home, a.trace_id, a.key AS span_key, b.key AS id FROM three a
    JOIN three b ON b.tenant = a.tenant AND b.home = a.home AND b.trace_id = a.trace_id
        AND b.input = a.input AND b.place = a.place
    WHERE a.executed AND NOT b.executed
)
SELECT * FROM first UNION ALL SELECT * FROM second UNION ALL SELECT * FROM third;

DROP TABLE IF EXISTS reconciled;
CREATE TABLE reconciled USING parquet AS
SELECT s.* EXCEPT (fact_key, tool_call_id), coalesce(c.id, s.fact_key) AS fact_key,
    coalesce(c.id, s.tool_call_id) AS tool_call_id
FROM separated s
LEFT JOIN call_ids c ON s.assistant = '' AND s.kind IN ('tool_call', 'tool_result')
    AND c.tenant = s.tenant AND c.home = s.home AND c.trace_id = s.trace_id AND c.span_key = s.fact_key;

-- The value that wins: of those that are not empty the highest rank, the latest seq, the longest, the
-- greatest.
DROP TABLE IF EXISTS facts;
CREATE TABLE facts USING parquet AS
WITH contents AS (
    SELECT *, CASE kind WHEN 'tool_call' THEN input WHEN 'tool_result' THEN output ELSE `text` END AS content
    FROM reconciled
)
SELECT min(event_id) AS event_id, sort_array(collect_list(event_id)) AS event_ids, tenant, home AS session_id,
    min(source) AS source, kind, max(rank) AS rank,
    -- Each text column by the same rule.
    coalesce(max_by(turn_id, struct(rank, seq, octet_length(turn_id), turn_id)) FILTER (WHERE turn_id <> ''), '') AS turn_id,
    coalesce(max_by(workspace, struct(rank, seq, octet_length(workspace), workspace)) FILTER (WHERE workspace <> ''), '') AS workspace,
    coalesce(max_by(project, struct(rank, seq, octet_length(project), project)) FILTER (WHERE project <> ''), '') AS project,
    coalesce(max_by(cwd, struct(rank, seq, octet_length(cwd), cwd)) FILTER (WHERE cwd <> ''), '') AS cwd,
    coalesce(max_by(user_id, struct(rank, seq, octet_length(user_id), user_id)) FILTER (WHERE user_id <> ''), '') AS user_id,
    coalesce(max_by(service, struct(rank, seq, octet_length(service), service)) FILTER (WHERE service <> ''), '') AS service,
    coalesce(max_by(assistant, struct(rank, seq, octet_length(assistant), assistant)) FILTER (WHERE assistant <> ''), '') AS assistant,
    coalesce(max_by(assistant_version, struct(rank, seq, octet_length(assistant_version), assistant_version)) FILTER (WHERE assistant_version <> ''), '') AS assistant_version,
    coalesce(max_by(agent, struct(rank, seq, octet_length(agent), agent)) FILTER (WHERE agent <> ''), '') AS agent,
    coalesce(max_by(model, struct(rank, seq, octet_length(model), model)) FILTER (WHERE model <> ''), '') AS model,
    coalesce(max_by(tool, struct(rank, seq, octet_length(tool), tool)) FILTER (WHERE tool <> ''), '') AS tool,
    coalesce(max_by(tool_call_id, struct(rank, seq, octet_length(tool_call_id), tool_call_id)) FILTER (WHERE tool_call_id <> ''), '') AS tool_call_id,
    coalesce(max_by(`text`, struct(rank, seq, octet_length(`text`), `text`)) FILTER (WHERE `text` <> ''), '') AS `text`,
    coalesce(max_by(input, struct(rank, seq, octet_length(input), input)) FILTER (WHERE input <> ''), '') AS input,
    coalesce(max_by(output, struct(rank, seq, octet_length(output), output)) FILTER (WHERE output <> ''), '') AS output,
    coalesce(max_by(decision, struct(rank, seq, octet_length(decision), decision)) FILTER (WHERE decision <> ''), '') AS decision,
    coalesce(max_by(decision_source, struct(rank, seq, octet_length(decision_source), decision_source)) FILTER (WHERE decision_source <> ''), '') AS decision_source,
    coalesce(max_by(skill, struct(rank, seq, octet_length(skill), skill)) FILTER (WHERE skill <> ''), '') AS skill,
    coalesce(max_by(dialect, struct(rank, seq, octet_length(dialect), dialect)) FILTER (WHERE dialect <> ''), '') AS dialect,
    coalesce(max_by(attributes, struct(rank, seq, octet_length(attributes), attributes)) FILTER (WHERE attributes <> ''), '') AS attributes,
    min(`timestamp`) AS `timestamp`, max(`timestamp`) AS last_observed_at, max(seq) AS seq,
    min(ingested_at) AS ingested_at, max(duration_us) AS duration_us,
    coalesce(max_by(status, struct(rank, CASE status WHEN 'error' THEN 2 ELSE 1 END)) FILTER (WHERE status <> ''), '') AS status,
    max_by(score, struct(rank, seq, score)) FILTER (WHERE score IS NOT NULL) AS score,
    max(input_tokens) AS input_tokens, max(output_tokens) AS output_tokens,
    max_by(trace_id, struct(rank, seq, trace_id, span_id)) FILTER (WHERE trace_id <> '' OR span_id <> '') AS trace_id,
    max_by(span_id, struct(rank, seq, trace_id, span_id)) FILTER (WHERE trace_id <> '' OR span_id <> '') AS span_id,
    coalesce(max_by(truncated, struct(rank, seq, octet_length(content), content, truncated)) FILTER (WHERE content <> ''),
        bool_or(truncated)) AS truncated
FROM contents
-- Without a key, an observation is a fact of its own.
GROUP BY tenant, home, kind, fact_key, CASE WHEN fact_key = '' THEN event_id ELSE '' END;

-- Of a column, the value that most observations name, then the lexically first.
DROP TABLE IF EXISTS sessions;
CREATE TABLE sessions USING parquet AS
WITH named AS (
    SELECT tenant, home AS id, min(source) AS source,
        min(`timestamp`) AS started_at, max(`timestamp`) AS last_event_at, max(ingested_at) AS last_ingested_at,
        coalesce(mode(workspace, true) FILTER (WHERE workspace <> ''), default_workspace) AS workspace,
        coalesce(mode(project, true) FILTER (WHERE project <> ''), '') AS project,
        coalesce(mode(user_id, true) FILTER (WHERE user_id <> ''), '') AS user_id,
        coalesce(mode(assistant, true) FILTER (WHERE assistant <> ''),
            mode(service, true) FILTER (WHERE service <> ''), '') AS assistant,
        bool_or(kind = 'session_end') AS ended
    FROM reconciled GROUP BY tenant, home
), counted AS (
    SELECT tenant, session_id AS id, map_from_entries(collect_list(struct(kind, number))) AS events
    FROM (SELECT tenant, session_id, kind, count(*) AS number FROM facts GROUP BY tenant, session_id, kind)
    GROUP BY tenant, session_id
)
SELECT n.*, c.events FROM named n JOIN counted c ON c.tenant = n.tenant AND c.id = n.id;
