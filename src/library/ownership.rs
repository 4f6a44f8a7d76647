//! Which tenant a library belongs to, and which sessions each tenant has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::{hash_of_number, session_number};
use crate::skillify::short_hash;

/// Which tenant's skills a target takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ownership {
    /// The only tenant's that there is; of several the one's whose library stands there.
    #[default]
    OfTheOnly,
    /// Those of the tenant whose library stands there; where none stands, this one's.
    Of(String),
    /// This tenant's: the configuration names it for the target.
    Named(String),
}

/// A tenant and a workspace of theirs.
pub(super) type WorkspaceKey = (String, String);

/// The sessions of a place, as [`session_number`] has them.
pub(super) type Sessions = Vec<u64>;

/// The sessions of a table by tenant and workspace, to tell whose a skill is.
#[derive(Debug, Clone, Default)]
pub struct Census(Arc<BTreeMap<WorkspaceKey, Sessions>>);

impl PartialEq for Census {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Census {
    /// Of the ids of the sessions of every workspace.
    pub fn of(places: BTreeMap<WorkspaceKey, Vec<String>>) -> Self {
        let numbers = |(place, ids): (WorkspaceKey, Vec<String>)| {
            let numbers = ids.iter().map(|id| session_number(&place.0, id)).collect();
            (place, numbers)
        };
        Self::of_numbers(places.into_iter().map(numbers).collect())
    }

    /// Of the numbers of the sessions of every workspace.
    pub fn of_numbers(places: BTreeMap<WorkspaceKey, Sessions>) -> Self {
        Self(Arc::new(places))
    }

    /// The place of each session, by its hash.
    pub(super) fn sessions(&self) -> BTreeMap<String, &WorkspaceKey> {
        let of_place = |(place, sessions): (_, &'_ Sessions)| {
            let place: &WorkspaceKey = place;
            sessions.iter().map(|number| (hash_of_number(*number), place)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_place).collect()
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = &String> {
        self.0.keys().map(|(tenant, _)| tenant)
    }
}

/// How a state names a tenant: its name does not belong there.
pub(super) fn hash_of(tenant: &str) -> String {
    short_hash(&["tenant", tenant], 8)
}
