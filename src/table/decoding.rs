//! Decodes files a few batches ahead, while their reader works on earlier ones.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use object_store::path::Path;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Table;
use super::file::{Damage, FileError};
use super::footer::Footer;
use super::part::{Part, Selected};
use super::ranges::RangeReader;
use super::read::Filter;
use crate::event::{Owner, SessionEvent};

/// The rows of one file, decoded on a task of its own.
pub(super) struct Decoding<T> {
    batches: mpsc::Receiver<T>,
    task: JoinHandle<Result<(), FileError>>,
}

/// Batches that wait for their reader.
const BATCHES_AHEAD: usize = 2;

impl<T: Send + 'static> Decoding<T> {
    /// Begins to read these columns and to decode them. A file that `filter` does not admit has no rows.
    pub(super) fn begin(
        reader: RangeReader,
        columns: Vec<&'static str>,
        filter: &Filter,
        decode: fn(&RecordBatch, &Owner) -> Result<T, Damage>,
    ) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let filter = filter.clone();
        let task = tokio::spawn(async move {
            let mut part = Part::open(reader, columns, Selected::All).await?;
            if !filter.admits(&part.footer.identity) {
                return Ok(());
            }
            while let Some(batch) = part.next().await? {
                if sender.send(decode(&batch, &part.footer.identity.owner)?).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Self { batches, task }
    }

    /// The next batch; `None` after the last. Not to be asked again after that, or after an error.
    pub(super) async fn next(&mut self) -> Result<Option<T>, FileError> {
        if let Some(batch) = self.batches.recv().await {
            return Ok(Some(batch));
        }
        // A panic in the decoder is one more way in which a file can be damaged.
        let ended = (&mut self.task).await.unwrap_or(Err(FileError::Damaged(Damage::Decoder)));
        ended.map(|()| None)
    }
}

impl<T> Drop for Decoding<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole file whose checksum is compared, decoded on a task of its own.
#[derive(Debug)]
pub(super) struct Whole {
    batches: mpsc::Receiver<Vec<SessionEvent>>,
    task: JoinHandle<Result<Footer, FileError>>,
    footer: Option<Footer>,
}

impl Whole {
    pub(super) fn begin(table: Table, location: Path) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let task = tokio::spawn(async move { table.read_in_batches(location, sender).await });
        Self { batches, task, footer: None }
    }

    /// The next rows; `None` after the last. Not to be asked again after that, or after an error. Where the decoder
    /// fails on a row, those ahead of it have been given.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<SessionEvent>>, FileError> {
        if let Some(batch) = self.batches.recv().await {
            return Ok(Some(batch));
        }
        let ended = (&mut self.task).await.unwrap_or(Err(FileError::Damaged(Damage::Decoder)));
        self.footer = Some(ended?);
        Ok(None)
    }

    /// Its footer, after the last of its rows.
    pub(super) fn footer(&mut self) -> Option<Footer> {
        self.footer.take()
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Files whose reading is begun before their turn.
const FILES_AHEAD: usize = 4;

/// What is begun for each item a few items ahead.
pub(super) struct Ahead<I: Iterator, D, F: FnMut(&I::Item) -> D> {
    items: I,
    begin: F,
    begun: VecDeque<(I::Item, D)>,
}

impl<I: Iterator, D, F: FnMut(&I::Item) -> D> Ahead<I, D, F> {
    pub(super) fn new(items: I, begin: F) -> Self {
        Self { items, begin, begun: VecDeque::new() }
    }
}

impl<I: Iterator, D, F: FnMut(&I::Item) -> D> Iterator for Ahead<I, D, F> {
    type Item = (I::Item, D);

    fn next(&mut self) -> Option<Self::Item> {
        while self.begun.len() < FILES_AHEAD
            && let Some(item) = self.items.next()
        {
            let begun = (self.begin)(&item);
            self.begun.push_back((item, begun));
        }
        self.begun.pop_front()
    }
}
