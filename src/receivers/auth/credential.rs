//! Tokens, kept as hashes and compared in constant time.
//!
//! A token is random, so its plain SHA-256 gives nothing away and costs a request almost nothing. A token that a
//! person would choose is too short to be accepted.

use std::fmt;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::event::{Owner, person};

/// A token that is shorter could be guessed.
const SHORTEST: usize = 16;

/// A token and whom it belongs to. The token itself is forgotten.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    id: String,
    secret: [u8; 32],
    owner: Owner,
    names_workspace: bool,
    person: Option<Person>,
    roles: Roles,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Sessions are sent with it.
    pub write: bool,
    /// Sessions and skills are seen with it.
    pub read: bool,
    /// Proposals are accepted and refused with it.
    pub review: bool,
    /// People are named to who reads with it.
    pub people: bool,
}

impl Default for Roles {
    /// Those of a token that says nothing of them: it sends, and shows nothing.
    fn default() -> Self {
        Self { write: true, read: false, review: false, people: false }
    }
}

/// The person whom a credential names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    name: String,
    key: String,
}

impl Person {
    /// As it is stored.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people are counted by.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Why a token cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// It could be guessed.
    #[error("a token has at least {SHORTEST} characters; make one with `openssl rand -hex 32`")]
    Short,
    /// It is no hash.
    #[error("a hash is 64 hex digits; make one with `printf %s \"$TOKEN\" | sha256sum`")]
    Hash,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Credential {
    /// A credential with the given token.
    ///
    /// # Errors
    /// If the token is too short.
    pub fn new(id: impl Into<String>, token: &str, owner: Owner) -> Result<Self, CredentialError> {
        if token.len() < SHORTEST {
            return Err(CredentialError::Short);
        }
        Ok(Self {
            id: id.into(),
            secret: hash(token.as_bytes()),
            owner,
            names_workspace: false,
            person: None,
            roles: Roles::default(),
        })
    }

    /// A credential of whose token only the SHA-256 is known, in hex.
    ///
    /// # Errors
    /// If that is no SHA-256.
    pub fn hashed(id: impl Into<String>, sha256: &str, owner: Owner) -> Result<Self, CredentialError> {
        let mut secret = [0; 32];
        if sha256.len() != 64 || !sha256.is_ascii() {
            return Err(CredentialError::Hash);
        }
        for (index, byte) in secret.iter_mut().enumerate() {
            let digits = sha256.get(2 * index..2 * index + 2).ok_or(CredentialError::Hash)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| CredentialError::Hash)?;
        }
        let roles = Roles::default();
        Ok(Self { id: id.into(), secret, owner, names_workspace: false, person: None, roles })
    }

    /// The same credential, for its owner's workspace and no other: what a payload calls its workspace then
    /// decides nothing.
    #[must_use]
    pub fn of_one_workspace(self) -> Self {
        Self { names_workspace: true, ..self }
    }

    /// The same credential, good for this.
    #[must_use]
    pub fn with_roles(self, roles: Roles) -> Self {
        Self { roles, ..self }
    }

    /// What it is good for.
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// The same credential, of one person: everything sent with it is that person's, whatever a payload says.
    #[must_use]
    pub fn of_person(self, name: String) -> Self {
        let key = person::joined(&name, "");
        Self { person: Some(Person { name, key }), ..self }
    }

    /// The person who has it.
    pub fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// Whether it is for its owner's workspace and no other.
    pub fn names_workspace(&self) -> bool {
        self.names_workspace
    }

    /// Its public name, the user of a Basic pair.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose events are sent with it.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Whether both have the same token.
    pub fn has_token_of(&self, other: &Self) -> bool {
        self.secret.ct_eq(&other.secret).into()
    }
}

/// What an `Authorization` header shows, hashed at once.
pub(super) struct Presented {
    /// The user of a Basic pair.
    id: Option<[u8; 32]>,
    secret: [u8; 32],
}

impl Presented {
    /// A token alone.
    pub(super) fn of_token(token: &str) -> Self {
        Self { id: None, secret: hash(token.as_bytes()) }
    }

    /// `Bearer <token>` or `Basic <base64 of id:token>`, the scheme's case ignored.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        const LENIENT: GeneralPurposeConfig =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
        let space = header.iter().position(|byte| *byte == b' ')?;
        let (scheme, rest) = header.split_at_checked(space)?;
        let value = rest.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Some(Self { id: None, secret: hash(value) });
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return None;
        }
        let pair = STANDARD.decode(value).ok()?;
        let colon = pair.iter().position(|byte| *byte == b':')?;
        let (id, token) = pair.split_at_checked(colon)?;
        Some(Self { id: Some(hash(id)), secret: hash(token.get(1..)?) })
    }
}

/// The credential that was presented. Every one is compared whole, whichever it is and whether it is
/// any: the time this takes says nothing.
pub(super) fn find<'c>(credentials: &'c [Credential], presented: &Presented) -> Option<&'c Credential> {
    let mut found = u64::MAX;
    for (index, credential) in (0_u64..).zip(credentials) {
        let same_id = match &presented.id {
            Some(id) => id.ct_eq(&hash(credential.id.as_bytes())),
            None => Choice::from(1),
        };
        let same = same_id & presented.secret.ct_eq(&credential.secret);
        found.conditional_assign(&index, same);
    }
    credentials.get(usize::try_from(found).ok()?)
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_token_in_both_schemes_and_nothing_else() {
        let token = "k9-Zq_4~x7.w2+v8/t6=";
        let credentials = [
            Credential::new("a", "another-token-of-length", Owner::default()).unwrap(),
            Credential::new("pk", token, Owner::default()).unwrap(),
        ];
        let basic =
            |pair: String| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let known = |header: &str| {
            Presented::parse(header.as_bytes())
                .and_then(|shown| find(&credentials, &shown).map(|found| found.id().to_owned()))
        };
        for right in [format!("Bearer {token}"), format!("bearer  {token} "), basic(format!("pk:{token}"))] {
            assert_eq!(known(&right).as_deref(), Some("pk"), "{right}");
        }
        for wrong in [
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {token}x"),
            format!("Bearer {}", token.to_uppercase()),
            format!("Token {token}"),
            basic(format!("a:{token}")),
            basic(format!(":{token}")),
            basic(token.to_owned()),
            "Basic ???".to_owned(),
            token.to_owned(),
        ] {
            assert_eq!(known(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_hash_stands_for_its_token() {
        let token = "0123456789abcdef0123";
        let hex = crate::event::sha256_hex(token, 32);
        let hashed = Credential::hashed("x", &hex, Owner::default()).unwrap();
        assert!(hashed.has_token_of(&Credential::new("y", token, Owner::default()).unwrap()));
        assert_eq!(Credential::hashed("x", "abc", Owner::default()), Err(CredentialError::Hash));
        assert_eq!(Credential::new("x", "short", Owner::default()), Err(CredentialError::Short));
    }
}
