//! The person who sends.
//!
//! Invariants: everything sent with a credential that names a person belongs to that person, whatever the payload
//! says; nothing sent with another credential of the tenant does. So such a name proves that the sender had the
//! credential.

use std::sync::Arc;

use super::Credential;
use crate::event::{SessionEvent, person};

/// Who sends a request, as far as its credential tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sender {
    /// The payload decides: no credential is required, or none of the tenant names a person.
    #[default]
    Anybody,
    /// The person whom the credential names.
    Named(String),
    /// The payload names the person, but not one who has a credential of this tenant.
    Unnamed(String, Arc<[Credential]>),
}

impl Sender {
    /// Who has a credential, of all that there are.
    pub(super) fn of(found: &Credential, all: &Arc<[Credential]>) -> Self {
        let tenant = &found.owner().tenant;
        let names_one = |other: &Credential| other.person().is_some() && other.owner().tenant == *tenant;
        match found.person() {
            Some(person) => Self::Named(person.name().to_owned()),
            None if all.iter().any(names_one) => Self::Unnamed(tenant.clone(), Arc::clone(all)),
            None => Self::Anybody,
        }
    }

    /// Gives an event the person whom the credential names, or takes away a name that only another credential may
    /// claim. Whether a name was taken away.
    pub(in crate::receivers) fn settle(&self, event: &mut SessionEvent) -> bool {
        match self {
            Self::Anybody => {}
            Self::Named(name) => name.clone_into(&mut event.user_id),
            Self::Unnamed(..) if event.user_id.is_empty() => {}
            Self::Unnamed(tenant, all) => {
                let key = person::joined(&event.user_id, "");
                let is_taken = |other: &Credential| {
                    other.person().is_some_and(|person| person.key() == key)
                        && other.owner().tenant == *tenant
                };
                if all.iter().any(is_taken) {
                    event.user_id.clear();
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Owner;

    #[test]
    fn the_credential_says_who_sends_and_nobody_else_is_called_so() {
        let owner = |tenant: &str| Owner { tenant: tenant.to_owned(), workspace: "shop".to_owned() };
        let credential = |id: &str, tenant: &str| {
            Credential::new(id, &format!("a-token-of-enough-length-{id}"), owner(tenant)).unwrap()
        };
        let ann = credential("ann", "acme").of_person("ann@example.com".to_owned());
        let all: Arc<[Credential]> = Arc::from([ann, credential("ci", "acme"), credential("ci", "other")]);
        let told = |sender: usize, says: &str| {
            let mut event = SessionEvent { user_id: says.to_owned(), ..SessionEvent::default() };
            let is_taken = Sender::of(&all[sender], &all).settle(&mut event);
            (event.user_id, is_taken)
        };
        for says in ["", "bob", "ann@example.com"] {
            assert_eq!(told(0, says), ("ann@example.com".to_owned(), false), "{says}");
        }
        for forged in ["ann@example.com", "ann+x@example.com", "Ann@Example.com", "Ann <ann@example.com>"] {
            assert_eq!(told(1, forged), (String::new(), true), "{forged}");
            assert_eq!(told(2, forged), (forged.to_owned(), false), "another tenant's Ann");
        }
        assert_eq!(told(1, "bob"), ("bob".to_owned(), false));
        assert_eq!(told(1, ""), (String::new(), false));
    }
}
