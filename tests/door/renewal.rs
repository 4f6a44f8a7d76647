//! Files that change while they are looked at.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use skillspan::config::{ProcessSource, Settings, Source, Watch};
use tempfile::TempDir;

const OLD: &str = "a-token-of-before-0123456789";
const NEW: &str = "a-token-of-after-0123456789";

fn configuration() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (file, token) = (folder.path().join("skillspan.yaml"), folder.path().join("token"));
    let secret = token.display();
    let auth = format!(
        "extensions:\n  auth: {{ tokens: [{{ id: a, secret: \"${{file:{secret}}}\", tenant: acme }}] }}\n"
    );
    std::fs::write(&file, auth).unwrap();
    std::fs::write(&token, OLD).unwrap();
    (folder, file, token)
}

/// Whether the settings let this token in.
fn lets_in(settings: &Settings, token: &str) -> bool {
    use skillspan::event::Owner;
    use skillspan::receivers::auth::Credential;
    let wanted = Credential::new("a", token, Owner::default()).unwrap();
    settings.credentials.iter().flatten().any(|known| known.has_token_of(&wanted))
}

/// Somebody replaces the token right after it was read.
struct Overtaken<'p> {
    token: &'p Path,
    left: Cell<u32>,
}

impl Source for Overtaken<'_> {
    fn env(&self, name: &str) -> Option<String> {
        ProcessSource.env(name)
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        let text = ProcessSource.file(path)?;
        if self.left.replace(0) > 0 {
            std::fs::write(self.token, NEW)?;
        }
        Ok(text)
    }
}

#[test]
fn a_token_that_is_replaced_right_after_it_was_read_is_read_again() {
    let (_folder, file, token) = configuration();
    let mut watch = Watch::new(&file, Overtaken { token: &token, left: Cell::new(1) });
    assert!(lets_in(&watch.changed().unwrap().unwrap(), OLD));
    assert!(lets_in(&watch.changed().expect("it has changed").unwrap(), NEW));
    assert!(watch.changed().is_none());
}

#[test]
fn a_token_that_is_replaced_while_the_service_starts_is_read_again() {
    let (_folder, file, token) = configuration();
    let started_with = skillspan::config::load(Some(&file), &ProcessSource).unwrap();
    assert!(lets_in(&started_with, OLD));
    // Journals and tables are being opened.
    std::fs::write(&token, NEW).unwrap();
    let mut watch = Watch::new(&file, ProcessSource);
    assert!(lets_in(&watch.changed().expect("nobody else would say so").unwrap(), NEW));
    assert!(watch.changed().is_none());
}
