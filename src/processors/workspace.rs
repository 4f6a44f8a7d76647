//! The payload's workspace becomes a column.
//!
//! The default workspace is not written here: a session's records often name the workspace only
//! from the second one on, and readers decide by what most of them say.

use crate::event::{SessionEvent, bounded_id};

use super::{Processor, Sent};

/// The processor `workspace`.
pub struct Workspace {
    from: Vec<String>,
}

impl Workspace {
    /// Takes the workspace from the first of these attributes that an event has.
    pub fn new(from: Vec<String>) -> Self {
        Self { from }
    }
}

impl Processor for Workspace {
    fn process(&self, events: &mut Vec<SessionEvent>, _sent: &Sent<'_>) {
        for event in events {
            let named = self.from.iter().find_map(|name| event.attributes.get(name)?.as_str());
            let named = named.map(str::trim).unwrap_or_default();
            event.workspace = bounded_id(named).unwrap_or_else(|| named.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(from: &[&str]) -> String {
        let attributes = [("workspace", "shop"), ("deployment.workspace", "eu")];
        let mut events = vec![SessionEvent {
            attributes: attributes.map(|(key, value)| (key.to_owned(), value.into())).into(),
            ..SessionEvent::default()
        }];
        Workspace::new(from.iter().map(|&name| name.to_owned()).collect())
            .process(&mut events, &Sent::NOTHING);
        events.remove(0).workspace
    }

    #[test]
    fn the_first_attribute_that_is_there_names_it() {
        assert_eq!(workspace(&["skillspan.workspace", "workspace", "deployment.workspace"]), "shop");
        assert_eq!(workspace(&["deployment.workspace"]), "eu");
        assert_eq!(workspace(&[]), "", "a constant workspace is the reader's default");
    }
}
