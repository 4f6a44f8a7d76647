//! Who sees the console, and what of it.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Access`]: who signed in, and who a request is from; [`Reader`] |
//! | `secret.rs` | keys that let the owner of this machine's data in, once each |
//! | `caller.rs` | where a request comes from, and its cookie |
//! | `guard.rs` | what every request passes, and what every answer carries |
//! | `door.rs` | `/sign-in`, `/open`, `/sign-out` |
//!
//! Two kinds of people come in. Who can read this user's files has the secret: `skillspan open` makes a key of it,
//! and sees everything, as the commands show it. Others show a token of `extensions.auth` with the role `read` or
//! `review`: they see its tenant, and its workspace where it names one.
//!
//! Invariants: without a session or a token nothing but the door answers; a key lets in once, within a minute; what a
//! session is kept as is a hash; a token that is revoked, or loses its role, shows nothing from the next request on;
//! a right key or token lets in however many wrong ones were shown (they have more entropy than anybody can try), and
//! who shows wrong ones is told to wait by address; a form changes something only with its session's own token, from a page of this very address.

mod caller;
pub(super) mod door;
pub(super) mod guard;
pub(super) mod secret;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::event::{Owner, Timestamp};
use crate::receivers::auth::{Credential, find, find_token};

use secret::{For, KEY_LASTS, Secret, random};

/// How a header begins that shows a key: `Authorization: Skillspan-Key …`.
pub(super) const KEY_SCHEME: &str = "Skillspan-Key ";
/// So long a session lasts.
const LASTS: Duration = Duration::from_secs(12 * 3600);
/// The most sessions at once; beyond it, the one that ends first is dropped.
const MOST_SESSIONS: usize = 1_000;
/// The most wrong keys and tokens of one address within a minute; beyond it, the address has to wait.
const MOST_FAILURES: u32 = 30;
const A_MINUTE: Duration = Duration::from_secs(60);
/// Of so many addresses failures are counted at most.
const MOST_ADDRESSES: usize = 10_000;

/// A reader of pages, and the reader's rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    /// What they are called: the id of a token, or the owner of this machine's data.
    pub(super) name: String,
    /// Whose sessions and skills they see; `None`: everybody's, and how the process does.
    pub(super) tenant: Option<String>,
    /// The only workspace that they see.
    pub(super) workspace: Option<String>,
    /// Whether they accept and refuse proposals.
    pub(super) reviews: bool,
    /// Whether people are named to them.
    pub(super) sees_people: bool,
    /// The token of their forms; empty for a reader who sends a bearer token with each request.
    pub(super) csrf: String,
}

impl Reader {
    /// Whether they see what is of that tenant and workspace.
    pub(super) fn sees(&self, tenant: &str, workspace: &str) -> bool {
        let is = |bound: &Option<String>, name: &str| bound.as_deref().is_none_or(|bound| bound == name);
        is(&self.tenant, tenant) && is(&self.workspace, workspace)
    }

    /// Whether they see how the process does.
    pub(super) const fn sees_the_process(&self) -> bool {
        self.tenant.is_none()
    }
}

/// Somebody who signed in.
struct SignedIn {
    /// `None`: the owner of this machine's data.
    credential: Option<Credential>,
    csrf: String,
    ends: Instant,
    /// What their next page says once.
    message: Vec<String>,
}

/// Why somebody does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// No key, token or session that is known.
    Unknown,
    /// The token has no role that shows anything.
    Shows(&'static str),
    /// Too many from this address were wrong: it may ask again after so many seconds.
    TooMany(u64),
}

impl Denied {
    pub(super) const TOO_MANY: &'static str = "Too many wrong keys and tokens came from your address: wait a minute and try again. A right one lets you in now.";
}

/// See the module.
pub(super) struct Access {
    pub(super) address: SocketAddr,
    pub(super) has_tls: bool,
    /// The names, lower-case, by which browsers may reach it.
    hosts: Vec<String>,
    secret: Secret,
    credentials: Option<watch::Receiver<Arc<[Credential]>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the SHA-256 of what its cookie holds.
    sessions: BTreeMap<[u8; 32], SignedIn>,
    /// Keys that were used, until they end by themselves.
    used: BTreeMap<String, Instant>,
    /// By address: how many were wrong, and since when they are counted.
    failures: BTreeMap<IpAddr, (u32, Instant)>,
}

impl Access {
    pub(super) fn new(
        address: SocketAddr,
        has_tls: bool,
        more_hosts: &[String],
        secret: Secret,
        credentials: Option<watch::Receiver<Arc<[Credential]>>>,
    ) -> Self {
        let mut hosts = more_hosts.to_vec();
        hosts.push(address.ip().to_string());
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        }
        Self { address, has_tls, hosts, secret, credentials, state: Mutex::default() }
    }

    /// Whether there are tokens that could be shown.
    pub(super) const fn has_tokens(&self) -> bool {
        self.credentials.is_some()
    }

    /// What proves that this process knows the secret.
    pub(super) fn proof(&self, challenge: &str) -> String {
        self.secret.proof(self.address.port(), challenge)
    }

    /// Admits the holder of a key. Returns the cookie's value.
    pub(super) fn enter_with_key(&self, key: &str, peer: IpAddr, now: Timestamp) -> Result<String, Denied> {
        self.take_key(For::Pages, key, peer, now)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.begin(None))
    }

    /// Who shows a key with a question, which is good for that one.
    fn of_key(&self, key: &str, peer: IpAddr, now: Timestamp) -> Result<Reader, Denied> {
        self.take_key(For::Question, key, peer, now)?;
        Ok(owner(String::new()))
    }

    /// A key is good once.
    fn take_key(&self, what: For, key: &str, peer: IpAddr, now: Timestamp) -> Result<(), Denied> {
        let nonce = self.secret.nonce_of(what, key, self.address.port(), now);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Instant::now();
        state.used.retain(|_, ends| *ends > at);
        let fresh = nonce.filter(|nonce| !state.used.contains_key(nonce));
        let Some(nonce) = fresh else { return Err(state.failed(peer)) };
        // A clock that is set back lets no key in twice within twice its time.
        state.used.insert(nonce, at + KEY_LASTS * 2);
        Ok(())
    }

    /// Admits the holder of a token. Returns the cookie's value.
    pub(super) fn enter_with_token(&self, token: &str, peer: IpAddr) -> Result<String, Denied> {
        let found = self.now().and_then(|credentials| find_token(&credentials, token));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(credential) = found else { return Err(state.failed(peer)) };
        reader_of(&credential, String::new())?;
        Ok(state.begin(Some(credential)))
    }

    /// Who a session's cookie is of.
    pub(super) fn of_cookie(&self, cookie: &str) -> Result<Reader, Denied> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        state.sessions.retain(|_, session| session.ends > now);
        let session = state.sessions.get(&hash(cookie)).ok_or(Denied::Unknown)?;
        let Some(known) = &session.credential else {
            return Ok(owner(session.csrf.clone()));
        };
        let credentials = self.now().ok_or(Denied::Unknown)?;
        let current = credentials.iter().find(|credential| credential.has_token_of(known));
        reader_of(current.ok_or(Denied::Unknown)?, session.csrf.clone())
    }

    /// Who shows a token with the request itself.
    pub(super) fn of_header(&self, header: &HeaderValue, peer: IpAddr) -> Result<Reader, Denied> {
        let credentials = self.now().ok_or(Denied::Unknown)?;
        let Some(credential) = find(&credentials, header) else {
            return Err(self.state.lock().unwrap_or_else(PoisonError::into_inner).failed(peer));
        };
        reader_of(&credential, String::new())
    }

    /// Who asks a question over `/mcp`: with a key made from the secret, or with a token. A session's cookie is none of
    /// these, so that no page that a browser shows can ask.
    pub(super) fn of_question(&self, header: &HeaderValue, peer: IpAddr) -> Result<Reader, Denied> {
        let key = header.to_str().ok().and_then(|header| header.strip_prefix(KEY_SCHEME));
        match key {
            Some(key) => self.of_key(key.trim(), peer, Timestamp::now()),
            None => self.of_header(header, peer),
        }
    }

    /// Keeps what the session's next page says once.
    pub(super) fn tell(&self, reader: &Reader, message: Vec<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = state.of_csrf(&reader.csrf) {
            session.message = message;
        }
    }

    /// What the session's page says now, and no other after it.
    pub(super) fn told(&self, reader: &Reader) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.of_csrf(&reader.csrf).map(|session| std::mem::take(&mut session.message)).unwrap_or_default()
    }

    /// Ends a session.
    pub(super) fn leave(&self, cookie: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sessions.remove(&hash(cookie));
    }

    /// Whether browsers may reach it by that name, `console.example.com:4320`.
    pub(super) fn is_host(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.to_ascii_lowercase();
        self.hosts.contains(&name)
    }

    /// Whether a page of that address is one of ours, as `host` names us.
    pub(super) fn is_own(&self, origin: &str, host: &str) -> bool {
        origin == format!("{}://{host}", if self.has_tls { "https" } else { "http" })
    }

    fn now(&self) -> Option<Arc<[Credential]>> {
        self.credentials.as_ref().map(|credentials| Arc::clone(&credentials.borrow()))
    }
}

impl State {
    fn of_csrf(&mut self, csrf: &str) -> Option<&mut SignedIn> {
        self.sessions.values_mut().find(|session| is_same(&session.csrf, csrf))
    }

    /// Counts a wrong key or token. Returns the answer.
    fn failed(&mut self, peer: IpAddr) -> Denied {
        let now = Instant::now();
        self.failures.retain(|_, (_, since)| now.duration_since(*since) < A_MINUTE);
        if self.failures.len() >= MOST_ADDRESSES && !self.failures.contains_key(&peer) {
            return Denied::TooMany(A_MINUTE.as_secs());
        }
        let (count, since) = self.failures.entry(peer).or_insert((0, now));
        if *count >= MOST_FAILURES {
            let left = A_MINUTE.saturating_sub(now.duration_since(*since));
            return Denied::TooMany(left.as_secs() + 1);
        }
        *count += 1;
        Denied::Unknown
    }

    fn begin(&mut self, credential: Option<Credential>) -> String {
        if self.sessions.len() >= MOST_SESSIONS {
            let first = self.sessions.iter().min_by_key(|(_, session)| session.ends).map(|(hash, _)| *hash);
            first.map(|hash| self.sessions.remove(&hash));
        }
        let cookie = format!("{}{}", random(), random());
        let session =
            SignedIn { credential, csrf: random(), ends: Instant::now() + LASTS, message: Vec::new() };
        self.sessions.insert(hash(&cookie), session);
        cookie
    }
}

/// Whoever can read this user's files may see everything in them.
fn owner(csrf: String) -> Reader {
    Reader {
        name: "the owner of this machine's data".to_owned(),
        tenant: None,
        workspace: None,
        reviews: true,
        sees_people: true,
        csrf,
    }
}

fn reader_of(credential: &Credential, csrf: String) -> Result<Reader, Denied> {
    let roles = credential.roles();
    if !roles.read {
        return Err(Denied::Shows("nothing: its roles in extensions.auth name neither `read` nor `review`"));
    }
    let Owner { tenant, workspace } = credential.owner().clone();
    Ok(Reader {
        name: credential.id().to_owned(),
        tenant: Some(tenant),
        workspace: credential.names_workspace().then_some(workspace),
        reviews: roles.review,
        sees_people: roles.people,
        csrf,
    })
}

fn hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// Whether two texts are the same, however long that takes to tell.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receivers::auth::Roles;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn access(credentials: Vec<Credential>) -> (Access, watch::Sender<Arc<[Credential]>>, Secret) {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::made_in(folder.path()).unwrap();
        let (sender, receiver) = watch::channel(Arc::from(credentials));
        let address = "127.0.0.1:4320".parse().unwrap();
        let hosts = ["console.example.com".to_owned()];
        (Access::new(address, false, &hosts, secret.clone(), Some(receiver)), sender, secret)
    }

    fn credential(roles: Roles) -> Credential {
        let owner = Owner { tenant: "acme".to_owned(), workspace: "default".to_owned() };
        Credential::new("ana", "a-token-of-enough-length", owner).unwrap().with_roles(roles)
    }

    #[test]
    fn a_key_lets_in_once() {
        let (access, _sender, secret) = access(Vec::new());
        let now = Timestamp::now();
        let key = secret.key(For::Pages, 4320, now);
        let cookie = access.enter_with_key(&key, PEER, now).unwrap();
        assert_eq!(access.enter_with_key(&key, PEER, now), Err(Denied::Unknown));
        let reader = access.of_cookie(&cookie).unwrap();
        assert!(reader.sees("any", "any") && reader.reviews && !reader.csrf.is_empty());
        access.leave(&cookie);
        assert_eq!(access.of_cookie(&cookie), Err(Denied::Unknown));
    }

    #[test]
    fn a_key_for_a_question_is_for_one_and_opens_no_pages() {
        let (access, _sender, secret) = access(Vec::new());
        let now = Timestamp::now();
        let header = |key: &str| HeaderValue::from_str(&format!("{KEY_SCHEME}{key}")).unwrap();
        let key = secret.key(For::Question, 4320, now);
        assert_eq!(access.enter_with_key(&key, PEER, now), Err(Denied::Unknown));
        assert!(access.of_question(&header(&key), PEER).unwrap().sees_the_process());
        assert_eq!(access.of_question(&header(&key), PEER), Err(Denied::Unknown));
        let pages = secret.key(For::Pages, 4320, now);
        assert_eq!(access.of_question(&header(&pages), PEER), Err(Denied::Unknown));
        assert_eq!(access.of_question(&header(""), PEER), Err(Denied::Unknown));
    }

    #[test]
    fn who_guesses_is_told_to_wait_and_keeps_nobody_out() {
        let read = Roles { write: false, read: true, review: false, people: false };
        let (access, _sender, secret) = access(vec![credential(read)]);
        let now = Timestamp::now();
        let other = "192.0.2.7".parse().unwrap();
        for _ in 0..MOST_FAILURES {
            assert_eq!(access.enter_with_key("a.1.b", PEER, now), Err(Denied::Unknown));
        }
        let wrong = HeaderValue::from_static("Bearer a-token-that-is-another");
        assert!(matches!(access.of_header(&wrong, PEER), Err(Denied::TooMany(1..=61))));
        assert!(matches!(access.enter_with_token("another", PEER), Err(Denied::TooMany(_))));
        assert_eq!(access.of_header(&wrong, other), Err(Denied::Unknown), "each address by itself");
        // What is right lets in, from that address as well.
        assert!(access.enter_with_key(&secret.key(For::Pages, 4320, now), PEER, now).is_ok());
        assert!(access.enter_with_token("a-token-of-enough-length", PEER).is_ok());
        let right = HeaderValue::from_static("Bearer a-token-of-enough-length");
        assert!(access.of_header(&right, PEER).is_ok());
    }

    #[test]
    fn a_token_shows_what_its_roles_say_until_it_is_revoked() {
        let read = Roles { write: false, read: true, review: false, people: false };
        let (access, sender, _) = access(vec![credential(read)]);
        let cookie = access.enter_with_token("a-token-of-enough-length", PEER).unwrap();
        let reader = access.of_cookie(&cookie).unwrap();
        assert!(reader.sees("acme", "shop") && !reader.sees("other", "shop"));
        assert!(!reader.reviews && !reader.sees_people && !reader.sees_the_process());
        sender.send_replace(Arc::from([credential(Roles::default())]));
        assert!(matches!(access.of_cookie(&cookie), Err(Denied::Shows(_))));
        sender.send_replace(Arc::from([]));
        assert_eq!(access.of_cookie(&cookie), Err(Denied::Unknown));
    }

    #[test]
    fn only_own_names_and_own_pages_are_answered() {
        let (access, _sender, _) = access(Vec::new());
        for host in ["127.0.0.1:4320", "localhost:9", "LOCALHOST", "[::1]:4320", "console.example.com"] {
            assert!(access.is_host(host), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example:4320", "[", "localhost.evil.example"] {
            assert!(!access.is_host(host), "{host}");
        }
        assert!(access.is_own("http://localhost:4320", "localhost:4320"));
        assert!(!access.is_own("https://localhost:4320", "localhost:4320"));
        assert!(!access.is_own("null", "localhost:4320"));
    }
}
