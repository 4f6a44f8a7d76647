//! What is not stored.
//!
//! `include` and `exclude` as in the Collector: `include` is asked first. What they say by attribute, service
//! or assistant is about records. What they say by workspace, project or person is about sessions: a session
//! that `exclude` means is forgotten as a whole, as if it had said `skillspan.capture=false`: what was stored of
//! it before, and what still comes. Else a first prompt that did not name its person yet would stay.

use super::select::{Selection, Workspaces};
use super::{Processor, Sent};
use crate::event::SessionEvent;

/// The processor `filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only these are stored; `None`: all.
    pub include: Option<Selection>,
    /// These are not; one that matches is enough.
    pub exclude: Vec<Selection>,
    /// How the pipeline names workspaces.
    pub naming: Workspaces,
}

impl Filter {
    fn keeps(&self, event: &SessionEvent, sent: &Sent<'_>) -> bool {
        let means = |selection: &Selection| selection.matches(event, sent, &self.naming);
        self.include.as_ref().is_none_or(means) && !self.exclude.iter().any(means)
    }
}

impl Processor for Filter {
    fn process(&self, events: &mut Vec<SessionEvent>, sent: &Sent<'_>) {
        events.retain(|event| self.keeps(event, sent));
    }

    fn forgets(&self, event: &SessionEvent, sent: &Sent<'_>) -> bool {
        // If only some records of a session name its workspace, those decide.
        let is_sure =
            |selection: &Selection| selection.workspaces.is_empty() || self.naming.of(event, sent).1;
        self.exclude.iter().any(|selection| {
            selection.is_of_sessions() && is_sure(selection) && selection.matches(event, sent, &self.naming)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::select::{Attribute, Pattern, Test};
    use super::*;

    fn exactly(text: &str) -> Vec<Test> {
        vec![Test::Exactly(text.to_owned())]
    }

    fn event() -> SessionEvent {
        let attributes = [("team", "shop".into()), ("attempt", 3.into())];
        SessionEvent {
            user_id: "ana@example.com".to_owned(),
            project: "git.example.com/acme/shop".to_owned(),
            assistant: "claude-code".to_owned(),
            attributes: attributes
                .map(|(key, value): (&str, serde_json::Value)| (key.to_owned(), value))
                .into(),
            ..SessionEvent::default()
        }
    }

    fn naming() -> Workspaces {
        Workspaces { from: Some(vec!["workspace".to_owned()]), default: "default".to_owned() }
    }

    /// Whether the event is stored, and whether its session is forgotten.
    fn outcome(
        include: Option<Selection>,
        exclude: &[Selection],
        attributes: &[(&str, &str)],
    ) -> (bool, bool) {
        let filter = Filter { include, exclude: exclude.to_vec(), naming: naming() };
        let attributes: Vec<(String, String)> =
            attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let find =
            |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let sent = Sent { attributes: &find, workspace: None };
        let mut events = vec![event()];
        let forgets = filter.forgets(&events[0], &sent);
        filter.process(&mut events, &sent);
        (!events.is_empty(), forgets)
    }

    #[test]
    fn all_that_a_selection_writes_has_to_match() {
        let team =
            |value: &str| Attribute { key: "team".to_owned(), value: Some(Test::Exactly(value.to_owned())) };
        let shop = Selection { attributes: vec![team("shop")], ..Selection::default() };
        let both = Selection { users: exactly("bob@example.com"), ..shop.clone() };
        let bob = Selection { users: exactly("bob@example.com"), ..Selection::default() };
        let number = Attribute { key: "attempt".to_owned(), value: Some(Test::Exactly("3".to_owned())) };
        let tried = Selection { attributes: vec![number], ..Selection::default() };
        for (include, exclude, stored) in [
            (Some(shop.clone()), vec![], true),
            (Some(both.clone()), vec![], false),
            (None, vec![shop.clone()], false),
            (None, vec![both], true),
            (None, vec![bob.clone(), tried], false),
            (Some(shop.clone()), vec![bob], true),
            (Some(shop.clone()), vec![shop], false),
            (Some(Selection::default()), vec![], true),
        ] {
            assert_eq!(outcome(include.clone(), &exclude, &[]).0, stored, "{include:?} {exclude:?}");
        }
    }

    #[test]
    fn a_person_a_project_and_a_workspace_are_forgotten_and_a_record_is_dropped() {
        let of = |change: fn(&mut Selection)| {
            let mut selection = Selection::default();
            change(&mut selection);
            [selection]
        };
        let ana = of(|selection| selection.users = exactly("Ana+work@Example.com"));
        assert_eq!(outcome(None, &ana, &[]), (false, true));
        let shop = of(|selection| {
            selection.projects = vec![Test::Like(Pattern(regex::Regex::new("/shop$").unwrap()))]
        });
        assert_eq!(outcome(None, &shop, &[]), (false, true));
        let private = of(|selection| selection.workspaces = exactly("private"));
        assert_eq!(outcome(None, &private, &[("workspace", "private")]), (false, true));
        assert_eq!(outcome(None, &private, &[]), (true, false));
        let default = of(|selection| selection.workspaces = exactly("default"));
        assert_eq!(outcome(None, &default, &[]), (false, false), "a later record may name another");
        let service = of(|selection| {
            selection.attributes = vec![Attribute { key: "http.url".to_owned(), value: None }];
        });
        assert_eq!(outcome(None, &service, &[("http.url", "x")]), (false, false), "a column's attribute too");
        assert_eq!(outcome(None, &service, &[]), (true, false));
    }

    #[test]
    fn the_workspace_of_a_credential_counts_and_not_what_the_payload_says() {
        let private = Selection { workspaces: exactly("private"), ..Selection::default() };
        let says = |_: &str| Some("private".to_owned());
        let sent = Sent { attributes: &says, workspace: Some("shop") };
        assert!(!private.matches(&event(), &sent, &naming()));
    }
}
