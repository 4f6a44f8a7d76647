//! Names whose values are secrets: `DB_PASSWORD`, `clientSecret`, `x-api-key`.

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// A person chose it: it may be short, a word, a number.
    Password,
    /// A machine made it.
    Token,
    /// A short number.
    Pin,
    /// It may be one: only if it looks like a key.
    Drawn,
}

const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "passcode",
    "storepass",
    "keypass",
    "requirepass",
    "masterauth",
    "masterpass",
    "passwort",
    "pswd",
    "mnemonic",
    "userpass",
    "dbpass",
    "kennwort",
    "motdepasse",
    "senha",
    "sshpass",
];
/// `bindpw`, `rootpw`: short ones end a word.
const PASSWORDS_JOINED: &[&str] = &["bindpw", "rootpw", "dbpw", "userpw", "adminpw", "sslpw", "keypw"];
/// Words that end in `pass` and are no password; `smtppass` is one.
#[rustfmt::skip] // Words, many a line.
const NO_PASSWORDS: &[&str] = &[
    "bypass", "compass", "trespass", "surpass", "overpass", "underpass", "encompass", "multipass", "subpass", "renderpass",
    "onepass", "twopass", "firstpass", "secondpass", "singlepass", "lowpass", "highpass", "bandpass", "allpass", "midpass",
    "forwardpass", "backpass",
];
#[rustfmt::skip] // Words, many a line.
const TOKENS: &[&str] = &[
    "secret", "token", "apikey", "secretkey", "accesskey", "credential", "credentials", "privatekey", "authkey",
    "masterkey", "authtoken", "licensekey", "clientsecret", "salt", "bearer", "creds",
];
/// The `secret` or `salt` of these is not a secret but a name or a place.
#[rustfmt::skip] // Words, many a line.
const SALTS: &[&str] = &["auth", "secure", "logged", "nonce", "password", "secret", "hash", "hashid", "token", "in", "session", "cookie"];
/// `api_key` is a secret, `cache_key` is not.
#[rustfmt::skip] // Words, many a line.
const BEFORE_KEY: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "signing",
    "encryption",
    "master",
    "account",
    "service",
    "shared",
    "admin",
    "storage",
    "deploy",
    "webhook",
    "app",
    "application",
    "session",
    "jwt",
    "hmac",
    "subscription",
    "key", "private", "license", "client", "consumer", "personal", "write", "ingest", "ingestion", "root", "db",
    "database", "rails", "django", "flask", "cookie", "csrf", "sentry", "stripe", "openai", "anthropic", "github",
    "gitlab", "google", "gemini", "maps", "aws", "azure", "gcp", "twilio", "sendgrid", "mailgun", "datadog", "dd",
    "newrelic", "algolia", "firebase", "supabase", "role", "pinecone", "cohere", "mistral", "groq", "deepl", "fernet",
    "vault", "unseal", "recovery", "backup", "restic", "secure", "in", "nonce", "user", "team", "server", "cipher",
    "aes", "rsa", "ssh", "gpg", "signature", "validation", "decryption", "decrypt", "encrypt", "verification", "hash", "host", "tls", "ssl", "wireguard", "psk", "preshared",
];
/// `max_token` is a number, `next_token` a place in a list.
const BEFORE_OTHER_TOKENS: &[&str] = &[
    "max",
    "min",
    "num",
    "input",
    "output",
    "total",
    "next",
    "page",
    "continuation",
    "cancellation",
    "eos",
    "bos",
    "pad",
    "unk",
    "mask",
    "stop",
    "sep",
    "cls",
    "per",
    "start",
    "end",
    "first",
    "last",
    "current",
    "prev",
    "previous",
    "idempotency",
    "design",
    "lexer",
    "syntax",
    "each",
    "by",
    "prompt",
    "completion",
    "cached",
];
/// `PASSWORD_OLD` is still one.
#[rustfmt::skip] // Words, many a line.
const TRAILING: &[&str] =
    &["value", "base64", "b64", "raw", "plain", "prod", "dev", "staging", "test", "old", "new", "base", "text", "live",
      "local", "ci", "primary", "secondary", "current", "production", "development", "string", "data", "enc"];

/// What the name says of its value, if it says that it is secret.
pub(super) fn secret(name: &str) -> Option<Secret> {
    let mut rest = name.as_bytes();
    let mut last = Word::last_of(&mut rest)?;
    while let Some(before) = Word::last_of(&mut rest)
        && (TRAILING.iter().any(|word| last.is(word)) || last.is_number())
    {
        last = before;
    }
    // Read once more: the loop has gone past it.
    let before = behind_last(name.as_bytes(), &last);
    judge(name, &last, &before)
}

/// The word before one of a name, `""` if it is the first.
fn behind_last<'n>(name: &'n [u8], last: &Word<'n>) -> Word<'n> {
    let mut before = name.get(..last.start).unwrap_or_default();
    Word::last_of(&mut before).unwrap_or_default()
}

fn judge(name: &str, last: &Word<'_>, before: &Word<'_>) -> Option<Secret> {
    let is_flag = name.starts_with('-');
    let short = last.is("pw")
        || last.is("pass")
        || last.is("psk")
        || PASSWORDS_JOINED.iter().any(|word| last.is(word));
    // Where a shell stands, and where it stood.
    let is_place = name == "PWD" || name == "OLDPWD";
    let joined = last.ends_with("pass") && !NO_PASSWORDS.iter().any(|word| last.is(word));
    // `pass_phrase`, `passWord`.
    let parted = before.ends_with("pass") && (last.is("phrase") || last.is("word") || last.is("code"));
    if !is_place && (short || joined || parted || PASSWORDS.iter().any(|word| last.ends_with(word))) {
        return Some(Secret::Password);
    }
    if name.starts_with("contrase") {
        return Some(Secret::Password);
    }
    if last.is("pin") && (is_flag || name.len() == 3) {
        return Some(Secret::Pin);
    }
    let is_before = |words: &[&str]| words.iter().any(|word| before.is(word));
    let token = TOKENS.iter().any(|word| last.ends_with(word))
        && !is_before(BEFORE_OTHER_TOKENS)
        && (!last.is("salt") || is_before(SALTS));
    let is_key = last.is("key");
    let key = is_key && is_before(BEFORE_KEY);
    let environment = || !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let may_be = || last.is("auth") || (is_key && !before.bytes.is_empty() && environment());
    match token || key {
        true => Some(Secret::Token),
        false => may_be().then_some(Secret::Drawn),
    }
}

/// Whether a text is what a form calls a password: `Passwort`, as translations have it.
pub(super) fn is_label(text: &str) -> bool {
    PASSWORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a header or an attribute of this name carries a credential as its whole value.
pub(super) fn is_credential_header(name: &str) -> bool {
    let last = Word::last_of(&mut name.as_bytes()).unwrap_or_default();
    last.is("authorization") || last.is("cookie")
}

/// Whether a text speaks of secrets, as names do that stand where a secret could.
pub(super) fn mentions_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key", "cred", "auth"].iter().any(|word| lower.contains(word))
}

/// A word of a name, in any case: `dbPassword`, `DB_PASSWORD` and `db-password` are `db` and `password`.
#[derive(Debug, Clone, Copy, Default)]
struct Word<'n> {
    bytes: &'n [u8],
    /// Where it begins in the name.
    start: usize,
}

impl<'n> Word<'n> {
    /// Takes the last word off a name; `None` if there is none left.
    fn last_of(name: &mut &'n [u8]) -> Option<Self> {
        let end = name.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
        let mut start = end - 1;
        while let Some([previous, byte]) = start.checked_sub(1).and_then(|before| name.get(before..=start))
            && goes_on(*previous, *byte)
        {
            start -= 1;
        }
        let bytes = name.get(start..end)?;
        *name = name.get(..start)?;
        Some(Self { bytes, start })
    }

    fn is(&self, word: &str) -> bool {
        self.bytes.eq_ignore_ascii_case(word.as_bytes())
    }

    fn ends_with(&self, end: &str) -> bool {
        // Most of the ends that are asked for end in another letter.
        let same_letter = || {
            let last = self.bytes.last().map(u8::to_ascii_lowercase);
            last == end.as_bytes().last().copied()
        };
        let start = self.bytes.len().checked_sub(end.len()).filter(|_| same_letter());
        let last = start.and_then(|start| self.bytes.get(start..));
        last.is_some_and(|last| last.eq_ignore_ascii_case(end.as_bytes()))
    }

    fn is_number(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_digit)
    }
}

/// Whether a byte belongs to the word of the one before it.
const fn goes_on(previous: u8, byte: u8) -> bool {
    let begins = byte.is_ascii_uppercase() && previous.is_ascii_lowercase();
    let begins_number = byte.is_ascii_digit() && previous.is_ascii_alphabetic();
    previous.is_ascii_alphanumeric() && !begins && !begins_number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The words of a name, from its beginning.
    fn words(name: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut previous = '_';
        for char in name.chars() {
            let begins = char.is_ascii_uppercase() && previous.is_ascii_lowercase();
            let begins_number = char.is_ascii_digit() && previous.is_ascii_alphabetic();
            if !char.is_ascii_alphanumeric() || begins || begins_number {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut().filter(|_| char.is_ascii_alphanumeric()) {
                word.push(char);
            }
            previous = char;
        }
        words.retain(|word| !word.is_empty());
        words
    }

    proptest! {
        #[test]
        fn words_are_the_same_from_the_end(name in "(?:[aA1_é. -]|key|Old){0,12}") {
            let mut rest = name.as_bytes();
            let mut found: Vec<String> = std::iter::from_fn(|| Word::last_of(&mut rest))
                .map(|word| String::from_utf8(word.bytes.to_vec()).unwrap())
                .collect();
            found.reverse();
            prop_assert_eq!(found, words(&name));
        }
    }

    #[test]
    fn tells_names_of_secrets_from_other_names() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "--db-password",
            "PGPASSWORD",
            "SMTP_PASS",
            "smtppass",
            "pwd",
            "pass",
            "pass_phrase",
            "ssl-pass-phrase",
            "keyPassPhrase",
            "PASS_WORD",
        ] {
            assert_eq!(secret(name), Some(Secret::Password), "{name}");
        }
        for name in [
            "token",
            "accessToken",
            "x-api-key",
            "apiKey",
            "AWS_SECRET_ACCESS_KEY",
            "client.secret",
            "API_KEY_2",
        ] {
            assert_eq!(secret(name), Some(Secret::Token), "{name}");
        }
        for name in [
            "max_tokens",
            "input_token",
            "tokenizer",
            "token_type",
            "next_token",
            "cache_key",
            "key",
            "public_key",
            "passwordField",
            "secretName",
            "keyboard",
            "bypass",
            "renderPasses",
            "PWD",
            "gen_ai.usage.input_tokens",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
    }
}
