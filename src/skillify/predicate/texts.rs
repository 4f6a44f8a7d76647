//! The texts that a predicate looks for, apart from the rest of it.

use super::ast::{Action, Event, Expected, Pattern, Predicate, Relation, Saying};
use crate::shell::flag::is_flag;

/// So many texts are looked for at one place.
const MOST_TEXTS: usize = 16;

impl Predicate {
    /// Every place that texts are looked for at.
    pub(super) fn sayings(&self) -> Vec<&Saying> {
        let mut found: Vec<&Saying> = self.events().into_iter().filter_map(Event::saying).collect();
        if let Some(Expected::Ends { saying, .. }) = &self.expected {
            found.push(saying);
        }
        found
    }

    fn sayings_mut(&mut self) -> Vec<&mut Saying> {
        let action: Vec<&mut Event> = match &mut self.action {
            None => Vec::new(),
            Some(Action::No(event)) => vec![event],
            Some(Action::Steps(steps)) => steps.iter_mut().collect(),
        };
        let events = std::iter::once(&mut self.situation).chain(action);
        let mut found: Vec<&mut Saying> = events.filter_map(Event::saying_mut).collect();
        if let Some(Expected::Ends { saying, .. }) = &mut self.expected {
            found.push(saying);
        }
        found
    }

    /// Its situation and the events of its action.
    pub(in super::super) fn events(&self) -> Vec<&Event> {
        let action: &[Event] = match &self.action {
            None => &[],
            Some(Action::No(event)) => std::slice::from_ref(event),
            Some(Action::Steps(steps)) => steps,
        };
        std::iter::once(&self.situation).chain(action).collect()
    }

    /// Every command that it names.
    pub(in super::super) fn commands(&self) -> Vec<&Pattern> {
        let events = self.events().into_iter();
        let mut found: Vec<&Pattern> = events
            .filter_map(|event| match event {
                Event::Run { command, .. } => Some(command),
                _ => None,
            })
            .collect();
        if let Some(Expected::Ends { command: Some(command), .. }) = &self.expected {
            found.push(command);
        }
        found
    }

    /// Every path that it names.
    pub(in super::super) fn paths(&self) -> Vec<&str> {
        let events = self.events().into_iter();
        let mut found: Vec<&str> = events
            .filter_map(|event| match event {
                Event::Edit { path, .. } | Event::Look { path, .. } => Some(path.as_str()),
                _ => None,
            })
            .collect();
        if let Some(Expected::Found(path)) = &self.expected {
            found.push(path);
        }
        found
    }

    /// The same, each place with a text for one that has any.
    pub(in super::super) fn without_texts(&self) -> Self {
        let mut bare = self.clone();
        for saying in bare.sayings_mut() {
            saying.truncate(1);
            if let Some(text) = saying.first_mut() {
                "…".clone_into(text);
            }
        }
        bare
    }

    /// Whether it counts what people say, and nothing else.
    pub(in super::super) fn is_said(&self) -> bool {
        self.expected.is_none()
            && self.relation != Relation::Before
            && matches!(&self.action, Some(Action::Steps(steps)) if steps.iter().all(Event::is_of_a_person))
    }

    /// The same of a command without the flags that it names; `None` where it names none.
    pub(in super::super) fn without_flags(&self) -> Option<Self> {
        let mut bare = self.clone();
        let Event::Run { command, .. } = &mut bare.situation else { return None };
        let words: Vec<&str> = command.text.split(' ').filter(|word| !is_flag(word)).collect();
        let text = words.join(" ");
        if text == command.text || words.len() < 2 {
            return None;
        }
        *command = Pattern { text, more: true };
        Some(bare)
    }

    /// Whether both look for texts, and share one at each place.
    pub(in super::super) fn shares_a_text(&self, other: &Self) -> bool {
        let (own, theirs) = (self.sayings(), other.sayings());
        let looks = own.iter().any(|saying| !saying.is_empty());
        let shares = |(own, theirs): (&&Saying, &&Saying)| {
            own.is_empty()
                || own.iter().any(|text| theirs.iter().any(|other| other.eq_ignore_ascii_case(text)))
        };
        looks && own.len() == theirs.len() && own.iter().zip(&theirs).all(shares)
    }

    /// The same for what people say in one situation: other texts with which they may say it, as many as there is room
    /// for.
    pub(in super::super) fn also_saying(&self, texts: &[String]) -> Self {
        let mut wide = self.clone();
        let is_said = !self.said().is_empty();
        let mut sayings = wide.sayings_mut();
        sayings.retain(|saying| !saying.is_empty());
        if let [saying] = sayings.as_mut_slice()
            && is_said
        {
            for text in texts {
                let is_known = saying.iter().any(|known| known.eq_ignore_ascii_case(text));
                if !is_known && saying.len() < MOST_TEXTS {
                    saying.push(text.clone());
                }
            }
            saying.sort();
        }
        wide
    }

    /// Both in one, of one shape; `None` where it would look for too many texts.
    pub(in super::super) fn joined(&self, other: &Self) -> Option<Self> {
        let mut joined = self.clone();
        for (saying, theirs) in joined.sayings_mut().into_iter().zip(other.sayings()) {
            for text in theirs {
                if !saying.iter().any(|known| known.eq_ignore_ascii_case(text)) {
                    saying.push(text.clone());
                }
            }
            saying.sort();
            if saying.len() > MOST_TEXTS {
                return None;
            }
        }
        Some(joined)
    }
}

impl Event {
    fn saying(&self) -> Option<&Saying> {
        match self {
            Self::Edit { saying, .. } | Self::Run { saying, .. } | Self::Prompt { saying, .. } => {
                Some(saying)
            }
            Self::Look { .. } | Self::Search { .. } | Self::Want { .. } => None,
        }
    }

    fn saying_mut(&mut self) -> Option<&mut Saying> {
        match self {
            Self::Edit { saying, .. } | Self::Run { saying, .. } | Self::Prompt { saying, .. } => {
                Some(saying)
            }
            Self::Look { .. } | Self::Search { .. } | Self::Want { .. } => None,
        }
    }

    /// Whether a person's word is all that it is.
    pub(in super::super) const fn is_of_a_person(&self) -> bool {
        matches!(self, Self::Prompt { .. } | Self::Want { .. })
    }
}
