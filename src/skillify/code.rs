//! Code that a session wrote and ran: which names it calls.
//!
//! A script is a file that the session itself wrote, or code in a command's argument or behind `<<`. Of each run of
//! one the names that it calls are kept, and nothing else: no text of a string, no comment, no value. Only names that
//! several people's code calls can be said; see [`super::kind::snippet`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::shell::command::{Command, program_name};

/// A run tells so many names.
const MOST_NAMES: usize = 96;

/// Longer code is no script that somebody tries something with.
const LONGEST: usize = 64 * 1024;

/// Programs that run a script, without the figures of their version.
const RUNNERS: [&str; 11] =
    ["bun", "deno", "node", "perl", "php", "pypy", "python", "ruby", "ts-node", "tsx", "py"];

/// Endings of files with code that such a program runs.
const ENDINGS: [&str; 9] = [".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".rb", ".pl", ".php"];

/// What is called: a name, or several with dots between.
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b((?:[A-Za-z_][A-Za-z0-9_]{0,40}\.){0,2}[A-Za-z_][A-Za-z0-9_]{2,40})\(").ok()
});

/// Texts of strings and comments.
static SILENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?s)""".*?"""|'''.*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?:#|//)[^\n]*"#).ok()
});

/// The redirection and the mark of text behind `<<`.
static BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"<<-?\s*(["']?)(\w+)["']?"#).ok());

static TARGET: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[^0-9&>-]>\s*([\w./-]+\.\w+)").ok());

/// Words that stand before a bracket and call nothing.
const NO_CALLS: [&str; 22] = [
    "and", "assert", "catch", "class", "def", "del", "elif", "else", "except", "for", "foreach", "function",
    "print", "not", "return", "super", "switch", "while", "with", "yield", "range", "len",
];

/// The scripts that a session wrote so far.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// The code of each, by the name of its file.
    files: BTreeMap<String, String>,
}

impl Scripts {
    /// A tool wrote a file.
    pub(super) fn wrote(&mut self, path: &str, text: &str) {
        if is_script(path) && text.len() <= LONGEST {
            self.files.insert(file_name(path).to_owned(), text.to_owned());
        }
    }

    /// A tool put one text in the place of another in a script that the session wrote.
    pub(super) fn replaced(&mut self, path: &str, old: &str, new: &str) {
        let Some(code) = self.files.get_mut(file_name(path)).filter(|_| !old.is_empty()) else { return };
        if code.len() + new.len() <= LONGEST {
            *code = code.replacen(old, new, 1);
        }
    }

    /// A command line ran: it may write scripts. What it hands to a program itself comes back.
    pub(super) fn line(&mut self, text: &str) -> Option<String> {
        let behind = BEHIND.as_ref().filter(|_| text.contains("<<"))?;
        let mut handed = None;
        let mut rest = text;
        while let Some(found) = behind.captures(rest) {
            let (all, mark) = (found.get(0)?, found.get(2)?.as_str());
            let first = rest.get(..all.start())?.rsplit('\n').next().unwrap_or_default();
            let (head, body) = rest.get(all.end()..)?.split_once('\n')?;
            let ends = |line: &&str| line.trim() == mark;
            let lines: Vec<&str> = body.split('\n').take_while(|line| !ends(line)).collect();
            let code = lines.join("\n");
            let target = TARGET
                .as_ref()?
                .captures(&format!("{first} {head}"))
                .and_then(|found| found.get(1).map(|path| path.as_str().to_owned()));
            rest = body.get(code.len()..).unwrap_or_default();
            match target {
                Some(path) => self.wrote(&path, &code),
                None if code.len() <= LONGEST => handed = Some(code),
                None => {}
            }
        }
        handed
    }

    /// The names that a command's script calls, ascending; `None` if it runs none of the session's own.
    pub(super) fn run_by(&self, command: &Command, handed: Option<&str>) -> Option<Box<[String]>> {
        let words: Vec<&str> = command.words().iter().map(|word| word.value.as_str()).collect();
        let (program, rest) = words.split_first()?;
        if !RUNNERS.contains(&runner(program)) {
            return None;
        }
        let file = rest.iter().find_map(|word| self.files.get(file_name(word)));
        let inline = || {
            let at = rest.iter().position(|word| ["-c", "-e", "--eval"].contains(word))?;
            rest.get(at + 1).copied()
        };
        let code = file.map(String::as_str).or_else(inline).or(handed)?;
        Some(names(code))
    }
}

/// The program without the figures of its version.
pub(super) fn runner(program: &str) -> &str {
    program_name(program).trim_end_matches(|char: char| char.is_ascii_digit() || char == '.')
}

fn is_script(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The names that code calls, ascending.
fn names(code: &str) -> Box<[String]> {
    let (Some(silent), Some(call)) = (SILENT.as_ref(), CALL.as_ref()) else { return Box::default() };
    let plain = silent.replace_all(code, "\"\"");
    let mut names: BTreeSet<String> = BTreeSet::new();
    for found in call.captures_iter(&plain).filter_map(|found| found.get(1)) {
        let before = plain.get(..found.start()).unwrap_or_default().trim_end();
        let is_defined = ["def", "class", "function", "func", "fn"].iter().any(|word| {
            before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|char: char| char.is_alphanumeric()))
        });
        let name = found.as_str();
        let last = name.rsplit('.').next().unwrap_or(name);
        if !is_defined && !NO_CALLS.contains(&last) {
            names.insert(name.to_owned());
            names.insert(last.to_owned());
        }
    }
    names.into_iter().take(MOST_NAMES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::single;

    fn run(scripts: &Scripts, line: &str, handed: Option<&str>) -> Option<Vec<String>> {
        scripts.run_by(&single(line)?, handed).map(|names| names.to_vec())
    }

    #[test]
    fn names_are_what_is_called_and_no_text() {
        let code = "import shop\n# never call secret()\ndef helper(x):\n    pass\nshop.db.connect(\"drop(it)\")\nprint('token(x)')\nstart()\n";
        assert_eq!(names(code).to_vec(), ["connect", "shop.db.connect", "start"]);
    }

    #[test]
    fn scripts_are_written_changed_and_run() {
        let mut scripts = Scripts::default();
        assert_eq!(scripts.line("cat > try.py <<'EOF'\nopen_shop()\nEOF\npython try.py"), None);
        assert_eq!(run(&scripts, "python3.11 try.py", None), Some(vec!["open_shop".to_owned()]));
        scripts.replaced("/work/try.py", "open_shop()", "setup()\nopen_shop()");
        let both = Some(vec!["open_shop".to_owned(), "setup".to_owned()]);
        assert_eq!(run(&scripts, "python ./try.py", None), both);
        scripts.wrote("/tmp/other.js", "go_there()");
        assert_eq!(run(&scripts, "node /tmp/other.js", None), Some(vec!["go_there".to_owned()]));
        assert_eq!(run(&scripts, "python src/shop.py", None), None, "a file of the repository");
        assert_eq!(run(&scripts, "cat try.py", None), None);
        assert_eq!(run(&scripts, "python -c 'open_shop()'", None), Some(vec!["open_shop".to_owned()]));
        let handed = scripts.line("python3 - <<PY\nlook_at()\nPY");
        assert_eq!(run(&scripts, "python3 -", handed.as_deref()), Some(vec!["look_at".to_owned()]));
    }
}
