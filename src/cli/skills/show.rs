//! `list`, `show`, `evidence`, `history`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use crate::cli::columns::{Column, fitted, one_line, room};
use crate::cli::{Failure, OrFail, block_on, reader};
use crate::config::Settings;
use crate::event::{counted, visible_line};
use crate::exporters::target::Target;
use crate::library::{Listed, WatchedSkill, session_hash};
use crate::service::mining::{episode, read};
use crate::skillify::quotations;
use crate::skillify::{Digest, Later};
use crate::table::Session;

use super::{Found, Named, find};
use crate::views::skills::libraries;

pub(super) fn list(settings: &Settings, json: bool) -> Result<String, Failure> {
    let mut text = String::new();
    for (target, library) in libraries(settings) {
        let skills = library.or_fail()?.skills();
        text += &if json { list_json(&target, &skills) } else { list_text(&target, &skills) };
    }
    Ok(text)
}

fn list_text(target: &Target, skills: &[Listed]) -> String {
    if skills.is_empty() {
        return format!("{target}: no skills\n");
    }
    let room = room();
    let is_wide = room.is_none_or(|room| room >= 100);
    let mut columns = vec![
        // Its name is what other commands take.
        Column::text("SKILL", 38),
        Column::whole("STATE"),
        Column::whole("PROPOSAL"),
        Column::text("WORKSPACE", 9),
        Column::text("SUPPORT", 10),
    ];
    if is_wide {
        columns.extend([Column::number("VERSION"), Column::text("DESCRIPTION", 11)]);
    }
    let row = |skill: &Listed| {
        let mut row = vec![
            skill.name.clone(),
            skill.state().to_owned(),
            if skill.has_proposal() { "yes" } else { "-" }.to_owned(),
            one_line(&skill.workspace, 60),
            skill.support.clone(),
        ];
        if is_wide {
            row.extend([skill.version.to_string(), one_line(&skill.description, 80)]);
        }
        row
    };
    let rows: Vec<Vec<String>> = skills.iter().map(row).collect();
    format!("{target}\n{}", fitted(&columns, &rows, room))
}

fn list_json(target: &Target, skills: &[Listed]) -> String {
    skills.iter().map(|skill| format!("{}\n", skill_json(target, skill))).collect()
}

fn skill_json(target: &Target, skill: &Listed) -> serde_json::Value {
    json!({
        "target": target.to_string(),
        "id": skill.id,
        "name": skill.name,
        "path": skill.path,
        "state": skill.standing.as_str(),
        "workspace": skill.workspace,
        "version": skill.version,
        "support": skill.support,
        "description": skill.description,
        "has_proposal": skill.has_proposal(),
        "same_as": skill.same_as,
        "review": skill.review,
    })
}

pub(super) fn show(found: &[Found], json: bool) -> String {
    let mut text = String::new();
    for Found { target, library, skill } in found {
        if json {
            let mut value = skill_json(target, skill);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("text".to_owned(), json!(library.file(&skill.path)));
                fields.insert("effect".to_owned(), json!(skill.effect));
                fields.insert("proposal".to_owned(), json!(skill.proposal));
            }
            let _ = writeln!(text, "{value}");
            continue;
        }
        let _ = writeln!(text, "{target}: {} ({}, {})", skill.path, skill.state(), skill.support);
        let evidence = skill.path.replace("SKILL.md", "references/evidence.md");
        for path in [&skill.path, &evidence] {
            if let Some(content) = library.file(path) {
                let _ = write!(text, "\n# {path}\n{content}");
            }
        }
        if let Some(proposal) = &skill.proposal {
            let name = &skill.name;
            let why = if skill.review.is_empty() {
                "because a person wrote what stands there".to_owned()
            } else {
                format!("because a person has to agree to what it may do ({})", skill.review.join("; "))
            };
            let stated = skill.evidence.iter().any(|claim| claim.rule.is_some());
            let said = if stated {
                format!("`skillspan skills evidence {name}` shows who said it, in their words.\n")
            } else {
                String::new()
            };
            let _ = write!(
                text,
                "\n# Proposed, {why}\n{proposal}\n\
                 Take it with `skillspan skills approve {name}`, drop it with `skillspan skills reject {name}`.\n{said}"
            );
        }
        if let Some(other) = &skill.same_as {
            let name = &skill.name;
            let _ = write!(
                text,
                "\n# Proposed: a model takes it for {other}\n\
                 Retire it with `skillspan skills approve {name}`, keep both with `skillspan skills reject {name}`.\n"
            );
        }
    }
    text
}

pub(super) fn history(found: &[Found], json: bool) -> String {
    let mut text = String::new();
    for Found { target, skill, .. } in found {
        if !json {
            let _ = writeln!(text, "{target}: {}", skill.name);
        }
        for event in &skill.history {
            let (date, version, what) = (&event.date, event.version, &event.what);
            if json {
                let target = target.to_string();
                let value = json!({ "target": target, "name": skill.name, "date": date, "version": version, "what": what });
                let _ = writeln!(text, "{value}");
            } else {
                let _ = writeln!(text, "{date}  version {version}  {}", visible_line(what));
            }
        }
    }
    text
}

pub(super) fn evidence(settings: &Settings, named: &Named) -> Result<String, Failure> {
    let (found, json) = (find(settings, named)?, named.json);
    let mut watched: Vec<Option<WatchedSkill>> = found.iter().map(watched).collect();
    let known = block_on(known_sessions(settings, &found, &mut watched))?;
    let mut text = String::new();
    for (Found { target, skill, .. }, watched) in found.iter().zip(&watched) {
        if !json {
            let _ = writeln!(text, "{target}: {}", skill.name);
        }
        for claim in &skill.evidence {
            let later = watched.as_ref().and_then(|watched| {
                let line = watched.lines.iter().find(|line| line.claim.to_string() == claim.claim)?;
                (line.after.met() > 0).then_some(line.after)
            });
            if !json {
                let _ = writeln!(text, "\n{}", visible_line(&claim.claim));
                later.iter().for_each(|later| {
                    let _ = writeln!(text, "{}", since_published(later));
                });
            }
            for (date, hash, assistant, outcome) in &claim.sessions {
                let known = known.get(hash);
                let session = known.map(|session| &session.id);
                let quoted = known.zip(claim.rule.as_ref()).map(|(session, rule)| quotations(session, rule));
                let quoted: Vec<String> =
                    quoted.unwrap_or_default().into_iter().map(|quotation| quotation.sentence).collect();
                if json {
                    let value = json!({
                        "target": target.to_string(), "name": skill.name, "claim": claim.claim, "date": date,
                        "hash": hash, "session": session, "assistant": assistant, "outcome": outcome,
                        "later": later,
                        "said": quoted,
                    });
                    let _ = writeln!(text, "{value}");
                } else {
                    let session = session.map_or("(no longer in the table)", String::as_str);
                    let (assistant, session) = (visible_line(assistant), visible_line(session));
                    let _ = writeln!(text, "  {date}  {hash}  {outcome}  {assistant}  {session}");
                    for sentence in &quoted {
                        let _ = writeln!(text, "    said: {}", visible_line(sentence));
                    }
                }
            }
        }
    }
    Ok(text)
}

/// What sessions did since the skill was published, in a line.
fn since_published(later: &Later) -> String {
    let Later { followed, broken, followed_well, broken_well, .. } = later;
    format!(
        "  since it was published {} met it: {followed} followed it ({followed_well} ended well), {broken} did not \
         ({broken_well} ended well)",
        counted(later.met(), "session", "sessions")
    )
}

fn watched(found: &Found) -> Option<WatchedSkill> {
    found.library.watched().into_iter().find(|watched| watched.name == found.skill.name)
}

/// The tables' sessions by the hash that published files name them by; each is shown to the skills that are watched.
async fn known_sessions(
    settings: &Settings,
    found: &[Found],
    watched: &mut [Option<WatchedSkill>],
) -> Result<BTreeMap<String, Session>, Failure> {
    let mut known = BTreeMap::new();
    for settings in settings.tables() {
        let Ok(table) = reader::open(settings).await else { continue };
        let sessions = read(&table, &settings.default_workspace).await.or_fail()?.into_values().flatten();
        for session in sessions {
            let of_tenant = found.iter().zip(watched.iter_mut());
            let of_tenant = of_tenant.filter(|(found, _)| found.library.is_of(&session.tenant));
            let mut watched = of_tenant
                .filter_map(|(_, watched)| watched.as_mut())
                .filter(|watched| watched.workspace == session.workspace)
                .peekable();
            if watched.peek().is_some() {
                let digest = Digest::of(&session);
                let episode = episode(&digest);
                watched.for_each(|watched| watched.add(&digest, &episode));
            }
            known.insert(session_hash(&session.tenant, &session.id), session);
        }
    }
    Ok(known)
}
