//! Compaction: the many files of a closed day become few.

use std::collections::BTreeMap;
use std::time::Duration;

use super::UpkeepError;
use super::output::Unwritten;
use super::replace::{Day, Input, MOST_ATTEMPTS, Outcome};
use super::shares::{AT_ONCE, Share, Survey};
use crate::event::{Owner, SessionEvent, Timestamp};
use crate::table::file::FileError;
use crate::table::read::{Listed, overtaken};
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
    /// So many bytes of rows, about, were in memory at most.
    pub most_bytes: usize,
    /// The files that were left alone because they cannot be read.
    pub damaged: Vec<DamagedFile>,
}

/// Files of today may still be written by a plan that is carried out again, and those of yesterday
/// around midnight or by a clock that is behind.
const OPEN_DAYS: Duration = Duration::from_secs(24 * 3600);

/// A file that has so many bytes is full.
const FILE_BYTES: usize = 32 << 20;

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
        let (surveys, damaged) = self.survey_day(day, merging).await?;
        done.damaged = damaged;
        if merging.inputs.values().all(|input| !day.unsettled.contains(&input.path)) {
            // Every file that could be read has been compacted before.
            return Ok((Outcome::Done, done));
        }
        for ((owner, date), survey) in surveys {
            self.merge(&owner, &date, survey, merging).await?;
        }
        done.days = 1;
        done.files_before = merging.inputs.len() as u64;
        done.files_after = merging.outputs.len() as u64;
        done.most_bytes = merging.most_bytes;
        done.rows_dropped = merging.rows_before.saturating_sub(merging.rows_after);
        let inputs = std::mem::take(&mut merging.inputs).into_values().collect();
        let outcome = self.commit(day, inputs, std::mem::take(&mut merging.outputs)).await?;
        Ok((outcome, done))
    }

    /// Reads every file of a day and compares its checksum; what is in them, by owner and date.
    async fn survey_day(
        &self,
        day: &Day,
        merging: &mut Merging,
    ) -> Result<(BTreeMap<(Owner, String), Survey>, Vec<DamagedFile>), UpkeepError> {
        let mut surveys: BTreeMap<(Owner, String), Survey> = BTreeMap::new();
        let (mut damaged, mut room) = (Vec::new(), AT_ONCE);
        for listed in &day.live {
            let (identity, file) = match self.survey(listed, &mut room).await {
                Ok(read) => read,
                Err(error) => {
                    damaged.push(listed.damage_or_error(error)?);
                    continue;
                }
            };
            let path = listed.location.to_string();
            merging.inputs.insert(path.clone(), Input::new(&path, &identity));
            merging.rows_before += file.rows as u64;
            let survey = surveys.entry((identity.owner, identity.ingest_date)).or_default();
            survey.add(listed.clone(), file);
        }
        if room == 0 {
            surveys.values_mut().for_each(Survey::forget_events);
        }
        Ok((surveys, damaged))
    }

    /// Writes the rows of one owner and date, a share of them after the other.
    async fn merge(
        &self,
        owner: &Owner,
        date: &str,
        mut survey: Survey,
        merging: &mut Merging,
    ) -> Result<(), UpkeepError> {
        let shares = self.shares(&mut survey).await.map_err(read_before)?;
        let mut shares = shares.into_iter().peekable();
        while shares.peek().is_some() {
            let mut output = self.begin_output(owner, date, survey.rows).await?;
            let added = self.fill(&mut output, &survey, &mut shares, merging).await;
            let output = self.finish_output(output, added).await?;
            merging.rows_after += output.rows;
            merging.outputs.extend(output.path);
        }
        Ok(())
    }

    /// Adds shares to a file until it is full.
    async fn fill(
        &self,
        output: &mut Unwritten,
        survey: &Survey,
        shares: &mut impl Iterator<Item = Share>,
        merging: &mut Merging,
    ) -> Result<(), UpkeepError> {
        for share in shares {
            let events = self.rows_of_share(survey, share).await.map_err(read_before)?;
            let bytes = events.iter().map(SessionEvent::size_in_memory).sum();
            merging.most_bytes = merging.most_bytes.max(bytes);
            output.add(events).await?;
            if output.bytes() >= FILE_BYTES || output.is_late() {
                break;
            }
        }
        Ok(())
    }
}

/// A file that was whole a moment ago is not any more: what is made of the day is made again another time.
fn read_before((listed, error): (Listed, FileError)) -> UpkeepError {
    match listed.damage_or_error(error) {
        Err(error) => error.into(),
        Ok(damaged) => UpkeepError::Contended { folder: damaged.path },
    }
}

/// What has been merged of a day so far.
#[derive(Default)]
struct Merging {
    inputs: BTreeMap<String, Input>,
    outputs: Vec<String>,
    rows_before: u64,
    rows_after: u64,
    most_bytes: usize,
}

impl Compacted {
    fn add(&mut self, other: Self) {
        self.days += other.days;
        self.files_before += other.files_before;
        self.files_after += other.files_after;
        self.rows_dropped += other.rows_dropped;
        self.most_bytes = self.most_bytes.max(other.most_bytes);
        self.damaged.extend(other.damaged);
    }
}
