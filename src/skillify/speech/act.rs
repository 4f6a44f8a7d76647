//! An act that somebody spoke of.

/// What a sentence is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Told {
    /// The act, `""` for one that is in no list.
    pub(in crate::skillify) act: &'static str,
    pub(in crate::skillify) name: String,
    /// The verb of the lists, `""` if it is in none.
    pub(in crate::skillify) verb: String,
    /// The noun of the lists, or a grave accent and the name; `""` for none, `?` for another.
    pub(in crate::skillify) object: String,
}
