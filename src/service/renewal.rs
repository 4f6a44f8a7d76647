//! What changes while the service runs: tokens and certificates, when their files change.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{ProcessSource, Settings, Watch};
use crate::receivers::auth::Credential;
use crate::receivers::tls;

/// How soon a revoked token is refused. A poll, because mounted secrets are replaced by renaming
/// folders, which notifications of file systems miss.
const EVERY: Duration = Duration::from_secs(1);

/// The current credentials, for doors.
pub(super) type Credentials = watch::Receiver<Arc<[Credential]>>;

/// Reads files again when they change.
pub(super) struct Renewal {
    credentials: Option<Tokens>,
    certificates: Vec<tls::Renewal>,
}

/// Where tokens come from, and where they go.
struct Tokens {
    settings: Watch<ProcessSource>,
    sender: watch::Sender<Arc<[Credential]>>,
}

impl Renewal {
    /// What `settings` describe, with the credentials of now.
    pub(super) fn new(settings: &Settings, certificates: Vec<tls::Renewal>) -> (Self, Option<Credentials>) {
        let Some(credentials) = &settings.credentials else {
            return (Self { credentials: None, certificates }, None);
        };
        let (sender, receiver) = watch::channel(Arc::from(credentials.as_slice()));
        let given = Some(&settings.given).filter(|given| !given.is_empty()).cloned();
        let credentials = given.map(|given| Tokens { settings: Watch::of(given, ProcessSource), sender });
        (Self { credentials, certificates }, Some(receiver))
    }

    /// Looks at the files every second until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        if self.credentials.is_none() && self.certificates.is_empty() {
            return;
        }
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let looked = tokio::task::spawn_blocking(move || {
                self.look();
                self
            });
            match looked.await {
                Ok(renewal) => self = renewal,
                Err(error) => {
                    tracing::error!(%error, "tokens and certificates are no longer renewed");
                    return;
                }
            }
        }
    }

    fn look(&mut self) {
        if let Some(Tokens { settings, sender }) = &mut self.credentials {
            match settings.changed() {
                None => {}
                Some(Ok(Settings { credentials: Some(credentials), .. })) => {
                    let tokens = credentials.len();
                    if sender.send_if_modified(|now| replace(now, credentials)) {
                        tracing::info!(tokens, "tokens were read again");
                    }
                }
                Some(Ok(_)) => {
                    tracing::warn!(
                        "extensions.auth is gone from the configuration; a restart is needed to open the doors"
                    );
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "the configuration has changed and cannot be read; the tokens of before stay");
                }
            }
        }
        for certificates in &mut self.certificates {
            match certificates.renew() {
                Ok(true) => tracing::info!("certificates were read again"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "new certificates cannot be used; those of before stay"),
            }
        }
    }
}

/// Puts `new` in the place of what is known; says whether it differs.
fn replace(known: &mut Arc<[Credential]>, new: Vec<Credential>) -> bool {
    let differs = **known != *new;
    if differs {
        *known = new.into();
    }
    differs
}
