//! Reads page after page and retries: a request that is refused or fails is repeated later, and for smaller pages.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::client::{Access, Failure, Page};
use super::place::{Next, Place, PlaceError, Round};
use super::stage::{LEAST_LIMIT, Stage};
use crate::dialects::parse_within;
use crate::event::Timestamp;
use crate::receivers::transcripts::exports::Rows;
use crate::receivers::transcripts::reading::{Batch, Left, Owner};

/// A server that fails is asked again for so long; one that says when, as long as it says.
const PATIENCE: Duration = Duration::from_secs(300);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Who asks for more patience than that has a limit by the day.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// So many failures in a row, and a page is made smaller.
const FAILURES_TO_SHRINK: u32 = 2;
/// Values within a row.
const MAX_VALUES: u32 = 100_000;

/// Why the reading ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The server gave no answer that helps.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// It asks for more patience than anybody has.
    #[error("the server accepts no more requests for {} minutes", .0.as_secs().div_ceil(60))]
    Later(Duration),
    /// The lists have no end.
    #[error("the server gives the same page again and again")]
    Circle,
    /// How far it is cannot be read or written down.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// The content of a page, and what to do before the next one.
#[derive(Debug, Default)]
pub struct Step {
    /// To be handed on, in this order.
    pub batches: Vec<Batch>,
    /// Rows of the page.
    pub rows: u64,
    /// Rows that could not be read.
    pub left: Vec<Left>,
    round: Option<Round>,
}

/// The reading of a project.
pub struct Walk {
    access: Access,
    place: Place,
    since: Timestamp,
    /// Cursors that were seen, as a guard against circles.
    seen: BTreeSet<String>,
}

impl Walk {
    /// What is left to be read of a project, back to `since`; how far it is, is kept in `folder`.
    pub fn open(access: Access, folder: &Path, since: Timestamp) -> Result<Self, WalkError> {
        let mut place = Place::open(folder, &access.name())?;
        place.begin(since, Timestamp::now());
        Ok(Self { access, place, since, seen: BTreeSet::new() })
    }

    /// Whether it goes on where an earlier one was stopped, and how many rows that had read.
    pub fn resumed(&self) -> Option<u64> {
        self.place.round().filter(|_| self.place.is_resumed).map(|round| round.rows)
    }

    /// From when on everything is asked for, and how far back it is: the newest comes first.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let round = self.place.round()?;
        let at = if round.stage == 0 { round.oldest } else { round.from };
        Some((Timestamp::from_micros(round.from), Timestamp::from_micros(at)))
    }

    /// How much of the time that is asked for was read, in percent.
    pub fn percent(&self) -> u64 {
        let Some(round) = self.place.round() else { return 100 };
        let of = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or_default();
        match Stage::of(round) {
            Some(Stage::Observations | Stage::OlderObservations) => {
                let (read, all) = (of(round.oldest, round.to), of(round.from, round.to));
                read.saturating_mul(100).checked_div(all).unwrap_or(100)
            }
            Some(Stage::OlderTraces) => 0,
            Some(Stage::Scores) | None => 100,
        }
    }

    /// The next page; `None`: everything was read. `tell` reports what the walk waits for.
    pub async fn next(
        &mut self,
        owner: &Owner,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Option<Step>, WalkError> {
        loop {
            let Some(round) = self.place.round().cloned() else { return Ok(None) };
            let Some(stage) = Stage::of(&round) else {
                let goes_on = self.place.end(Timestamp::now());
                self.place.keep()?;
                if goes_on && self.place.begin(self.since, Timestamp::now()) {
                    continue;
                }
                return Ok(None);
            };
            match self.page(stage, tell).await {
                Ok(page) => {
                    // A page that had to be made smaller stays so.
                    let round = self.place.round().cloned().unwrap_or(round);
                    return self.step(stage, round, page, owner).map(Some);
                }
                Err(WalkError::Failure(failure)) => self.turn(stage, failure)?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Everything of a step was acknowledged: the next one may follow.
    pub fn done(&mut self, step: Step) -> Result<(), WalkError> {
        if let (Some(round), Some(after)) = (self.place.round_mut(), step.round) {
            *round = after;
        }
        Ok(self.place.keep()?)
    }

    /// Another list, where a server has none of one, and another way to a page whose cursor is refused.
    fn turn(&mut self, stage: Stage, failure: Failure) -> Result<(), WalkError> {
        let Some(round) = self.place.round_mut() else { return Err(failure.into()) };
        let has_read = round.rows > 0;
        match &failure {
            Failure::Absent { .. } if stage.has_cursor() && !has_read => {
                (round.is_older, round.next) = (true, Next::First);
            }
            Failure::Absent { .. } if stage.may_be_absent() => {
                (round.stage, round.next) = (round.stage + 1, Next::First);
            }
            // A cursor of an earlier process may have become worthless. What is older than all that was read is left.
            Failure::Refused { .. } if matches!(round.next, Next::Cursor(_)) && round.oldest < round.to => {
                (round.to, round.next) = (round.oldest, Next::First);
                self.seen.clear();
            }
            _ => return Err(failure.into()),
        }
        Ok(())
    }

    /// A page, however often it has to be asked for.
    async fn page(&mut self, stage: Stage, tell: &mut dyn FnMut(&str)) -> Result<Page, WalkError> {
        let (mut pause, mut failures) = (FIRST_PAUSE, 0_u32);
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            let Some(round) = self.place.round() else { return Err(WalkError::Circle) };
            let failure = match self.access.page(stage.path(), &stage.query(round)).await {
                Ok(page) => return Ok(page),
                Err(failure) if !failure.is_transient() => return Err(failure.into()),
                Err(failure) => failure,
            };
            let wait = match &failure {
                Failure::Busy { wait: Some(wait) } if *wait > LONGEST_WAIT => {
                    return Err(WalkError::Later(*wait));
                }
                Failure::Busy { wait: Some(wait) } => {
                    deadline += *wait;
                    // A server that asks for no wait at all is not asked without a pause.
                    (*wait).max(pause)
                }
                _ => pause,
            };
            if Instant::now() + wait > deadline {
                return Err(failure.into());
            }
            failures += 1;
            if failures >= FAILURES_TO_SHRINK && failure.may_be_too_much() && self.shrink(stage) {
                pause = FIRST_PAUSE;
            }
            let milliseconds = wait.as_millis();
            tell(&format!("{}: {failure}; asking again in {milliseconds} ms", self.access.address()));
            sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Half a page, if there is one. Of numbered pages it begins where the whole one did.
    fn shrink(&mut self, stage: Stage) -> bool {
        let Some(round) = self.place.round_mut() else { return false };
        let limit = stage.limit(round);
        // Only halves of what is even begin where the whole does.
        let has_halves = stage.has_cursor() || limit.is_multiple_of(2);
        if limit / 2 < LEAST_LIMIT || !has_halves {
            return false;
        }
        round.limit = limit / 2;
        if let Next::Page(page) = round.next {
            round.next = Next::Page(page.saturating_sub(1).saturating_mul(2).saturating_add(1));
        }
        true
    }

    fn step(&mut self, stage: Stage, mut round: Round, page: Page, owner: &Owner) -> Result<Step, WalkError> {
        let mut step = Step::default();
        let mut rows = Rows::new(owner);
        let is_empty = page.rows.is_empty();
        for (line, row) in (round.rows + 1..).zip(page.rows) {
            step.rows += 1;
            let leave = |why: &str| Left { table: String::new(), line, why: why.to_owned() };
            let Ok(row) = parse_within(row.get(), MAX_VALUES) else {
                step.left.push(leave("it has too many values"));
                continue;
            };
            let began = row.get("startTime").and_then(|time| time.as_str());
            if let Some(began) = began.and_then(Timestamp::parse_rfc3339) {
                round.oldest = round.oldest.min(began.as_micros());
            }
            if !rows.take(row, &mut step.batches) {
                step.left.push(leave("it is no row that is known"));
            }
        }
        rows.finish(&mut step.batches);
        round.rows += step.rows;
        let number = match round.next {
            Next::Page(page) => page,
            Next::First | Next::Cursor(_) => 1,
        };
        let next = match (page.cursor, page.pages) {
            (Some(cursor), _) if stage.has_cursor() => Some(Next::Cursor(cursor)),
            (_, Some(pages)) if !stage.has_cursor() && number < pages => Some(Next::Page(number + 1)),
            // A server that does not say how many there are has no more when one is empty.
            (_, None) if !stage.has_cursor() && !is_empty => Some(Next::Page(number + 1)),
            _ => None,
        };
        if let Some(Next::Cursor(cursor)) = &next
            && !self.seen.insert(cursor.clone())
        {
            return Err(WalkError::Circle);
        }
        match next {
            Some(next) => round.next = next,
            None => (round.stage, round.next) = (round.stage + 1, Next::First),
        }
        step.round = Some(round);
        Ok(step)
    }
}
