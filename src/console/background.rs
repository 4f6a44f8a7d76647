//! What takes longer than a page may: made in the background, once for each part of the table that somebody may see,
//! and kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::App;
use super::access::Reader;

/// So many are kept, for different readers.
const MOST: usize = 8;
/// What failed is tried again after so long.
const REST: Duration = Duration::from_secs(10);

/// Whose sessions something is made of, and whether it names people.
type Whose = (Option<String>, Option<String>, bool);

/// See the module.
pub(super) struct Background<T> {
    kept: Mutex<BTreeMap<Whose, Stage<T>>>,
    /// What is older is made anew, and shown until the new one is there; `None`: only if somebody wants that.
    lasts: Option<Duration>,
}

enum Stage<T> {
    Making,
    Made {
        value: Arc<T>,
        at: Instant,
        /// It is being made anew.
        again: bool,
        /// Somebody wants it anew.
        wanted: bool,
    },
    Failed(String, Instant),
}

/// What is to be done where something is asked for.
enum Todo<T> {
    /// To answer with what is known.
    Answer(Result<Option<Arc<T>>, String>),
    /// To make it, and to answer with what is known until then.
    Make(Option<Arc<T>>),
}

impl<T: Send + Sync + 'static> Background<T> {
    pub(super) fn lasting(lasts: Option<Duration>) -> Self {
        Self { kept: Mutex::default(), lasts }
    }

    /// What was made for the reader; `None` while it is being made, which begins now if it had not. `kept` is where
    /// the application keeps it.
    pub(super) fn ask<F>(
        app: &Arc<App>,
        kept: fn(&App) -> &Self,
        reader: &Reader,
        make: impl FnOnce(Arc<App>, Reader) -> F + Send + 'static,
    ) -> Result<Option<Arc<T>>, String>
    where
        F: Future<Output = Result<T, String>>,
    {
        let whose = whose_of(reader);
        let known = match kept(app).todo(&whose) {
            Todo::Answer(answer) => return answer,
            Todo::Make(known) => known,
        };
        let (app, reader) = (Arc::clone(app), reader.clone());
        let readers = app.readers.clone();
        app.readers.clone().spawn(async move {
            // One after the other: each may need much memory.
            let _turn = app.background.acquire().await;
            let of_app = Arc::clone(&app);
            let made = readers.read(move || make(of_app, reader)).await;
            kept(&app).put(whose, made.and_then(|made| made));
        });
        Ok(known)
    }

    /// What was made for the reader longer ago than this is made anew when it is next asked for, and shown until then.
    pub(super) fn renew(&self, reader: &Reader, after: Duration) {
        let own = whose_of(reader);
        self.lock(|kept| match kept.get_mut(&own) {
            Some(Stage::Made { at, again, wanted, .. }) if !*again && at.elapsed() >= after => *wanted = true,
            Some(Stage::Failed(..)) => drop(kept.remove(&own)),
            _ => {}
        });
    }

    /// Whether it is being made for the reader, for the first time or anew.
    pub(super) fn is_making(&self, reader: &Reader) -> bool {
        self.lock(|kept| {
            matches!(kept.get(&whose_of(reader)), Some(Stage::Making | Stage::Made { again: true, .. }))
        })
    }

    fn todo(&self, whose: &Whose) -> Todo<T> {
        self.lock(|kept| match kept.get_mut(whose) {
            Some(Stage::Made { value, at, again, wanted }) => {
                let is_old = self.lasts.is_some_and(|lasts| at.elapsed() > lasts);
                if (is_old || *wanted) && !std::mem::replace(again, true) {
                    Todo::Make(Some(Arc::clone(value)))
                } else {
                    Todo::Answer(Ok(Some(Arc::clone(value))))
                }
            }
            Some(Stage::Making) => Todo::Answer(Ok(None)),
            Some(Stage::Failed(error, at)) if at.elapsed() < REST => Todo::Answer(Err(error.clone())),
            Some(Stage::Failed(..)) | None => {
                if kept.len() >= MOST {
                    kept.retain(|_, stage| matches!(stage, Stage::Making));
                }
                kept.insert(whose.clone(), Stage::Making);
                Todo::Make(None)
            }
        })
    }

    fn put(&self, whose: Whose, made: Result<T, String>) {
        self.lock(|kept| match (made, kept.get_mut(&whose)) {
            (Ok(value), _) => {
                let made =
                    Stage::Made { value: Arc::new(value), at: Instant::now(), again: false, wanted: false };
                kept.insert(whose, made);
            }
            // What is known is better than nothing; it is tried again later.
            (Err(error), Some(Stage::Made { at, again, wanted, .. })) => {
                tracing::warn!(%error, "what the console shows is not made anew");
                (*at, *again, *wanted) = (Instant::now(), false, false);
            }
            (Err(error), _) => {
                kept.insert(whose, Stage::Failed(error, Instant::now()));
            }
        });
    }

    fn lock<R>(&self, work: impl FnOnce(&mut BTreeMap<Whose, Stage<T>>) -> R) -> R {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn whose_of(reader: &Reader) -> Whose {
    (reader.tenant.clone(), reader.workspace.clone(), reader.sees_people)
}
