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

#[rustfmt::skip] // A rule a line.
pub(super) static RULES: [BuiltIn; 46] = [
    // A key that was cut has no end: all that could belong to it goes, and a mere mention stays.
    BuiltIn::new("private-key", &["-----BEGIN"], r#"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,.\"'|>→│-]*?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:,.\"'|>→│-]{16,})"#),
    BuiltIn::new("putty-private-key", &["Private-Lines:"], r"Private-Lines:(?P<secret>(?s:.*?))(?:Private-MAC|\z)"),
    BuiltIn::new("azure-storage-key", &["AccountKey="], "AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,})"),
    BuiltIn::new("azure-signature", &["sig="], "sig=(?P<secret>[A-Za-z0-9%+/=_-]{30,})"),
    BuiltIn::new("slack-webhook", &["hooks.slack.com/"], r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,})"),
    BuiltIn::new("discord-webhook", &["/api/webhooks/"], "/api/webhooks/[0-9]{10,}/(?P<secret>[A-Za-z0-9_-]{20,})"),
    BuiltIn::new("telegram-token", &[":AA"], ":AA[A-Za-z0-9_-]{32,34}"),
    BuiltIn::new("jwt", &["eyJ"], r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    BuiltIn::new("bearer-token", &["earer", "EARER"], r"(?i:bearer)(?:\s|%20|\+)+(?P<secret>[A-Za-z0-9._~+/=-]{16,})").at_word_start().checked(Check::Mixed),
    BuiltIn::new("basic-credentials", &["asic "], r"(?i:basic)\s+(?P<secret>[A-Za-z0-9+/=_-]{8,})").at_word_start().checked(Check::Basic),
    BuiltIn::new("url-password", &["://"], r#"[A-Za-z][A-Za-z0-9+._-]{1,60}://[^\s/?#:@\"'<>]{0,200}:(?P<secret>[^\s/?#\"'<>\\]{1,200})@"#).at_word_start(),
    BuiltIn::new("url-token", &["://"], "[A-Za-z][A-Za-z0-9+._-]{1,60}://(?P<secret>[A-Za-z0-9_.-]{20,200})@").at_word_start().checked(Check::Mixed),
    BuiltIn::new("curl-password", &["curl ", "wget ", "curl\\n", "curl\n"], r#"(?:curl|wget)(?:(?:\s|\\n)[^\n|;]{0,500}?)??[\s"',](?:-[A-Za-z]{0,12}u|--user|--proxy-user|-U)(?:[ =]|\\*["',]{1,4}\s?)?\\*['"]?[^\s:'"\\]{1,100}:(?P<secret>[^\s'"\\]{1,200})"#).argument(),
    BuiltIn::new("user-password", &["lftp ", "http -a", "https -a", "http --auth", "https --auth", "xh -a"], r#"(?:lftp\s[^\n|;]{0,200}?-u|(?:https?|xh)\s(?:-a|--auth))[ =]?\s*\\*['"]?[^\s:,'"\\]{1,100}[:,](?P<secret>[^\s'"\\]{3,200})"#).argument(),
    BuiltIn::new("pgpass-password", &[":5432:"], r#":5432:[^\s:]{1,64}:[^\s:]{1,64}:(?P<secret>[^\s:]{3,200})"#),
    BuiltIn::new("password-hash", &["$2a$", "$2b$", "$2y$", "$argon2", "$6$", "$5$", "$y$", "$apr1$", "{SSHA"], r#"(?:\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{50,60}|\$argon2(?:id|i|d)\$[A-Za-z0-9+/=,$]{20,300}|\$(?:6|5|y)\$[./A-Za-z0-9$=]{20,200}|\$apr1\$[./A-Za-z0-9$]{20,60}|\{SSHA[0-9]{0,3}\}[A-Za-z0-9+/=]{20,200})"#),
    BuiltIn::new("authorization", &["uthorization", "UTHORIZATION"], r#"(?i:authorization)\\*["']?\]?\s{0,4}(?:[:=,]|=>|%3A)\s{0,4}\\*["'`]?(?i:(?:token|apikey|api-key|key|ghost|splunk|sso-key|geniekey|discord|bot|hmac|klaviyo-api-key|digest|negotiate|aws4-hmac-sha256)[ =:]+)?(?P<secret>[^\s"'`\\,;${}<>()]{12,}={0,2})"#).at_word_start().checked(Check::Mixed),
    BuiltIn::new("webhook", &["IncomingWebhook/", "hooks.zapier.com/hooks/catch/", "/with/key/", "discordapp.com/api/webhooks/"], r#"(?:IncomingWebhook/|hooks\.zapier\.com/hooks/catch/[0-9]{1,20}/|/with/key/|discordapp\.com/api/webhooks/[0-9]{10,}/)(?P<secret>[A-Za-z0-9_-]{6,})"#),
    BuiltIn::new("secure-string", &["ecureString "], r#"ecureString\s+(?:-String\s+)?\\*["'](?P<secret>[^"'\s\\$]{3,200})"#).argument(),
    BuiltIn::new("net-user-password", &["net user "], r#"net user\s+[^\s/]{1,100}\s+(?P<secret>[^\s/*][^\s]{2,100})\s*/(?i:add|active|y)"#),
    BuiltIn::new("remote-desktop-password", &["freerdp "], r#"freerdp\s[^\n|;]{0,300}?[/+]p:\\*["']?(?P<secret>[^\s"'\\]{3,200})"#).argument(),
    BuiltIn::new("sshpass", &["sshpass "], r#"sshpass\s+(?:-v\s+)?-p\s*\\*['"]?(?P<secret>[^\s'"\\]{1,200})"#).argument(),
    BuiltIn::new("mysql-password", &["mysql", "mariadb"], r#"(?:mysql|mariadb)[a-z_-]{0,20}[\s"',](?:[^\n|;]{0,200}?[\s"',])?-p\\*['"]?(?P<secret>[^\s'"\\$-][^\s'"\\]{0,200})"#).argument(),
    BuiltIn::new("netrc-password", &["login "], r#"login\s+[^\s\\]{1,100}(?:\s|\\{1,4}n)+\+?\s*password\s+(?P<secret>[^\s\\"']{1,200})"#),
    BuiltIn::new("cookie", &["ookie: "], r#"(?i:(?:set-)?cookie):\s+(?P<secret>[^\s=;]{1,60}=[^\r\n\"'\\]{8,})"#).at_word_start(),
    BuiltIn::new("email", &["@"], r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}").at_word_start().only_with(Choice::Emails),
    BuiltIn::new("home-directory", &["/home/", "Users/", "Users\\"], r#"(?:/home/|Users[/\\]{1,4})(?P<secret>[^/\\\s\"':;,)]{1,64})"#).only_with(Choice::HomeDirectories),
    // Passwords among the arguments of programs.
    BuiltIn::new("redis-password", &["redis-cli", "valkey-cli"], argument!("redis-cli|valkey-cli", "-a", r#"(?:\\*["',\s]){1,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("login-password", &["login ", "twine upload"], r#"(?:login(?:\s+[A-Za-z0-9-]{1,60}[.:/][^\s"'-]{0,100})?|twine upload)(?:(?:\s|\\\r?\n)+--?[a-z-]{1,30}(?:[= ][^\s-]\S{0,100})?)*(?:\s|\\\r?\n)+-p[= ]?\\*["']?(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("mongo-password", &["mongo"], argument!(r"mongo(?:sh|dump|restore|export|import)|mongo\s+-[uh]", "-p", r#"(?:\\*["',=\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("sql-password", &["sqlcmd", "bcp "], argument!("sqlcmd|bcp", "-P", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("mqtt-password", &["mosquitto_"], argument!("mosquitto_(?:pub|sub|rr)", "-P", r#"(?:\\*["',\s]){1,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("ldap-password", &["ldap"], argument!("ldap(?:search|add|modify|delete|whoami|passwd|compare|modrdn|exop)", "-w", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("smb-password", &["smbclient", "rpcclient"], argument!("smbclient|rpcclient", r#"-U(?:\\*["',\s]){0,4}[^\s%"']{1,100}%"#, "")).a_word().argument(),
    BuiltIn::new("archive-password", &["zip ", "unzip "], argument!("(?:un)?zip", "-P", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("archive-password", &["7z ", "7za ", "7zz ", "rar "], argument!("7z[az]?|rar", "-h?p", r#"\\*["']?"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("htpasswd-password", &["htpasswd "], r#"htpasswd\s[^\n|;&]{0,100}?-[A-Za-z0-9]*b[A-Za-z0-9]*\s+(?:-\S{1,20}\s+){0,4}(?:[^\s|;&<>]{1,200}\s+){1,2}\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("rabbitmq-password", &["rabbitmqctl "], r#"rabbitmqctl\s[^\n|;&]{0,100}?(?:add_user|change_password|authenticate_user)\s+[^\s|;&]{1,100}\s+\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("share-password", &["net use "], r#"net use\s+(?:[A-Za-z]:\s+)?\\+[^\s"']{1,200}\s+(?P<secret>[^\s"'/*\\][^\s"'\\]{2,200})"#).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("secret-to-store", &["vault kv ", "secrets set "], r#"(?:vault kv (?:put|patch)(?:\s+-\S{1,100})*\s+[^\s=]{1,200}|secrets set(?:\s+-\S{1,100})*)(?:\s+[A-Za-z0-9_.-]{1,100}=\\*["']?[$<{@][^\s]{0,200})*\s+[A-Za-z0-9_.-]{1,100}=\\*["']?(?P<secret>[^\s"'\\$<{@][^\s"'\\]{2,200}(?:\s+[A-Za-z0-9_.-]{1,100}=[^\s"'\\]{1,200})*)"#),
    BuiltIn::new("secret-to-store", &["create secret "], argument!("create secret", r#"--from-literal[= ]\\*["']?[A-Za-z0-9_.-]{1,100}=\\*["']?"#, "", r#"(?: --from-literal[= ][^\s"'\\]{1,100})*"#)).checked(Check::Chosen),
    BuiltIn::new("secret-to-store", &["gh secret set "], argument!("gh secret set", "(?:--body|-b)", r#"(?:\\*["',=\s]){0,4}"#)).checked(Check::Chosen),
    BuiltIn::new("piped-password", &["echo ", "printf "], r#"(?:echo|printf)[ ](?:-[neE]+[ ])?(?:\\*["']%s(?:\\{1,2}n)?\\*["']\s+)?\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,100})\\*["']?\s*\|\s*[ -%'-:<-{}~]{0,150}?(?:-pass(?:word|wd|phrase)?-?(?:stdin|fd)|-with-token|sudo\s(?:-\S+\s)*-\w*S\b|chpasswd|passwd\s+--stdin|kinit\b|secrets? (?:set|create)|cryptsetup\s)"#).a_word().checked(Check::Chosen),
    BuiltIn::new("openssl-password", &["-pass"], r#"-pass(?:in|out)?\s+\\*["']?pass:(?P<secret>[^\s"'\\]{1,200})"#).argument(),
    BuiltIn::new("quoted-password", &["assw", "ASSW"], r#"(?i:password)(?:\s+|\s*\(\s*)(?i:(?:is|=)\s+)?\\*'\\*'?(?P<secret>[^'\s\\]{3,200})\\*'"#).at_word_start().checked(Check::Chosen),
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
