//! Files in the place of others, in one step.

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store::path::Path;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::UpkeepError;
use super::unfinished::Which;
use crate::event::Owner;
use crate::table::read::{Listed, overtaken};
use crate::table::{FileIdentity, Filter, ReadError, Table, layout};

const REPLACED: &str = "upkeep/replaced";

/// The record that some files replace others. Written once all of `outputs` are on the store; from then on the inputs
/// may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// Tells it from another one's of the same generation.
    pub id: String,
    /// Its number within the day, from 1.
    pub generation: u64,
    /// What was replaced.
    pub inputs: Vec<Input>,
    /// The paths of what replaced them.
    pub outputs: Vec<String>,
}

/// A file that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its path below the table's root.
    pub path: String,
    /// The journal that its events came through.
    pub journal_id: String,
    /// The plan that wrote it.
    pub batch_id: String,
    /// The first record of the plan's range.
    pub first: u64,
    /// The last record of the plan's range.
    pub last: u64,
    /// Which of the plan's files it was.
    pub part: u32,
}

impl Input {
    pub(super) fn new(path: &str, identity: &FileIdentity) -> Self {
        Self {
            path: path.to_owned(),
            journal_id: identity.journal_id.clone(),
            batch_id: identity.batch_id.clone(),
            first: identity.first,
            last: identity.last,
            part: identity.part,
        }
    }
}

impl Replacement {
    /// Whether the very file that `identity` names is among the inputs.
    pub(super) fn consumed(&self, path: &str, identity: &FileIdentity) -> bool {
        self.inputs.iter().any(|input| *input == Input::new(path, identity))
    }
}

/// One day of one owner, as upkeep finds it.
#[derive(Debug)]
pub(super) struct Day {
    /// Its folder below the table's root.
    pub(super) folder: String,
    /// The files that count.
    pub(super) live: Vec<Listed>,
    /// The files among them that no replacement made.
    pub(super) unsettled: BTreeSet<String>,
    /// The files that have been replaced and are still there.
    pub(super) leftover: Vec<String>,
    next_generation: u64,
}

/// What became of a replacement.
pub(super) enum Outcome {
    Done,
    /// Another one was quicker; nothing was replaced.
    Lost,
}

/// How often a day is begun again because another one was quicker.
/// One of them gets on each time, so as many as there are others are enough.
pub(super) const MOST_ATTEMPTS: u32 = 64;

impl Table {
    /// The folders of the days whose files `filter` asks for, ascending.
    pub(super) async fn days(&self, filter: &Filter) -> Result<BTreeSet<String>, ReadError> {
        let listed = self.list(filter).await?;
        let folder = |listed: &Listed| Some(listed.location.as_ref().rsplit_once('/')?.0.to_owned());
        Ok(listed.iter().filter_map(folder).collect())
    }

    /// A day as it is now, after removing what an earlier replacement left there.
    pub(super) async fn begin(&self, folder: &str) -> Result<Day, UpkeepError> {
        let day = self.day(folder).await?;
        for path in &day.leftover {
            self.remove(path).await?;
        }
        self.remove_unfinished_in(folder, Which::Abandoned).await;
        Ok(day)
    }

    async fn day(&self, folder: &str) -> Result<Day, UpkeepError> {
        let (files, records) = self.files_and_records(folder).await?;
        let consumed: BTreeSet<&str> =
            records.iter().flat_map(|record| &record.inputs).map(|input| input.path.as_str()).collect();
        let made: BTreeSet<&str> =
            records.iter().flat_map(|record| &record.outputs).map(String::as_str).collect();
        let (leftover, live): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| consumed.contains(file.location.as_ref()));
        let unsettled = live.iter().map(|file| file.location.to_string());
        Ok(Day {
            folder: folder.to_owned(),
            unsettled: unsettled.filter(|path| !made.contains(path.as_str())).collect(),
            live,
            leftover: leftover.into_iter().map(|file| file.location.to_string()).collect(),
            next_generation: records.iter().map(|record| record.generation).max().unwrap_or(0) + 1,
        })
    }

    /// The files of a day and the records of what was replaced there, as of one moment: with a record that is
    /// newer than the files, they would lack what stands for those that it makes old.
    async fn files_and_records(
        &self,
        folder: &str,
    ) -> Result<(Vec<Listed>, Vec<Arc<Replacement>>), UpkeepError> {
        let records_folder = records_of(&format!("{folder}/"));
        let mut before = self.documents(&records_folder, &self.known.replacements).await?;
        for attempt in 1..=MOST_ATTEMPTS {
            let files = self.list_folder(folder).await?;
            let after = self.documents(&records_folder, &self.known.replacements).await?;
            let same = before.iter().map(|(path, _)| path).eq(after.iter().map(|(path, _)| path));
            if same {
                return Ok((files, after.into_iter().map(|(_, record)| record).collect()));
            }
            before = after;
            overtaken(attempt).await;
        }
        Err(UpkeepError::Contended { folder: folder.to_owned() })
    }

    /// Removes files that were to replace others and will not.
    pub(super) async fn take_back(&self, outputs: &[String]) -> Result<(), UpkeepError> {
        for output in outputs {
            self.remove(output).await?;
        }
        Ok(())
    }

    /// Makes `outputs` stand for `inputs`.
    pub(super) async fn commit(
        &self,
        day: &Day,
        inputs: Vec<Input>,
        outputs: Vec<String>,
    ) -> Result<Outcome, UpkeepError> {
        let record = Replacement {
            id: Uuid::new_v4().simple().to_string(),
            generation: day.next_generation,
            inputs,
            outputs,
        };
        let path = format!("{}/{:08}.json", records_of(&format!("{}/", day.folder)), record.generation);
        let text = serde_json::to_vec(&record)
            .map_err(|source| UpkeepError::Encode { path: path.clone(), source })?;
        if !self.put_document(&path, text).await? && !self.is_ours(&path, &record).await? {
            self.take_back(&record.outputs).await?;
            return Ok(Outcome::Lost);
        }
        for input in &record.inputs {
            self.remove(&input.path).await?;
        }
        Ok(Outcome::Done)
    }

    /// A store may answer an error after it has stored, and then find our own record in the way of it.
    async fn is_ours(&self, path: &str, record: &Replacement) -> Result<bool, UpkeepError> {
        // Parsed, not converted: what stands for other characters in the names of folders stays as it is.
        let location = Path::parse(path).map_err(|error| {
            let (path, source) = (path.to_owned(), error.into());
            ReadError::Fetch { path, source }
        })?;
        let found: Option<Arc<Replacement>> = self.fetch_document(&location).await?;
        Ok(found.is_some_and(|found| *found == *record))
    }
}

/// The folder of an owner's records, or of everyone's.
pub(super) fn records_of_owner(owner: Option<&Owner>) -> String {
    match owner {
        Some(owner) => records_below(&layout::owner_folder(owner)),
        None => REPLACED.to_owned(),
    }
}

/// The folder of the records of the day whose folder the file at `path` is in.
pub(super) fn records_of(path: &str) -> String {
    records_below(path.rsplit_once('/').map_or("", |(folder, _)| folder))
}

fn records_below(folder: &str) -> String {
    let below = folder.strip_prefix(layout::DATA_FOLDER).unwrap_or(folder);
    format!("{REPLACED}{below}")
}
