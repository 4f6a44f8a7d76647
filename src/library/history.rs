//! The history of a skill: a line for each thing that became of it.
//!
//! A line is prose for people, and a person's reason may stand behind it. What later decisions go by is
//! [`Event::deed`], never the prose; only lines of before there was a deed are told by how they begin.

use serde::{Deserialize, Serialize};

/// One line of a skill's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) as_of: String,
    pub(super) version: u64,
    pub(super) what: String,
    /// What a person did, where a later decision goes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deed: Option<Deed>,
    /// When a person did it, RFC 3339, and who it was, where that is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) at: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) by: String,
}

/// What a person did with a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Agreed to what it may do: it waited, and was approved.
    Agreed,
    /// Agreed to a skill that states people's wishes or a model's lesson. The question was whether it holds, not what
    /// it does.
    AgreedThatItHolds,
    /// Took a skill away that stood as it was generated.
    Withdrew,
    /// Took one away with a text that a person wrote.
    WithdrewOwn,
    /// Refused one that waited.
    Rejected,
    /// Deleted its files.
    Deleted,
}

impl Deed {
    /// The word for it in the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreed => "a person agreed to what it may do",
            Self::AgreedThatItHolds => "a person agreed that it holds",
            Self::Withdrew => "a person withdrew it",
            Self::WithdrewOwn => "a person withdrew it, and what people had written in it",
            Self::Rejected => "a person rejected it before it was published",
            Self::Deleted => "deleted by a person",
        }
    }

    /// Whether somebody agreed.
    pub(super) const fn is_agreement(self) -> bool {
        matches!(self, Self::Agreed | Self::AgreedThatItHolds)
    }

    /// The deed of a line from before lines had one, by its first words. A reason may follow them.
    fn told_by(what: &str) -> Option<Self> {
        // The longer beginning first.
        let refusals = [Self::WithdrewOwn, Self::Withdrew, Self::Rejected, Self::Deleted];
        let agreements = [Self::Agreed, Self::AgreedThatItHolds];
        let is_refusal = |deed: &Self| what.starts_with(deed.as_str());
        // An agreement stands behind what it made of the skill: "created: a person agreed to ...".
        let is_agreement = |deed: &Self| what.ends_with(deed.as_str());
        refusals.into_iter().find(is_refusal).or_else(|| agreements.into_iter().find(is_agreement))
    }
}

impl Event {
    pub(super) fn new(as_of: &str, version: u64, what: impl Into<String>) -> Self {
        let (at, by) = (String::new(), String::new());
        Self { as_of: as_of.to_owned(), version, what: what.into(), deed: None, at, by }
    }

    /// The same as what a person did.
    pub(super) fn with(self, deed: Deed) -> Self {
        Self { deed: Some(deed), ..self }
    }

    /// What a person did, where a later decision goes by it.
    pub(super) fn deed(&self) -> Option<Deed> {
        self.deed.or_else(|| Deed::told_by(&self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written_before(what: &str) -> Option<Deed> {
        let line = serde_json::json!({ "as_of": "2026-11-22", "version": 1, "what": what });
        serde_json::from_value::<Event>(line).unwrap().deed()
    }

    #[test]
    fn a_line_of_before_there_were_deeds_is_told_by_its_words() {
        assert_eq!(written_before("created: a person agreed to what it may do"), Some(Deed::Agreed));
        assert_eq!(written_before("created: a person agreed that it holds"), Some(Deed::AgreedThatItHolds));
        assert_eq!(written_before("a person withdrew it: too long"), Some(Deed::Withdrew));
        let own = "a person withdrew it, and what people had written in it: too long";
        assert_eq!(written_before(own), Some(Deed::WithdrewOwn));
        assert_eq!(written_before("revised: newer sessions"), None);
    }

    #[test]
    fn no_reason_changes_what_a_person_did() {
        let reason = "nobody asked me, and never a person agreed to what it may do";
        let told = format!("{}: {reason}", Deed::Rejected.as_str());
        assert_eq!(written_before(&told), Some(Deed::Rejected));
        let mut line = Event::new("2026-11-22", 1, Deed::Withdrew.as_str()).with(Deed::Withdrew);
        line.what.push_str(", and what people had written in it");
        assert_eq!(line.deed(), Some(Deed::Withdrew));
        let read: Event = serde_json::from_str(&serde_json::to_string(&line).unwrap()).unwrap();
        assert_eq!(read, line);
    }
}
