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
/// `secret` or `salt` of these are none: a name, a place.
#[rustfmt::skip] // Words, many a line.
const SALTS: &[&str] = &["auth", "secure", "logged", "nonce", "password", "secret", "hash", "hashid", "token", "in", "session", "cookie"];
/// `api_key` is a secret, `cache_key` is none.
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
    let words = words(name);
    let mut words = words.as_slice();
    while let [rest @ .., last] = words
        && !rest.is_empty()
        && (TRAILING.contains(&last.as_str()) || last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        words = rest;
    }
    let (last, before) = words.split_last()?;
    let before = before.last().map(String::as_str).unwrap_or_default();
    let is_flag = name.starts_with('-');
    let short = last == "pw" || last == "pass" || last == "psk" || PASSWORDS_JOINED.contains(&last.as_str());
    // Where a shell stands, and where it stood.
    let is_place = name == "PWD" || name == "OLDPWD";
    let joined = last.ends_with("pass") && !NO_PASSWORDS.contains(&last.as_str());
    if !is_place && (short || joined || PASSWORDS.iter().any(|word| last.ends_with(word))) {
        return Some(Secret::Password);
    }
    if name.starts_with("contrase") {
        return Some(Secret::Password);
    }
    if last == "pin" && (is_flag || name.len() == 3) {
        return Some(Secret::Pin);
    }
    let salt = last != "salt" || SALTS.contains(&before);
    let token =
        TOKENS.iter().any(|word| last.ends_with(word)) && !BEFORE_OTHER_TOKENS.contains(&before) && salt;
    let key = last == "key" && BEFORE_KEY.contains(&before);
    let environment = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let may_be = last == "auth" || (environment && last == "key" && !before.is_empty());
    match token || key {
        true => Some(Secret::Token),
        false => may_be.then_some(Secret::Drawn),
    }
}

/// Whether a text is what a form calls a password: `Passwort`, as translations have it.
pub(super) fn is_label(text: &str) -> bool {
    PASSWORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a header or an attribute of this name carries a credential as its whole value.
pub(super) fn is_credential_header(name: &str) -> bool {
    let last = words(name).pop().unwrap_or_default();
    matches!(last.as_str(), "authorization" | "cookie")
}

/// Whether a text speaks of secrets, as names do that stand where a secret could.
pub(super) fn mentions_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key", "cred", "auth"].iter().any(|word| lower.contains(word))
}

/// `dbPassword`, `DB_PASSWORD` and `db-password` are `db` and `password`.
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
            word.push(char.to_ascii_lowercase());
        }
        previous = char;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

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
