//! Events as `proto/skillspan/v1/session.proto`, the payload of a journal record.

use prost::Message;

use super::attributes::attributes_from_json;
use super::row::{AsRow, Row};
use super::{Decision, EventBatch, Kind, Owner, SessionEvent, Status, Timestamp, Withdrawal, fields};

/// The number of the events in a batch.
const EVENTS: u32 = 4;

/// What `proto/` becomes; `tests/cli/schema.rs` makes it, and holds it to that.
#[expect(unreachable_pub, reason = "generated")]
mod generated {
    include!("generated.rs");
}

/// The bytes are not an [`EventBatch`].
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not protobuf, or not of this message.
    #[error("not an event batch: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// An enumeration holds a number that this version does not know.
    #[error("event {event_id} has {field} {number}, which this version does not know")]
    UnknownNumber {
        /// The event.
        event_id: String,
        /// The field.
        field: &'static str,
        /// What stands in it.
        number: i32,
    },
    /// `attributes` is not a JSON object.
    #[error("event {event_id}: attributes are not a JSON object: {source}")]
    Attributes {
        /// The event.
        event_id: String,
        /// What is wrong with them.
        source: serde_json::Error,
    },
}

/// Encodes a batch for the journal.
pub fn encode_batch(batch: EventBatch) -> Vec<u8> {
    let mut bytes = encode_batch_head(&batch.owner, batch.ingested_at);
    batch.events.iter().for_each(|event| encode_event(event, &mut bytes));
    batch.withdrawals.into_iter().for_each(|withdrawal| encode_withdrawal(withdrawal, &mut bytes));
    bytes
}

/// A batch of nothing yet. What [`encode_event`] and [`encode_withdrawal`] append to it is what it
/// holds: protobuf messages that follow each other are one message.
pub fn encode_batch_head(owner: &Owner, ingested_at: Timestamp) -> Vec<u8> {
    let head = generated::EventBatch {
        owner_tenant: owner.tenant.clone(),
        owner_workspace: owner.workspace.clone(),
        ingested_at_us: ingested_at.as_micros(),
        ..Default::default()
    };
    head.encode_to_vec()
}

/// Appends an event to an encoded batch.
pub fn encode_event(event: &SessionEvent, batch: &mut Vec<u8>) {
    fields::message(EVENTS, batch, |batch| encode_row(&event.as_row(), batch));
}

/// An event as it stands in a batch, alone.
pub(super) fn encode_alone(event: &SessionEvent) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_row(&event.as_row(), &mut bytes);
    bytes
}

/// The fields of an event in the order of their numbers, as every encoder of protobuf writes them.
fn encode_row(row: &Row<'_>, to: &mut Vec<u8>) {
    fields::text(1, row.event_id, to);
    fields::text(2, row.fact_key, to);
    fields::sint64(3, row.rank, to);
    fields::text(4, row.session_id, to);
    fields::text(5, row.turn_id, to);
    fields::sint64(6, row.seq, to);
    fields::int64(7, i32::from(kind_to_wire(row.kind)).into(), to);
    fields::int64(8, row.timestamp.as_micros(), to);
    fields::int64(9, row.ingested_at.as_micros(), to);
    fields::int64(10, row.duration_us, to);
    fields::text(11, row.tenant, to);
    fields::text(12, row.workspace, to);
    fields::text(13, row.project, to);
    fields::text(14, row.cwd, to);
    fields::text(15, row.user_id, to);
    fields::text(16, row.service, to);
    fields::text(17, row.assistant, to);
    fields::text(18, row.assistant_version, to);
    fields::text(19, row.agent, to);
    fields::text(20, row.model, to);
    fields::text(21, row.tool, to);
    fields::text(22, row.tool_call_id, to);
    fields::text(23, row.text, to);
    fields::text(24, row.input, to);
    fields::text(25, row.output, to);
    fields::int64(26, i32::from(status_to_wire(row.status)).into(), to);
    fields::int64(27, i32::from(decision_to_wire(row.decision)).into(), to);
    fields::text(28, row.decision_source, to);
    if let Some(score) = row.score {
        fields::double(29, score, to);
    }
    fields::text(30, row.skill, to);
    fields::int64(31, row.input_tokens, to);
    fields::int64(32, row.output_tokens, to);
    fields::text(33, row.trace_id, to);
    fields::text(34, row.span_id, to);
    fields::text(35, row.parent_span_id, to);
    fields::text(36, row.history_before, to);
    fields::text(37, row.history_after, to);
    fields::text(38, row.dialect, to);
    fields::int64(39, row.truncated.into(), to);
    fields::text(40, &row.attributes.json(), to);
}

/// Appends a withdrawal to an encoded batch.
pub fn encode_withdrawal(withdrawal: Withdrawal, batch: &mut Vec<u8>) {
    let Withdrawal { session_id, trace_id } = withdrawal;
    let withdrawals = vec![generated::Withdrawal { session_id, trace_id }];
    append(generated::EventBatch { withdrawals, ..Default::default() }, batch);
}

fn append(more: generated::EventBatch, batch: &mut Vec<u8>) {
    // A vector always has room.
    let _ = more.encode(batch);
}

/// Decodes what [`encode_batch`] wrote, with this version or an older one.
pub fn decode_batch(bytes: &[u8]) -> Result<EventBatch, DecodeError> {
    let batch = generated::EventBatch::decode(bytes)?;
    Ok(EventBatch {
        owner: Owner { tenant: batch.owner_tenant, workspace: batch.owner_workspace },
        ingested_at: Timestamp::from_micros(batch.ingested_at_us),
        events: batch.events.into_iter().map(from_wire).collect::<Result<_, _>>()?,
        withdrawals: batch
            .withdrawals
            .into_iter()
            .map(|generated::Withdrawal { session_id, trace_id }| Withdrawal { session_id, trace_id })
            .collect(),
    })
}

fn from_wire(event: generated::SessionEvent) -> Result<SessionEvent, DecodeError> {
    let unknown =
        |field, number| DecodeError::UnknownNumber { event_id: event.event_id.clone(), field, number };
    let kind = kind_from_wire(event.kind).ok_or_else(|| unknown("kind", event.kind))?;
    let status = status_from_wire(event.status).ok_or_else(|| unknown("status", event.status))?;
    let decision = decision_from_wire(event.decision).ok_or_else(|| unknown("decision", event.decision))?;
    let attributes = attributes_from_json(&event.attributes)
        .map_err(|source| DecodeError::Attributes { event_id: event.event_id.clone(), source })?;
    Ok(SessionEvent {
        event_id: event.event_id,
        fact_key: event.fact_key,
        rank: event.rank,
        session_id: event.session_id,
        turn_id: event.turn_id,
        seq: event.seq,
        kind,
        timestamp: Timestamp::from_micros(event.timestamp_us),
        ingested_at: Timestamp::from_micros(event.ingested_at_us),
        duration_us: event.duration_us,
        tenant: event.tenant,
        workspace: event.workspace,
        is_confined: false,
        project: event.project,
        cwd: event.cwd,
        user_id: event.user_id,
        service: event.service,
        assistant: event.assistant,
        assistant_version: event.assistant_version,
        agent: event.agent,
        model: event.model,
        tool: event.tool,
        tool_call_id: event.tool_call_id,
        text: event.text,
        input: event.input,
        output: event.output,
        status,
        decision,
        decision_source: event.decision_source,
        score: event.score,
        skill: event.skill,
        input_tokens: event.input_tokens,
        output_tokens: event.output_tokens,
        trace_id: event.trace_id,
        span_id: event.span_id,
        parent_span_id: event.parent_span_id,
        history_before: event.history_before,
        history_after: event.history_after,
        dialect: event.dialect,
        truncated: event.truncated,
        attributes,
    })
}

fn status_to_wire(status: Status) -> generated::Status {
    match status {
        Status::Unknown => generated::Status::Unspecified,
        Status::Ok => generated::Status::Ok,
        Status::Error => generated::Status::Error,
    }
}

fn decision_to_wire(decision: Decision) -> generated::Decision {
    match decision {
        Decision::None => generated::Decision::Unspecified,
        Decision::Accept => generated::Decision::Accept,
        Decision::Reject => generated::Decision::Reject,
    }
}

fn kind_to_wire(kind: Kind) -> generated::Kind {
    match kind {
        Kind::SessionStart => generated::Kind::SessionStart,
        Kind::SessionEnd => generated::Kind::SessionEnd,
        Kind::Prompt => generated::Kind::Prompt,
        Kind::ToolCall => generated::Kind::ToolCall,
        Kind::ToolResult => generated::Kind::ToolResult,
        Kind::Decision => generated::Kind::Decision,
        Kind::Response => generated::Kind::Response,
        Kind::Feedback => generated::Kind::Feedback,
        Kind::SkillUse => generated::Kind::SkillUse,
        Kind::Error => generated::Kind::Error,
    }
}

/// `None` for a number that this version does not know.
pub(super) fn status_from_wire(number: i32) -> Option<Status> {
    Some(match generated::Status::try_from(number).ok()? {
        generated::Status::Unspecified => Status::Unknown,
        generated::Status::Ok => Status::Ok,
        generated::Status::Error => Status::Error,
    })
}

/// `None` for a number that this version does not know.
pub(super) fn decision_from_wire(number: i32) -> Option<Decision> {
    Some(match generated::Decision::try_from(number).ok()? {
        generated::Decision::Unspecified => Decision::None,
        generated::Decision::Accept => Decision::Accept,
        generated::Decision::Reject => Decision::Reject,
    })
}

/// `None` for a number that this version does not know.
pub(super) fn kind_from_wire(number: i32) -> Option<Kind> {
    Some(match generated::Kind::try_from(number).ok()? {
        generated::Kind::Unspecified => return None,
        generated::Kind::SessionStart => Kind::SessionStart,
        generated::Kind::SessionEnd => Kind::SessionEnd,
        generated::Kind::Prompt => Kind::Prompt,
        generated::Kind::ToolCall => Kind::ToolCall,
        generated::Kind::ToolResult => Kind::ToolResult,
        generated::Kind::Decision => Kind::Decision,
        generated::Kind::Response => Kind::Response,
        generated::Kind::Feedback => Kind::Feedback,
        generated::Kind::SkillUse => Kind::SkillUse,
        generated::Kind::Error => Kind::Error,
    })
}

#[cfg(test)]
mod tests {
    use super::super::attributes::attributes_to_json;
    use super::*;

    #[test]
    fn every_field_survives() {
        for kind in Kind::ALL {
            let event = SessionEvent {
                event_id: "e".into(),
                kind,
                timestamp: Timestamp::from_micros(7),
                status: Status::Error,
                decision: Decision::Reject,
                score: Some(0.0),
                rank: -1,
                truncated: true,
                attributes: [("k".to_owned(), serde_json::json!({"a": [1, null]}))].into(),
                ..SessionEvent::default()
            };
            let batch = EventBatch {
                owner: Owner::default(),
                ingested_at: Timestamp::from_micros(9),
                events: vec![event, SessionEvent::default()],
                withdrawals: [Withdrawal { session_id: "s".into(), trace_id: String::new() }].into(),
            };
            assert_eq!(decode_batch(&encode_batch(batch.clone())).unwrap(), batch);
        }
    }

    #[test]
    fn an_event_is_encoded_as_every_encoder_does() {
        let full = SessionEvent {
            event_id: "e".into(),
            fact_key: "f".into(),
            rank: -1,
            session_id: "s".into(),
            turn_id: "t".into(),
            seq: i64::MAX,
            kind: Kind::Error,
            timestamp: Timestamp::from_micros(-7),
            ingested_at: Timestamp::from_micros(i64::MAX),
            duration_us: 300,
            text: "größe ".repeat(100),
            input: "{}".into(),
            output: "x".repeat(20_000),
            status: Status::Error,
            decision: Decision::Reject,
            score: Some(-0.0),
            input_tokens: 1,
            output_tokens: -1,
            truncated: true,
            history_after: "h".into(),
            attributes: [("k".to_owned(), serde_json::json!({"a": [1, null]}))].into(),
            ..texts()
        };
        for event in [SessionEvent::default(), SessionEvent { score: Some(0.0), ..texts() }, full] {
            let mut ours = vec![1, 2, 3];
            encode_event(&event, &mut ours);
            let theirs = generated::EventBatch { events: vec![to_wire(event)], ..Default::default() };
            assert_eq!(ours.get(3..).unwrap(), theirs.encode_to_vec());
        }
    }

    /// Every field that is a text and nothing else, each with another one.
    fn texts() -> SessionEvent {
        let of = |name: &str| name.to_owned();
        SessionEvent {
            tenant: of("tenant"),
            workspace: of("workspace"),
            project: of("project"),
            cwd: of("cwd"),
            user_id: of("user_id"),
            service: of("service"),
            assistant: of("assistant"),
            assistant_version: of("assistant_version"),
            agent: of("agent"),
            model: of("model"),
            tool: of("tool"),
            tool_call_id: of("tool_call_id"),
            decision_source: of("decision_source"),
            skill: of("skill"),
            trace_id: of("trace_id"),
            span_id: of("span_id"),
            parent_span_id: of("parent_span_id"),
            history_before: of("history_before"),
            dialect: of("dialect"),
            ..SessionEvent::default()
        }
    }

    fn to_wire(event: SessionEvent) -> generated::SessionEvent {
        generated::SessionEvent {
            event_id: event.event_id,
            fact_key: event.fact_key,
            rank: event.rank,
            session_id: event.session_id,
            turn_id: event.turn_id,
            seq: event.seq,
            kind: kind_to_wire(event.kind).into(),
            timestamp_us: event.timestamp.as_micros(),
            ingested_at_us: event.ingested_at.as_micros(),
            duration_us: event.duration_us,
            tenant: event.tenant,
            workspace: event.workspace,
            project: event.project,
            cwd: event.cwd,
            user_id: event.user_id,
            service: event.service,
            assistant: event.assistant,
            assistant_version: event.assistant_version,
            agent: event.agent,
            model: event.model,
            tool: event.tool,
            tool_call_id: event.tool_call_id,
            text: event.text,
            input: event.input,
            output: event.output,
            status: status_to_wire(event.status).into(),
            decision: decision_to_wire(event.decision).into(),
            decision_source: event.decision_source,
            score: event.score,
            skill: event.skill,
            input_tokens: event.input_tokens,
            output_tokens: event.output_tokens,
            trace_id: event.trace_id,
            span_id: event.span_id,
            parent_span_id: event.parent_span_id,
            history_before: event.history_before,
            history_after: event.history_after,
            dialect: event.dialect,
            truncated: event.truncated,
            attributes: attributes_to_json(&event.attributes),
        }
    }

    #[test]
    fn a_kind_of_a_later_version_is_an_error_that_names_it() {
        let wire = generated::EventBatch {
            events: vec![generated::SessionEvent { event_id: "e1".into(), kind: 99, ..Default::default() }],
            ..Default::default()
        };
        let error = decode_batch(&wire.encode_to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "event e1 has kind 99, which this version does not know");
    }
}
