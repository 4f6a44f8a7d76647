//! Answers, made of what the pages show.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::protocol::Call;
use super::text::Told;
use super::tools::READ_SESSION;
use crate::console::App;
use crate::console::access::Reader;
use crate::console::page::{report, session, sessions, skills};
use crate::console::problem::Problem;
use crate::library::{Library, Listed, Standing};

/// How long what is being read is waited for between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// How many times the page is asked for; after that the answer is partial.
const LOOKS: usize = 200;
/// So many skills a list has where nobody says how many, and at most.
const USUAL: usize = 20;
const MOST: usize = 50;
/// So many sessions behind a claim are named.
const MOST_CITED: usize = 5;
/// The most rows of a report's table in an answer.
const MOST_ROWS: usize = 10;
/// So many characters of an item's input and output.
const LONGEST: usize = 600;

const OUTCOMES: [&str; 5] = ["failed", "corrected", "refused", "stopped", "errors"];

/// The text that answers a call, or why there is none, for the model that asks.
pub(super) async fn call(
    app: &Arc<App>,
    reader: &Reader,
    call: &Call,
    reads_sessions: bool,
) -> Result<String, String> {
    let known: &[&str] = match call.name.as_str() {
        "search_skills" => &["words", "limit"],
        "read_skill" | "skill_evidence" => &["name", "tenant"],
        "search_sessions" => {
            &["words", "workspace", "project", "assistant", "outcome", "from", "until", "after"]
        }
        READ_SESSION => &["id", "tenant", "part", "from"],
        _ => &[],
    };
    let arguments = Arguments::of(&call.arguments, known)?;
    match call.name.as_str() {
        "search_skills" => search_skills(app, reader, arguments).await,
        "read_skill" => read_skill(app, reader, arguments).await,
        "skill_evidence" => evidence(app, reader, arguments).await,
        "search_sessions" => search_sessions(app, reader, arguments).await,
        READ_SESSION if reads_sessions => read_session(app, reader, arguments).await,
        READ_SESSION => Err("Whole sessions cannot be read here: whoever runs skillspan has to write \
                             `extensions.console.mcp.read_session: true` first. search_sessions says what there is."
            .to_owned()),
        _ => tell_report(app, reader).await,
    }
}

fn says(problem: Problem) -> String {
    problem.says().to_owned()
}

fn made<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Whether assistants may be shown the skill: it stands, as mining wrote it and people agreed to, or as they wrote it.
fn stands(skill: &Listed) -> bool {
    matches!(
        skill.standing,
        Standing::Published | Standing::HandEdited | Standing::HandWritten | Standing::Retiring
    )
}

/// The skills that stand and that the reader may see, with whose they are, each once.
fn standing(app: &Arc<App>, reader: &Reader, libraries: &[&Library]) -> Vec<(String, Listed, String)> {
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for library in libraries {
        let tenant = app.tenant_of(library);
        for skill in skills::seen(library, reader).into_iter().filter(stands) {
            let Some(text) = library.file(&skill.path).map(str::to_owned) else { continue };
            if known.insert((tenant.clone(), skill.workspace.clone(), skill.name.clone())) {
                all.push((tenant.clone(), skill, text));
            }
        }
    }
    all
}

async fn search_skills(app: &Arc<App>, reader: &Reader, arguments: Arguments<'_>) -> Result<String, String> {
    let words = arguments.text("words")?.to_lowercase();
    let words: BTreeSet<&str> = words.split_whitespace().collect();
    let limit = arguments.number("limit", USUAL, 1, MOST)?;
    let shelved = app.shelf.all().await;
    let libraries: Vec<&Library> = shelved.iter().filter_map(|one| one.library.as_ref().ok()).collect();
    let mut found: Vec<(usize, String, Listed)> = standing(app, reader, &libraries)
        .into_iter()
        .map(|(tenant, skill, text)| (rank(&words, &skill, &text), tenant, skill))
        .filter(|(rank, ..)| *rank > 0 || words.is_empty())
        .collect();
    found.sort_by(|a, b| (b.0, &a.2.name, &a.1).cmp(&(a.0, &b.2.name, &b.1)));
    let mut told = Told::default();
    let all = found.len();
    let shown = found.into_iter().take(limit).take_while(|(_, tenant, skill)| {
        told.object(json!({
            "name": skill.name, "tenant": tenant, "workspace": skill.workspace, "description": skill.description,
            "support": skill.support, "state": skill.standing.as_str(),
        }))
    });
    let shown = shown.count();
    if shown < all {
        told.note(format!(
            "{shown} of {all} skills are shown: say more words, or ask for more with `limit`."
        ));
    }
    if reader.sees_the_process() && shelved.iter().any(|one| one.library.is_err()) {
        told.note("Not every place of skills can be read now; `skillspan status` says which and why.");
    }
    Ok(told.finish(if words.is_empty() {
        "There are no skills yet."
    } else {
        "No skill has any of these words. With no words, all skills are listed."
    }))
}

/// How well a skill goes with words: its name and what it is for count more than its text.
fn rank(words: &BTreeSet<&str>, skill: &Listed, text: &str) -> usize {
    let (name, description, text) =
        (skill.name.to_lowercase(), skill.description.to_lowercase(), text.to_lowercase());
    let points = |word: &&str| {
        let own = |text: &str, points: usize| if text.contains(*word) { points } else { 0 };
        own(&name, 4) + own(&description, 2) + own(&text, 1)
    };
    words.iter().map(points).sum()
}

/// What the page of a skill shows, if it stands.
async fn skill_view(app: &Arc<App>, reader: &Reader, arguments: Arguments<'_>) -> Result<Value, String> {
    let (name, tenant) = (arguments.needed("name")?, arguments.text("tenant")?);
    let shelved = app.shelf.all().await;
    let libraries = shelved.iter().filter_map(|one| one.library.as_ref().ok());
    let libraries: Vec<&Library> =
        libraries.filter(|library| tenant.is_empty() || library.is_of(tenant)).collect();
    let found = standing(app, reader, &libraries);
    let mut named = found.iter().filter(|(_, skill, _)| skill.name == name);
    let missing = || "There is no such skill here, or none that you may see; search_skills names them.";
    let (tenant, ..) = named.next().ok_or_else(missing)?;
    if named.any(|(other, ..)| other != tenant) {
        return Err("Several tenants have a skill of that name: say whose with `tenant`.".to_owned());
    }
    let whose = made(json!({ "tenant": tenant }))?;
    let view = skills::view(app, reader, name, &whose).await.map_err(says)?;
    let view = serde_json::to_value(view).map_err(|error| error.to_string())?;
    let stands = ["published", "hand-edited", "hand-written", "retiring"];
    let state = view.get("state").and_then(Value::as_str).unwrap_or_default();
    if stands.contains(&state) { Ok(view) } else { Err(missing().to_owned()) }
}

async fn read_skill(app: &Arc<App>, reader: &Reader, arguments: Arguments<'_>) -> Result<String, String> {
    let view = skill_view(app, reader, arguments).await?;
    let lines = view.get("lines").and_then(Value::as_array).into_iter().flatten();
    let mut told = Told::default();
    let _ = lines
        .map(|line| line.get("text").and_then(Value::as_str))
        .all(|text| told.text(text.unwrap_or_default()));
    told.note("skill_evidence says what each line rests on.");
    Ok(told.finish("The skill is empty."))
}

async fn evidence(app: &Arc<App>, reader: &Reader, arguments: Arguments<'_>) -> Result<String, String> {
    let view = skill_view(app, reader, arguments).await?;
    let mut told = Told::default();
    let of = |name: &str| view.get(name).cloned().unwrap_or_default();
    told.object(json!({
        "name": of("name"), "tenant": of("tenant"), "state": of("state"), "support": of("support"),
        "version": of("version"), "effect_later": of("effect"),
    }));
    let lines = view.get("lines").and_then(Value::as_array).into_iter().flatten();
    for line in lines {
        let claims = line.get("claims").and_then(Value::as_array).filter(|claims| !claims.is_empty());
        let Some(claims) = claims else { continue };
        let claims: Vec<Value> = claims.iter().map(claim).collect();
        if !told.object(json!({ "line": line.get("text"), "rests_on": claims })) {
            break;
        }
    }
    let mut history = view.get("history").and_then(Value::as_array).into_iter().flatten().take(MOST_ROWS);
    let _ = history.all(|event| told.object(json!({ "history": event })));
    Ok(told.finish("Nothing is known of what it rests on."))
}

fn claim(claim: &Value) -> Value {
    let sessions = claim.get("sessions").and_then(Value::as_array);
    // The newest tell most.
    let cited = sessions.into_iter().flatten().rev().take(MOST_CITED).map(|one| {
        json!({ "date": one.get("date"), "assistant": one.get("assistant"), "feedback": one.get("feedback") })
    });
    json!({
        "claim": claim.get("claim"), "counted": claim.get("counted"), "sessions": sessions.map_or(0, Vec::len),
        "newest": cited.collect::<Vec<_>>(),
    })
}

async fn search_sessions(
    app: &Arc<App>,
    reader: &Reader,
    arguments: Arguments<'_>,
) -> Result<String, String> {
    let mut wanted = serde_json::Map::new();
    for name in ["words", "workspace", "project", "assistant", "from", "until", "after"] {
        wanted.insert(name.to_owned(), json!(arguments.text(name)?));
    }
    wanted.insert("outcome".to_owned(), json!(arguments.one_of("outcome", &OUTCOMES)?));
    let wanted = Value::Object(wanted);
    let mut view = Value::Null;
    for _ in 0..LOOKS {
        let found = sessions::view(app, reader, made(wanted.clone())?).await.map_err(says)?;
        view = serde_json::to_value(found).map_err(|error| error.to_string())?;
        let is_read = view.get("still_read").is_none_or(Value::is_null);
        if is_read || view.get("failing").is_some_and(|failing| !failing.is_null()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let mut told = Told::default();
    let mut is_whole = true;
    for day in view.get("days").and_then(Value::as_array).into_iter().flatten() {
        let sessions = day.get("sessions").and_then(Value::as_array).into_iter().flatten();
        for session in sessions {
            let mut session = session.clone();
            if let Value::Object(fields) = &mut session {
                fields.insert("arrived".to_owned(), day.get("date").cloned().unwrap_or_default());
            }
            is_whole &= told.object(session);
        }
    }
    if !is_whole {
        told.note(
            "There is more than an answer holds: say more words, or narrow it by workspace or project.",
        );
    } else if let Some(next) = view.get("next").and_then(Value::as_str) {
        told.note("There are more: ask again with `after` as the next line says.");
        told.object(json!({ "next": next }));
    }
    if let Some(day) = view.get("still_read").and_then(Value::as_str) {
        let says =
            "is still being read, or cannot be: ask again in a moment; `skillspan status` says what fails.";
        told.note(format!("What arrived on {day} {says}"));
    }
    Ok(told.finish("No session was found."))
}

async fn read_session(app: &Arc<App>, reader: &Reader, arguments: Arguments<'_>) -> Result<String, String> {
    let (id, tenant) = (arguments.needed("id")?, arguments.text("tenant")?);
    let (part, from) = (arguments.number("part", 1, 1, 10_000)?, arguments.number("from", 0, 0, 10_000)?);
    let meant = made(json!({ "tenant": tenant, "part": part, "event": "" }))?;
    let view = session::view(app, reader, id, &meant).await.map_err(says)?;
    let mut view = serde_json::to_value(view).map_err(|error| error.to_string())?;
    let items = view.as_object_mut().and_then(|fields| fields.remove("items")).unwrap_or_default();
    let (part, parts) = (count(&view, "part"), count(&view, "parts"));
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut told = Told::default();
    told.object(view);
    let shown = items.iter().skip(from).take_while(|item| told.object(short(item))).count();
    if from + shown < items.len() {
        told.note(format!("More of part {part}: ask with `part` {part} and `from` {}.", from + shown));
    } else if part < parts {
        told.note(format!("This was part {part} of {parts}: ask with `part` {}.", part + 1));
    }
    Ok(told.finish("The session is empty."))
}

fn count(view: &Value, name: &str) -> u64 {
    view.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// An item of a session with its texts cut and without the addresses of its events.
fn short(item: &Value) -> Value {
    match item {
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "anchors" | "is_cut"));
            Value::Object(told.map(|(name, value)| (name.clone(), short(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().take(MOST).map(short).collect()),
        Value::String(text) => match text.char_indices().nth(LONGEST) {
            Some((end, _)) => json!(format!("{}…", text.get(..end).unwrap_or_default())),
            None => item.clone(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => item.clone(),
    }
}

async fn tell_report(app: &Arc<App>, reader: &Reader) -> Result<String, String> {
    let mut view = Value::Null;
    for _ in 0..LOOKS {
        view = report::view(app, reader).map_err(says)?;
        if view.get("report").is_some_and(|report| !report.is_null()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let Some(report) = view.get("report").filter(|report| !report.is_null()) else {
        return Err("The report is being made: ask again in a minute.".to_owned());
    };
    let of = |name: &str| report.get(name).cloned().unwrap_or_default();
    let mut told = Told::default();
    told.object(json!({
        "made_at": view.get("made_at"), "since": of("since"), "until": of("until"), "sessions": of("sessions"),
        "summary": of("summary"),
    }));
    for section in report.get("sections").and_then(Value::as_object).into_iter().flat_map(|all| all.values())
    {
        let rows = section.get("rows").and_then(Value::as_array).into_iter().flatten();
        let rows: Vec<&Value> = rows.take(MOST_ROWS).collect();
        told.object(json!({ "title": section.get("title"), "rows": rows, "of": section.get("total") }));
    }
    Ok(told.finish("There is nothing to report."))
}
