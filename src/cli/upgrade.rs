//! `skillspan upgrade --check`: whether there is a newer version, as an index says that somebody names. It reads, and
//! changes nothing; without an index it asks nobody.

use std::fmt::Write;
use std::io::Read;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::probe::is_here;
use super::{Failure, OrFail, block_on, local_client, print, print_json};
use crate::event::visible_line;
use crate::exporters::with_causes;

const OWN: &str = env!("CARGO_PKG_VERSION");
const PATIENCE: Duration = Duration::from_secs(10);
/// A longer file is not an index.
const LONGEST: u64 = 1 << 20;
/// So many characters of a version are shown.
const LONGEST_VERSION: usize = 60;

#[derive(Debug, Args)]
#[command(after_help = "An index is a JSON object with `version` or `tag_name`, such as the answer of\n\
                        https://api.github.com/repos/OWNER/NAME/releases/latest. It downloads and installs nothing.\n\
                        Exit code 0 whether or not there is a newer one (`newer` of --json says), 1 if\n\
                        the index cannot be read.")]
pub(super) struct Arguments {
    /// Look for a newer version; it can do nothing else
    #[arg(long, required = true)]
    check: bool,
    /// The index of releases: an address, or a file; without it, no index is read
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.check {
        return Err(Failure::Usage(anyhow!("add --check: this command installs nothing")));
    }
    let index = arguments.from.as_deref().map(read).transpose()?;
    let latest = index.as_ref().map(latest).transpose()?;
    let is_newer = latest.as_ref().map(|latest| is_newer(latest, OWN));
    if arguments.json {
        let object = json!({ "version": OWN, "latest": latest, "newer": is_newer.flatten() });
        return print_json(&format!("{object:#}\n"));
    }
    let mut text = format!("skillspan {OWN}");
    if let Ok(program) = std::env::current_exe() {
        let _ = write!(text, " ({})", program.display());
    }
    text.push('\n');
    match (&latest, is_newer.flatten()) {
        (None, _) => text.push_str(NO_INDEX),
        (Some(latest), Some(true)) => {
            let _ = writeln!(
                text,
                "{} is newer{}: install it the way that this one was (docs/operate/operations.md, \"Upgrade and roll back\")",
                visible_line(latest),
                if latest.contains('-') { ", and before its release" } else { "" }
            );
        }
        (Some(latest), Some(false)) => {
            let _ = writeln!(text, "the newest is {}: there is nothing to do", visible_line(latest));
        }
        (Some(latest), None) => {
            let _ = writeln!(text, "the newest is {}: compare it yourself", visible_line(latest));
        }
    }
    print(&text)
}

const NO_INDEX: &str = "nobody was asked: this program does not know where its releases are; name their index with --from \
                        URL\n";

fn read(from: &str) -> Result<Value, Failure> {
    let text = if from.starts_with("http://") || from.starts_with("https://") {
        block_on(fetched(from))?
    } else {
        in_file(from)?
    };
    serde_json::from_str(&text)
        .map_err(|error| Failure::Failed(anyhow!("{from}: it is not JSON: line {}", error.line())))
}

/// A file's text; what says no end of itself is not read to it.
fn in_file(from: &str) -> Result<String, Failure> {
    let path = from.strip_prefix("file://localhost").or_else(|| from.strip_prefix("file://")).unwrap_or(from);
    let file = std::fs::File::open(path).with_context(|| from.to_owned()).or_fail()?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).with_context(|| from.to_owned()).or_fail()?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::Failed(anyhow!("{from}: it is too long to be an index")));
    }
    String::from_utf8(bytes).map_err(|_| Failure::Failed(anyhow!("{from}: it is no text")))
}

async fn fetched(from: &str) -> Result<String, Failure> {
    let is_plain = from.starts_with("http://");
    if is_plain && !is_here(from) {
        return Err(Failure::Usage(anyhow!(
            "--from {from}: anybody on the way could say what they like; write an address that begins with https://"
        )));
    }
    let builder = if is_plain { local_client() } else { reqwest::Client::builder() };
    let client = builder.timeout(PATIENCE).user_agent(concat!("skillspan/", env!("CARGO_PKG_VERSION")));
    let answer = client.build().or_fail()?.get(from).send().await;
    let mut answer = answer.map_err(|error| Failure::Failed(anyhow!("{from}: {}", with_causes(&error))))?;
    if !answer.status().is_success() {
        return Err(Failure::Failed(anyhow!("{from} answers {}", answer.status())));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.or_fail()? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > LONGEST {
            return Err(Failure::Failed(anyhow!("{from}: it is too long to be an index")));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The version that an index names.
fn latest(index: &Value) -> Result<String, Failure> {
    let named = ["version", "tag_name"].into_iter().find_map(|name| index.get(name)?.as_str());
    let named = named.map(|version| version.trim_start_matches('v')).filter(|version| !version.is_empty());
    let named =
        named.ok_or_else(|| Failure::Failed(anyhow!("the index names no `version` and no `tag_name`")))?;
    Ok(named.chars().take(LONGEST_VERSION).collect())
}

/// Whether a version is newer than another; `None` where one is not three numbers, or both are before one release.
fn is_newer(one: &str, other: &str) -> Option<bool> {
    let of = |version: &str| {
        // What is behind a plus says how it was built.
        let version = version.split('+').next().unwrap_or_default().to_owned();
        let (numbered, before) = version.split_once('-').unwrap_or((&version, ""));
        Some((numbers(numbered)?, before.is_empty(), before.to_owned()))
    };
    let (one, other) = (of(one)?, of(other)?);
    let are_both_before = one.0 == other.0 && !one.1 && !other.1;
    match are_both_before {
        true if one.2 != other.2 => None,
        _ => Some((one.0, one.1) > (other.0, other.1)),
    }
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let parts: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(is_newer("0.10.0", "0.9.9"), Some(true));
        assert_eq!(is_newer("1.0.0", "1.0.0"), Some(false));
        assert_eq!(is_newer("0.9.9", "0.10.0"), Some(false));
        assert_eq!(is_newer("1.1.0-rc.1", "1.0.0"), Some(true));
        assert_eq!(is_newer("1.0.0-rc.1", "1.0.0"), Some(false));
        assert_eq!(is_newer("1.0.0", "1.0.0-rc.1"), Some(true));
        assert_eq!(is_newer("1.0.0-rc.2", "1.0.0-rc.1"), None);
        assert_eq!(is_newer("1.0.0+build.7", "1.0.0"), Some(false));
        for odd in ["1.0", "latest", "1.0.0.0", ""] {
            assert_eq!(is_newer(odd, "1.0.0"), None, "{odd}");
        }
        assert_eq!(latest(&json!({ "tag_name": "v1.2.3" })).unwrap(), "1.2.3");
        assert!(latest(&json!({ "version": 1 })).is_err() && latest(&json!([])).is_err());
    }
}
