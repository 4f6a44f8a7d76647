//! A status by the name that the table gives it, as a serde form.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::event::Status;

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
pub(in crate::skillify) fn serialize<S: Serializer>(status: &Status, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(status.as_str())
}

pub(in crate::skillify) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Status, D::Error> {
    let name = <&str>::deserialize(from)?;
    Status::parse(name).ok_or_else(|| D::Error::custom(format!("no such status: {name:?}")))
}
