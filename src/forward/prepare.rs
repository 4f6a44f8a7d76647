//! Prepares a body for forwarding: removes records that opted out, and credentials.

use bytes::Bytes;
use serde_json::Value;

use super::numbers::Numbers;
use super::plain::Plain;
use super::protobuf::names_capture;
use super::unreadable::Unreadable;
use super::{Body, Cleaner, Form, json, langfuse, protobuf};
use crate::event::Signal;

/// What is forwarded of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// `None`: nothing is left of it.
    pub body: Option<Body>,
    /// Records that are left out because they cannot be read.
    pub left_out: u64,
}

/// Takes out what says that it is not to be stored, and what `cleaner` finds. Where there is neither, the body
/// is the one that came in.
///
/// # Errors
/// If it is not of this form to its end.
pub fn prepare(signal: Signal, body: &Body, cleaner: Option<&Cleaner>) -> Result<Prepared, Unreadable> {
    match body.form {
        Form::Protobuf => prepare_protobuf(signal, body, cleaner),
        Form::Json => prepare_json(signal, body, cleaner),
        Form::Ingestion | Form::Scores => prepare_langfuse(body, cleaner),
    }
}

fn prepare_protobuf(signal: Signal, body: &Body, cleaner: Option<&Cleaner>) -> Result<Prepared, Unreadable> {
    let mut now = body.clone();
    if names_capture(&now.bytes) {
        let mut keep = |placed: &protobuf::Placed<'_>| !protobuf::is_opted_out(signal, placed);
        now = with(now.clone(), protobuf::retain(&now.bytes, &mut keep)?);
    }
    let mut left_out = 0;
    if let Some(cleaner) = cleaner {
        now = with(now.clone(), protobuf::clean(signal, &now.bytes, cleaner, &mut left_out)?);
    }
    let is_any_left = !now.bytes.is_empty();
    Ok(Prepared { body: is_any_left.then_some(now), left_out })
}

fn with(body: Body, changed: Option<Vec<u8>>) -> Body {
    match changed {
        None => body,
        Some(bytes) => Body { bytes: bytes.into(), ..body },
    }
}

fn prepare_json(signal: Signal, body: &Body, cleaner: Option<&Cleaner>) -> Result<Prepared, Unreadable> {
    let (mut request, numbers) = parse(&body.bytes)?;
    let (is_shorter, is_any_left) =
        json::retain(signal, &mut request, &mut |placed: &json::Placed<'_>| !placed.is_opted_out());
    if !is_any_left {
        return Ok(Prepared { body: None, left_out: 0 });
    }
    let is_clean = !cleaner.is_some_and(|cleaner| json::clean(cleaner, &mut request));
    let body = if is_shorter || !is_clean { written(body.form, &request, &numbers)? } else { body.clone() };
    Ok(Prepared { body: Some(body), left_out: 0 })
}

fn prepare_langfuse(body: &Body, cleaner: Option<&Cleaner>) -> Result<Prepared, Unreadable> {
    let (mut request, numbers) = parse(&body.bytes)?;
    let (is_shorter, is_any_left) = langfuse::retain_wanted(body.form, &mut request);
    if !is_any_left {
        return Ok(Prepared { body: None, left_out: 0 });
    }
    let is_clean = !cleaner.is_some_and(|cleaner| langfuse::clean(cleaner, body.form, &mut request));
    let body = if is_shorter || !is_clean { written(body.form, &request, &numbers)? } else { body.clone() };
    Ok(Prepared { body: Some(body), left_out: 0 })
}

fn parse(bytes: &[u8]) -> Result<(Value, Numbers), Unreadable> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let (text, numbers) = Numbers::of(&text);
    serde_json::from_str(&text).map(|Plain(value)| (value, numbers)).map_err(|_| Unreadable)
}

fn written(form: Form, request: &Value, numbers: &Numbers) -> Result<Body, Unreadable> {
    let bytes = serde_json::to_vec(request).map_err(|_| Unreadable)?;
    Ok(Body { form, bytes: numbers.restored(bytes).into() })
}

/// Whether a record, shown as a request of its own, is to be kept. The second argument tells whether a text of
/// it, or of its resource, is one of some names.
pub type Keep<'k> = dyn FnMut(Body, &dyn Fn(&[&str]) -> bool) -> bool + 'k;

/// A body without the records that are not to be kept; `None` if none is left.
///
/// # Errors
/// If it is not of this form to its end.
pub fn retain(signal: Signal, body: &Body, keep: &mut Keep<'_>) -> Result<Option<Body>, Unreadable> {
    match body.form {
        Form::Protobuf => {
            let changed = protobuf::retain(&body.bytes, &mut |placed| {
                let alone = Body { form: Form::Protobuf, bytes: placed.alone().into() };
                keep(alone, &|names| protobuf::says(signal, placed, names))
            })?;
            Ok(Some(with(body.clone(), changed)).filter(|body| !body.bytes.is_empty()))
        }
        Form::Json => {
            let (mut request, numbers) = parse(&body.bytes)?;
            let (changed, is_any_left) = json::retain(signal, &mut request, &mut |placed| {
                let bytes = numbers.restored(serde_json::to_vec(&placed.alone(signal)).unwrap_or_default());
                keep(Body { form: Form::Json, bytes: Bytes::from(bytes) }, &|names| placed.says(names))
            });
            left(body, (&request, &numbers), changed, is_any_left)
        }
        form @ (Form::Ingestion | Form::Scores) => {
            let (mut request, numbers) = parse(&body.bytes)?;
            let (changed, is_any_left) = langfuse::retain(form, &mut request, &mut |placed| {
                let bytes = numbers.restored(serde_json::to_vec(&placed.alone()).unwrap_or_default());
                keep(Body { form, bytes: Bytes::from(bytes) }, &|names| placed.says(names))
            });
            left(body, (&request, &numbers), changed, is_any_left)
        }
    }
}

fn left(
    body: &Body,
    (request, numbers): (&Value, &Numbers),
    changed: bool,
    is_any_left: bool,
) -> Result<Option<Body>, Unreadable> {
    match (changed, is_any_left) {
        (_, false) => Ok(None),
        (true, true) => written(body.form, request, numbers).map(Some),
        (false, true) => Ok(Some(body.clone())),
    }
}
