//! Redaction: credentials leave a text before it is written anywhere.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Redactor`]: one pass over a text for all rules |
//! | `rules.rs` | the rules, as data |
//!
//! Invariants: redaction is a pure function; what it puts in a secret's place names the rule and
//! nothing of the secret (`[redacted:github-token]`); redacting twice changes nothing more.

mod rules;

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};

use rules::RULES;

/// The compiled rules.
#[derive(Debug, Clone)]
pub struct Redactor {
    /// All rules as one alternation of named groups, so that a text is read once.
    pattern: Regex,
}

impl Redactor {
    /// The built-in rules.
    ///
    /// # Errors
    /// None with the rules as they stand; a test compiles them.
    pub fn built_in() -> Result<Self, regex::Error> {
        let alternatives: Vec<String> = RULES
            .iter()
            .enumerate()
            .map(|(index, rule)| format!("{}(?P<r{index}>{}){}", rule.context, rule.secret, rule.after))
            .collect();
        let pattern = RegexBuilder::new(&alternatives.join("|")).size_limit(16 << 20).build()?;
        Ok(Self { pattern })
    }

    /// The text without credentials; borrowed if there are none.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !may_hold_a_credential(text) {
            return Cow::Borrowed(text);
        }
        self.pattern.replace_all(text, |found: &Captures<'_>| placeholder(found))
    }

    /// Whether [`Redactor::redact`] would change the text.
    pub fn finds(&self, text: &str) -> bool {
        may_hold_a_credential(text) && self.pattern.is_match(text)
    }
}

/// What stands around the secret stays; the secret becomes its rule's name.
fn placeholder(found: &Captures<'_>) -> String {
    let Some(whole) = found.get(0) else { return String::new() };
    for (index, rule) in RULES.iter().enumerate() {
        if let Some(secret) = found.name(&format!("r{index}")) {
            let (start, end) = (secret.start() - whole.start(), secret.end() - whole.start());
            let before = whole.as_str().get(..start).unwrap_or_default();
            let after = whole.as_str().get(end..).unwrap_or_default();
            return format!("{before}[redacted:{}]{after}", rule.name);
        }
    }
    String::new()
}

/// A cheap look before the patterns: nearly every text holds none of these.
fn may_hold_a_credential(text: &str) -> bool {
    rules::MARKS.iter().any(|mark| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Assembled here, so that no scanner takes this file for a leak.
    fn planted() -> Vec<(&'static str, String)> {
        let hex = "0123456789abcdef0123456789abcdef0123";
        vec![
            ("anthropic-key", format!("sk-ant-api03-{hex}-{hex}")),
            ("openai-key", format!("sk-proj-{hex}{hex}")),
            ("openai-key", format!("sk-{hex}{hex}")),
            ("github-token", format!("ghp_{hex}")),
            ("github-token", format!("github_pat_{hex}_{hex}")),
            ("aws-access-key", format!("AKIA{}", "IOSFODNN7SECRETS")),
            ("slack-token", format!("xoxb-123456789012-{hex}")),
            ("google-api-key", format!("AIza{}", &hex[..35])),
            ("gitlab-token", format!("glpat-{}", &hex[..20])),
            ("jwt", format!("eyJhbGciOiJIUzI1NiJ9.eyJ{hex}.{hex}")),
            (
                "private-key",
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----".to_owned(),
            ),
            ("private-key", "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Bl".to_owned()),
        ]
    }

    #[test]
    fn takes_credentials_out_wherever_they_stand() {
        let redactor = Redactor::built_in().unwrap();
        for (rule, secret) in planted() {
            for text in [
                secret.clone(),
                format!("{{\"key\":\"{secret}"),
                format!("echo {secret}"),
                format!("日本{secret}"),
            ] {
                let redacted = redactor.redact(&text);
                assert!(!redacted.contains(&secret), "{redacted}");
                assert!(redacted.contains(&format!("[redacted:{rule}]")), "{rule}: {redacted}");
                assert_eq!(redactor.redact(&redacted), redacted, "twice is once");
            }
        }
    }

    #[test]
    fn keeps_what_stands_around_a_secret() {
        let redactor = Redactor::built_in().unwrap();
        for (text, expected) in [
            (
                "curl -H 'Authorization: Bearer abcdefghijklmnop1234' https://x",
                "curl -H 'Authorization: Bearer [redacted:bearer-token]' https://x",
            ),
            ("postgres://app:hunter2hunter@db/x", "postgres://app:[redacted:url-password]@db/x"),
            (
                "authorization: basic dXNlcjpwYXNzd29yZA==",
                "authorization: basic [redacted:basic-credentials]",
            ),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        let redactor = Redactor::built_in().unwrap();
        for text in [
            "make db-up && make test-integration",
            "commit 4f2c1aa0d3b5e6f7a8b9c0d1e2f3a4b5c6d7e8f9",
            "git clone https://git.example.com/acme/shop-api",
            "task-sk-learn-0123456789abcdef",
            "the bearer of this letter",
            "http://127.0.0.1:4318/v1/traces and user@example.com",
            "risk-assessment-0123456789abcdef0123456789",
        ] {
            assert!(matches!(redactor.redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
