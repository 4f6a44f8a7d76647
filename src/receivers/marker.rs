//! Marker files: what a folder or a home says of the sessions in it.
//!
//! A file `.skillspan.yaml` (also `.skillspan.yml`, `.skillspan`) is looked for in the session's folder, in
//! every folder above it, and in the home folder. It has up to three keys:
//!
//! ```yaml
//! capture: false        # nothing of a session here is kept; nothing takes this back
//! workspace: shop       # whose work it is; the nearest file decides
//! user: ana@example.com # who works here; only in the home folder
//! ```
//!
//! Invariants: a file can take a session out and never put one in, so that nobody's repository overrules a
//! person; a file that says nothing or cannot be read or understood counts as `capture: false`, because its
//! owner may have meant that.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use granit_parser::{Event, Parser};

use crate::event::capture;

const NAMES: &[&str] = &[".skillspan.yaml", ".skillspan.yml", ".skillspan"];
/// Three short lines need less.
const MAX_BYTES: u64 = 16 << 10;

/// What the files say of one session.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The file that leaves the session out.
    pub off: Option<PathBuf>,
    /// The workspace that the nearest folder names.
    pub workspace: Option<String>,
    /// What the home folder says.
    pub home: Home,
}

/// What the file in the home folder says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// Whose work it is, where no folder says.
    pub workspace: Option<String>,
    /// Who works here.
    pub user: Option<String>,
}

/// Why a file is not understood. The session is left out.
#[derive(Debug, thiserror::Error)]
#[error("{} leaves the session out, because {reason}; it may have `capture`, `workspace` and, in the home folder, `user`", path.display())]
pub struct MarkerError {
    path: PathBuf,
    reason: String,
}

/// One file's content.
#[derive(Debug, Default, PartialEq, Eq)]
struct Marker {
    capture: Option<bool>,
    workspace: Option<String>,
    user: Option<String>,
}

/// Reads the files in `folders`, above them and at `home`.
pub fn look(folders: &[PathBuf], home: Option<&Path>) -> Result<Marks, MarkerError> {
    let homes: BTreeSet<PathBuf> = home.into_iter().flat_map(ways_to).collect();
    let mut seen = homes.clone();
    let mut marks = Marks::default();
    for folder in folders.iter().flat_map(|folder| ways_to(folder)) {
        for above in folder.ancestors().filter(|above| !above.as_os_str().is_empty()) {
            if !seen.insert(above.to_owned()) {
                continue;
            }
            for (path, marker) in read(above)? {
                if marker.user.is_some() {
                    let reason = "it names a user, which only the home folder may".to_owned();
                    return Err(MarkerError { path, reason });
                }
                marks.note(path, marker.capture);
                marks.workspace = marks.workspace.take().or(marker.workspace);
            }
        }
    }
    for home in &homes {
        for (path, marker) in read(home)? {
            marks.note(path, marker.capture);
            let Home { workspace, user } = &mut marks.home;
            *workspace = workspace.take().or(marker.workspace);
            *user = user.take().or(marker.user);
        }
    }
    Ok(marks)
}

impl Marks {
    fn note(&mut self, path: PathBuf, capture: Option<bool>) {
        if capture == Some(false) {
            self.off.get_or_insert(path);
        }
    }
}

/// A folder as it is named, and where that is once links are followed.
fn ways_to(folder: &Path) -> BTreeSet<PathBuf> {
    fs::canonicalize(folder).into_iter().chain([folder.to_owned()]).collect()
}

/// The files of one folder.
fn read(folder: &Path) -> Result<Vec<(PathBuf, Marker)>, MarkerError> {
    let mut found = Vec::new();
    for name in NAMES {
        let path = folder.join(name);
        let broken = |reason: String| MarkerError { path: path.clone(), reason };
        if let Some(text) = text_of(&path).map_err(|error| broken(format!("it cannot be read: {error}")))? {
            let marker = Marker::parse(&text).map_err(broken)?;
            found.push((path, marker));
        }
    }
    Ok(found)
}

/// `None` if there is no file. A folder of that name is not one, and a pipe must not block.
fn text_of(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if is_absence(&error) && fs::symlink_metadata(path).is_err() => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.is_dir() => return Ok(None),
        Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is no file")),
        Ok(metadata) if metadata.len() > MAX_BYTES => return Err(io::Error::other("it is too large")),
        Ok(_) => {}
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

impl Marker {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut marker = Self::default();
        for (key, value) in pairs(text)? {
            let is_new = match key.as_str() {
                "capture" => {
                    let wanted = capture::read(&value).ok_or("`capture` is neither true nor false")?;
                    marker.capture.replace(wanted).is_none()
                }
                "workspace" => marker.workspace.replace(value).is_none(),
                "user" => marker.user.replace(value).is_none(),
                _ => return Err(format!("it has a key {key:?}")),
            };
            if !is_new {
                return Err(format!("it has {key:?} twice"));
            }
        }
        if marker == Self::default() { Err("it says nothing".to_owned()) } else { Ok(marker) }
    }
}

/// The keys and values of a YAML mapping of texts.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut texts = Vec::new();
    let mut opened = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("it is not YAML: {error}"))?;
        match event {
            Event::Scalar(text, ..) if opened == 1 => texts.push(text.trim().to_owned()),
            Event::MappingStart(..) if opened == 0 => opened = 1,
            Event::MappingEnd => opened = 2,
            Event::Scalar(text, ..) if opened == 0 && text.is_empty() => {}
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ => return Err(format!("line {} is not `key: value`", span.start.line())),
        }
    }
    let pairs = texts.chunks(2).map(|pair| match pair {
        [key, value] if !value.is_empty() => Ok((key.clone(), value.clone())),
        [key, ..] => Err(format!("{key:?} has no value")),
        [] => Err("it says nothing".to_owned()),
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Option<(Option<bool>, Option<String>, Option<String>)> {
        Marker::parse(text).ok().map(|marker| (marker.capture, marker.workspace, marker.user))
    }

    #[test]
    fn a_marker_says_three_things() {
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(parse("capture: false\n"), Some((Some(false), None, None)));
        assert_eq!(parse("\u{feff}# no\r\ncapture: OFF # never\r\n"), Some((Some(false), None, None)));
        assert_eq!(parse("{capture: no}"), Some((Some(false), None, None)));
        assert_eq!(parse("---\ncapture: \"true\"\n...\n"), Some((Some(true), None, None)));
        assert_eq!(
            parse("workspace: 'my shop'\nuser: ana@x\n"),
            Some((None, name("my shop"), name("ana@x")))
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for broken in [
            "",
            "\n",
            "# capture: false\n",
            "capture",
            "capture:\n",
            "capture: maybe\n",
            "captrue: false\n",
            "capture: false\ncapture: true\n",
            "capture: [false]\n",
            "- capture: false\n",
            "capture: {a: b}\n",
            "capture: false\n  workspace: x: y\n",
            "false\n",
            "workspace: ''\n",
            "capture: true\n---\ncapture: false\n",
        ] {
            assert!(Marker::parse(broken).is_err(), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_holds_it_is_understood_or_refused(text in "(?s)(capture|workspace|user|[ -~\\n]){0,3}[: \\n\\PC]{0,40}") {
            let _ = Marker::parse(&text);
        }
    }
}
