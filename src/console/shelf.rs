//! The libraries of all targets, as they were a moment ago.
//!
//! A folder is read when a page is asked for; a repository takes a fetch, so it is read again in the background while
//! pages show what was there a minute ago at most.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::readers::Readers;
use crate::config::Settings;
use crate::exporters::target::Target;
use crate::library::Library;
use crate::views::skills::libraries;

/// So long what was read is believed.
const LASTS: Duration = Duration::from_secs(1);
/// What takes longer is read in the background.
const QUICK: Duration = Duration::from_millis(250);
/// So long what took longer is believed.
const SLOW_LASTS: Duration = Duration::from_secs(60);

/// A target and what stands there, or why that is not known.
pub(super) struct Shelved {
    pub(super) target: Target,
    pub(super) library: Result<Library, String>,
}

#[derive(Clone)]
pub(super) struct Shelf(Arc<Inner>);

struct Inner {
    settings: Settings,
    readers: Readers,
    state: Mutex<State>,
    /// One reads at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    read: Option<Read>,
    is_reading: bool,
}

#[derive(Clone)]
struct Read {
    shelved: Arc<[Shelved]>,
    at: Instant,
    took: Duration,
}

impl Read {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.took > QUICK { SLOW_LASTS } else { LASTS }
    }
}

impl Shelf {
    pub(super) fn of(settings: Settings, readers: Readers) -> Self {
        Self(Arc::new(Inner {
            settings,
            readers,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// What stands at the targets.
    pub(super) async fn all(&self) -> Arc<[Shelved]> {
        let read = self.lock(|state| state.read.clone());
        match read {
            Some(read) if read.is_fresh() => read.shelved,
            Some(read) if read.took > QUICK => {
                self.read_in_background();
                read.shelved
            }
            _ => self.anew(false).await,
        }
    }

    /// What stands there now, after something was changed.
    pub(super) async fn now(&self) -> Arc<[Shelved]> {
        self.anew(true).await
    }

    async fn anew(&self, always: bool) -> Arc<[Shelved]> {
        let _turn = self.0.turn.lock().await;
        let read = self.lock(|state| state.read.clone());
        if let Some(read) = read.filter(|read| !always && read.is_fresh()) {
            return read.shelved;
        }
        let settings = self.0.settings.clone();
        let began = Instant::now();
        let reading = tokio::task::spawn_blocking(move || {
            let all = libraries(&settings);
            let all = all.map(|(target, library)| Shelved { target, library: library.map_err(with_causes) });
            all.collect::<Vec<_>>()
        });
        let shelved: Arc<[Shelved]> = reading.await.unwrap_or_default().into();
        let read = Read { shelved: Arc::clone(&shelved), at: Instant::now(), took: began.elapsed() };
        self.lock(|state| state.read = Some(read));
        shelved
    }

    fn read_in_background(&self) {
        if !self.lock(|state| std::mem::replace(&mut state.is_reading, true)) {
            let shelf = self.clone();
            self.0.readers.spawn(async move {
                shelf.anew(false).await;
                shelf.lock(|state| state.is_reading = false);
            });
        }
    }

    fn lock<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn with_causes(error: impl std::error::Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
