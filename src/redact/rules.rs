//! The rules that come with this version, as data. They stand in the binary as they are used, so that a
//! process that redacts one text pays for none but those whose marks it has.
//!
//! The order is that of precedence: where two rules find the same text, the first one names it.

use super::rule::{BuiltIn, Check, Choice};

#[rustfmt::skip] // A rule a line.
pub(super) static RULES: [BuiltIn; 54] = [
    // A key that was cut has no end: all that could belong to it goes, and a mere mention stays.
    BuiltIn::new("private-key", &["-----BEGIN"], r#"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,.\"'|>→│-]*?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:,.\"'|>→│-]{16,})"#),
    BuiltIn::new("putty-private-key", &["Private-Lines:"], r"Private-Lines:(?P<secret>(?s:.*?))(?:Private-MAC|\z)"),
    BuiltIn::new("age-key", &["AGE-SECRET-KEY-"], "AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    BuiltIn::new("anthropic-key", &["sk-"], "sk-ant-[A-Za-z0-9_-]{16,}"),
    BuiltIn::new("openai-key", &["sk-"], "sk-(?:proj-|svcacct-|admin-|or-v1-|lf-)?[A-Za-z0-9_]{16,}[A-Za-z0-9_-]*").a_word().checked(Check::Mixed),
    BuiltIn::new("langfuse-key", &["sk-"], "sk-lf-[A-Za-z0-9-]{16,}"),
    BuiltIn::new("stripe-key", &["sk_", "rk_"], "[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,}"),
    BuiltIn::new("stripe-webhook-secret", &["whsec_"], "whsec_[A-Za-z0-9+/=]{20,}"),
    BuiltIn::new("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{30,}"),
    BuiltIn::new("github-token", &["github_pat_"], "github_pat_[A-Za-z0-9_]{22,}"),
    BuiltIn::new("gitlab-token", &["glpat-", "glptt-", "gldt-", "glrt-"], "gl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{20,}"),
    BuiltIn::new("aws-access-key", &["AKIA", "ASIA"], "(?:AKIA|ASIA)[A-Z0-9]{16}"),
    BuiltIn::new("google-api-key", &["AIza"], "AIza[A-Za-z0-9_-]{35}"),
    BuiltIn::new("google-oauth-secret", &["GOCSPX-"], "GOCSPX-[A-Za-z0-9_-]{20,}"),
    BuiltIn::new("google-access-token", &["ya29."], r"ya29\.[A-Za-z0-9_-]{20,}"),
    BuiltIn::new("azure-storage-key", &["AccountKey="], "AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,})"),
    BuiltIn::new("azure-signature", &["sig="], "sig=(?P<secret>[A-Za-z0-9%+/=_-]{30,})"),
    BuiltIn::new("slack-token", &["xox"], "xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    BuiltIn::new("slack-token", &["xapp-"], "xapp-[0-9]-[A-Za-z0-9-]{20,}"),
    BuiltIn::new("slack-webhook", &["hooks.slack.com/"], r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_-]{20,})"),
    BuiltIn::new("discord-webhook", &["/api/webhooks/"], "/api/webhooks/[0-9]{10,}/(?P<secret>[A-Za-z0-9_-]{20,})"),
    BuiltIn::new("telegram-token", &[":AA"], ":AA[A-Za-z0-9_-]{32,34}"),
    BuiltIn::new("npm-token", &["npm_"], "npm_[A-Za-z0-9]{36}"),
    BuiltIn::new("pypi-token", &["pypi-"], "pypi-[A-Za-z0-9_-]{50,}"),
    BuiltIn::new("rubygems-token", &["rubygems_"], "rubygems_[a-f0-9]{48}"),
    BuiltIn::new("docker-token", &["dckr_pat_"], "dckr_pat_[A-Za-z0-9_-]{20,}"),
    BuiltIn::new("digitalocean-token", &["_v1_"], "do[opr]_v1_[a-f0-9]{64}").at_word_start(),
    BuiltIn::new("sendgrid-key", &["SG."], r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}").a_word(),
    BuiltIn::new("mailgun-key", &["key-"], "key-[a-f0-9]{32}").a_word(),
    BuiltIn::new("huggingface-token", &["hf_"], "hf_[A-Za-z0-9]{30,}").a_word().checked(Check::Mixed),
    BuiltIn::new("replicate-token", &["r8_"], "r8_[A-Za-z0-9]{30,}").a_word(),
    BuiltIn::new("groq-key", &["gsk_"], "gsk_[A-Za-z0-9]{40,}"),
    BuiltIn::new("xai-key", &["xai-"], "xai-[A-Za-z0-9]{40,}"),
    BuiltIn::new("nvidia-key", &["nvapi-"], "nvapi-[A-Za-z0-9_-]{40,}"),
    BuiltIn::new("perplexity-key", &["pplx-"], "pplx-[A-Za-z0-9]{40,}"),
    BuiltIn::new("shopify-token", &["shpat_", "shpss_", "shpca_"], "shp(?:at|ss|ca)_[A-Fa-f0-9]{32}"),
    BuiltIn::new("vault-token", &["hvs.", "hvb."], r"hv[sb]\.[A-Za-z0-9_-]{24,}"),
    BuiltIn::new("postman-key", &["PMAK-"], "PMAK-[A-Fa-f0-9]{24}-[A-Fa-f0-9]{34}"),
    BuiltIn::new("linear-key", &["lin_api_"], "lin_api_[A-Za-z0-9]{40}"),
    BuiltIn::new("grafana-token", &["glsa_"], "glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    BuiltIn::new("figma-token", &["figd_"], "figd_[A-Za-z0-9_-]{40,}"),
    BuiltIn::new("databricks-token", &["dapi"], "dapi[a-f0-9]{32}"),
    BuiltIn::new("jwt", &["eyJ"], r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    BuiltIn::new("bearer-token", &["earer", "EARER"], r"(?i:bearer)(?:\s|%20|\+)+(?P<secret>[A-Za-z0-9._~+/=-]{16,})").at_word_start().checked(Check::Mixed),
    BuiltIn::new("basic-credentials", &["asic "], r"(?i:basic)\s+(?P<secret>[A-Za-z0-9+/=_-]{8,})").at_word_start().checked(Check::Basic),
    BuiltIn::new("url-password", &["://"], r#"[A-Za-z][A-Za-z0-9+._-]{1,60}://[^\s/?#:@\"'<>]{0,200}:(?P<secret>[^\s/?#\"'<>\\]{1,200})@"#).at_word_start(),
    BuiltIn::new("url-token", &["://"], "[A-Za-z][A-Za-z0-9+._-]{1,60}://(?P<secret>[A-Za-z0-9_.-]{20,200})@").at_word_start().checked(Check::Mixed),
    BuiltIn::new("curl-password", &["curl "], r#"curl\s[^\n|;]{0,500}?\s(?:-u|--user|--proxy-user)[ =]?['\"]?[^\s:'\"]{1,100}:(?P<secret>[^\s'\"\\]{1,200})"#),
    BuiltIn::new("sshpass", &["sshpass -p"], r#"sshpass -p\s*['\"]?(?P<secret>[^\s'\"\\]{1,200})"#),
    BuiltIn::new("mysql-password", &["mysql"], r#"mysql(?:dump)?\s[^\n|;]{0,200}?-p(?P<secret>[^\s'\"\\-][^\s'\"\\]{0,200})"#),
    BuiltIn::new("netrc-password", &["login "], r"login\s+\S{1,100}\s+password\s+(?P<secret>\S{1,200})"),
    BuiltIn::new("cookie", &["ookie: "], r#"(?i:(?:set-)?cookie):\s+(?P<secret>[^\s=;]{1,60}=[^\r\n\"'\\]{8,2000})"#).at_word_start(),
    BuiltIn::new("email", &["@"], r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}").at_word_start().only_with(Choice::Emails),
    BuiltIn::new("home-directory", &["/home/", "Users/", "Users\\"], r#"(?:/home/|Users[/\\]{1,4})(?P<secret>[^/\\\s\"':;,)]{1,64})"#).only_with(Choice::HomeDirectories),
];

#[cfg(test)]
mod tests {
    use super::super::rule;
    use super::*;

    #[test]
    fn every_rule_stands_the_checks_of_an_installation_s_own() {
        for BuiltIn { rule, marks, .. } in &RULES {
            rule::checked(&rule.name, marks, &rule.pattern).unwrap();
            assert!(!marks.is_empty(), "{} would be searched in every text", rule.name);
        }
    }
}
