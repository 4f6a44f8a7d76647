//! Who may send, for whom, and how much (`extensions.auth`, `limits.per_tenant`).
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Gate`]: what every door asks before it reads a body |
//! | `credential.rs` | [`Credential`]: a token, kept as a hash |
//! | `sender.rs` | [`Sender`]: the person who sends, and whom nobody else may claim to be |
//! | `rate.rs` | [`Rates`]: what a tenant may send in a second |
//!
//! Invariants: the owner of what is stored comes from the credential alone, nothing of the request can
//! change it, and where it names a workspace, that is the workspace of everything it brings; how long a refusal takes does not depend on how wrong a token is; no token is in `Debug`,
//! in a log line or in an answer.

mod credential;
mod rate;
mod sender;

use std::sync::Arc;

use http::header::{AUTHORIZATION, ORIGIN};
use http::{HeaderMap, HeaderValue};
use tokio::sync::watch;

use crate::event::{Owner, capture};
use crate::forward::hops;

use super::Refusal;

pub use credential::{Credential, CredentialError, Roles};
pub use rate::{Rate, Rates};
pub use sender::Sender;

use credential::Presented;

/// A request's own wish not to be stored.
const CAPTURE: &str = "x-skillspan-capture";
/// The header of a request that only asks how it would be handled (`skillspan connect --check`).
pub const CHECK: &str = "x-skillspan-check";

/// What every door asks before it reads a body.
#[derive(Debug)]
pub struct Gate {
    /// `None`: anyone may send, as the default owner.
    credentials: Option<watch::Receiver<Arc<[Credential]>>>,
    /// Of every pipeline that has the requests.
    rates: Vec<Arc<Rates>>,
}

/// Whom a request comes from, and whether it wants to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose events these will be.
    pub owner: Owner,
    /// Their workspace is the owner's, whatever the payload calls it.
    pub is_confined: bool,
    /// Who sends.
    pub sender: Sender,
    /// `false`: nothing of the request is written.
    pub capture: bool,
    /// Nothing of the request is written, and the answer says what would have been.
    pub is_check: bool,
    /// The marks of those that forwarded it ([`hops`]); `""` for none.
    pub hops: String,
}

impl Gate {
    /// Lets in whoever has one of the credentials, as they are at the time of the request; without any
    /// to ask for, everybody. Each of the rates bounds a tenant.
    pub fn new(credentials: Option<watch::Receiver<Arc<[Credential]>>>, rates: Vec<Arc<Rates>>) -> Self {
        Self { credentials, rates }
    }

    /// Who sends a request with these headers.
    ///
    /// # Errors
    /// If it comes from a web page, shows no credential that is known, was forwarded by this process before, or its
    /// tenant has sent too much.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        // A web page must not be able to write sessions; browsers say where a request comes from.
        if headers.contains_key(ORIGIN) {
            return Err(Refusal::Forbidden("requests of web pages are refused".to_owned()));
        }
        let (owner, is_confined, sender) = self.owner(headers)?;
        self.rates.iter().try_for_each(|rates| rates.request(&owner.tenant))?;
        let forbids = |value: &HeaderValue| value.to_str().map_or(true, capture::forbids);
        let off = headers.get_all(CAPTURE).iter().any(forbids);
        let is_check = headers.contains_key(CHECK);
        let marks = headers.get_all(hops::HEADER).iter().filter_map(|value| value.to_str().ok());
        let hops = hops::arrived(marks).map_err(Refusal::Circle)?;
        Ok(Caller { owner, is_confined, sender, capture: !off, is_check, hops })
    }

    /// Counts the bytes of a request that was let in against what its tenant may send.
    pub fn charge(&self, caller: &Caller, bytes: usize) {
        self.rates.iter().for_each(|rates| rates.charge(&caller.owner.tenant, bytes));
    }

    /// Whose the request is, whether that decides its workspace, and who sends it.
    fn owner(&self, headers: &HeaderMap) -> Result<(Owner, bool, Sender), Refusal> {
        let Some(credentials) = &self.credentials else {
            return Ok((Owner::default(), false, Sender::Anybody));
        };
        let presented = headers.get(AUTHORIZATION).map(|value| Presented::parse(value.as_bytes()));
        let Some(Some(presented)) = presented else {
            let message =
                "a credential is needed: send `Authorization: Bearer <token>` or `Basic <id:token>`";
            return Err(Refusal::Unauthenticated(message.to_owned()));
        };
        let credentials = Arc::clone(&credentials.borrow());
        let unknown = || Refusal::Unauthenticated("the credential is not known".to_owned());
        let found = credential::find(&credentials, &presented).ok_or_else(unknown)?;
        if !found.roles().write {
            let message = "the token may not send: its roles in extensions.auth do not name `write`";
            return Err(Refusal::Forbidden(message.to_owned()));
        }
        Ok((found.owner().clone(), found.names_workspace(), Sender::of(found, &credentials)))
    }
}

/// The credential that an `Authorization` header shows.
pub fn find(credentials: &[Credential], header: &HeaderValue) -> Option<Credential> {
    credential::find(credentials, &Presented::parse(header.as_bytes())?).cloned()
}

/// The credential with this token.
pub fn find_token(credentials: &[Credential], token: &str) -> Option<Credential> {
    credential::find(credentials, &Presented::of_token(token)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-token-of-enough-length";

    fn gate() -> Gate {
        let owner = Owner { tenant: "acme".to_owned(), workspace: "shop".to_owned() };
        let credential = Credential::new("pk-shop", SECRET, owner).unwrap();
        let (_, receiver) = watch::channel(Arc::from([credential]));
        Gate::new(Some(receiver), Vec::new())
    }

    fn admit(headers: &[(&'static str, &str)]) -> Result<Caller, Refusal> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        gate().admit(&headers.collect())
    }

    #[test]
    fn the_credential_decides_the_owner() {
        let bearer = format!("Bearer {SECRET}");
        let caller = admit(&[("authorization", &bearer), ("x-skillspan-tenant", "other")]).unwrap();
        assert_eq!((caller.owner.tenant.as_str(), caller.owner.workspace.as_str()), ("acme", "shop"));
        assert!(caller.capture);
        assert!(!admit(&[("authorization", &bearer), ("x-skillspan-capture", "False")]).unwrap().capture);
    }

    #[test]
    fn nothing_shows_a_token() {
        let shown = format!("{:?}", gate());
        assert!(!shown.contains(SECRET) && shown.contains("pk-shop"), "{shown}");
        let refused = admit(&[("authorization", "Bearer a-wrong-token-of-some-length")]).unwrap_err();
        assert!(!refused.to_string().contains("wrong"), "{refused}");
    }

    #[test]
    fn web_pages_are_refused_whatever_they_show() {
        let bearer = format!("Bearer {SECRET}");
        let refused = admit(&[("authorization", &bearer), ("origin", "https://evil.example")]);
        assert!(matches!(refused, Err(Refusal::Forbidden(_))));
    }
}
