//! `/skills/{name}/claims/{number}`: a claim of a skill, with the cases for it and against it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::cases::{Cases, NONE_BEFORE};
use super::rests::{Rests, rests};
use super::skills::seen;
use super::who::People;
use super::{Frame, Seen, html, link, patience};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::{Asked, Named};
use crate::console::escape::with_code;
use crate::console::problem::Problem;
use crate::library::SaidClaim;

/// A claim with its cases.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Claimed {
    skill: String,
    tenant: String,
    line: String,
    claim: Rests,
    cases: Cases,
}

#[derive(Template)]
#[template(path = "claim.html")]
struct ClaimPage {
    frame: Frame,
    view: Claimed,
}

/// Which part of a claim's cases is meant.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Meant {
    tenant: String,
    /// How many counterexamples come before.
    from: u32,
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named((name, number)): Named<(String, usize)>,
    Asked(meant): Asked<Meant>,
) -> Result<Response, Problem> {
    let view = view(&app, &reader, (&name, number), &meant).await?;
    let frame = Frame::new(&reader, "skills", format!("Cases of {name}"));
    Ok(html(StatusCode::OK, &ClaimPage { frame, view }))
}

impl Claimed {
    /// The page of the cases against it behind so many.
    fn page(&self, from: &usize) -> String {
        let (skill, tenant) = (link::encoded(&self.skill), link::encoded(&self.tenant));
        format!("/skills/{skill}/claims/{}?tenant={tenant}&from={from}", self.claim.number)
    }

    /// The line as markup.
    fn told(&self) -> String {
        with_code(&self.line)
    }

    fn skill_link(&self) -> String {
        link::skill(&self.tenant, &self.skill)
    }
}

pub(in crate::console) async fn view(
    app: &Arc<App>,
    reader: &Reader,
    (name, number): (&str, usize),
    meant: &Meant,
) -> Result<Claimed, Problem> {
    let shelved = app.shelf.all().await;
    let mut libraries = shelved.iter().filter_map(|shelved| shelved.library.as_ref().ok());
    let found = libraries.find_map(|library| {
        let is_meant = meant.tenant.is_empty() || library.is_of(&meant.tenant);
        let skill = seen(library, reader).into_iter().find(|skill| is_meant && skill.name == name)?;
        Some((library, skill))
    });
    let (library, skill) = found.ok_or_else(|| Problem::missing("such skill"))?;
    let mut claims: Vec<(String, SaidClaim)> = Vec::new();
    for line in library.said(name, library.file(&skill.path).is_none()) {
        claims.extend(line.claims.into_iter().map(|claim| (line.text.clone(), claim)));
    }
    let at = number.checked_sub(1).ok_or_else(|| Problem::missing("such line"))?;
    let (line, claim) = claims.into_iter().nth(at).ok_or_else(|| Problem::missing("such line"))?;
    let found = Cases::of(
        app,
        reader,
        (library, &skill.workspace),
        &[&claim.claim],
        usize::try_from(meant.from).unwrap_or(usize::MAX),
    )
    .await?;
    let cited = claim.sessions.iter().map(|(date, hash, ..)| (date.as_str(), hash.as_str()));
    let known = app.by_hash(reader, cited, patience()).await;
    let people = People::of(app, reader).await?;
    Ok(Claimed {
        skill: name.to_owned(),
        tenant: app.tenant_of(library),
        line,
        claim: rests(number, &claim, &known, &people),
        cases: found.into_iter().next().unwrap_or_default(),
    })
}
