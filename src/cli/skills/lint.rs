//! `lint`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::{ConfigFile, Failure, OrFail, print};
use crate::event::visible_line;
use crate::library::lint::{self, Finding};

use crate::views::skills::libraries;

/// Prints a line for each finding, and how many there are.
pub(super) fn lint(config: &ConfigFile, paths: &[PathBuf]) -> Result<(), Failure> {
    let mut text = String::new();
    let (mut found, mut skills) = (0, 0);
    let mut look = |heading: Option<String>, files: &[(&str, &str)], findings: Vec<Finding>| {
        found += findings.len();
        skills += files.len();
        if let Some(heading) = heading.filter(|_| !findings.is_empty()) {
            let _ = writeln!(text, "{heading}");
        }
        for finding in findings {
            let _ = writeln!(text, "{}", visible_line(&finding.to_string()));
        }
    };
    if paths.is_empty() {
        let settings = config.load()?;
        let several = settings.skills.iter().flat_map(|pipeline| &pipeline.targets).count() > 1;
        for (target, library) in libraries(&settings) {
            let library = library.or_fail()?;
            let files = library.skill_files();
            let allowed = settings
                .skills
                .iter()
                .find(|pipeline| pipeline.targets.iter().any(|own| own.to_string() == target.to_string()));
            let allowed = allowed.map(|pipeline| pipeline.mining.publish.allow).unwrap_or_default();
            let found = lint::lint_with(files.iter().copied(), allowed, |path| library.is_agreed(path));
            look(several.then(|| target.to_string()), &files, found);
        }
    } else {
        let files = read(paths).or_fail()?;
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        look(None, &files, lint::lint(files.iter().copied()));
    }
    let skills = if skills == 1 { "1 skill".to_owned() } else { format!("{skills} skills") };
    if found == 0 {
        let _ = writeln!(text, "nothing found in {skills}");
        return print(&text);
    }
    print(&text)?;
    let findings = if found == 1 { "1 finding".to_owned() } else { format!("{found} findings") };
    Err(Failure::Failed(anyhow!("{findings} in {skills}")))
}

/// The SKILL.md files that the paths name or hold, each once, in order.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect(path, true, &mut files).with_context(|| path.display().to_string())?;
        if files.len() == before {
            return Err(anyhow!("no SKILL.md in {}", path.display()));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// `is_named`: a person named the path; a link to a folder is followed only then, for links may form a ring.
fn collect(path: &Path, is_named: bool, files: &mut Vec<(String, String)>) -> std::io::Result<()> {
    if path.is_dir() {
        if is_named || !path.is_symlink() {
            for entry in fs::read_dir(path)? {
                collect(&entry?.path(), false, files)?;
            }
        }
    } else if is_named || path.file_name().is_some_and(|name| name == "SKILL.md") {
        files.push((path.display().to_string(), fs::read_to_string(path)?));
    }
    Ok(())
}
