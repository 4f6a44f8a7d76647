//! The rules that come with this version, as data. They stand in the binary as they are used, so that a
//! process that redacts one text pays for none but those whose marks it has.
//!
//! The order is that of precedence: where two rules find the same text, the first one names it.

use super::rule::{BuiltIn, Check, Choice};

/// The pattern of a password that a program takes behind a flag whose name says nothing, in the same
/// command; `$joined` is how the flag ends, for some programs take `-pPW`, some `-p PW`, some both, and
/// `$more` goes on behind the password.
macro_rules! argument {
    ($programs:literal, $flag:literal, $joined:literal) => {
        argument!($programs, $flag, $joined, "")
    };
    ($programs:literal, $flag:literal, $joined:literal, $more:literal) => {
        concat!(
            "(?:",
            $programs,
            ")",
            r#"(?:[\t -%'-:<-\[\]-{}~]|\\(?:\r?\n|[^nr\r\n])){0,200}?[\s"',]"#,
            $flag,
            $joined,
            r#"(?P<secret>[^\s"'\\`<>|;&,$-][^\s"'\\`]{2,100}"#,
            $more,
            ")"
        )
    };
}

/// Where the rules for arguments begin. Their marks are searched together with those of names that are
/// given secrets, so that all of them take two searches.
pub(super) const ARGUMENTS: usize = 54;

#[rustfmt::skip] // A rule a line.
pub(super) static RULES: [BuiltIn; 73] = [
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
    BuiltIn::new("mysql-password", &["mysql", "mariadb"], r#"(?:mysql|mariadb)[a-z_-]{0,20}\s[^\n|;]{0,200}?-p(?P<secret>[^\s'\"\\-][^\s'\"\\]{0,200})"#),
    BuiltIn::new("netrc-password", &["login "], r"login\s+\S{1,100}\s+password\s+(?P<secret>\S{1,200})"),
    BuiltIn::new("cookie", &["ookie: "], r#"(?i:(?:set-)?cookie):\s+(?P<secret>[^\s=;]{1,60}=[^\r\n\"'\\]{8,2000})"#).at_word_start(),
    BuiltIn::new("email", &["@"], r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}").at_word_start().only_with(Choice::Emails),
    BuiltIn::new("home-directory", &["/home/", "Users/", "Users\\"], r#"(?:/home/|Users[/\\]{1,4})(?P<secret>[^/\\\s\"':;,)]{1,64})"#).only_with(Choice::HomeDirectories),
    // Passwords among the arguments of programs.
    BuiltIn::new("redis-password", &["redis-cli", "valkey-cli"], argument!("redis-cli|valkey-cli", "-a", r#"(?:\\*["',\s]){1,4}"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("login-password", &["login ", "twine upload"], r#"(?:login(?:\s+[A-Za-z0-9-]{1,60}[.:/][^\s"'-]{0,100})?|twine upload)(?:(?:\s|\\\r?\n)+--?[a-z-]{1,30}(?:[= ][^\s-]\S{0,100})?)*(?:\s|\\\r?\n)+-p[= ]?\\*["']?(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen),
    BuiltIn::new("mongo-password", &["mongo"], argument!(r"mongo(?:sh|dump|restore|export|import)|mongo\s+-[uh]", "-p", r#"(?:\\*["',=\s]){0,4}"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("sql-password", &["sqlcmd", "bcp "], argument!("sqlcmd|bcp", "-P", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("mqtt-password", &["mosquitto_"], argument!("mosquitto_(?:pub|sub|rr)", "-P", r#"(?:\\*["',\s]){1,4}"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("ldap-password", &["ldap"], argument!("ldap(?:search|add|modify|delete|whoami|passwd|compare|modrdn|exop)", "-w", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("smb-password", &["smbclient", "rpcclient"], argument!("smbclient|rpcclient", r#"-U(?:\\*["',\s]){0,4}[^\s%"']{1,100}%"#, "")).a_word(),
    BuiltIn::new("archive-password", &["zip ", "unzip "], argument!("(?:un)?zip", "-P", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("archive-password", &["7z ", "7za ", "7zz ", "rar "], argument!("7z[az]?|rar", "-h?p", r#"\\*["']?"#)).a_word().checked(Check::Chosen),
    BuiltIn::new("htpasswd-password", &["htpasswd "], r#"htpasswd\s[^\n|;&]{0,100}?-[A-Za-z0-9]*b[A-Za-z0-9]*\s+(?:-\S{1,20}\s+){0,4}(?:[^\s|;&<>]{1,200}\s+){1,2}\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,200})"#).checked(Check::Chosen),
    BuiltIn::new("rabbitmq-password", &["rabbitmqctl "], r#"rabbitmqctl\s[^\n|;&]{0,100}?(?:add_user|change_password|authenticate_user)\s+[^\s|;&]{1,100}\s+\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,200})"#).checked(Check::Chosen),
    BuiltIn::new("share-password", &["net use "], r#"net use\s+(?:[A-Za-z]:\s+)?\\+[^\s"']{1,200}\s+(?P<secret>[^\s"'/*\\][^\s"'\\]{2,200})"#).a_word().checked(Check::Chosen),
    BuiltIn::new("secret-to-store", &["vault kv ", "secrets set "], r#"(?:vault kv (?:put|patch)(?:\s+-\S{1,100})*\s+[^\s=]{1,200}|secrets set(?:\s+-\S{1,100})*)(?:\s+[A-Za-z0-9_.-]{1,100}=\\*["']?[$<{@][^\s]{0,200})*\s+[A-Za-z0-9_.-]{1,100}=\\*["']?(?P<secret>[^\s"'\\$<{@][^\s"'\\]{2,200}(?:\s+[A-Za-z0-9_.-]{1,100}=[^\s"'\\]{1,200})*)"#),
    BuiltIn::new("secret-to-store", &["create secret "], argument!("create secret", r#"--from-literal[= ]\\*["']?[A-Za-z0-9_.-]{1,100}=\\*["']?"#, "", r#"(?: --from-literal[= ][^\s"'\\]{1,100})*"#)).checked(Check::Chosen),
    BuiltIn::new("secret-to-store", &["gh secret set "], argument!("gh secret set", "(?:--body|-b)", r#"(?:\\*["',=\s]){0,4}"#)).checked(Check::Chosen),
    BuiltIn::new("piped-password", &["echo ", "printf "], r#"(?:echo|printf)[ ](?:-[neE]+[ ])?(?:\\*["']%s(?:\\{1,2}n)?\\*["']\s+)?\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,100})\\*["']?\s*\|\s*[ -%'-:<-{}~]{0,150}?(?:-pass(?:word|wd|phrase)?-?(?:stdin|fd)|-with-token|sudo\s(?:-\S+\s)*-\w*S\b|chpasswd|passwd\s+--stdin|kinit\b|secrets? (?:set|create)|cryptsetup\s)"#).a_word().checked(Check::Chosen),
    BuiltIn::new("openssl-password", &["-pass"], r#"-pass(?:in|out)?\s+\\*["']?pass:(?P<secret>[^\s"'\\]{1,200})"#),
    BuiltIn::new("quoted-password", &["assw", "ASSW"], r#"(?i:password)\s+\\*'\\*'?(?P<secret>[^'\s\\]{3,200})\\*'"#).at_word_start().checked(Check::Chosen),
    BuiltIn::new("sql-user-password", &["IDENTIFIED ", "identified "], r#"(?i:identified\s+(?:with\s+\S{1,60}\s+)?by)\s+(?i:password\s+)?\\*["']\\*'?(?P<secret>[^'"\s\\]{3,200})\\*["']"#).a_word().checked(Check::Chosen),
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
