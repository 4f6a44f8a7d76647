//! The columns that a mapping may fill, and which kinds of events have them.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::super::record::is_withheld;
use super::super::repository;
use crate::event::{Kind, SessionEvent, Timestamp};

/// A column of the sessions table, by its name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    SessionId,
    TurnId,
    UserId,
    Project,
    Cwd,
    Assistant,
    AssistantVersion,
    Agent,
    Model,
    FactKey,
    Timestamp,
    Tool,
    ToolCallId,
    Text,
    Input,
    Output,
    DecisionSource,
    Score,
    Skill,
    InputTokens,
    OutputTokens,
}

use Column::{
    Agent, Assistant, AssistantVersion, Cwd, DecisionSource, FactKey, Input, InputTokens, Model, Output,
    OutputTokens, Project, Score, SessionId, Skill, Text, Tool, ToolCallId, TurnId, UserId,
};

const NAMES: &[(Column, &str)] = &[
    (SessionId, "session_id"),
    (TurnId, "turn_id"),
    (UserId, "user_id"),
    (Project, "project"),
    (Cwd, "cwd"),
    (Assistant, "assistant"),
    (AssistantVersion, "assistant_version"),
    (Agent, "agent"),
    (Model, "model"),
    (FactKey, "fact_key"),
    (Column::Timestamp, "timestamp"),
    (Tool, "tool"),
    (ToolCallId, "tool_call_id"),
    (Text, "text"),
    (Input, "input"),
    (Output, "output"),
    (DecisionSource, "decision_source"),
    (Score, "score"),
    (Skill, "skill"),
    (InputTokens, "input_tokens"),
    (OutputTokens, "output_tokens"),
];

impl Column {
    pub(super) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(column, _)| *column)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// The names of all columns of which `is_wanted` says so, for messages.
    pub(super) fn names(is_wanted: impl Fn(Self) -> bool) -> String {
        let wanted = NAMES.iter().filter(|(column, _)| is_wanted(*column));
        wanted.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Whether events of every kind have it in common.
    pub(super) fn is_common(self) -> bool {
        self < FactKey
    }

    /// Whether an event of the kind has it.
    pub(super) fn belongs_to(self, kind: Kind) -> bool {
        let of_kind: &[Self] = match kind {
            Kind::Prompt | Kind::Error => &[Text],
            Kind::Response => &[Text, InputTokens, OutputTokens],
            Kind::ToolCall => &[Tool, ToolCallId, Input],
            Kind::ToolResult => &[Tool, ToolCallId, Output],
            Kind::Decision => &[Tool, ToolCallId, Input, DecisionSource],
            Kind::Feedback => &[Score, Text],
            Kind::SkillUse => &[Skill, ToolCallId],
            Kind::SessionStart | Kind::SessionEnd => &[],
        };
        self.is_common() || matches!(self, FactKey | Self::Timestamp) || of_kind.contains(&self)
    }

    /// The columns of which an event of the kind needs one; empty if it needs none.
    pub(super) const fn needed_by(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Prompt | Kind::Response => &[Text],
            Kind::ToolCall => &[Tool],
            Kind::Feedback => &[Score, Text],
            Kind::SkillUse => &[Skill],
            Kind::ToolResult | Kind::Decision | Kind::Error | Kind::SessionStart | Kind::SessionEnd => &[],
        }
    }

    /// Fills it. `None` if the text is no value of the column: no number, no time, no repository, or a
    /// placeholder for content that was withheld.
    pub(super) fn set(self, event: &mut SessionEvent, text: String) -> Option<()> {
        match self {
            Self::Timestamp => event.timestamp = Timestamp::parse_rfc3339(&text)?,
            Score => event.score = Some(score(&text)?),
            InputTokens => event.input_tokens = count(&text)?,
            OutputTokens => event.output_tokens = count(&text)?,
            Project => event.project = Some(repository::normalise(&text)).filter(|url| !url.is_empty())?,
            Text => event.text = said(text)?,
            Input => event.input = said(text)?,
            Output => event.output = said(text)?,
            SessionId => event.session_id = text,
            TurnId => event.turn_id = text,
            UserId => event.user_id = text,
            Cwd => event.cwd = text,
            Assistant => event.assistant = text,
            AssistantVersion => event.assistant_version = text,
            Agent => event.agent = text,
            Model => event.model = text,
            FactKey => event.fact_key = text,
            Tool => event.tool = text,
            ToolCallId => event.tool_call_id = text,
            DecisionSource => event.decision_source = text,
            Skill => event.skill = text,
        }
        Some(())
    }
}

fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !is_withheld(text))
}

fn score(text: &str) -> Option<f64> {
    match text.trim() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        number => number.parse().ok().filter(|score: &f64| score.is_finite()),
    }
}

/// Some write whole numbers as `12.0`.
fn count(text: &str) -> Option<i64> {
    let text = text.trim();
    text.strip_suffix(".0").unwrap_or(text).parse().ok().filter(|count| *count >= 0)
}

impl<'de> Deserialize<'de> for Column {
    /// A key of `common`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let column = Self::parse(&name).filter(|column| column.is_common());
        column.ok_or_else(|| {
            let known = Self::names(Self::is_common);
            de::Error::custom(format_args!("nothing that all events have in common; known here: {known}"))
        })
    }
}
