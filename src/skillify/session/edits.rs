//! What tools of an assistant's own do: which file an edit names, and what it writes; what a line writes, and where it runs.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::shell::command::looks_like_file;

/// Words of the names of tools that change nothing.
#[rustfmt::skip]
pub(super) const LOOKING: &[&str] = &[
    "agent", "ask", "fetch", "find", "get", "glob", "grep", "list", "ls", "plan", "question", "read", "search",
    "task", "think", "todo", "todowrite", "todoread", "view", "web",
];

/// The new text of an edit, without the text that it replaces.
pub(in crate::skillify) fn written(fields: Option<&Value>, input: &str) -> String {
    const WRITTEN: [&str; 6] = ["new_string", "content", "new_str", "new_text", "newString", "file_text"];
    let Some(Value::Object(fields)) = fields else {
        return input.lines().filter(|line| line.starts_with('+')).collect::<Vec<_>>().join("\n");
    };
    let text = |fields: &serde_json::Map<String, Value>| {
        WRITTEN.iter().find_map(|key| fields.get(*key)?.as_str().map(str::to_owned))
    };
    let edits = fields.get("edits").and_then(Value::as_array).into_iter().flatten();
    let edits = edits.filter_map(Value::as_object).filter_map(text);
    text(fields).into_iter().chain(edits).collect::<Vec<_>>().join("\n")
}

/// The file that an edit names, `""` if none; the first of a patch. `fields` is the input, if that is JSON.
pub(super) fn edited_path(fields: Option<&Value>, input: &str) -> String {
    let patched = |patch: &str| {
        let name = |line: &str| {
            let marks = ["*** Update File: ", "*** Add File: ", "+++ b/"];
            marks.iter().find_map(|mark| line.strip_prefix(mark).map(|path| path.trim().to_owned()))
        };
        patch.lines().find_map(name)
    };
    let Some(value) = fields else { return patched(input).unwrap_or_default() };
    let Value::Object(fields) = value else { return String::new() };
    let text = |keys: &[&str]| keys.iter().find_map(|key| fields.get(*key).and_then(Value::as_str));
    let path = text(&["file_path", "path", "filename", "file", "target_file", "absolute_path", "filePath"])
        .map(str::to_owned)
        .or_else(|| text(&["input", "patch", "diff"]).and_then(patched));
    path.filter(|path| looks_like_file(path) && !path.contains(char::is_whitespace)).unwrap_or_default()
}

/// The line as it reads where the session began: `cd /home/ann/shop/web && …` enters `web`.
pub(in crate::skillify) fn within<'l>(line: &'l str, folder: &str) -> Cow<'l, str> {
    if folder.len() < 2 || !line.contains(folder) {
        return Cow::Borrowed(line);
    }
    let below = line.replace(&format!("cd {folder}/"), "cd ");
    Cow::Owned(below.replace(&format!("cd {folder} &&"), "cd . &&"))
}

static REDIRECTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^0-9&>-])>\s*([\w./-]*\w\.\w+)").ok());

/// The files that a line makes by redirection, as written; what it adds to (`>>`) was there.
pub(super) fn redirected(line: &str) -> Vec<&str> {
    let Some(regex) = REDIRECTION.as_ref().filter(|_| line.contains('>')) else { return Vec::new() };
    regex.captures_iter(line).filter_map(|found| found.get(1)).map(|path| path.as_str()).collect()
}

/// Whether a path that a line writes to is a file that can be named.
pub(super) fn is_written(path: &str) -> bool {
    !path.starts_with("/dev/") && !path.starts_with('&') && !path.contains(['$', '*', '`'])
}
