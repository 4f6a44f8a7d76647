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
}

const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "passcode", "storepass", "keypass"];
const TOKENS: &[&str] = &["secret", "token", "apikey", "secretkey", "accesskey", "credential", "credentials"];
/// `api_key` is a secret, `cache_key` is none.
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
const TRAILING: &[&str] =
    &["value", "base64", "b64", "raw", "plain", "prod", "dev", "staging", "test", "old", "new"];

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
    let short = last == "pw" || (last == "pass" && (is_flag || !before.is_empty()));
    if short || PASSWORDS.iter().any(|word| last.ends_with(word)) {
        return Some(Secret::Password);
    }
    if last == "pin" && is_flag {
        return Some(Secret::Pin);
    }
    let token = TOKENS.iter().any(|word| last.ends_with(word)) && !BEFORE_OTHER_TOKENS.contains(&before);
    let key = last == "key" && BEFORE_KEY.contains(&before);
    (token || key).then_some(Secret::Token)
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
        for name in
            ["password", "DB_PASSWORD", "dbPassword", "--db-password", "PGPASSWORD", "SMTP_PASS", "pwd"]
        {
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
            "pass",
            "gen_ai.usage.input_tokens",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
    }
}
