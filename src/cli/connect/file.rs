//! Our settings in a settings file: written, found, and taken out again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::client::SettingsLocation;
use super::command::is_same_command;
use super::document::{Document, DocumentError};
use super::file_error::{FileError, io_error};
use super::settings::Setting;
use super::store::{Mode, read, remove_file, replace};

/// What is in every file that is ours alone.
const OURS: &str = "skillspan";

/// Writes files that are ours alone; all of them or, if one of another's is there, none.
pub(super) fn write_own(paths: &[PathBuf], content: &str, executable: bool) -> Result<String, FileError> {
    let mut done = Vec::new();
    for path in paths {
        match read(path)? {
            Some(text) if !text.contains(OURS) => return Err(FileError::NotOurs(path.clone())),
            Some(text) if text == content => done.push(format!("{} is in place already", path.display())),
            _ => done.push(format!("wrote {}", path.display())),
        }
    }
    for path in paths {
        replace(path, content, if executable { Mode::Executable } else { Mode::Kept })?;
    }
    Ok(done.join("\n"))
}

/// What a removal did.
pub(super) struct Removed {
    /// Whether anything of ours was there.
    pub(super) any: bool,
    /// The same in words.
    pub(super) said: String,
}

impl Removed {
    fn nothing(said: String) -> Self {
        Self { any: false, said }
    }
}

/// Removes files that are ours alone, and leaves others of their names.
pub(super) fn remove_own(paths: &[PathBuf]) -> Result<Removed, FileError> {
    let (mut any, mut done) = (false, Vec::new());
    for path in paths {
        match read(path)? {
            None => done.push(format!("{} is not there", path.display())),
            Some(text) if !text.contains(OURS) => return Err(FileError::NotOurs(path.clone())),
            Some(_) => {
                remove_file(path).map_err(io_error(path))?;
                done.push(format!("removed {}", path.display()));
                any = true;
            }
        }
    }
    Ok(Removed { any, said: done.join("\n") })
}

/// Merges the settings into the file. Returns what was done.
pub(super) fn write(
    place: SettingsLocation,
    settings: &[Setting],
    path: &Path,
    replace_others: bool,
) -> Result<String, FileError> {
    let before = read(path)?;
    let text = before.as_deref().unwrap_or_default();
    let content = |reason| FileError::Content { path: path.to_owned(), reason };
    let document = parse(place, text).map_err(content)?;
    if settings.iter().all(|setting| document.has(setting)) {
        return Ok(format!("{} has all settings already", path.display()));
    }
    let chosen = chosen(&document, settings);
    if !chosen.is_empty() && !replace_others {
        return Err(FileError::Chosen { path: path.to_owned(), settings: chosen });
    }
    let after = merged(place, settings, text).map_err(content)?;
    let backup = backup_of(path);
    let kept = read(&backup)?;
    // The first copy is of the file before any of our settings were in it: it must not be replaced.
    if kept.is_none() {
        replace(&backup, text, Mode::Kept)?;
    }
    let holds_a_secret = settings.iter().any(Setting::is_secret);
    replace(path, &after, if holds_a_secret { Mode::Private } else { Mode::Kept })?;
    // An empty copy says that the file goes with our settings.
    Ok(match (before, kept) {
        (None, _) => format!("wrote {}, a new file", path.display()),
        (Some(_), Some(copy)) if copy.trim().is_empty() => {
            format!("wrote {}, which was new when skillspan first wrote it", path.display())
        }
        _ => format!("wrote {}; as it was before: {}", path.display(), backup.display()),
    })
}

/// The settings that somebody has set otherwise.
fn chosen(document: &Document, settings: &[Setting]) -> Vec<String> {
    settings
        .iter()
        .filter(|setting| !setting.in_list && !document.has(setting))
        .filter(|setting| {
            let found = document.get(setting.path);
            found.is_some_and(|value| !document.is_our_block(&value) && !setting.may_be(&value))
        })
        .map(|setting| setting.path.join("."))
        .collect()
}

/// What a file has of the settings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// An address to send to, in the place of ours.
    pub(super) has_address: bool,
    /// Something else in the place of one of ours: only `--replace` writes there.
    pub(super) differs: bool,
}

/// What the file has of settings that send to `endpoint`; nothing, where it cannot be read.
pub(super) fn standing(place: SettingsLocation, settings: &[Setting], path: &Path) -> Standing {
    let text = read(path).ok().flatten();
    let Some(document) = text.and_then(|text| parse(place, &text).ok()) else { return Standing::default() };
    let is_address = |setting: &&Setting| setting.is_address();
    Standing {
        has_address: settings.iter().filter(is_address).any(|setting| document.get(setting.path).is_some()),
        differs: !chosen(&document, settings).is_empty(),
    }
}

/// The byte order mark that some Windows editors write; it is not part of the text.
const MARK: char = '\u{feff}';

/// A text in the form of the one before: its mark at the beginning, its ends of lines.
fn formed_as(before: &str, after: String) -> String {
    let is_crlf = before.contains("\r\n") && before.matches('\n').count() == before.matches("\r\n").count();
    let after = if is_crlf { after.replace("\r\n", "\n").replace('\n', "\r\n") } else { after };
    match before.starts_with(MARK) && !after.starts_with(MARK) {
        true => format!("{MARK}{after}"),
        false => after,
    }
}

/// The file that an assistant reads where one of two names is usual, and the other one is there.
pub(super) fn by_its_name(path: PathBuf) -> PathBuf {
    let other = path.with_extension("jsonc");
    let has_two_names = path.file_name().is_some_and(|name| name == "opencode.json");
    if has_two_names && !path.exists() && other.exists() { other } else { path }
}

/// A text with the settings in it.
pub(super) fn merged(
    place: SettingsLocation,
    settings: &[Setting],
    text: &str,
) -> Result<String, DocumentError> {
    let mut document = parse(place, text)?;
    settings.iter().try_for_each(|setting| document.set(setting))?;
    let rendered = document.render();
    Ok(formed_as(text, if rendered.ends_with('\n') { rendered } else { format!("{rendered}\n") }))
}

/// Whether the file sends elsewhere than to `endpoint`.
pub(super) fn sends_elsewhere(
    place: SettingsLocation,
    settings: &[Setting],
    path: &Path,
    endpoint: &str,
) -> Result<bool, FileError> {
    let Some(text) = read(path)? else { return Ok(false) };
    let content = |reason| FileError::Content { path: path.to_owned(), reason };
    let document = parse(place, &text).map_err(content)?;
    let addresses = settings.iter().filter(|setting| setting.is_address());
    let said: Vec<Value> = addresses.filter_map(|setting| document.get(setting.path)).collect();
    Ok(said.iter().filter_map(Value::as_str).any(|address| !is_below(address, endpoint)))
}

fn is_below(address: &str, endpoint: &str) -> bool {
    address.strip_prefix(endpoint).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the settings are in the file, wherever they send to and whoever they name.
pub(super) fn is_connected(
    place: SettingsLocation,
    settings: &[Setting],
    path: &Path,
) -> Result<bool, FileError> {
    let Some(text) = read(path)? else { return Ok(false) };
    let content = |reason| FileError::Content { path: path.to_owned(), reason };
    Ok(are_in(settings, &parse(place, &text).map_err(content)?))
}

/// Whether files that are ours alone are there.
pub(super) fn own_are_there(paths: &[PathBuf]) -> Result<bool, FileError> {
    let found: Result<Vec<_>, _> = paths.iter().map(|path| read(path)).collect();
    Ok(found?.iter().any(|text| text.as_ref().is_some_and(|text| text.contains(OURS))))
}

/// A file with no more than an address of ours is somebody else's.
fn are_in(settings: &[Setting], document: &Document) -> bool {
    let is_switch = |setting: &&Setting| !setting.is_asked_for() && !setting.is_address();
    let is_there = |setting: &Setting| document.has(&as_written(document, setting));
    let mut switches = settings.iter().filter(is_switch).peekable();
    match settings.iter().any(|setting| setting.in_list) {
        true => settings.iter().filter(|setting| setting.in_list).any(&is_there),
        false => switches.peek().is_some() && switches.all(is_there),
    }
}

/// Takes the settings out again, or puts back what they were. The copy of the file as it was
/// stays as long as any of `others` are there, settings of ours as well.
pub(super) fn remove(
    place: SettingsLocation,
    settings: &[Setting],
    path: &Path,
    others: &[Vec<Setting>],
) -> Result<Removed, FileError> {
    let Some(text) = read(path)? else {
        return Ok(Removed::nothing(format!("{} is not there", path.display())));
    };
    let none = || Removed::nothing(format!("{} has none of the settings", path.display()));
    let content = |reason| FileError::Content { path: path.to_owned(), reason };
    let document = parse(place, &text).map_err(content)?;
    let is_there = |setting: &&Setting| !setting.is_asked_for() || document.get(setting.path).is_some();
    let settings = settings.iter().filter(is_there);
    let settings: Vec<Setting> = settings.map(|setting| as_written(&document, setting)).collect();
    let backup_path = backup_of(path);
    let backup = read(&backup_path)?;
    let is_ours = |setting: &Setting| !setting.is_address() && document.has(setting);
    if backup.is_none() && !settings.iter().any(is_ours) {
        return Ok(none());
    }
    let after = without(place, &settings, &text, backup.as_deref()).map_err(content)?;
    let is_ours_alone =
        backup.as_ref().is_some_and(|before| before.trim().is_empty()) && is_empty(place, &after);
    match after == text {
        true => return Ok(none()),
        false if is_ours_alone => remove_file(path).map_err(io_error(path))?,
        false => replace(path, &after, Mode::Kept)?,
    }
    let left = parse(place, &after).map_err(content)?;
    if backup.is_some() && !others.iter().any(|others| are_in(others, &left)) {
        remove_file(&backup_path).map_err(io_error(&backup_path))?;
    }
    let said = match is_ours_alone {
        true => format!("removed {}, which held nothing else", path.display()),
        false => format!("took the settings out of {}", path.display()),
    };
    Ok(Removed { any: true, said })
}

/// The setting as it was written, for any token or person that it then named.
fn as_written(document: &Document, setting: &Setting) -> Setting {
    let is_another_address = |value: &Value| setting.is_address() && is_address(value);
    let is_ours =
        |value: &Value| setting.may_be(value) || document.is_our_block(value) || is_another_address(value);
    let value = match document.get(setting.path) {
        Some(Value::Array(elements)) if setting.in_list => {
            elements.into_iter().find(|element| is_same_command(element, &setting.value))
        }
        value => value.filter(is_ours),
    };
    Setting { value: value.unwrap_or_else(|| setting.value.clone()), ..setting.clone() }
}

/// A text without the settings. Where nothing else changed since they were written, it is the
/// backup, byte for byte.
fn without(
    place: SettingsLocation,
    settings: &[Setting],
    text: &str,
    backup: Option<&str>,
) -> Result<String, DocumentError> {
    if let Some(before) =
        backup.filter(|before| merged(place, settings, before).is_ok_and(|merged| merged == text))
    {
        return Ok(before.to_owned());
    }
    let before = backup.and_then(|before| parse(place, before).ok());
    let mut document = parse(place, text)?;
    for setting in settings {
        // An element was there before, or a setting had a value of its own.
        let earlier = before.as_ref().and_then(|before| before.get(setting.path));
        match earlier {
            _ if is_of_another_endpoint(&document, setting) => {}
            Some(value) if !setting.in_list => document.set(&Setting { value, ..setting.clone() })?,
            Some(Value::Array(elements)) if elements.contains(&setting.value) => {}
            _ => document.remove(setting),
        }
    }
    let after = formed_as(text, document.render());
    let words = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
    Ok(match backup {
        // Taking out leaves white space of its own.
        Some(before) if words(before) == words(&after) => before.to_owned(),
        _ => after,
    })
}

/// A switch that its owner has since set otherwise stays; an address differs with `--endpoint`.
fn is_of_another_endpoint(document: &Document, setting: &Setting) -> bool {
    !setting.in_list && !setting.is_address() && !document.has(setting)
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|value| value.starts_with("http://") || value.starts_with("https://"))
}

impl Setting {
    /// Whether it says where to send: that differs with `--endpoint`.
    fn is_address(&self) -> bool {
        !self.in_list && is_address(&self.value)
    }
}

pub(super) fn parse(place: SettingsLocation, text: &str) -> Result<Document, DocumentError> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    match place {
        SettingsLocation::Json(_) => Document::json(text),
        SettingsLocation::Toml(_) => Document::toml(text),
        SettingsLocation::Yaml(_) => Document::yaml(text),
        SettingsLocation::Environment(_) | SettingsLocation::OwnFiles { .. } => Ok(Document::lines(text)),
    }
}

fn is_empty(place: SettingsLocation, text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (matches!(place, SettingsLocation::Json(_)) && text == "{}")
}

fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".before-skillspan");
    path.with_file_name(name)
}

pub(super) fn paths(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| folder.join(name)).collect()
}
