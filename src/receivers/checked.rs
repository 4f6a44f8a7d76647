//! What a request that only asks would have become.
//!
//! `skillspan connect --check` sends one record as a client would, with the header [`CHECK`](super::CHECK). The
//! request passes every step up to the journal, and the answer tells the sender what the journal would have received:
//! whose it is, and which texts it has. Nothing of it is stored, so nothing of it is ever counted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::{Kind, Owner, SessionEvent};

/// The answer. Readers of another version find what both know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// The version that answers.
    pub skillspan: String,
    /// The credential's tenant.
    pub tenant: String,
    /// The credential's workspace, else the payload's; `""` if neither names one.
    pub workspace: String,
    /// The person; `""` if unknown.
    pub person: String,
    /// The assistant as the table names it.
    pub assistant: String,
    /// How many facts it has.
    pub facts: u64,
    /// The kinds of facts whose texts are there.
    pub content: BTreeSet<String>,
}

impl Checked {
    pub(super) fn of(owner: &Owner) -> Self {
        let skillspan = env!("CARGO_PKG_VERSION").to_owned();
        Self { skillspan, tenant: owner.tenant.clone(), ..Self::default() }
    }

    pub(super) fn add(&mut self, event: &SessionEvent) {
        let texts = [
            (&mut self.workspace, &event.workspace),
            (&mut self.person, &event.user_id),
            (&mut self.assistant, &event.assistant),
        ];
        for (known, said) in texts {
            if known.is_empty() {
                said.clone_into(known);
            }
        }
        self.facts += 1;
        let has_text = match event.kind {
            Kind::ToolCall => !event.input.is_empty(),
            Kind::ToolResult => !event.output.is_empty(),
            _ => !event.text.is_empty(),
        };
        if has_text {
            self.content.insert(event.kind.as_str().to_owned());
        }
    }
}
