//! What is new in the table, as whole groups of rows that are resolved together, in bounded memory.
//!
//! 1. Of the files that the reader has not seen, the columns that tie rows are read ([`super::components`]).
//! 2. Groups that the reader knows and that new rows join are read again from the files it has seen.
//! 3. The new files are read whole, one after the other in the order of arrival, and decoded a batch of rows at a
//!    time. A group is handed over with the last of its rows. What lacks rows, because a file could be read once and
//!    not again, comes at the end.
//!
//! [`NewGroups::within`] bounds what is held: then the largest group that lacks rows is let go of, and read again at the
//! end, a few of them at a time; of a group that is too large by itself the first rows are given. If so many were let go
//! of that the files would be read again and again, the first rows of each are given, as many as a few turns have room
//! for.
//!
//! Memory holds one file as it is on the disk, a few batches of its rows, the rows of incomplete groups, and a hash
//! for each session and trace of the new files. A file's rows are sorted by session, so few groups are incomplete at
//! a time. The reader passes only hashes of what it knows ([`HashedJoinKeys`]), and the ties themselves of groups that
//! change.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::{StreamExt, stream};

use super::bound::{Bound, Held, Keys};
use super::components::{Forest, HashedJoinKeys, JoinKeys, hashes_of_event};
use super::decoding::Whole;
use super::error::ReadError;
use super::file::{FileError, append_rows};
use super::part::{self, Columns, Part, Rows, Selected};
use super::query::Cursor;
use super::read::{DamagedFile, Filter, Listed, Reading};
use super::{Table, layout};
use crate::event::SessionEvent;

/// The rows of one group, complete.
#[derive(Debug)]
pub struct Group {
    /// What ties them.
    pub join_keys: JoinKeys,
    /// The known groups that it replaces, as indices.
    pub replaces: Vec<usize>,
    /// The rows; an observation may be among them more than once. None if all of them are gone.
    pub events: Vec<SessionEvent>,
    /// How many of its rows were left out because it exceeds the reading's bound.
    pub left_out: usize,
}

/// A reading of what is new. Ask [`NewGroups::next`] until there is no more.
#[derive(Debug)]
#[must_use]
pub struct NewGroups {
    table: Table,
    forest: Forest,
    held: BTreeMap<usize, Held>,
    files: std::vec::IntoIter<Listed>,
    /// The file that is being read.
    reading: Option<(Listed, Whole)>,
    bound: Option<Bound>,
    hidden: super::upkeep::Hidden,
    cursor: Cursor,
    damaged: Vec<DamagedFile>,
}

/// The join keys of new rows, before the rows are read. Name the known ones with [`NewRows::join`], then call
/// [`NewRows::groups`].
#[derive(Debug)]
#[must_use]
pub struct NewRows {
    table: Table,
    forest: Forest,
    held: BTreeMap<usize, Held>,
    seen: BTreeSet<String>,
    later: BTreeSet<String>,
    files: Vec<Listed>,
    damaged: Vec<DamagedFile>,
}

/// What a table has become since a reader saw it.
#[derive(Debug)]
#[must_use]
pub struct Standing {
    /// Whether something that the reader has seen is gone without a replacement: what it made of the table is no
    /// longer true.
    pub lost: bool,
    seen: BTreeSet<String>,
    unseen: Vec<Listed>,
    /// The files that are left for another time.
    later: BTreeSet<String>,
}

/// So many rows of a group are made room for ahead.
const MOST_RESERVED: usize = 64;

/// Files whose ties are read at once.
const FILES_AT_ONCE: usize = 4;

impl Table {
    /// What became of the files that a reader has seen.
    pub async fn standing(&self, cursor: &Cursor) -> Result<Standing, ReadError> {
        let filter = Filter::default();
        let listed = self.list(&filter).await?;
        let paths: BTreeSet<&str> = listed.iter().map(|file| file.location.as_ref()).collect();
        let replacements = self.replacements(None).await?;
        let seen = cursor.with_replacements(&replacements);
        let replaced: BTreeSet<&str> = replacements
            .iter()
            .flat_map(|replacement| &replacement.inputs)
            .map(|input| input.path.as_str())
            .collect();
        let kept_since = self.kept_since().unwrap_or_default();
        let is_retired =
            |path: &str| layout::ingest_date_of(path).is_some_and(|date| date < kept_since.as_str());
        let lost = seen.iter().any(|path| {
            !paths.contains(path.as_str()) && !replaced.contains(path.as_str()) && !is_retired(path)
        });
        let seen: BTreeSet<String> = seen.into_iter().filter(|path| paths.contains(path.as_str())).collect();
        let unseen = listed.iter().filter(|file| !seen.contains(file.location.as_ref())).cloned().collect();
        Ok(Standing { lost, seen, unseen, later: BTreeSet::new() })
    }

    /// Begins to read what `standing` calls new, with the groups among `known` that it changes, and
    /// those of the places in `stale`.
    pub async fn new_groups(
        &self,
        standing: Standing,
        known: &[&JoinKeys],
        stale: &BTreeSet<usize>,
    ) -> Result<NewGroups, ReadError> {
        let mut rows = self.new_rows(standing).await?;
        let hashed: Vec<HashedJoinKeys> =
            known.iter().map(|join_keys| HashedJoinKeys::from(*join_keys)).collect();
        let joined = rows.join(&hashed, stale);
        let joined: Vec<JoinKeys> =
            joined.into_iter().filter_map(|at| known.get(at).copied()).cloned().collect();
        rows.groups(&joined).await
    }

    /// Reads what ties the rows that `standing` calls new.
    pub async fn new_rows(&self, standing: Standing) -> Result<NewRows, ReadError> {
        let Standing { seen, unseen, later, .. } = standing;
        let reads = unseen.into_iter().map(|listed| {
            let reader = self.ranges(listed.location.clone(), listed.bytes);
            async move {
                let read = tokio::spawn(part::read_join_keys(reader)).await;
                (listed, read.unwrap_or(Err(FileError::Damaged(super::Damage::Decoder))))
            }
        });
        let mut reads = stream::iter(reads).buffered(FILES_AT_ONCE);
        let (mut forest, mut files, mut damaged) = (Forest::default(), Vec::new(), Vec::new());
        while let Some((listed, read)) = reads.next().await {
            match read {
                Ok((arrived, rows)) => {
                    rows.iter().for_each(|(hashes, count)| forest.add_rows(hashes, *count));
                    files.push((arrived, listed));
                }
                Err(error) => damaged.push(listed.damage_or_error(error)?),
            }
        }
        files.sort_by(|(a, x), (b, y)| (a, &x.location).cmp(&(b, &y.location)));
        let files = files.into_iter().map(|(_, listed)| listed).collect();
        Ok(NewRows { table: self.clone(), forest, held: BTreeMap::new(), seen, later, files, damaged })
    }
}

impl NewRows {
    /// The groups among those that are known that change, as indices, ascending: new rows join them, they are in
    /// `stale`, or rows of theirs are past their retention.
    pub fn join<'k>(
        &mut self,
        known: impl IntoIterator<Item = &'k HashedJoinKeys>,
        stale: &BTreeSet<usize>,
    ) -> Vec<usize> {
        let kept_since = self.table.kept_since().unwrap_or_default();
        let mut joined = Vec::new();
        // No two known groups share a join key, so a group that nothing meets here is met by nothing later.
        for (at, join_keys) in known.into_iter().enumerate() {
            if stale.contains(&at) || join_keys.is_older_than(&kept_since) || self.forest.meets(join_keys) {
                self.forest.add_known(join_keys);
                joined.push((at, join_keys));
            }
        }
        // Only now it is certain which of them are one group.
        for (at, join_keys) in &joined {
            if let Some(group) = self.forest.group_of_known(join_keys) {
                self.held.entry(group).or_default().replaces.push(*at);
            }
        }
        joined.into_iter().map(|(at, _)| at).collect()
    }

    /// Begins to read them as groups, with those that [`NewRows::join`] named, whose ties are `joined`.
    pub async fn groups(self, joined: &[JoinKeys]) -> Result<NewGroups, ReadError> {
        let Self { table, forest, held, seen, later, files, damaged } = self;
        let new: BTreeSet<String> = files.iter().map(|file| file.location.to_string()).collect();
        let mut reading = NewGroups {
            hidden: table.hidden().await?,
            table,
            forest,
            held,
            files: Vec::new().into_iter(),
            reading: None,
            bound: None,
            cursor: Cursor::default(),
            damaged,
        };
        reading.read_known_again(joined, &new.union(&later).cloned().collect()).await?;
        let mut cursor = seen;
        cursor.extend(new);
        cursor.extend(reading.damaged.iter().map(|file| file.path.clone()));
        reading.cursor = Cursor::of(cursor);
        reading.files = files.into_iter();
        Ok(reading)
    }
}

impl Standing {
    /// The same without the files of earlier days, for a reader whose rows are all of that UTC date or later.
    pub fn since(mut self, date: &str) -> Self {
        self.unseen
            .retain(|file| layout::ingest_date_of(file.location.as_ref()).is_none_or(|day| day >= date));
        self
    }
}

impl Standing {
    /// The same without all but the oldest files, of so many bytes together, and at least one.
    pub fn oldest(mut self, most_bytes: u64) -> Self {
        let date = |file: &Listed| layout::ingest_date_of(file.location.as_ref()).map(str::to_owned);
        self.unseen.sort_by_cached_key(|file| (date(file), file.location.clone()));
        let mut bytes = 0;
        let room = self.unseen.iter().take_while(|file| {
            bytes += file.bytes;
            bytes <= most_bytes
        });
        let later = self.unseen.split_off(room.count().max(1).min(self.unseen.len()));
        self.later.extend(later.into_iter().map(|file| file.location.to_string()));
        self
    }

    /// Whether there are files that [`Standing::oldest`] left for another time.
    pub fn has_more(&self) -> bool {
        !self.later.is_empty()
    }

    /// The same without the files of other days.
    pub fn on(mut self, date: &str) -> Self {
        self.unseen.retain(|file| layout::ingest_date_of(file.location.as_ref()) == Some(date));
        self
    }

    /// The UTC dates on which something new arrived, each with a number that changes when its files do.
    pub fn days(&self) -> BTreeMap<String, u64> {
        let mut days: BTreeMap<String, u64> = BTreeMap::new();
        for file in &self.unseen {
            if let Some(date) = layout::ingest_date_of(file.location.as_ref()) {
                let mut hasher = DefaultHasher::new();
                (file.location.as_ref(), file.bytes).hash(&mut hasher);
                let known = days.entry(date.to_owned()).or_default();
                *known = known.wrapping_add(hasher.finish());
            }
        }
        days
    }
}

impl NewGroups {
    /// The same, holding no more than about so many bytes of rows until groups are complete: of a group that has more
    /// than half of that by itself the first rows are given, in the order of arrival. To be said before the first.
    /// Groups that are known are held whole.
    pub fn within(mut self, bytes: usize) -> Self {
        let files = self.files.as_slice().to_vec();
        self.bound = Some(Bound { most: bytes, held: 0, files, share: None });
        self
    }

    /// The groups that the next rows complete, often none; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Group>>, ReadError> {
        loop {
            let Some((listed, mut reading)) = self.reading.take().or_else(|| self.begin()) else {
                if let Some(again) = self.next_again().await? {
                    return Ok(Some(again));
                }
                // The remaining groups have no new rows: some of their rows are past retention, or in a damaged file.
                let left: Vec<usize> = self.held.keys().copied().collect();
                return Ok((!left.is_empty()).then(|| self.hand_over(left)));
            };
            match reading.next().await {
                Ok(Some(events)) => {
                    self.reading = Some((listed, reading));
                    return Ok(Some(self.hold(events)));
                }
                Ok(None) => {}
                Err(error) => self.damaged.push(listed.damage_or_error(error)?),
            }
        }
    }

    /// About how many bytes the rows take that are in memory until their groups are complete.
    pub fn bytes_held(&self) -> usize {
        self.held.values().flat_map(|held| &held.events).map(SessionEvent::size_in_memory).sum()
    }

    /// Where to go on, and the files that could not be read.
    pub fn finish(self) -> (Cursor, Vec<DamagedFile>) {
        (self.cursor, self.damaged)
    }

    /// The next of the groups that were let go of, whole now but for what is too large.
    async fn next_again(&mut self) -> Result<Option<Vec<Group>>, ReadError> {
        let Some(bound) = &mut self.bound else { return Ok(None) };
        let let_go = || self.held.iter().filter(|(_, held)| held.let_go.is_some());
        let of_group = bound.of_group_again(let_go().count());
        let (mut groups, mut bytes) = (BTreeSet::new(), 0);
        for (group, held) in let_go() {
            let needed = held.bytes.min(of_group);
            if bytes + needed > bound.most && bytes > 0 {
                break;
            }
            bytes += needed;
            groups.insert(*group);
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let files = bound.files.clone();
        let mut found: BTreeMap<usize, Held> = groups.iter().map(|group| (*group, Held::default())).collect();
        for listed in files {
            let open = found.iter().filter(|(_, held)| held.left_out == 0).map(|(group, _)| *group);
            let keys = open.filter_map(|group| self.held.get(&group)?.let_go.as_ref());
            let Some(rows) = Keys::rows(keys) else { break };
            let read = self.read_again(&listed, &rows, &mut found, of_group).await;
            listed.or_damage(read, &mut self.damaged)?;
        }
        for (group, mut held) in found {
            let rows = self.forest.rows_of(group);
            held.left_out = if held.left_out > 0 { rows.saturating_sub(held.events.len()) } else { 0 };
            held.bytes = 0;
            self.held.insert(group, held);
        }
        Ok(Some(self.hand_over(groups.into_iter().collect())))
    }

    /// The rows that a file has of some groups, until each has as many as it may.
    async fn read_again(
        &mut self,
        listed: &Listed,
        rows: &Rows,
        found: &mut BTreeMap<usize, Held>,
        of_group: usize,
    ) -> Result<(), FileError> {
        let columns = Columns::All.of_schema();
        let reader = self.table.ranges(listed.location.clone(), listed.bytes);
        let names = columns.iter().map(|column| column.name);
        let mut part = Part::open(reader, names, Selected::Matching(rows)).await?;
        while let Some(batch) = part.next().await? {
            let mut events = Vec::with_capacity(batch.num_rows());
            append_rows(&mut events, &batch, columns.iter().copied())?;
            part.footer.identity.owner.confine(&mut events);
            for event in events {
                let group = self.forest.group_of(&hashes_of_event(&event));
                let held = group.and_then(|group| found.get_mut(&group));
                if let Some(held) = held.filter(|_| !self.hidden.hides(&event)) {
                    held.hold(event, of_group);
                }
            }
            if found.values().all(|held| held.left_out > 0) {
                break;
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Option<(Listed, Whole)> {
        let listed = self.files.next()?;
        let reading = Whole::begin(self.table.clone(), listed.location.clone());
        Some((listed, reading))
    }

    /// Adds rows to their groups; those that are complete now.
    fn hold(&mut self, events: Vec<SessionEvent>) -> Vec<Group> {
        let mut complete = Vec::new();
        for event in events {
            let Some(group) = self.forest.group_of(&hashes_of_event(&event)) else { continue };
            let rows = self.forest.rows_of(group);
            let held = self.held.entry(group).or_default();
            held.read += 1;
            if let Some(bound) = self.bound.as_mut().filter(|_| held.replaces.is_empty()) {
                if !self.hidden.hides(&event) {
                    bound.hold(held, event);
                }
            } else if !self.hidden.hides(&event) {
                if held.events.is_empty() {
                    held.events.reserve(rows.min(MOST_RESERVED));
                }
                held.events.push(event);
            }
            if held.read == rows && held.let_go.is_none() {
                complete.push(group);
            }
        }
        let complete = self.hand_over(complete);
        if let Some(bound) = &mut self.bound {
            bound.let_go(&mut self.held);
        }
        complete
    }

    fn hand_over(&mut self, groups: Vec<usize>) -> Vec<Group> {
        let held: Vec<Held> = groups.into_iter().filter_map(|group| self.held.remove(&group)).collect();
        if let Some(bound) = &mut self.bound {
            bound.held -= held.iter().map(|held| held.bytes).sum::<usize>().min(bound.held);
        }
        let held = held.into_iter().filter(|held| !held.events.is_empty() || !held.replaces.is_empty());
        let group = |Held { replaces, events, left_out, .. }| {
            let join_keys = JoinKeys::of(&events);
            Group { join_keys, replaces, events, left_out }
        };
        held.map(group).collect()
    }

    /// Reads the rows that known groups have in files that were seen.
    async fn read_known_again(
        &mut self,
        known: &[JoinKeys],
        new: &BTreeSet<String>,
    ) -> Result<(), ReadError> {
        let mut values = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        for join_keys in known {
            for (values, set) in
                values.iter_mut().zip([&join_keys.sessions, &join_keys.traces, &join_keys.alone])
            {
                values.extend(set.iter().map(|(_, value)| value.clone()));
            }
        }
        let [sessions, traces, alone] = values;
        if sessions.is_empty() && traces.is_empty() && alone.is_empty() {
            return Ok(());
        }
        let rows = Rows::default()
            .one_of("session_id", &sessions)
            .one_of("trace_id", &traces)
            .one_of("event_id", &alone);
        let reading = Reading::Part { columns: Columns::All, rows: Some(rows) };
        let table = self.table.clone();
        let mut found = Vec::new();
        let damaged =
            table.visit(&Filter::default(), &reading, new, |_, events| found.extend(events)).await?;
        self.damaged.extend(damaged);
        for event in found {
            let group = self.forest.group_of(&hashes_of_event(&event));
            if let Some(held) = group.and_then(|group| self.held.get_mut(&group)) {
                held.events.push(event);
            }
        }
        Ok(())
    }
}
