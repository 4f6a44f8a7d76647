//! How much of a day is merged at once.
//!
//! 1. Every file is read whole and its checksum compared, a batch of rows at a time. What is kept of a file is which
//!    sessions its rows are of, where they lie and how many bytes they take. The rows of a small day stay in memory.
//! 2. The sessions of a larger one are cut by their ids into shares of about [`AT_ONCE`] bytes; a session that is
//!    larger than that by the times of its rows.
//! 3. The rows of a share are read by their places, from each file that has some.
//!
//! Rows of one observation carry one session id and one time, so they meet in a share. (Those whose times differ stay
//! two rows, which readers take for one.)

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::event::SessionEvent;
use crate::table::decoding::Whole;
use crate::table::file::{Damage, FileError, append_rows};
use crate::table::part::{Columns, Part, Selected};
use crate::table::read::{Listed, Observations};
use crate::table::schema::COLUMNS;
use crate::table::{FileIdentity, Table};

/// About so many bytes of rows are merged at once, as they are in memory.
pub(super) const AT_ONCE: usize = 32 << 20;

/// What is known of the files of one owner and date.
#[derive(Default)]
pub(super) struct Survey {
    files: Vec<(Listed, Vec<Run>)>,
    /// How many bytes the rows of each session take.
    sessions: BTreeMap<Arc<str>, usize>,
    /// Its rows, as long as there is room for all of the day.
    events: Vec<SessionEvent>,
    pub(super) rows: usize,
}

/// Rows of a session that follow each other in a file.
struct Run {
    session: Arc<str>,
    first: usize,
    rows: usize,
}

/// What is merged at once.
pub(super) enum Share {
    /// Rows that are in memory.
    Events(Vec<SessionEvent>),
    /// The sessions from this one to that one.
    Sessions(Arc<str>, Arc<str>),
    /// A part of one: the numbers of files, and places in them.
    Places(Vec<(usize, usize)>),
}

/// What was read of one file.
#[derive(Default)]
pub(super) struct OfFile {
    runs: Vec<(Run, usize)>,
    events: Vec<SessionEvent>,
    pub(super) rows: usize,
}

impl OfFile {
    /// Notes rows, and keeps them as long as there is room.
    fn add(&mut self, batch: Vec<SessionEvent>, room: &mut usize) {
        for event in batch {
            let bytes = event.size_in_memory();
            match self.runs.last_mut() {
                Some((run, of_run)) if *run.session == *event.session_id => {
                    run.rows += 1;
                    *of_run += bytes;
                }
                _ => {
                    let session = Arc::from(event.session_id.as_str());
                    self.runs.push((Run { session, first: self.rows, rows: 1 }, bytes));
                }
            }
            self.rows += 1;
            *room = room.saturating_sub(bytes);
            if *room > 0 {
                self.events.push(event);
            } else if !self.events.is_empty() {
                self.events = Vec::new();
            }
        }
    }
}

impl Survey {
    pub(super) fn add(&mut self, listed: Listed, file: OfFile) {
        let mut runs = Vec::with_capacity(file.runs.len());
        for (run, bytes) in file.runs {
            *self.sessions.entry(Arc::clone(&run.session)).or_default() += bytes;
            runs.push(run);
        }
        self.rows += file.rows;
        self.events.extend(file.events);
        self.files.push((listed, runs));
    }

    /// There is no room for all rows of the day.
    pub(super) fn forget_events(&mut self) {
        self.events = Vec::new();
    }

    /// The places of a share's rows in each file that has some, ascending.
    fn places(&self, share: &Share) -> BTreeMap<usize, Vec<usize>> {
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        match share {
            Share::Events(_) => {}
            Share::Sessions(from, to) => {
                for (file, (_, runs)) in self.files.iter().enumerate() {
                    for run in runs.iter().filter(|run| run.session >= *from && run.session <= *to) {
                        places.entry(file).or_default().extend(run.first..run.first + run.rows);
                    }
                }
            }
            Share::Places(all) => {
                all.iter().for_each(|(file, place)| places.entry(*file).or_default().push(*place));
                places.values_mut().for_each(|places| places.sort_unstable());
            }
        }
        places
    }
}

impl Table {
    /// Reads a file whole, and keeps its rows as long as there is room.
    pub(super) async fn survey(
        &self,
        listed: &Listed,
        room: &mut usize,
    ) -> Result<(FileIdentity, OfFile), FileError> {
        let mut whole = Whole::begin(self.clone(), listed.location.clone());
        let mut file = OfFile::default();
        while let Some(batch) = whole.next().await? {
            file.add(batch, room);
        }
        let footer = whole.footer().ok_or(Damage::NoIdentity)?;
        Ok((footer.identity, file))
    }

    /// What is merged one after the other, by session and time.
    pub(super) async fn shares(&self, survey: &mut Survey) -> Result<Vec<Share>, (Listed, FileError)> {
        if !survey.events.is_empty() {
            return Ok(vec![Share::Events(std::mem::take(&mut survey.events))]);
        }
        let (mut shares, mut filled) = (Vec::new(), 0);
        for (session, bytes) in &survey.sessions {
            if *bytes > AT_ONCE {
                let parts = bytes.div_ceil(AT_ONCE);
                shares.extend(self.parts_of(survey, session, parts).await?);
                filled = 0;
                continue;
            }
            match shares.last_mut() {
                Some(Share::Sessions(_, to)) if filled > 0 && filled + bytes <= AT_ONCE => {
                    *to = Arc::clone(session);
                    filled += bytes;
                }
                _ => {
                    shares.push(Share::Sessions(Arc::clone(session), Arc::clone(session)));
                    filled = *bytes;
                }
            }
        }
        Ok(shares)
    }

    /// The rows of one session in about so many parts, by their times.
    async fn parts_of(
        &self,
        survey: &Survey,
        session: &Arc<str>,
        parts: usize,
    ) -> Result<Vec<Share>, (Listed, FileError)> {
        let all = survey.places(&Share::Sessions(Arc::clone(session), Arc::clone(session)));
        let mut rows = Vec::new();
        for (file, places) in all {
            let Some((listed, _)) = survey.files.get(file) else { continue };
            let found = self.moments(listed, &places).await.map_err(|error| (listed.clone(), error))?;
            rows.extend(found.into_iter().zip(places).map(|(moment, place)| (moment, file, place)));
        }
        rows.sort_unstable();
        let most = rows.len().div_ceil(parts);
        let mut shares: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut last = None;
        for (moment, file, place) in rows {
            match shares.last_mut() {
                Some(share) if share.len() < most || last == Some(moment) => share.push((file, place)),
                _ => shares.push(vec![(file, place)]),
            }
            last = Some(moment);
        }
        Ok(shares.into_iter().map(Share::Places).collect())
    }

    /// When the rows at these places happened, each with a hash that is the same for one observation.
    async fn moments(&self, listed: &Listed, places: &[usize]) -> Result<Vec<(i64, u64)>, FileError> {
        const OF_MOMENT: [&str; 2] = ["event_id", "timestamp"];
        let reader = self.ranges(listed.location.clone(), listed.bytes);
        let mut part = Part::open(reader, OF_MOMENT, Selected::At(places)).await?;
        let mut moments = Vec::with_capacity(places.len());
        while let Some(batch) = part.next().await? {
            let mut events = Vec::new();
            let columns = COLUMNS.iter().filter(|column| OF_MOMENT.contains(&column.name));
            append_rows(&mut events, &batch, columns)?;
            moments.extend(events.into_iter().map(|event| {
                let mut hasher = DefaultHasher::new();
                event.event_id.hash(&mut hasher);
                (event.timestamp.as_micros(), hasher.finish())
            }));
        }
        as_many(moments.len(), places)?;
        Ok(moments)
    }

    /// The rows of a share, each observation once.
    pub(super) async fn rows_of_share(
        &self,
        survey: &Survey,
        share: Share,
    ) -> Result<Vec<SessionEvent>, (Listed, FileError)> {
        let mut observations = Observations::default();
        let places = survey.places(&share);
        if let Share::Events(events) = share {
            observations.extend(events);
        }
        for (file, places) in places {
            let Some((listed, _)) = survey.files.get(file) else { continue };
            let read = self.rows_at(listed, &places, &mut observations).await;
            read.map_err(|error| (listed.clone(), error))?;
        }
        Ok(observations.into_events())
    }

    async fn rows_at(
        &self,
        listed: &Listed,
        places: &[usize],
        observations: &mut Observations,
    ) -> Result<(), FileError> {
        let columns = Columns::All.of_schema();
        let names = columns.iter().map(|column| column.name);
        let reader = self.ranges(listed.location.clone(), listed.bytes);
        let mut part = Part::open(reader, names, Selected::At(places)).await?;
        let mut found = 0;
        while let Some(batch) = part.next().await? {
            let mut events = Vec::with_capacity(batch.num_rows());
            append_rows(&mut events, &batch, columns.iter().copied())?;
            part.footer.identity.owner.confine(&mut events);
            found += events.len();
            observations.extend(events);
        }
        as_many(found, places)
    }
}

/// All of them were read a moment ago.
fn as_many(found: usize, places: &[usize]) -> Result<(), FileError> {
    if found == places.len() {
        return Ok(());
    }
    Err(Damage::Rows { expected: places.len() as u64, found: found as u64 }.into())
}
