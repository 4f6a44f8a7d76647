//! The console: pages to see what came in, what was learned and why, and to decide (`extensions.console`).
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Door`], [`Console`]: bound, then served; the routes |
//! | `access/` | who sees it, and what of it |
//! | `days.rs` | what arrived on each day |
//! | `troubles.rs` | what went wrong in a session, for lists that ask for it |
//! | `readers.rs` | the threads on which the table is read |
//! | `shelf.rs` | what stands at the targets of skills |
//! | `find.rs` | single sessions |
//! | `records.rs` | what runs of mining left |
//! | `background.rs` | what takes longer than a page may |
//! | `page/` | the pages, a file each |
//! | `asked.rs` | what a request asks for |
//! | `api.rs`, `openapi.json` | the same as JSON |
//! | `mcp/` | the same for assistants, as far as they may ask |
//! | `chart.rs` | charts, as SVG |
//! | `escape.rs` | texts in a page |
//! | `problem.rs` | why there is no page |
//! | `opening.rs` | what `skillspan open` does |
//! | `templates/`, `console.css`, `console.js` | markup, which is checked when it is compiled; the style; times in the reader's zone |
//!
//! Pages are made here, whole, from the table and the targets; a browser fetches the style and one short script from
//! here and nothing from anywhere. Nothing is kept but in memory.
//!
//! Invariants: a page reads no more of the table than the days or the session that it shows; it holds up nobody who
//! sends; every text goes through `escape.rs`; what changes something goes the way of the command that does the same.

mod access;
mod api;
mod asked;
mod background;
mod chart;
mod days;
mod escape;
mod find;
pub(crate) mod mcp;
mod opening;
mod page;
mod problem;
mod readers;
mod records;
mod shelf;
mod troubles;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{ConsoleSettings, Settings};
use crate::receivers::tls::{self, Certificates};
use crate::receivers::{ConnectionBounds, Connections, Lifetimes, serve_within};
use crate::service::{Overseer, Service};

use access::Access;
use access::secret::{Secret, SecretError};
use background::Background;
use days::Days;
use readers::Readers;
use records::Records;
use shelf::Shelf;

pub(crate) use opening::{OpenError, Opening, asking, opening};

/// A form that is larger is none of ours: the largest holds a SKILL.md.
const LARGEST_FORM: usize = 256 << 10;
/// Browsers keep a few connections each.
const CONNECTIONS: ConnectionBounds = ConnectionBounds { max: 256, per_address: 128 };
/// How long answers may take when the process stops.
const DRAIN: Duration = Duration::from_secs(2);
/// So long what sessions showed of skills is believed.
const EFFECTS_LAST: Duration = Duration::from_secs(900);
/// How soon a new certificate is used.
const RENEWED: Duration = Duration::from_secs(10);

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The port cannot be had.
    #[error("extensions.console.endpoint: cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There are no certificates.
    #[error("extensions.console.tls: {0}")]
    Tls(Box<tls::Error>),
    /// There is no secret.
    #[error("extensions.console: {0}")]
    Secret(String),
    /// Nothing says where the secret belongs.
    #[error("extensions.console: set XDG_DATA_HOME or HOME, which say where its secret belongs")]
    NoHome,
}

impl ConsoleError {
    /// What a start says that goes on without a console.
    pub fn notice(&self) -> String {
        match self {
            Self::Bind { address, source } => format!(
                "There is no console: cannot listen on {address}:\n  {source}; see extensions.console.endpoint\n"
            ),
            other => format!("There is no console:\n  {other}\n"),
        }
    }
}

impl From<SecretError> for ConsoleError {
    fn from(error: SecretError) -> Self {
        Self::Secret(error.to_string())
    }
}

/// Bound, not yet serving.
pub struct Door {
    address: SocketAddr,
    listener: TcpListener,
    certificates: Option<(Certificates, tls::Renewal)>,
    secret: Secret,
    hosts: Vec<String>,
}

/// What became of the console at a start.
pub enum Bound {
    /// It listens.
    Open(Box<Door>),
    /// It does not, and nobody chose its address: everything else runs.
    Closed(ConsoleError),
    /// Nobody wants one.
    Absent,
}

/// Binds the console's port.
///
/// # Errors
/// If that does not work and somebody chose the port: a built-in one that is taken is no reason not to start.
pub async fn bind(settings: &Settings) -> Result<Bound, ConsoleError> {
    let Some(console) = &settings.console else { return Ok(Bound::Absent) };
    match bind_door(console).await {
        Ok(door) => Ok(Bound::Open(Box::new(door))),
        Err(error) if console.is_chosen => Err(error),
        Err(error) => Ok(Bound::Closed(error)),
    }
}

async fn bind_door(console: &ConsoleSettings) -> Result<Door, ConsoleError> {
    let failed = |source| ConsoleError::Bind { address: console.address, source };
    let certificates = console.tls.clone().map(tls::load).transpose();
    let certificates = certificates.map_err(|error| ConsoleError::Tls(Box::new(error)))?;
    let listener = TcpListener::bind(console.address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let secret = Secret::made_in(console.folder.as_deref().ok_or(ConsoleError::NoHome)?)?;
    Ok(Door { address, listener, certificates, secret, hosts: console.hosts.clone() })
}

/// What pages are made from.
struct App {
    access: Access,
    settings: Settings,
    overseer: Option<Overseer>,
    /// Of each table.
    days: Vec<Days>,
    shelf: Shelf,
    reports: Background<page::report::Made>,
    effects: Background<page::effect::Made>,
    /// Held by what is made in the background.
    background: Semaphore,
    readers: Readers,
    records: Records,
    calls: mcp::Turns,
    everybody: page::who::Everybody,
    /// What `skillspan connect` is given so that assistants of this machine send to here.
    connect: String,
}

/// A running console.
pub struct Console {
    address: SocketAddr,
    has_tls: bool,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Door {
    /// Serves the pages of a service.
    pub fn serve(self, settings: &Settings, service: &Service) -> Console {
        let Self { address, listener, certificates, secret, hosts } = self;
        let has_tls = certificates.is_some();
        let readers = Readers::start();
        let app = Arc::new(App {
            access: Access::new(address, has_tls, &hosts, secret, service.credentials()),
            settings: settings.clone(),
            overseer: service.overseer(),
            days: settings.tables().cloned().map(|table| Days::of(table, readers.clone())).collect(),
            shelf: Shelf::of(settings.clone(), readers.clone()),
            reports: Background::lasting(None),
            effects: Background::lasting(Some(EFFECTS_LAST)),
            background: Semaphore::new(1),
            readers,
            records: Records::default(),
            calls: mcp::Turns::default(),
            everybody: page::who::Everybody::default(),
            connect: service.connect_options(settings),
        });
        let router = router(&app);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (certificates, renewal) = certificates.unzip();
        if let Some(renewal) = renewal {
            tasks.spawn(renew(renewal, stop.clone()));
        }
        let lifetimes = Lifetimes { drain: DRAIN, ..Lifetimes::default() };
        let stopped = stop.clone();
        tasks.spawn(async move {
            let connections = Connections::new(CONNECTIONS);
            serve_within(&connections, listener, certificates, router, stopped, lifetimes).await;
        });
        Console { address, has_tls, stop, tasks }
    }
}

impl Console {
    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The lines about the console at the start; `options` are the command line's own that name the configuration.
    pub fn notice(&self, options: &str) -> String {
        let scheme = if self.has_tls { "https" } else { "http" };
        let how = if self.address.ip().is_loopback() {
            format!("`skillspan open{options}` opens it")
        } else {
            "sign in with a token that has the role `read` or `review`".to_owned()
        };
        format!("To see what came in, and to decide about skills:  {scheme}://{}\n  {how}\n", self.address)
    }

    /// Answers what is under way, and stops.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn renew(mut renewal: tls::Renewal, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(RENEWED)).await.is_some() {
        match renewal.renew() {
            Ok(true) => tracing::info!("the console's certificate was read again"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the console's new certificate cannot be used"),
        }
    }
}

fn router(app: &Arc<App>) -> Router {
    let asks = app.settings.console.as_ref().is_some_and(|console| console.mcp.is_some());
    let questions = if asks { Router::new().route("/mcp", post(mcp::answer)) } else { Router::new() };
    Router::new()
        .route("/", get(page::overview::page))
        .route("/sessions", get(page::sessions::page))
        .route("/sessions/{id}", get(page::session::page))
        .route("/sessions/{id}/events/{event}", get(page::session::event_page))
        .route("/work", get(page::work::page))
        .route("/work/clusters/{id}", get(page::cluster::page))
        .route("/skills", get(page::skills::list_page))
        .route("/skills/{name}", get(page::skills::page))
        .route("/skills/{name}/claims/{number}", get(page::claim::page))
        .route("/review", get(page::review::list_page))
        .route("/review/{name}", get(page::review::page).post(page::review::decide_page))
        .route("/report", get(page::report::page).post(page::report::anew))
        .merge(api::routes())
        .merge(questions)
        .route("/sign-in", get(access::door::sign_in).post(access::door::with_token))
        .route("/open", get(access::door::open))
        .route("/hello", get(access::door::hello))
        .route("/sign-out", post(access::door::sign_out))
        .route("/static/console.css", get(page::style))
        .route("/static/console.js", get(page::script))
        .route("/static/icon.svg", get(page::icon))
        .fallback(page::nothing)
        .method_not_allowed_fallback(page::not_so)
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(from_fn_with_state(Arc::clone(app), access::guard::guard))
        .with_state(Arc::clone(app))
}
