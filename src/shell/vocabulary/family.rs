//! What a command is for.

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    /// Runs tests.
    Test,
    /// Looks for faults, or for what a formatter would change.
    Lint,
    /// Changes files so that they keep to a style.
    Format,
    /// Checks types.
    TypeCheck,
    /// Compiles or bundles.
    Build,
    /// Fetches what the project needs.
    Install,
    /// Git and the hosts of its repositories.
    VersionControl,
    /// Anything else.
    Other,
}

impl Family {
    /// Whether its runs say by their status how the code is.
    pub(crate) fn is_check(self) -> bool {
        matches!(self, Self::Test | Self::Lint | Self::TypeCheck | Self::Build)
    }
}
