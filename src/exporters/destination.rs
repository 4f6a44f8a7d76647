//! What every kind of destination of skills does.

use std::error::Error;

use super::update::{Report, Update};
use crate::library::Library;

/// A place that holds a library. Every method blocks.
///
/// `tests/support/conformance.rs` has the rules for every kind.
pub trait Destination {
    /// Why it cannot be read or written.
    type Error: Error + Send + Sync + 'static;

    /// Makes sure that it can be written as far as this machine can tell.
    ///
    /// # Errors
    /// If something on this machine stands in the way.
    fn check(&self) -> Result<(), Self::Error>;

    /// Whether something stands in the way there that this machine sees. Writes nothing, and asks no other.
    ///
    /// # Errors
    /// If something does.
    fn look(&self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Reads what stands there; a library without skills if nothing does.
    ///
    /// # Errors
    /// If it cannot be read.
    fn load(&self) -> Result<Library, Self::Error>;

    /// What [`Destination::publish`] would do. Writes nothing there.
    ///
    /// # Errors
    /// If it cannot be read, or the update cannot be carried out.
    fn plan(&self, update: &Update) -> Result<Report, Self::Error>;

    /// Reads what stands there, sees what must change and writes it.
    ///
    /// # Errors
    /// If it cannot be read or written, or the update cannot be carried out.
    fn publish(&self, update: &Update) -> Result<Report, Self::Error>;
}
