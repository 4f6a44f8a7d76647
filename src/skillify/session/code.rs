//! Code that a session wrote and ran: which names it calls, and which files it writes.
//!
//! A script is a file that the session itself wrote, or code in a command's argument or behind `<<`. Of each run of
//! one the names that it calls are kept, and nothing else: no text of a string, no comment, no value. Only names that
//! several people's code calls can be said; see [`super::super::kind::snippet`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::edits::is_written;
use crate::shell::command::{Command, Listed, looks_like_file, program_name};

/// A run tells so many names.
const MOST_NAMES: usize = 96;

/// A script or a patch tells so many files.
const MOST_FILES: usize = 8;

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

/// What the scripts and patches did that a command line ran.
#[derive(Debug)]
pub(in crate::skillify) struct Code {
    /// The names that they call, a list for each command of the line.
    pub(in crate::skillify) names: Vec<Box<[String]>>,
    /// The files that they write, each with the place of the command.
    pub(in crate::skillify) files: Vec<(usize, String)>,
}

/// The scripts that a session wrote so far.
#[derive(Debug, Default)]
pub(in crate::skillify) struct Scripts {
    /// The code of each, by the name of its file.
    files: BTreeMap<String, String>,
    /// The files that each patch changes, by the name of the patch's file.
    patches: BTreeMap<String, Vec<String>>,
}

impl Scripts {
    /// A tool wrote a file.
    pub(in crate::skillify) fn wrote(&mut self, path: &str, text: &str) {
        if is_script(path) && text.len() <= LONGEST {
            self.files.insert(file_name(path).to_owned(), text.to_owned());
        } else if is_patch(path) {
            self.patches.insert(file_name(path).to_owned(), patched(text));
        }
    }

    /// A tool put one text in the place of another in a script that the session wrote.
    pub(in crate::skillify) fn replaced(&mut self, path: &str, old: &str, new: &str) {
        let Some(code) = self.files.get_mut(file_name(path)).filter(|_| !old.is_empty()) else { return };
        if code.len() + new.len() <= LONGEST {
            *code = code.replacen(old, new, 1);
        }
    }

    /// A command line ran: it may write scripts and patches. What those call and write that it runs; `None` if it runs
    /// none.
    pub(in crate::skillify) fn run(&mut self, line: &str, listed: &[Listed]) -> Option<Code> {
        let handed = self.line(line);
        let handed = handed.as_deref();
        let names: Vec<_> = listed.iter().map(|listed| self.run_by(&listed.command, handed)).collect();
        let edited = |(place, listed): (usize, &Listed)| {
            self.edited_by(&listed.command, line, handed).into_iter().map(move |file| (place, file))
        };
        let files: Vec<(usize, String)> = listed.iter().enumerate().flat_map(edited).collect();
        let is_some = names.iter().any(Option::is_some) || !files.is_empty();
        is_some.then(|| Code { names: names.into_iter().map(Option::unwrap_or_default).collect(), files })
    }

    /// What a command line hands to a program itself; the scripts and patches that it writes are kept.
    fn line(&mut self, text: &str) -> Option<String> {
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

    /// The files that a command's script writes, or that the patch names that it applies: as written. `line` is the
    /// command's line.
    fn edited_by(&self, command: &Command, line: &str, handed: Option<&str>) -> Vec<String> {
        let words: Vec<&str> = command.words().iter().map(|word| word.value.as_str()).collect();
        match words.as_slice() {
            ["patch", rest @ ..] | ["git", "apply", rest @ ..] => {
                let is_file = |word: &&&str| !word.starts_with('-') && !is_patch(word);
                let own = rest.iter().find(is_file).filter(|_| words.first() == Some(&"patch"));
                if let Some(file) = own.filter(|file| looks_like_file(file)) {
                    return vec![(*file).to_owned()];
                }
                let named = |(name, _): &(&String, &Vec<String>)| line.contains(name.as_str());
                let kept = self.patches.iter().filter(named).flat_map(|(_, files)| files.iter().cloned());
                kept.chain(handed.into_iter().flat_map(patched)).take(MOST_FILES).collect()
            }
            _ => self.code_of(command, handed).map_or_else(Vec::new, opened_to_write),
        }
    }

    /// The names that a command's script calls, ascending; `None` if it runs none of the session's own.
    fn run_by(&self, command: &Command, handed: Option<&str>) -> Option<Box<[String]>> {
        self.code_of(command, handed).map(names)
    }

    /// The code of a command's script; `None` if it runs none of the session's own.
    fn code_of<'c>(&'c self, command: &'c Command, handed: Option<&'c str>) -> Option<&'c str> {
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
        file.map(String::as_str).or_else(inline).or(handed)
    }
}

/// The program without the figures of its version.
pub(in crate::skillify) fn runner(program: &str) -> &str {
    program_name(program).trim_end_matches(|char: char| char.is_ascii_digit() || char == '.')
}

fn is_script(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_patch(path: &str) -> bool {
    path.ends_with(".patch") || path.ends_with(".diff")
}

/// The files that a patch changes.
fn patched(text: &str) -> Vec<String> {
    let named =
        text.lines().filter_map(|line| line.strip_prefix("+++ b/").or_else(|| line.strip_prefix("+++ ")));
    let paths = named.filter_map(|rest| rest.split(char::is_whitespace).next());
    paths
        .filter(|path| looks_like_file(path) && *path != "/dev/null")
        .take(MOST_FILES)
        .map(str::to_owned)
        .collect()
}

/// The files that code opens to write, where their paths stand in it: `open("src/till.py", "w")`,
/// `Path(name).write_text(…)`, `fs.writeFileSync("src/till.ts", …)`.
fn opened_to_write(code: &str) -> Vec<String> {
    static OPENED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let named = r#"(?:["']([^"'\n]+)["']|([A-Za-z_]\w*))"#;
        let opens = format!(r#"\bopen\(\s*{named}\s*,\s*(?:mode\s*=\s*)?["'](?:[wax]|r\+)"#);
        let path = format!(r"\bPath\(\s*{named}\s*\)\.write_(?:text|bytes)\(");
        let file = format!(r"\bwriteFile(?:Sync)?\(\s*{named}\s*,");
        Regex::new(&format!(r"{opens}|{path}|{file}|\b([A-Za-z_]\w*)\.write_(?:text|bytes)\(")).ok()
    });
    static GIVEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?m)^\s*(?:const |let |var )?([A-Za-z_]\w*)\s*=\s*(?:(?:pathlib\.)?Path\(\s*)?["']([^"'\n]+)["']"#).ok()
    });
    let (Some(opened), Some(given)) = (OPENED.as_ref(), GIVEN.as_ref()) else { return Vec::new() };
    let given = |name: &str| {
        let mut all =
            given.captures_iter(code).filter(|found| found.get(1).is_some_and(|own| own.as_str() == name));
        all.find_map(|found| Some(found.get(2)?.as_str()))
    };
    let mut files: Vec<String> = Vec::new();
    for found in opened.captures_iter(code) {
        let text = [1, 3, 5].iter().find_map(|group| found.get(*group)).map(|found| found.as_str());
        let name = [2, 4, 6, 7].iter().find_map(|group| found.get(*group)).map(|found| found.as_str());
        let path = text.or_else(|| given(name?)).filter(|path| looks_like_file(path));
        if let Some(path) = path.filter(|path| is_written(path) && !files.iter().any(|known| known == path)) {
            files.push(path.to_owned());
        }
    }
    files.truncate(MOST_FILES);
    files
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

    fn edited(scripts: &mut Scripts, line: &str) -> Vec<String> {
        let handed = scripts.line(line);
        let last = crate::shell::command::commands(line).pop().map(|listed| listed.command);
        last.map_or_else(Vec::new, |command| scripts.edited_by(&command, line, handed.as_deref()))
    }

    #[test]
    fn scripts_and_patches_edit_the_files_that_they_name() {
        let mut scripts = Scripts::default();
        let mut edited = |line: &str| edited(&mut scripts, line);
        assert_eq!(
            edited(
                "python - <<'EOF'\ntext = open('src/till.py').read()\nopen('src/till.py', 'w').write(text)\nEOF"
            ),
            ["src/till.py"]
        );
        assert_eq!(
            edited(
                "cat > fix.py <<'EOF'\npath = \"src/cart.py\"\nwith open(path, mode=\"w\") as file:\n    pass\nEOF\npython fix.py"
            ),
            ["src/cart.py"]
        );
        assert_eq!(edited("python3 -c \"open('a/b.py', 'a').write('x')\""), ["a/b.py"]);
        assert_eq!(edited("node -e \"require('fs').writeFileSync('web/a.ts', text)\""), ["web/a.ts"]);
        assert_eq!(
            edited(
                "python - <<EOF\nPath('a/c.py').write_text(x)\nfile = Path('a/d.py')\nfile.write_text(y)\nEOF"
            ),
            ["a/c.py", "a/d.py"]
        );
        assert_eq!(edited("python - <<EOF\nprint(open('a/c.py').read())\nopen(target, 'w')\nEOF"), [""; 0]);
        let diff = "--- a/src/tax.py\n+++ b/src/tax.py\n@@ -1 +1 @@\n-a\n+b\nEOF";
        assert_eq!(edited(&format!("git apply <<'EOF'\n{diff}")), ["src/tax.py"]);
        assert_eq!(
            edited(&format!("cat > fix.patch <<'EOF'\n{diff}\npatch -p1 < fix.patch")),
            ["src/tax.py"]
        );
        assert_eq!(edited("git apply fix.patch"), ["src/tax.py"]);
        assert_eq!(edited("patch src/rate.py other.diff"), ["src/rate.py"]);
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
