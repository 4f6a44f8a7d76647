//! Small languages in arguments that can run something: SQL clients, sed, awk, make.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::{Class, Judgement};
use crate::shell::flag::is_flag;

/// Programs, and what their code says where it runs something.
type Runs = [(&'static [&'static str], Regex); 4];

static RUNS: LazyLock<Option<Runs>> = LazyLock::new(|| {
    Some([
        (
            &["psql", "mysql", "mariadb", "sqlite3", "duckdb", "clickhouse-client", "sqlcmd", "usql", "pgcli", "mongosh", "mongo", "redis-cli"] as &[&str],
            Regex::new(r"(?i)\\!|\bprogram\b|^\s*\.(?:shell|system|load|import|output|once|excel|open)\b|^\s*system\b|\\(?:copy|o|w|g|i|ir)\b|\bxp_cmdshell\b|\blo_export\b|\bdblink|\bload_file\b|\bload_extension\b|\binto\s+(?:out|dump)file\b|\bshellfs\b|\bchild_process\b|\beval\b|\bscript\b|\bmodule\s+load\b|\bconfig\s+set\b|\bpg_(?:read|write|execute)\w*|\bcreate\s+(?:or\s+replace\s+)?function\b|!!|^\s*!!?")
                .ok()?,
        ),
        (&["awk", "gawk", "mawk"], Regex::new(r#"\bsystem\b|\bgetline\b|[|]|>|\bload\b|@include"#).ok()?),
        (
            &["sed", "gsed"],
            Regex::new(r"(?:^|[;{}\n]|\d|\$|/)\s*[eE](?:\s|$|;)|(?:^|[;{}\d$/])\s*[wWrR]\s+\S").ok()?,
        ),
        (&["jq", "yq"], Regex::new(r"\binput_filename\b|\$__prog|\bload\(|\bimport\b|\binclude\b|\benv\b|\$ENV").ok()?),
    ])
});

/// What `gdb`, editors and `make` run where it stands in any argument.
static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new([r"\$\(shell\b", r"^:!"]).ok());

/// Adds what is run by texts in the arguments of a program.
pub(super) fn judge(words: &[&str], judged: &mut Judgement) {
    let Some((program, rest)) = words.split_first() else { return };
    let (Some(languages), Some(any)) = (RUNS.as_ref(), ANY.as_ref()) else {
        return judged.add(Class::Unknown, "no rules to check it by");
    };
    for (programs, runs) in languages {
        let is_run = |word: &&str| match substitution(word).filter(|_| programs.contains(&"sed")) {
            Some((flags, behind)) => flags.contains(['e', 'w']) || runs.is_match(behind),
            None => !is_flag(word) && runs.is_match(word),
        };
        if programs.contains(program) && rest.iter().any(is_run) {
            judged.add(Class::Unknown, "a command within its arguments");
        }
    }
    let evaluates = match (*program, rest) {
        // A file of the repository is a script; anything else is code.
        ("rails", ["runner" | "r", code @ ..]) => {
            code.iter().any(|word| !is_flag(word) && !word.ends_with(".rb"))
        }
        ("sbt", tasks) => tasks.iter().any(|task| {
            let first = task.split_whitespace().next().unwrap_or_default();
            ["set", "eval", "!", "apply"].contains(&first) || task.contains(';')
        }),
        _ => false,
    };
    if evaluates {
        judged.add(Class::Unknown, "a program within its arguments");
    }
    if !["grep", "rg", "git"].contains(program) && rest.iter().any(|word| any.is_match(word)) {
        judged.add(Class::Unknown, "a command within its arguments");
    }
}

/// The flags of sed's `s/a/b/flags`, and what stands behind them.
fn substitution(word: &str) -> Option<(&str, &str)> {
    let rest = word.strip_prefix('s')?;
    let sign = rest.chars().next().filter(|char| !char.is_alphanumeric() && !char.is_whitespace())?;
    let mut escaped = false;
    let mut signs = rest.char_indices().filter(|(_, char)| {
        let is_sign = *char == sign && !escaped;
        escaped = *char == '\\' && !escaped;
        is_sign
    });
    let (at, _) = signs.nth(2)?;
    let flags = rest.get(at + sign.len_utf8()..)?;
    let end = flags.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(flags.len());
    Some(flags.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_runs_is_seen() {
        let runs = |line: &[&str]| {
            let mut judged = Judgement::default();
            judge(line, &mut judged);
            !judged.classes.is_empty()
        };
        for line in [
            &["psql", "-c", "\\! id"][..],
            &["psql", "-c", "copy t to program 'x'"],
            &["sqlite3", "a.db", ".shell x"],
            &["mysql", "-e", "system x"],
            &["awk", "BEGIN{system(\"x\")}"],
            &["sed", "1e x", "a"],
            &["sed", "s/a/b/e", "a"],
            &["sed", "s#a#b#e", "a"],
            &["make", "A=$(shell x)"],
            &["rails", "runner", "User.delete_all"],
            &["sbt", "; set x := 1 ; publish"],
        ] {
            assert!(runs(line), "{line:?}");
        }
        for line in [
            &["psql", "-c", "select count(*) from orders"][..],
            &["sqlite3", "a.db", ".schema orders"],
            &["awk", "{print $1}", "a.txt"],
            &["sed", "-i", "s/a/b/g", "src/a.py"],
            &["sed", "-n", "10,20p", "a"],
            &["sed", "s/one/e/", "a"],
            &["sed", "-i", "/make/d", "Makefile"],
            &["sed", "-i", "-e", "s/a/b/", "file"],
            &["jq", ".scripts", "package.json"],
            &["rails", "runner", "script/seed.rb"],
            &["sbt", "testOnly a.b.CSpec"],
        ] {
            assert!(!runs(line), "{line:?}");
        }
    }
}
