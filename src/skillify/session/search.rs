//! What a session looked for: where a name is declared, and paths that are not there.
//!
//! The output of a search for a name shows its **declaration**: a line that declares it, or, if the search was for the
//! declaration itself, the one file that it lists. A path is **missing** if a tool says that it does not exist. It is
//! searched **in vain** if a search below it found nothing. A path that was read is **present**, which speaks against a
//! path that others missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkout::Checkout;
use super::event_ids::EventIds;
use super::lines::Line;
use super::option;
use super::search_result::Found;
use crate::event::Status;
use crate::shell::command::looks_like_file;

/// One thing that a session learned of where things are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::skillify) struct Look {
    pub(in crate::skillify) found: Found,
    /// The events of the call.
    pub(in crate::skillify) events: EventIds,
}

/// So many characters of an output are read.
const MOST_OUTPUT: usize = 16 * 1024;
/// A call that finds more names is a survey and tells little of any of them.
const MOST_NAMES: usize = 8;
/// So many of the files that a search names are kept.
const MOST_HITS: usize = 3;
/// A name that is shorter is anybody's.
const SHORTEST_NAME: usize = 5;

/// What a call asked for.
pub(in crate::skillify) enum Asked<'a> {
    /// A command line.
    Line(&'a Line),
    /// A tool with a name of such words; its input, if that is JSON.
    Tool { words: Vec<String>, fields: &'a dyn Fn() -> Option<&'a Value> },
}

/// What one call found, each once.
pub(in crate::skillify) fn found(
    asked: &Asked<'_>,
    output: &str,
    status: Status,
    checkout: &Checkout<'_>,
) -> BTreeSet<Found> {
    let end = output.floor_char_boundary(output.len().min(MOST_OUTPUT));
    let output = output.get(..end).unwrap_or_default();
    let found = match asked {
        Asked::Line(line) => {
            let mut found = of_line(line, output, status);
            found.extend(option::flags(line.text(), output, status));
            found
        }
        Asked::Tool { words, fields } => of_tool(words, *fields, output, status),
    };
    found.into_iter().filter_map(|found| found.within(checkout)).collect()
}

impl Found {
    /// With the path from the root of the repository; `None` for what lies elsewhere.
    pub(in crate::skillify) fn within(self, checkout: &Checkout<'_>) -> Option<Self> {
        let inside = |path: String| -> Option<String> {
            let path = checkout.within(&path).trim_end_matches('/').to_owned();
            let plain = |char: char| char.is_ascii_alphanumeric() || "-_./@+".contains(char);
            let is_inside = !path.starts_with(['/', '~', '-']) && !path.split('/').any(|part| part == "..");
            (is_inside && path.len() > 1 && path.len() <= 160 && path.chars().all(plain)).then_some(path)
        };
        Some(match self {
            Self::Declared { name, file } => Self::Declared { name, file: inside(file)? },
            Self::Missing(path) => Self::Missing(inside(path)?),
            Self::InVain(path) => Self::InVain(inside(path)?),
            Self::Present(path) => Self::Present(inside(path)?),
            Self::LeftOver(path) => Self::LeftOver(inside(path)?),
            other @ (Self::Sought(_) | Self::Unknown { .. } | Self::Takes { .. } | Self::Skill { .. }) => {
                other
            }
        })
    }
}

fn of_tool<'a>(
    words: &[String],
    fields: &dyn Fn() -> Option<&'a Value>,
    output: &str,
    status: Status,
) -> Vec<Found> {
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let reads = has(&["read", "view", "open", "cat"]);
    let searches = has(&["grep", "search", "glob", "ripgrep", "find"]) && !has(&["web"]);
    if has(&["skill"]) && !reads && !searches {
        return skill(fields(), output, status).into_iter().collect();
    }
    if !reads && !searches {
        return Vec::new();
    }
    let fields = fields();
    let text = |keys: &[&str]| keys.iter().find_map(|key| fields?.get(*key).and_then(Value::as_str));
    let path = text(&["file_path", "absolute_path", "path", "filePath", "filename", "file", "directory"]);
    if reads {
        let Some(path) = path.filter(|path| looks_like_file(path)) else { return Vec::new() };
        return if says_missing(output) {
            vec![Found::Missing(path.to_owned())]
        } else if status == Status::Error || output.is_empty() {
            Vec::new()
        } else {
            vec![Found::Present(path.to_owned())]
        };
    }
    let pattern = text(&["pattern", "query", "regex"]).unwrap_or_default();
    let mut found = match path {
        Some(path) if says_missing(output) => return vec![Found::Missing(path.to_owned())],
        Some(path) if says_nothing_found(output) => vec![Found::InVain(path.to_owned())],
        _ if status == Status::Error => return Vec::new(),
        path => hits(pattern, path, output),
    };
    found.extend(sought(pattern, says_nothing_found(output), &found));
    found
}

/// The skill that a call asked for, if the answer tells whether there is one.
fn skill(fields: Option<&Value>, output: &str, status: Status) -> Option<Found> {
    let name = ["skill", "skill_name", "name"].iter().find_map(|key| fields?.get(*key)?.as_str())?;
    let is_name = |char: char| char.is_ascii_alphanumeric() || "-_:".contains(char);
    let is_plain = !name.is_empty() && name.len() <= 60 && name.chars().all(is_name);
    let start = output.get(..output.floor_char_boundary(output.len().min(300))).unwrap_or_default();
    let start = start.to_lowercase();
    let says = |form: &str| start.contains(&form.replace('#', &name.to_lowercase()));
    let is_unknown = NO_SKILL.iter().any(|form| says(form));
    let known = status == Status::Ok && !is_unknown;
    (is_plain && (known || is_unknown)).then(|| Found::Skill { name: name.to_owned(), known })
}

/// How assistants say that there is no skill `#`. Seen: Claude Code 2, Gemini CLI 0.21, OpenCode 1, Copilot CLI.
const NO_SKILL: &[&str] = &[
    "unknown skill: #",
    "skill \"#\" not found",
    "skill '#' not found",
    "skill not found: #",
    "no skill named '#'",
];

/// The names whose declarations a search did not find. If the search found anything, only names whose declarations it
/// asked for count.
fn sought(pattern: &str, is_in_vain: bool, found: &[Found]) -> Vec<Found> {
    let wanted = plain(pattern);
    let parts = wanted.split('|').take(MOST_NAMES);
    let names = parts.filter_map(|part| {
        declares(part.trim_start_matches('(')).or_else(|| is_in_vain.then(|| named(part))?)
    });
    let is_found =
        |name: &str| found.iter().any(|one| matches!(one, Found::Declared { name: own, .. } if own == name));
    names.filter(|name| !is_found(name)).map(|name| Found::Sought(name.to_owned())).collect()
}

/// What a search with hits tells: declarations, and files that are there.
fn hits(pattern: &str, within: Option<&str>, output: &str) -> Vec<Found> {
    let files =
        output.lines().filter_map(|line| if is_path(line) { Some(line) } else { Some(hit(line, None)?.0) });
    let mut seen: Vec<&str> = files.take(MOST_HITS).collect();
    seen.dedup();
    let mut found = declared(pattern, within, output);
    found.extend(seen.into_iter().map(|path| Found::Present(path.to_owned())));
    found
}

fn of_line(line: &Line, output: &str, status: Status) -> Vec<Found> {
    let listed = line.listed();
    // A folder that the line enters decides where its paths begin.
    if listed.iter().any(|listed| listed.command.setting().directory.is_some()) {
        return Vec::new();
    }
    let mut found: Vec<Found> = missing_in(output).map(|path| Found::Missing(path.to_owned())).collect();
    let [only] = listed else { return found };
    let words = only.command.words();
    let searches =
        matches!(words.first().map(|word| word.value.as_str()), Some("grep" | "rg" | "ack" | "ag"));
    let arguments = words.iter().skip(1).map(|word| word.value.as_str());
    let mut arguments = arguments.take_while(|word| *word != "|").filter(|word| !word.starts_with('-'));
    if searches && let Some(pattern) = arguments.next() {
        let path = arguments.next().filter(|path| looks_like_file(path));
        if status != Status::Error {
            found.extend(hits(pattern, path, output));
        }
        found.extend(sought(pattern, output.trim().is_empty(), &found));
    } else if status == Status::Ok && !output.is_empty() && only.command.is_trivial() {
        let files = arguments.filter(|word| looks_like_file(word));
        found.extend(files.map(|path| Found::Present(path.to_owned())));
    }
    found
}

/// How tools say that a path is not there.
fn says_missing(output: &str) -> bool {
    let start = output.get(..output.floor_char_boundary(output.len().min(300))).unwrap_or_default();
    let start = start.to_lowercase();
    ["does not exist", "no such file", "enoent", "file not found", "path not found"]
        .iter()
        .any(|words| start.contains(words))
}

/// How tools say that a search found nothing.
fn says_nothing_found(output: &str) -> bool {
    let text = output.trim().to_lowercase();
    text.is_empty()
        || ["no files found", "no matches found", "found 0 "].iter().any(|words| text.starts_with(words))
}

/// The paths that programs say are not there.
fn missing_in(output: &str) -> impl Iterator<Item = &str> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let programs = "(?:ls|cat|head|tail|sed|nl|wc|grep|rg|find|stat|less|bat)";
        let form = format!(
            r#"(?m)^{programs}: (?:cannot (?:access|open) |can't read )?['"‘]?([\w./@+-]+)['"’]?(?: for reading)?: No such file or directory"#
        );
        Regex::new(&form).ok()
    });
    let says_so = output.contains("No such file or directory");
    FORM.iter()
        .filter(move |_| says_so)
        .flat_map(move |form| form.captures_iter(output))
        .filter_map(|found| Some(found.get(1)?.as_str()))
}

/// What declares a name, in the languages that people use most; the name is the first group.
static DECLARES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "type|func|class|def|fn|struct|enum|trait|interface|function|module|object|record|protocol|macro_rules!";
    Regex::new(&format!(r"(?:^|[\s(])(?:{words})\s+(?:\([^()]*\)\s*)?([A-Za-z_][A-Za-z0-9_]*)")).ok()
});

/// The declarations that a search for a pattern found, each in one file. Who searches one file knows already where the
/// name is.
fn declared(pattern: &str, within: Option<&str>, output: &str) -> Vec<Found> {
    if within.is_some_and(is_path) {
        return Vec::new();
    }
    let wanted = plain(pattern);
    let mut files_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in output.lines() {
        let Some((file, text)) = hit(line, within) else { continue };
        let Some(name) = declares(text).filter(|name| asks_for(&wanted, name)) else { continue };
        files_of.entry(name).or_default().insert(file);
    }
    if files_of.is_empty() {
        // A list of files alone: the declaration itself has to be what was searched for.
        let files: Vec<&str> = output.lines().filter(|line| is_path(line)).collect();
        let rest = || output.lines().filter(|line| !line.trim().is_empty() && !is_path(line));
        if let [file] = files.as_slice()
            && rest().all(|line| line.starts_with("Found "))
        {
            let names = wanted.split('|').filter_map(declares);
            let names: Vec<&str> = names.collect();
            if let [name] = names.as_slice() {
                files_of.entry(name).or_default().insert(file);
            }
        }
    }
    if files_of.len() > MOST_NAMES {
        return Vec::new();
    }
    // Two files that declare a name speak against each other.
    let told = files_of
        .into_iter()
        .flat_map(|(name, files)| files.into_iter().take(2).map(move |file| (name, file)));
    told.map(|(name, file)| Found::Declared { name: name.to_owned(), file: file.to_owned() }).collect()
}

/// Whether a search was for a name, or for its declaration; not for the lines that use it with something else.
fn asks_for(pattern: &str, name: &str) -> bool {
    let is_name = |part: &str| part.trim_matches(|char: char| !char.is_alphanumeric() && char != '_') == name;
    pattern.split('|').any(|part| is_name(part) || declares(part.trim_start_matches('(')) == Some(name))
}

/// The name that a line of code declares, if nobody would use it for something else.
fn declares(text: &str) -> Option<&str> {
    let name = DECLARES.as_ref()?.captures(text)?.get(1)?.as_str();
    is_telling(name).then_some(name)
}

/// The name that a part of a pattern is.
fn named(part: &str) -> Option<&str> {
    let name = part.trim_matches(|char: char| !char.is_alphanumeric() && char != '_');
    let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    (is_name && is_telling(name)).then_some(name)
}

/// Whether a name is nobody else's.
fn is_telling(name: &str) -> bool {
    let is_long = name.len() >= SHORTEST_NAME && name.len() <= 60;
    is_long && name.chars().skip(1).any(|char| char.is_uppercase() || char == '_')
}

/// The file and the code of a hit: `a.go:12:code`, `a.go:code`, or `12:code` of the one file that was searched.
fn hit<'l>(line: &'l str, within: Option<&'l str>) -> Option<(&'l str, &'l str)> {
    let (first, rest) = line.split_once(':')?;
    if first.chars().all(|char| char.is_ascii_digit()) && !first.is_empty() {
        return within.filter(|path| is_path(path)).map(|path| (path, rest));
    }
    if !is_path(first) {
        return None;
    }
    let code = match rest.split_once(':') {
        Some((number, code)) if number.chars().all(|char| char.is_ascii_digit()) => code,
        _ => rest,
    };
    Some((first, code))
}

/// A file with an ending, and nothing else.
fn is_path(text: &str) -> bool {
    looks_like_file(text)
        && !text.contains(char::is_whitespace)
        && text.rsplit('/').next().is_some_and(|name| name.contains('.') && !name.ends_with('.'))
}

/// A search pattern without what only a regular expression needs.
fn plain(pattern: &str) -> String {
    let pattern = pattern
        .replace(r"\b", "")
        .replace(r"\s+", " ")
        .replace(r"\s*", " ")
        .replace(r"\|", "|")
        .replace(".*", " ");
    pattern.chars().filter(|char| !"\\^$".contains(*char)).collect::<String>().replace("(?i)", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::tool::name_words;

    fn is_declared(name: &str, file: &str) -> Found {
        Found::Declared { name: name.to_owned(), file: file.to_owned() }
    }

    #[test]
    fn a_search_for_a_name_tells_where_it_is_declared() {
        let output = "src/cart/total.go:14:func (c *Cart) GrandTotal() int {\nsrc/cart/view.go:9:\tx := c.GrandTotal()";
        assert_eq!(declared("GrandTotal", None, output), [is_declared("GrandTotal", "src/cart/total.go")]);
        assert_eq!(
            declared(r"class\s+TaxRate\b", None, "Found 1 file\napp/tax.py"),
            [is_declared("TaxRate", "app/tax.py")]
        );
    }

    #[test]
    fn a_name_that_is_only_used_or_was_not_asked_for_tells_nothing() {
        let both = declared("TaxRate", None, "a/tax.py:1:class TaxRate:\nb/tax.py:1:class TaxRate:");
        assert_eq!(both, [is_declared("TaxRate", "a/tax.py"), is_declared("TaxRate", "b/tax.py")]);
        let known = declared("type CartState", Some("src/cart/state.go"), "7:type CartState struct {");
        assert!(known.is_empty(), "{known:?}");
        for (pattern, output) in [
            ("TaxRate .*float", "a/tax.py:1:class TaxRate:"),
            ("TaxRate", "a/tax.py:1:x = TaxRate()"),
            ("TaxRate", "Found 1 file\na/tax.py"),
            ("class TaxRate", "Found 2 files\na/tax.py\nb/tax.py"),
            ("total", "a/tax.py:1:def total(self):"),
            ("Rate", "a/tax.py:1:class TaxRate:"),
        ] {
            let found = declared(pattern, None, output);
            assert!(found.is_empty(), "{pattern}: {found:?}");
        }
    }

    #[test]
    fn paths_that_are_not_there_are_told_by_tools_and_programs() {
        let reads = r#"{"file_path": "/srv/shop/app/tax.py"}"#;
        let tool = |name: &str, input: &str, output: &str, status: Status| {
            let fields: Value = serde_json::from_str(input).unwrap();
            of_tool(&name_words(name), &|| Some(&fields), output, status)
        };
        let line = |line: &str, output: &str, status: Status| of_line(&Line::read(line), output, status);
        let missing = |path: &str| vec![Found::Missing(path.to_owned())];
        assert_eq!(
            tool("Read", reads, "File does not exist.", Status::Error),
            missing("/srv/shop/app/tax.py")
        );
        assert_eq!(
            line("cat app/tax.py", "cat: app/tax.py: No such file or directory", Status::Error),
            missing("app/tax.py")
        );
        assert_eq!(
            tool("Grep", r#"{"pattern": "tax", "path": "app/rates"}"#, "No files found", Status::Ok),
            [Found::InVain("app/rates".to_owned())]
        );
        assert_eq!(
            tool("Read", reads, "1 class Tax:", Status::Ok),
            [Found::Present("/srv/shop/app/tax.py".to_owned())]
        );
        assert!(line("cd web && cat a.ts", "cat: a.ts: No such file or directory", Status::Error).is_empty());
    }
}
