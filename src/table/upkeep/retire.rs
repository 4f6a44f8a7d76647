//! Retention: the days that are no longer kept leave the store.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

use super::replace::records_of_owner;
use super::unfinished::Which;
use super::{ReadError, UpkeepError};
use crate::table::{Table, layout};

/// What retention removed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retired {
    /// The files that were removed.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

impl Table {
    /// Removes the files of the days that [`Table::with_retention`] does not keep. Readers and writers
    /// have left them alone since the day ended, so it does not matter when this is done.
    pub async fn retire(&self) -> Result<Retired, UpkeepError> {
        let mut retired = Retired::default();
        let Some(kept_since) = self.kept_since() else { return Ok(retired) };
        let mut folders = BTreeSet::new();
        // The records last: as long as a file is there, they say whether it counts.
        for folder in [layout::DATA_FOLDER.to_owned(), records_of_owner(None)] {
            let list_error = |source| ReadError::List { folder: folder.clone(), source };
            let prefix = Path::parse(&folder).map_err(|error| list_error(error.into()))?;
            let listed: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(list_error)?;
            for object in listed {
                let path = object.location.as_ref();
                if layout::ingest_date_of(path).is_some_and(|date| date < kept_since.as_str()) {
                    self.remove(path).await?;
                    folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
                    if folder == layout::DATA_FOLDER {
                        retired.files += 1;
                        retired.bytes += object.size;
                    }
                }
            }
        }
        for folder in folders {
            self.remove_unfinished_in(&folder, Which::All).await;
        }
        Ok(retired)
    }
}
