//! `test`: holds the predicates of a lesson against the sessions of the table.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;

use crate::cli::columns::{Column, fitted, folded, one_line, room};
use crate::cli::reader::{self, TableChoice};
use crate::cli::{ConfigFile, Failure, OrFail, block_on, print_either};
use crate::event::{counted, visible_line};
use crate::service::mining::read;
use crate::skillify::predicate::{
    LessonError, LessonLine, Shown, Side, Track, Verdict, evaluate, read_lesson,
};
use crate::table::Session;

/// So many sessions of a side are shown to people.
const MOST_SHOWN: usize = 3;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    table: TableChoice,
    /// SKILL.md files, or files with one predicate per line
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only the sessions of this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only the sessions of this tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Fail unless at least this many sessions speak for each predicate
    #[arg(long, value_name = "SESSIONS", default_value_t = 0)]
    least: u32,
    /// Print one JSON object per predicate
    #[arg(long)]
    json: bool,
}

/// A file and its predicates.
struct Lesson {
    path: String,
    lines: Vec<LessonLine>,
}

pub(super) fn test(arguments: &Arguments) -> Result<(), Failure> {
    // Errors in a file are reported before any table is read.
    let lessons: Vec<Lesson> = arguments.files.iter().map(|path| lesson(path)).collect::<Result<_, _>>()?;
    let sessions = block_on(sessions(arguments))?;
    let tracks: Vec<Track<'_>> = sessions.iter().map(Track::of).collect();
    let mut text = String::new();
    let (mut contradicted, mut few) = (0_usize, 0_usize);
    for lesson in &lessons {
        for line in &lesson.lines {
            let verdict = evaluate(&line.predicate, &tracks);
            contradicted += usize::from(is_contradicted(&verdict));
            few += usize::from(verdict.counts.treated_with < arguments.least);
            if arguments.json {
                let _ = writeln!(text, "{}", as_json(lesson, line, &verdict));
            } else {
                text.push_str(&as_text(lesson, line, &verdict));
            }
        }
    }
    if !arguments.json {
        text.push_str(&asked(&tracks));
    }
    print_either(&text, arguments.json)?;
    let lines = |count: usize| counted(count as u64, "predicate", "predicates");
    match (contradicted, few) {
        (0, 0) => Ok(()),
        (0, few) => {
            let least = arguments.least;
            Err(Failure::Failed(anyhow!("{} with fewer than {least} sessions for", lines(few))))
        }
        (wrong, _) => Err(Failure::Failed(anyhow!("{} with more sessions against than for", lines(wrong)))),
    }
}

/// Reads a file. An error shows the line and points to the place.
fn lesson(path: &Path) -> Result<Lesson, Failure> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| shown.clone()).map_err(Failure::Usage)?;
    match read_lesson(&text) {
        Ok(lines) => Ok(Lesson { path: shown, lines }),
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(|error| pointed_at(&shown, error)).collect();
            Err(Failure::Usage(anyhow!("{}", errors.join("\n"))))
        }
    }
}

/// So many characters of a line that is wrong are shown.
const LONGEST: usize = 72;

/// The place, what is wrong there, and the line with a mark below the place.
fn pointed_at(path: &str, error: &LessonError) -> String {
    let LessonError { line, column, message, source_line } = error;
    let said = folded(&format!("{path}:{line}:{column}: {message}"), Some(80));
    // Of a long line the part around the place is shown; each character as one, whatever it is.
    let from = column.saturating_sub(1).saturating_sub(LONGEST - 12);
    let plain = |char: char| if char.is_control() { '\u{fffd}' } else { char };
    let part: String = source_line.chars().skip(from).take(LONGEST).map(plain).collect();
    let blanks = " ".repeat(column.saturating_sub(1) - from);
    format!("{said}    {}\n    {blanks}^", part.trim_end())
}

/// The sessions that the arguments name.
async fn sessions(arguments: &Arguments) -> Result<Vec<Session>, Failure> {
    let settings = arguments.config.load()?;
    reader::flush(&settings).await;
    let chosen = arguments.table.of(&settings)?;
    let table = reader::open(chosen).await?;
    let places = read(&table, &chosen.default_workspace).await.or_fail()?;
    let is = |wanted: &Option<String>, own: &String| wanted.as_ref().is_none_or(|wanted| wanted == own);
    let of_place = |((tenant, workspace), sessions)| {
        (is(&arguments.tenant, &tenant) && is(&arguments.workspace, &workspace)).then_some(sessions)
    };
    let mut sessions: Vec<Session> = places.into_iter().filter_map(of_place).flatten().collect();
    sessions.sort_by(|a, b| (a.started_at, &a.tenant, &a.id).cmp(&(b.started_at, &b.tenant, &b.id)));
    if sessions.is_empty() {
        return Err(Failure::Failed(anyhow!(
            "no session to hold it against; `skillspan sessions list` shows which there are"
        )));
    }
    Ok(sessions)
}

/// Whether more sessions speak against it than for it.
fn is_contradicted(verdict: &Verdict) -> bool {
    verdict.counts.treated_without > verdict.counts.treated_with
}

fn of_side(verdict: &Verdict, side: Side) -> impl Iterator<Item = &Shown> {
    verdict.shown.iter().filter(move |shown| shown.side == side)
}

/// How many people stand behind a side; sessions of nobody known count as none.
fn people(verdict: &Verdict, side: Side) -> usize {
    let people = of_side(verdict, side).map(|shown| shown.person.as_str());
    people.filter(|person| !person.is_empty()).collect::<BTreeSet<_>>().len()
}

fn as_text(lesson: &Lesson, line: &LessonLine, verdict: &Verdict) -> String {
    let mut text = format!("{}:{}\n", lesson.path, line.line);
    let inner = room().map(|room| room.saturating_sub(2).max(20));
    let mut add = |part: &str| {
        part.lines().for_each(|line| {
            let _ = writeln!(text, "  {line}");
        })
    };
    add(&folded(&visible_line(&line.predicate.to_string()), inner));
    add(&folded(&summed(verdict), inner));
    let mut rows = Vec::new();
    for side in [Side::For, Side::Against, Side::WithoutFor, Side::WithoutAgainst] {
        let shown: Vec<&Shown> = of_side(verdict, side).collect();
        rows.extend(shown.iter().take(MOST_SHOWN).map(|shown| {
            let person = if shown.person.is_empty() { "-" } else { &shown.person };
            vec![
                told(side).to_owned(),
                shown.started_at.date(),
                one_line(person, 40),
                one_line(&shown.session, 80),
                one_line(&shown.events.join(" "), 120),
            ]
        }));
    }
    if !rows.is_empty() {
        let columns = [
            Column::whole("SIDE"),
            Column::whole("BEGAN"),
            Column::text("PERSON", 8),
            Column::text("SESSION", 12),
            Column::text("EVENTS", 12),
        ];
        add(&fitted(&columns, &rows, inner));
    }
    text.push('\n');
    text
}

const fn told(side: Side) -> &'static str {
    match side {
        Side::For => "for",
        Side::Against => "against",
        Side::WithoutFor => "without, for",
        Side::WithoutAgainst => "without, against",
    }
}

fn summed(verdict: &Verdict) -> String {
    let counts = &verdict.counts;
    let sessions = |count: u32| counted(count, "session", "sessions");
    if counts.treated() + counts.untreated_with == 0 && verdict.unknown == 0 {
        return "no session met it".to_owned();
    }
    let by = match people(verdict, Side::For) {
        0 => String::new(),
        people => format!(" of {}", counted(people as u64, "person", "people")),
    };
    let mut text = format!("{}{by} for, {} against", sessions(counts.treated_with), counts.treated_without);
    if counts.untreated() > 0 {
        let _ =
            write!(text, "; without it {} for, {} against", counts.untreated_with, counts.untreated_without);
    }
    if verdict.unknown > 0 {
        let _ = write!(text, "; {} met it and nothing tells", verdict.unknown);
    }
    text
}

fn asked(tracks: &[Track<'_>]) -> String {
    let left_out: usize = tracks.iter().map(|track| track.left_out).sum();
    let mut text = format!("Held against {}.", counted(tracks.len() as u64, "session", "sessions"));
    if left_out > 0 {
        let _ = write!(
            text,
            " What followed a loaded skill was left out: {}.",
            counted(left_out as u64, "prompt", "prompts")
        );
    }
    folded(&text, room())
}

fn as_json(lesson: &Lesson, line: &LessonLine, verdict: &Verdict) -> serde_json::Value {
    let counts = &verdict.counts;
    let shown = |shown: &Shown| {
        json!({
            "side": shown.side.as_str(),
            "tenant": shown.tenant,
            "session": shown.session,
            "person": shown.person,
            "date": shown.started_at.date(),
            "events": shown.events,
        })
    };
    json!({
        "file": lesson.path,
        "line": line.line,
        "predicate": line.predicate.to_string(),
        "for": counts.treated_with,
        "against": counts.treated_without,
        "without_for": counts.untreated_with,
        "without_against": counts.untreated_without,
        "unknown": verdict.unknown,
        "people_for": people(verdict, Side::For),
        "sessions": verdict.sessions,
        "contradicted": is_contradicted(verdict),
        "shown": verdict.shown.iter().map(shown).collect::<Vec<_>>(),
    })
}
