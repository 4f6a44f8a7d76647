//! Events as `proto/skillspan/v1/session.proto`, the payload of a journal record.

use prost::Message;

use super::{Attributes, Decision, EventBatch, Kind, Owner, SessionEvent, Status, Timestamp, Withdrawal};

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
    batch.events.into_iter().for_each(|event| encode_event(event, &mut bytes));
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
pub fn encode_event(event: SessionEvent, batch: &mut Vec<u8>) {
    append(generated::EventBatch { events: vec![to_wire(event)], ..Default::default() }, batch);
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
        status: match event.status {
            Status::Unknown => generated::Status::Unspecified,
            Status::Ok => generated::Status::Ok,
            Status::Error => generated::Status::Error,
        }
        .into(),
        decision: match event.decision {
            Decision::None => generated::Decision::Unspecified,
            Decision::Accept => generated::Decision::Accept,
            Decision::Reject => generated::Decision::Reject,
        }
        .into(),
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

fn from_wire(event: generated::SessionEvent) -> Result<SessionEvent, DecodeError> {
    let unknown =
        |field, number| DecodeError::UnknownNumber { event_id: event.event_id.clone(), field, number };
    let kind = kind_from_wire(event.kind).ok_or_else(|| unknown("kind", event.kind))?;
    let status = match event.status() {
        generated::Status::Unspecified if event.status != 0 => return Err(unknown("status", event.status)),
        generated::Status::Unspecified => Status::Unknown,
        generated::Status::Ok => Status::Ok,
        generated::Status::Error => Status::Error,
    };
    let decision = match event.decision() {
        generated::Decision::Unspecified if event.decision != 0 => {
            return Err(unknown("decision", event.decision));
        }
        generated::Decision::Unspecified => Decision::None,
        generated::Decision::Accept => Decision::Accept,
        generated::Decision::Reject => Decision::Reject,
    };
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

/// Attributes as the one JSON object that the journal and the table hold; `""` if there are none.
pub(crate) fn attributes_to_json(attributes: &Attributes) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    // A map from strings to JSON values has no value that serde_json could refuse.
    serde_json::to_string(attributes).unwrap_or_default()
}

/// Reads what [`attributes_to_json`] wrote.
pub(crate) fn attributes_from_json(text: &str) -> Result<Attributes, serde_json::Error> {
    if text.is_empty() { Ok(Attributes::new()) } else { serde_json::from_str(text) }
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

fn kind_from_wire(number: i32) -> Option<Kind> {
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
    fn a_kind_of_a_later_version_is_an_error_that_names_it() {
        let wire = generated::EventBatch {
            events: vec![generated::SessionEvent { event_id: "e1".into(), kind: 99, ..Default::default() }],
            ..Default::default()
        };
        let error = decode_batch(&wire.encode_to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "event e1 has kind 99, which this version does not know");
    }
}
