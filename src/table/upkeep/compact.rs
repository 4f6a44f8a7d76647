//! Compaction: the many files of a closed day become few.

use std::collections::BTreeMap;
use std::time::Duration;

use super::UpkeepError;
use super::replace::{Day, Input, MOST_ATTEMPTS, Outcome};
use crate::event::{Owner, SessionEvent, Timestamp};
use crate::table::file::FileError;
use crate::table::part::{self, Columns};
use crate::table::read::{Listed, Observations, overtaken};
use crate::table::{DamagedFile, Filter, Table, layout};

/// What a compaction did.
#[derive(Debug, Default)]
pub struct Compacted {
    /// Days, each of one owner, whose files were replaced.
    pub days: u64,
    /// The files that were replaced.
    pub files_before: u64,
    /// The files that replace them.
    pub files_after: u64,
    /// Rows of observations that were stored more than once, or are erased.
    pub rows_dropped: u64,
    /// The files that were left alone because they cannot be read.
    pub damaged: Vec<DamagedFile>,
}

/// Files of today may still be written by a plan that is carried out again, and those of yesterday
/// around midnight or by a clock that is behind.
const OPEN_DAYS: Duration = Duration::from_secs(24 * 3600);

/// About so much of compressed files is merged at once. Decoded it is several times as much.
const MERGED_AT_ONCE: u64 = 32 << 20;

impl Table {
    /// Replaces the files of every closed day, but for the last two dates, by few: sorted, each
    /// observation once, compressed more. A day that has only such files is left alone.
    pub async fn compact(&self, now: Timestamp) -> Result<Compacted, UpkeepError> {
        let first_open = now.saturating_sub(OPEN_DAYS).date();
        let mut compacted = Compacted::default();
        for folder in self.days(&Filter::default()).await? {
            if layout::ingest_date_of(&folder).is_some_and(|date| date < first_open.as_str()) {
                compacted.add(self.compact_folder(&folder).await?);
            }
        }
        Ok(compacted)
    }

    async fn compact_folder(&self, folder: &str) -> Result<Compacted, UpkeepError> {
        for attempt in 1..=MOST_ATTEMPTS {
            let day = self.begin(folder).await?;
            let mut merging = Merging::default();
            match self.compact_day(&day, &mut merging).await {
                Ok((Outcome::Done, done)) => return Ok(done),
                Ok((Outcome::Lost, _)) => {}
                Err(error) if error.is_overtaken() => self.take_back(&merging.outputs).await?,
                Err(error) => return Err(error),
            }
            overtaken(attempt).await;
        }
        Err(UpkeepError::Contended { folder: folder.to_owned() })
    }

    async fn compact_day(
        &self,
        day: &Day,
        merging: &mut Merging,
    ) -> Result<(Outcome, Compacted), UpkeepError> {
        let mut done = Compacted::default();
        if day.unsettled.is_empty() {
            return Ok((Outcome::Done, done));
        }
        for bound in self.bounds(day).await? {
            let (owners, damaged) = self.merge_below(day, &bound, merging).await?;
            done.damaged = damaged;
            if merging.inputs.values().all(|input| !day.unsettled.contains(&input.path)) {
                // Every file that could be read has been compacted before.
                return Ok((Outcome::Done, done));
            }
            for ((owner, date), observations) in owners {
                let output = self.write_output(&owner, &date, observations.into_events()).await?;
                merging.rows_after += output.rows;
                merging.outputs.extend(output.path);
            }
        }
        done.days = 1;
        done.files_before = merging.inputs.len() as u64;
        done.files_after = merging.outputs.len() as u64;
        done.rows_dropped = merging.rows_before.saturating_sub(merging.rows_after);
        let inputs = std::mem::take(&mut merging.inputs).into_values().collect();
        let outcome = self.commit(day, inputs, std::mem::take(&mut merging.outputs)).await?;
        Ok((outcome, done))
    }

    /// Merges the rows whose session is above the previous bound and below this one.
    async fn merge_below(
        &self,
        day: &Day,
        bound: &Bound,
        merging: &mut Merging,
    ) -> Result<(BTreeMap<(Owner, String), Observations>, Vec<DamagedFile>), UpkeepError> {
        let mut owners: BTreeMap<(Owner, String), Observations> = BTreeMap::new();
        let mut damaged = Vec::new();
        for listed in &day.live {
            let (footer, events) = match self.read_whole(&listed.location).await {
                Ok(read) => read,
                Err(error) => {
                    damaged.push(listed.damage_or_error(error)?);
                    continue;
                }
            };
            let path = listed.location.to_string();
            merging.inputs.insert(path.clone(), Input::new(&path, &footer.identity));
            let of_file = owners.entry((footer.identity.owner, footer.identity.ingest_date)).or_default();
            let events = events.into_iter().filter(|event| bound.holds(event));
            of_file.extend(events.inspect(|_| merging.rows_before += 1));
        }
        Ok((owners, damaged))
    }

    /// Ranges of session ids, each of about as many rows as may be merged at once. All rows of an
    /// observation carry the same id, so they meet.
    async fn bounds(&self, day: &Day) -> Result<Vec<Bound>, UpkeepError> {
        let bytes: u64 = day.live.iter().map(|listed| listed.bytes).sum();
        let ranges = bytes.div_ceil(MERGED_AT_ONCE).max(1);
        if ranges == 1 {
            return Ok(vec![Bound::default()]);
        }
        let mut rows: BTreeMap<String, u64> = BTreeMap::new();
        for listed in &day.live {
            for event in self.keys_of(listed).await? {
                *rows.entry(event.session_id).or_default() += 1;
            }
        }
        let most = rows.values().sum::<u64>().div_ceil(ranges);
        let mut bounds = vec![Bound::default()];
        let mut filled = 0;
        for (session_id, count) in rows {
            if filled >= most {
                let Some(last) = bounds.last_mut() else { break };
                last.below = Some(session_id.clone());
                bounds.push(Bound { from: Some(session_id), below: None });
                filled = 0;
            }
            filled += count;
        }
        Ok(bounds)
    }

    /// The keys of a file's rows; none of a damaged one, which is found again when it is to be merged.
    async fn keys_of(&self, listed: &Listed) -> Result<Vec<SessionEvent>, UpkeepError> {
        let reader = self.ranges(listed.location.clone(), listed.bytes);
        match part::read(reader, Columns::Keys, None).await {
            Ok((_, events)) => Ok(events),
            Err(FileError::Damaged(_)) => Ok(Vec::new()),
            Err(error @ FileError::Store(_)) => Err(listed.damage_or_error(error).err().map_or_else(
                || UpkeepError::Contended { folder: listed.location.to_string() },
                UpkeepError::from,
            )),
        }
    }
}

/// What has been merged of a day so far.
#[derive(Default)]
struct Merging {
    inputs: BTreeMap<String, Input>,
    outputs: Vec<String>,
    rows_before: u64,
    rows_after: u64,
}

/// A range of session ids.
#[derive(Debug, Default)]
struct Bound {
    from: Option<String>,
    below: Option<String>,
}

impl Bound {
    fn holds(&self, event: &SessionEvent) -> bool {
        self.from.as_ref().is_none_or(|from| event.session_id >= *from)
            && self.below.as_ref().is_none_or(|below| event.session_id < *below)
    }
}

impl Compacted {
    fn add(&mut self, other: Self) {
        self.days += other.days;
        self.files_before += other.files_before;
        self.files_after += other.files_after;
        self.rows_dropped += other.rows_dropped;
        self.damaged.extend(other.damaged);
    }
}
