//! `skillspan open`: the console in a browser, for who owns this machine's data.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;

use crate::console::{OpenError, Opening, opening};

use super::{ConfigFile, Failure, OrFail, block_on, local_client, print, reader};

/// Who listens on this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// What opens a file in the user's browser.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

#[derive(Debug, Args)]
#[command(after_help = "The key in the address works once, within a minute. A browser that may not\n\
                        read the data folder, such as one from a snap, needs the address that\n\
                        `open --print` prints.")]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Print the address with its key; open no browser
    #[arg(long)]
    print: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.config.load()?;
    let opening = match opening(settings.console.as_ref()) {
        Err(error @ (OpenError::Disabled | OpenError::NoHome)) => return Err(Failure::Usage(error.into())),
        opening => opening.or_fail()?,
    };
    let answer = block_on(async { Ok(ask(&opening).await) })?;
    let address = opening.address(answer.as_deref()).or_fail()?;
    if arguments.print {
        return print(&format!("{address}\n"));
    }
    let file = opening.file(&address).or_fail()?;
    if OPENERS.iter().any(|opener| starts(opener, &file)) {
        reader::note(
            "the console opens in your browser; if it does not, `skillspan open --print` prints its address",
        );
        return Ok(());
    }
    reader::note("there is no browser here; this address lets in once, within a minute:");
    print(&format!("{address}\n"))
}

async fn ask(opening: &Opening) -> Option<String> {
    let client = local_client().timeout(PATIENCE).danger_accept_invalid_certs(true).build().ok()?;
    let answer = client.get(opening.question()).send().await.ok()?;
    answer.text().await.ok()
}

fn starts(opener: &str, file: &Path) -> bool {
    let mut command = Command::new(opener);
    command.arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
