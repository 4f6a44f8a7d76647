//! What a perfect miner would publish, and what a credulous one would: a check of the benchmark
//! itself. The first must score 1.0 throughout, the second 0.

use std::collections::BTreeSet;

use crate::plan::{Lesson, Step};
use crate::reading::Tree;
use crate::score;
use crate::world::Workspace;

/// The sentences of a lesson.
fn sentences(workspace: &Workspace, lesson: &Lesson) -> Vec<String> {
    let style = &workspace.plan.style;
    match lesson {
        Lesson::Repair { check, error, repair, prevents, .. } => {
            let first = error.lines().next().unwrap_or_default();
            let mut lines = vec![format!("If `{}` fails with \"{first}\", run `{repair}`.", check.line)];
            if *prevents {
                lines.push(format!("Run `{repair}` before `{}`.", check.line));
            }
            lines
        }
        Lesson::Instead { wrong, right, .. } => {
            vec![format!("Use `{}`; `{}` does not work here.", right[0], wrong[0])]
        }
        Lesson::Procedure { steps, .. } => steps
            .iter()
            .map(|step| match step {
                Step::Run(form) => format!("Run `{form}`."),
                Step::Edit(path) => format!("Edit `{path}`."),
            })
            .collect(),
        Lesson::Check { area, by_file } => {
            let suite = if *by_file { style.file_suite(area, "{name}").unwrap() } else { style.suite(area) };
            vec![format!("After editing `{}`, run `{}`.", style.source(area, "{name}"), suite.line)]
        }
        Lesson::Together { first, second } => {
            vec![format!("A change of `{first}` often needs one in `{second}`.")]
        }
        Lesson::Prefer { words: [good, bad], .. } => {
            let word = |word: &str| word.trim_start_matches("plain ").to_owned();
            vec![format!("Use `{}`, not `{}`.", word(good), word(bad))]
        }
        Lesson::Avoid { command, .. } => vec![format!("Do not run `{command}`.")],
        Lesson::Tool(tool) => vec![tool.sentence(style)],
    }
}

fn skill(lines: &[String]) -> String {
    let lines: Vec<String> =
        lines.iter().enumerate().map(|(at, line)| format!("{}. {line}", at + 1)).collect();
    format!("---\nname: x\n---\n\n# X\n\n{}\n", lines.join("\n"))
}

/// Every lesson as a skill of its own. Panics if a lesson is shown by too few sessions or people.
pub(crate) fn truth(workspace: &Workspace) -> Tree {
    let mut tree = Tree::new();
    for (at, lesson) in workspace.plan.lessons.iter().enumerate() {
        let lines = sentences(workspace, lesson);
        let shown = workspace.sessions.iter().filter(|session| {
            let deeds = &workspace.deeds[&session.id];
            match lesson {
                Lesson::Check { area, by_file: true } => deeds.iter().any(|deed| {
                    matches!(deed, crate::record::Deed::Ran(line, _) if line.contains(&format!("{area}/")) && line.contains("test"))
                }),
                _ => score::did(deeds, &lines[0]),
            }
        });
        let people: BTreeSet<&str> = shown.clone().map(|session| session.user_id.as_str()).collect();
        let least = if matches!(lesson, Lesson::Avoid { .. }) { 3 } else { 4 };
        assert!(
            shown.count() >= least && people.len() >= 2,
            "{}: {lines:?} is shown too seldom",
            workspace.name
        );
        tree.insert(format!("skills/lesson-{at:02}/SKILL.md"), skill(&lines));
    }
    tree
}

/// What each decoy would have a credulous miner say.
pub(crate) fn folly(workspace: &Workspace) -> Tree {
    let (style, decoys) = (&workspace.plan.style, &workspace.plan.decoys);
    let repair = |check: &str, command: &str| format!("If `{check}` fails, run `{command}`.");
    let mut lines = vec![
        repair(&style.test.line, &decoys.bystander),
        repair(&style.lint.line, &decoys.bystander),
        repair(&style.test.line, &style.lint.line),
        repair(&decoys.flaky.line, &decoys.ritual),
        repair(&decoys.flaky.line, &style.types.line),
        repair(&decoys.masked.0.line, &decoys.masked.1),
        repair(&decoys.cut.0.line, &decoys.cut.1),
        repair(&decoys.logged.0.line, &decoys.logged.1),
        format!("Run `{}` before `{}`.", style.lint.line, style.test.line),
        format!("Run `{}` before `{}`.", style.test.line, style.lint.line),
        format!("Run `{}` before `{}`.", decoys.habit[0], style.test.line),
        format!("Do not run `{}`.", decoys.silent),
        format!("Do not run `{}`.", decoys.moment),
        format!("Use `{}`, not `{}`.", decoys.contradiction[0], decoys.contradiction[1]),
        format!("A change of `{}` often needs one in `{}`.", decoys.huge[0], decoys.huge[1]),
        format!("Edit `{}`.", style.theme),
        format!("Run `{}`.", style.test.line),
        "Run `git add {path}`.".to_owned(),
    ];
    let plain = workspace.plan.plain_areas[0];
    lines.push(format!(
        "After editing `{}`, run `{}`.",
        style.source(plain, "{name}"),
        style.suite(plain).line
    ));
    for lesson in &workspace.plan.lessons {
        match lesson {
            Lesson::Repair { check, repair: command, second, .. } => {
                lines.extend(second.iter().map(|second| repair(&check.line, second)));
                lines.push(repair(command, &check.line));
            }
            Lesson::Instead { wrong, right, .. } => {
                lines.push(format!("Use `{}`; `{}` does not work here.", wrong[0], right[0]))
            }
            Lesson::Prefer { good, bad, .. } => lines.push(format!("Use `{}`, not `{}`.", bad[0], good[0])),
            Lesson::Check { area, .. } => lines.push(format!(
                "After editing `{}`, run `{}`.",
                style.source(plain, "{name}"),
                style.suite(area).line
            )),
            Lesson::Procedure { .. } | Lesson::Together { .. } | Lesson::Avoid { .. } | Lesson::Tool(_) => {}
        }
    }
    lines.extend(lured(workspace));
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| (format!("skills/folly-{at:02}/SKILL.md"), skill(std::slice::from_ref(line))))
        .collect()
}

/// What looks like a lesson of tools, taken for one.
fn lured(workspace: &Workspace) -> Vec<String> {
    let style = &workspace.plan.style;
    let area = workspace.plan.plain_areas[0];
    let line = |kind: &str, code: &str| -> Option<String> {
        Some(match kind {
            "changed by hand" | "formatter" | "script" => {
                format!("`{code}` changes files that you did not edit.")
            }
            "some systems" => format!("`{code}` fails here: it does not know the flag."),
            "one pointer" | "forbidden" => format!(
                "After editing `{}`, run `{code}` before you say that the work is done: people had to ask for it.",
                style.source(area, "{name}")
            ),
            "slow at times" | "deadline" => {
                format!("`{code}` runs into the time limit here: run a part of it.")
            }
            "pipefail" => format!("Run `{code}` without a pipe: a failure has ended like a pass."),
            "declared twice" => format!("`{code}` is declared in `{}`.", style.source("legacy", "spool")),
            "mended" | "another part" => {
                format!("`{code}` fails and passes on the same files: run it again.")
            }
            "lucky script" => {
                format!(
                    "If a `python` script that you wrote fails with \"ConnectionError\", call `{code}` in it."
                )
            }
            "chained commit" | "another script" | "one committer" | "rare hook" | "wider check" => {
                format!("`git commit` runs `{code}` by itself.")
            }
            "somebody's skill" => format!("There is no skill `{code}` here."),
            "removed by the way" => format!(
                "If a check fails in files below `{code}/`, which you did not edit: remove those that nothing uses any more (`rm -rf {code}/{{name}}`), then run the check again."
            ),
            "usual build" => format!("After editing `web/pages.css`, run `{code}`."),
            "one scripter" => {
                format!("If a `python` script that you wrote fails with \"LoginError\", call `{code}` in it.")
            }
            _ => return None,
        })
    };
    workspace.decoys.iter().filter_map(|decoy| line(decoy.kind, &decoy.codes[0])).collect()
}
