//! Published files as any reader reads them.

use std::collections::BTreeMap;

use crate::matching::compiled;

/// The files of one workspace.
pub(crate) type Tree = BTreeMap<String, String>;

/// A published skill as it reads.
pub(crate) struct Skill {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) evidence: String,
}

pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) claim: Claim,
}

/// What a line claims.
#[derive(Debug, PartialEq)]
pub(crate) enum Claim {
    Repair {
        check: String,
        repairs: Vec<String>,
        error: Option<String>,
    },
    Before {
        first: String,
        then: String,
    },
    /// Of two commands the right one; whether the other is said not to work, and what names it.
    Instead {
        right: String,
        wrong: String,
        broken: bool,
    },
    Check {
        path: String,
        command: String,
    },
    Together(String, String),
    Avoid(String),
    /// Rules by which a check rejects code.
    Rejects {
        check: String,
        rules: Vec<String>,
    },
    /// A check changes files.
    Changes(String),
    /// Checks to run without a pipe.
    Piped(Vec<String>),
    /// A program that does not know a flag.
    NoFlag {
        flagged: String,
        instead: Option<String>,
    },
    /// A check that people point to.
    Asked {
        path: String,
        command: String,
    },
    /// A check that takes too long.
    Slow {
        check: String,
        instead: Option<String>,
    },
    /// A check that changes its mind.
    Flaky(String),
    /// Checks that a commit runs.
    Hooked(Vec<String>),
    /// What a script needs to call that fails with an error.
    Snippet {
        error: Option<String>,
        code: String,
    },
    /// A skill that is not there.
    NoSkill {
        name: String,
        instead: Option<String>,
    },
    /// A folder of what is left over, and what removes it.
    Leftover {
        folder: String,
        remove: String,
    },
    Declared {
        names: Vec<String>,
        file: String,
    },
    Missing {
        path: String,
        instead: Option<String>,
    },
    /// One or more steps.
    Steps(Vec<String>),
    Nothing,
}

/// Sections that claim nothing: when to read the skill, and where its evidence is.
const SILENT: [&str; 4] = ["when to use", "evidence", "see also", "related"];

pub(crate) fn skills(tree: &Tree) -> Vec<Skill> {
    let mut skills = Vec::new();
    for (path, text) in tree {
        let Some(folder) = path.strip_suffix("/SKILL.md") else { continue };
        let evidence = tree.get(&format!("{folder}/references/evidence.md")).cloned().unwrap_or_default();
        skills.push(Skill {
            name: folder.trim_start_matches("skills/").to_owned(),
            lines: lines(text),
            evidence,
        });
    }
    skills
}

/// The numbered lines and bullets of a SKILL.md outside of its silent sections.
fn lines(text: &str) -> Vec<Line> {
    let body =
        text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(text, |(_, body)| body);
    let mut section = String::new();
    let mut lines = Vec::new();
    for line in body.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.trim().to_lowercase();
            continue;
        }
        if SILENT.iter().any(|silent| section.starts_with(silent)) {
            continue;
        }
        let line = line.trim_start();
        let bullet = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        let number = line.split_once(". ").filter(|(number, _)| number.parse::<usize>().is_ok());
        let Some(text) = bullet.or_else(|| number.map(|(_, text)| text)) else { continue };
        let claim = match claim(text) {
            Claim::Steps(codes) if section.starts_with("avoid") => {
                codes.into_iter().next().map_or(Claim::Nothing, Claim::Avoid)
            }
            claim => claim,
        };
        lines.push(Line { text: text.to_owned(), claim });
    }
    lines
}

/// Reads the claim of a line or of a heading.
pub(crate) fn claim(text: &str) -> Claim {
    // What a tool printed stands in double quotes; backquotes in it are no codes.
    let quoted = compiled(r#"(?i)(fails with|with) "(.*)"(,| run| then|$)"#);
    let mut error = quoted.captures(text).map(|found| found[2].to_owned());
    let text = quoted.replace(text, "fails ,").into_owned();
    // A variable that holds a secret is named and not set: it belongs to its command all the same.
    let set = compiled("`([^`]*)` with `([A-Z0-9_]+)` set");
    let text = set.replace_all(&text, "`$2={text} $1`").into_owned();
    // A command in a folder stands in a subshell.
    let bare = |code: &str| {
        code.strip_prefix('(').and_then(|code| code.strip_suffix(')')).unwrap_or(code).to_owned()
    };
    let mut codes: Vec<String> = text.split('`').skip(1).step_by(2).map(bare).collect();
    let shape: String = text
        .split('`')
        .enumerate()
        .map(|(at, part)| if at.is_multiple_of(2) { part.to_lowercase() } else { "#".to_owned() })
        .collect();
    let has = |pattern: &str| compiled(pattern).is_match(&shape);
    let at = |at: usize| codes[at].clone();
    if codes.is_empty() {
        return Claim::Nothing;
    }
    if has(r"^if an? # script .*call # in it") && codes.len() > 1 {
        return Claim::Snippet { error, code: at(1) };
    }
    if let Some(claim) = of_tools(&shape, &codes) {
        return claim;
    }
    if has(r"^# often rejects new code for #")
        || has(r"^what # often rejects here: #")
        || (has(r"^# rejects #$") && codes.len() == 2)
    {
        let check = codes.remove(0);
        return Claim::Rejects { check, rules: codes };
    }
    if has(r"\b(if|when) # fails") && codes.len() > 1 {
        if has(r"# fails with #") && codes.len() > 2 {
            error = Some(codes.remove(1));
        }
        let check = codes.remove(0);
        codes.retain(|code| *code != check);
        return Claim::Repair { check, repairs: codes, error };
    }
    if has(r"after (editing|changing|a change of|you edit|you change|edits of|edits in) #") && codes.len() > 1
    {
        return Claim::Check { path: at(0), command: at(codes.len() - 1) };
    }
    if has(r"when you change #, change # too") && codes.len() > 1 {
        return Claim::Together(at(0), at(1));
    }
    if has(r"(change|edit|changing|editing)[^#]*#[^#]*(needs|together|along|also|goes with|with|and)[^#]*#")
        && !has(r"\brun #")
    {
        return Claim::Together(at(0), at(1));
    }
    let denied = r"# (does not|doesn't|cannot|can't|do not|is not|isn't|is missing|fails|never works)";
    if codes.len() > 1 && has(denied) && has(r"\b(use|run) #") {
        let (right, wrong) = if has(r"^[^#]*\b(use|run) #") { (0, 1) } else { (1, 0) };
        return Claim::Instead { right: at(right), wrong: at(wrong), broken: true };
    }
    if codes.len() > 1 && has(r"\b(use|run|prefer) #[^#]*(not|instead of|rather than|over|never)[^#]*#") {
        return Claim::Instead { right: at(0), wrong: at(1), broken: false };
    }
    let forbids = has(r"^[^#]*\b(do not|don't|never|avoid)\b");
    if codes.len() > 1 && (has(r"^instead of #") || (forbids && has(r"#.*\b(use|run) #"))) {
        return Claim::Instead { right: at(1), wrong: at(0), broken: false };
    }
    if forbids {
        return Claim::Avoid(at(0));
    }
    if codes.len() == 2 && has(r"\brun # before") {
        return Claim::Before { first: at(0), then: at(1) };
    }
    if codes.len() == 1 && has(r"\b(use|run) #[;,:.] ?\S+.* is not installed") {
        return Claim::Instead { right: at(0), wrong: String::new(), broken: true };
    }
    Claim::Steps(codes)
}

/// What a line claims of tools or of where things are.
fn of_tools(shape: &str, codes: &[String]) -> Option<Claim> {
    let has = |pattern: &str| compiled(pattern).is_match(shape);
    let second = || codes.get(1).cloned();
    let first = codes.first()?.clone();
    if has(r"^# (fails and passes|passes and fails) on the same files") {
        return Some(Claim::Flaky(first));
    }
    if has(r"^# runs #(,? (and )?#)*( by itself|$)") {
        return Some(Claim::Hooked(codes.get(1..)?.to_vec()));
    }
    if has(r"^there is no skill #") {
        return Some(Claim::NoSkill { name: first, instead: second() });
    }
    if has(r"^if a check fails in (files below )?#,") {
        return Some(Claim::Leftover { folder: first, remove: second()? });
    }
    if has(r"^# changes files") {
        return Some(Claim::Changes(first));
    }
    if has(r"^run #.* without a pipe") {
        return Some(Claim::Piped(codes.to_vec()));
    }
    if has(r"^behind .* reports? success even when") {
        return Some(Claim::Piped(codes.to_vec()));
    }
    if has(r"^use #; # (fails here: it does not know the flag|runs into the time limit)") {
        let (told, instead) = (second()?, Some(first));
        let is_slow = has("time limit");
        return Some(match is_slow {
            true => Claim::Slow { check: told, instead },
            false => Claim::NoFlag { flagged: told, instead },
        });
    }
    if has(r"^# runs into the time limit") {
        return Some(Claim::Slow { check: first, instead: second() });
    }
    if has(r"^# fails here: it does not know the flag") {
        return Some(Claim::NoFlag { flagged: first, instead: None });
    }
    if has(r"^after editing #, run # before you say") {
        return Some(Claim::Asked { path: first, command: second()? });
    }
    if has(r"^people ask for # after #") {
        return Some(Claim::Asked { path: second()?, command: first });
    }
    if has(r"^#.* (is|are) declared in #") {
        let (file, names) = codes.split_last()?;
        return Some(Claim::Declared { names: names.to_vec(), file: file.clone() });
    }
    has(r"^there is no #").then(|| Claim::Missing { path: first, instead: second() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_of_a_skill_are_read() {
        let text = |text: &str| text.to_owned();
        let repair = |error| Claim::Repair { check: text("make t"), repairs: vec![text("make up")], error };
        assert_eq!(
            claim("If `make t` fails with \"no `x` \"y\" here\", run `make up`."),
            repair(Some(text("no `x` \"y\" here")))
        );
        assert_eq!(claim("If `make t` fails, run `make up`, then run `make t` again."), repair(None));
        let instead = |broken| Claim::Instead { right: text("a"), wrong: text("b"), broken };
        assert_eq!(claim("Use `a`; `b` does not work here."), instead(true));
        assert_eq!(claim("Run `a` instead of `b`"), instead(false));
        assert_eq!(claim("Use `a`, not `b`."), instead(false));
        assert_eq!(
            claim("After editing `src/{name}.py`, run `b`."),
            Claim::Check { path: text("src/{name}.py"), command: text("b") }
        );
        assert_eq!(claim("A change of `a` often needs one in `b`."), Claim::Together(text("a"), text("b")));
        assert_eq!(claim("Do not run `a`."), Claim::Avoid(text("a")));
        assert_eq!(claim("Run `a` before `b`."), Claim::Before { first: text("a"), then: text("b") });
        assert_eq!(claim("Run `a`."), Claim::Steps(vec![text("a")]));
        assert_eq!(claim("`a` changes files that you did not edit."), Claim::Changes(text("a")));
        let hooked = "`git commit` runs `a` and `b` by itself.";
        assert_eq!(claim(hooked), Claim::Hooked(vec![text("a"), text("b")]));
        assert_eq!(claim("`a` fails and passes on the same files: run it again."), Claim::Flaky(text("a")));
        assert_eq!(
            claim("If a `python` script that you wrote fails with \"E\", call `a.b` in it."),
            Claim::Snippet { error: Some(text("E")), code: text("a.b") }
        );
        assert_eq!(
            claim("Run `a` and `b` without a pipe: it hides."),
            Claim::Piped(vec![text("a"), text("b")])
        );
        assert_eq!(
            claim("Behind tail, `a` and `b` report success even when they fail: run them without a pipe."),
            Claim::Piped(vec![text("a"), text("b")])
        );
        assert_eq!(
            claim("Use `a`; `b` runs into the time limit here."),
            Claim::Slow { check: text("b"), instead: Some(text("a")) }
        );
        assert_eq!(
            claim("There is no skill `a` here: use `b`."),
            Claim::NoSkill { name: text("a"), instead: Some(text("b")) }
        );
        assert_eq!(
            claim(
                "If a check fails in files below `a/`, which you did not edit: remove those that nothing uses any more (`rm -rf a/{name}`), then run the check again."
            ),
            Claim::Leftover { folder: text("a/"), remove: text("rm -rf a/{name}") }
        );
        assert_eq!(
            claim("There is no `a`; it is `b`."),
            Claim::Missing { path: text("a"), instead: Some(text("b")) }
        );
    }
}
