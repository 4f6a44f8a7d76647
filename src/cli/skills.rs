//! x
use clap::Subcommand;
use super::Failure;
#[derive(Debug, Subcommand)]
pub(super) enum Command { List }
pub(super) fn run(_command: &Command) -> Result<(), Failure> { Ok(()) }
