//! The rules: the commonest credentials, by the prefixes that their issuers gave them.

/// One kind of credential.
pub(super) struct Rule {
    /// What the placeholder says.
    pub(super) name: &'static str,
    /// What stands before the secret and stays.
    pub(super) context: &'static str,
    /// The secret.
    pub(super) secret: &'static str,
    /// What must follow and stays.
    pub(super) after: &'static str,
}

const fn rule(name: &'static str, context: &'static str, secret: &'static str) -> Rule {
    Rule { name, context, secret, after: "" }
}

/// An ASCII word begins here: text in other scripts often stands right before a key.
const BOUNDARY: &str = r"(?-u:\b)";

/// In order of precedence where two would match at one place.
pub(super) const RULES: &[Rule] = &[
    // A key that was cut has no end: everything after its beginning goes.
    rule(
        "private-key",
        "",
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\z)",
    ),
    rule("anthropic-key", BOUNDARY, "sk-ant-[A-Za-z0-9_-]{16,}"),
    rule("openai-key", BOUNDARY, "sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_]{20,}[A-Za-z0-9_-]*"),
    rule("github-token", BOUNDARY, "(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})"),
    rule("gitlab-token", BOUNDARY, "glpat-[A-Za-z0-9_-]{20,}"),
    rule("aws-access-key", BOUNDARY, "(?:AKIA|ASIA)[A-Z0-9]{16}"),
    rule("google-api-key", BOUNDARY, "AIza[A-Za-z0-9_-]{35}"),
    rule("slack-token", BOUNDARY, "xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    rule("jwt", BOUNDARY, r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    rule("bearer-token", r"(?-u:\b)(?i:bearer)\s+", "[A-Za-z0-9._~+/=-]{16,}"),
    rule("basic-credentials", r"(?-u:\b)(?i:authorization)\W{1,4}(?i:basic)\s+", "[A-Za-z0-9+/=_-]{8,}"),
    Rule {
        name: "url-password",
        context: r"(?-u:\b)[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{0,100}:",
        secret: r"[^\s/@\[]{1,200}",
        after: "@",
    },
];

/// No rule matches a text that holds none of these.
pub(super) const MARKS: &[&str] = &[
    "PRIVATE KEY-----",
    "sk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "AKIA",
    "ASIA",
    "AIza",
    "xox",
    "eyJ",
    "earer",
    "EARER",
    "asic",
    "ASIC",
    "://",
];
