//! People as the reader may see them: by name, or as somebody who is told from others.

use std::collections::BTreeSet;

use crate::console::access::Reader;
use crate::console::days::Row;
use crate::skillify::short_hash;
use crate::views::report::Names;

/// How people are called for a reader.
pub(super) struct People {
    are_named: bool,
    names: Names,
}

impl People {
    /// For who may see names, or with the names of these people taken out of every text.
    pub(super) fn of<'u>(reader: &Reader, users: impl Iterator<Item = &'u str>) -> Self {
        let ids: BTreeSet<String> = users.filter(|user| !user.is_empty()).map(str::to_owned).collect();
        let names = if reader.sees_people { Names::shown() } else { Names::of(&ids) };
        Self { are_named: reader.sees_people, names }
    }

    pub(super) fn of_rows(reader: &Reader, rows: &[&Row]) -> Self {
        Self::of(reader, rows.iter().map(|row| row.user.as_str()))
    }

    /// `ana@example.com`, or `person 3f9a12` in all places the same; `""` for nobody known.
    pub(super) fn name(&self, tenant: &str, user: &str) -> String {
        match user {
            "" => String::new(),
            user if self.are_named => user.to_owned(),
            user => format!("person {}", short_hash(&[tenant, user], 3)),
        }
    }

    /// A text without their names, unless these may be seen.
    pub(super) fn without(&self, text: &str) -> String {
        self.names.without(text)
    }
}
