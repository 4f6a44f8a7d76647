//! The rules that come with this version, as data. They stand in the binary as they are used, so that a
//! process that redacts one text pays for none but those whose marks it has.
//!
//! The order is that of precedence: where two rules find the same text, the first one names it.

use super::elsewhere;
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

/// The pattern of one word that a command prints, on the line behind it.
macro_rules! shown {
    ($command:literal) => {
        concat!(
            $command,
            r#"\\*["']?(?:\s*(?:;|&&)\s*echo)?(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)){1,2}\+?"#,
            r#"(?P<secret>[!#-%*A-Za-z0-9+:=?@^_][!#-%*-\-:=-Z^_a-z~|/.0-9]{7,200})(?:\r?\n|[\\"&<]|\z)"#
        )
    };
}

#[rustfmt::skip] // A rule a line.
pub(super) static RULES: [BuiltIn; 139] = [
    // A key that was cut has no end: all that could belong to it goes, and a mere mention stays.
    BuiltIn::new("private-key", &["-----BEGIN"], r#"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,.\"'|>→│-]*?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:,.\"'|>→│-]{16,})"#),
    // The same, as base64 of the whole file: kubeconfigs, secrets of Kubernetes, variables of pipelines.
    BuiltIn::new("private-key", &["LS0tLS1CRUdJTiB"], r"LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0EgUFJJVkFURS|FQyBQUklWQVRF|PUEVOU1NIIFBSSVZBVEU|FTkNSWVBURUQg|EU0EgUFJJVkFURS|QR1AgUFJJVkFURS)[A-Za-z0-9+/]{8,}={0,2}(?:(?:\s|\\{1,4}[nr]|[+>|]){1,12}[A-Za-z0-9+/]{60,}={0,2})*(?:(?:\s|\\{1,4}[nr]|[+>|]){1,12}[A-Za-z0-9+/]{2,59}={1,2})?"),
    BuiltIn::new("putty-private-key", &["Private-Lines:"], r"Private-Lines:(?P<secret>(?s:.*?))(?:Private-MAC|\z)"),
    BuiltIn::new("azure-storage-key", &["AccountKey="], "AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,})"),
    BuiltIn::new("azure-signature", &["sig="], "sig=(?P<secret>[A-Za-z0-9%+/=_-]{30,})"),
    BuiltIn::new("slack-webhook", &["hooks.slack.com/"], r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,})"),
    BuiltIn::new("discord-webhook", &["/api/webhooks/"], "/api/webhooks/[0-9]{10,}/(?P<secret>[A-Za-z0-9_-]{20,})"),
    BuiltIn::new("telegram-token", &[":AA"], ":AA[A-Za-z0-9_-]{32,34}"),
    BuiltIn::new("jwt", &["eyJ"], r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    BuiltIn::new("bearer-token", &["earer", "EARER"], r"(?i:bearer)(?:\s|%20|\+)+(?P<secret>[A-Za-z0-9._~+/=-]{16,})").at_word_start().checked(Check::Mixed),
    BuiltIn::new("basic-credentials", &["asic "], r"(?i:basic)\s+(?P<secret>[A-Za-z0-9+/=_-]{8,})").at_word_start().checked(Check::Basic),
    BuiltIn::new("url-password", &["://"], r#"[A-Za-z][A-Za-z0-9+._-]{1,60}://[^\s/?#:@\"'<>]{0,200}:(?P<secret>[^\s/?#\"'<>\\]{1,200})@"#).at_word_start().of_url_login(),
    BuiltIn::new("url-token", &["://"], "[A-Za-z][A-Za-z0-9+._-]{1,60}://(?P<secret>[A-Za-z0-9_.-]{20,200})@").at_word_start().of_url_login().checked(Check::Mixed),
    BuiltIn::new("curl-password", &["curl", "wget"], r#"(?:curl|wget)(?:(?:\s|\\n)[^\n|;]{0,500}?)??[\s"',](?:-[A-Za-z]{0,12}u|--user|--proxy-user|--cert|-U)(?:[ =]|\\*["',]{1,4}\s?)?\\*['"]?[^\s:'"\\]{1,100}:(?P<secret>[^\s'"\\]{1,200})"#).argument(),
    BuiltIn::new("user-password", &["lftp ", "http -a", "https -a", "http --auth", "https --auth", "xh -a"], r#"(?:lftp\s[^\n|;]{0,200}?-u|(?:https?|xh)\s(?:-a|--auth))[ =]?\s*\\*['"]?[^\s:,'"\\]{1,100}[:,](?P<secret>[^\s'"\\]{3,200})"#).argument(),
    BuiltIn::new("pgpass-password", &[":5432:", ":5433:", ":6432:", ":*:"], r#":(?:5432|5433|6432|\*):[^\s:]{1,64}:[^\s:*]{1,64}:(?P<secret>[^\s:*][^\s:]{2,200})"#),
    BuiltIn::new("password-hash", &["$2a$", "$2b$", "$2y$", "$argon2", "$6$", "$5$", "$y$", "$apr1$", "{SSHA"], r#"(?:\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{50,60}|\$argon2(?:id|i|d)\$[A-Za-z0-9+/=,$]{20,300}|\$(?:6|5|y)\$[./A-Za-z0-9$=]{20,200}|\$apr1\$[./A-Za-z0-9$]{20,60}|\{SSHA[0-9]{0,3}\}[A-Za-z0-9+/=]{20,200})"#),
    BuiltIn::new("authorization", &["uthorization", "UTHORIZATION"], r#"(?i:authorization)\\*["']?\]?\s{0,4}(?:[:=,]|=>|%3A)\s{0,4}\\*["'`]?(?i:(?:token|apikey|api-key|key|ghost|splunk|sso-key|geniekey|discord|bot|hmac|klaviyo-api-key|digest|negotiate|aws4-hmac-sha256)[ =:]+)?(?P<secret>[^\s"'`\\,;${}<>()]{12,}={0,2})"#).at_word_start().checked(Check::Mixed),
    BuiltIn::new("webhook", &["IncomingWebhook/", "hooks.zapier.com/hooks/catch/", "/with/key/", "discordapp.com/api/webhooks/"], r#"(?:IncomingWebhook/|hooks\.zapier\.com/hooks/catch/[0-9]{1,20}/|/with/key/|discordapp\.com/api/webhooks/[0-9]{10,}/)(?P<secret>[A-Za-z0-9_-]{6,})"#),
    BuiltIn::new("secure-string", &["ecureString "], r#"ecureString\s+(?:-String\s+)?\\*["'](?P<secret>[^"'\s\\$]{3,200})"#).argument(),
    BuiltIn::new("net-user-password", &["net user "], r#"net user\s+[^\s/]{1,100}\s+(?P<secret>[^\s/*"'\\][^\s"'\\]{5,100})(?:\s*/(?i:add|active|y))?"#).checked(Check::Drawn),
    BuiltIn::new("remote-desktop-password", &["freerdp "], r#"freerdp\s[^\n|;]{0,300}?[/+]p:\\*["']?(?P<secret>[^\s"'\\]{3,200})"#).argument(),
    BuiltIn::new("sshpass", &["sshpass "], r#"sshpass\s+(?:-v\s+)?-p\s*\\*['"]?(?P<secret>[^\s'"\\]{1,200})"#).argument(),
    BuiltIn::new("mysql-password", &["mysql", "mariadb"], r#"(?:mysql|mariadb)[a-z_-]{0,20}\\*[\s"',](?:[^\n|;]{0,200}?[\s"',])?-p\\*['"]?(?P<secret>[^\s'"\\$-][^\s'"\\]{0,200})"#).argument(),
    BuiltIn::new("netrc-password", &["login "], r#"login\s+[^\s\\]{0,100}[^\s\\,;](?:\s|\\{1,4}n)+\+?\s*password\s+(?P<secret>[^\s\\"']{1,200})"#),
    BuiltIn::new("cookie", &["ookie: ", "ookie\"", "ookie\\\""], r#"(?i:(?:set-)?cookie)\\*"?:\s*\\*"?(?P<secret>[^\s=;]{1,60}=[^\r\n\"'\\]{8,})"#).at_word_start(),
    // Headers and cookies as records of a browser have them: objects with a name and a value.
    BuiltIn::new("cookie", &["ookie\"", "ookie\\"], r#"(?i:(?:set-)?cookie)\\*",(?:\s|\\{1,4}[nrt]|\+){0,40}\\*"value\\*"\s?:\s?\\*"(?P<secret>[^\s=;"\\]{1,60}=[^\r\n"\\]{8,})"#).at_word_start(),
    BuiltIn::new("cookie", &["sess", "Sess", "SESS", "sid\"", "sid\\", "SID\"", "SID\\", "auth\"", "auth\\", "_auth", "remember_", "xsrf", "XSRF", "csrf", "CSRF"], r#"(?i:(?:[a-z0-9_.:-]{0,40}(?:sess(?:ion)?(?:[_-]?id)?|sid)|(?:[a-z0-9_.-]{0,40}[_.-])?auth|remember_[a-z_]{1,30}|[a-z0-9_.-]{0,20}[xc]srf[a-z_-]{0,20})(?:[._-][a-z0-9]{1,40})?)\\*",(?:\s|\\{1,4}[nrt]|\+){0,40}\\*"value\\*"\s?:\s?\\*"(?P<secret>[^\s"\\]{16,})"#).at_word_start().of_quoted_name().checked(Check::Mixed),
    BuiltIn::new("authorization", &["uthorization\"", "uthorization\\"], r#"(?i:authorization)\\*",(?:\s|\\{1,4}[nrt]|\+){0,40}\\*"value\\*"\s?:\s?\\*"(?:[A-Za-z0-9-]{1,20} )?(?P<secret>[^\s"\\]{8,})"#).at_word_start().checked(Check::Mixed),
    BuiltIn::new("email", &["@"], r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}").at_word_start().only_with(Choice::Emails),
    BuiltIn::new("home-directory", &["/home/", "Users/", "Users\\"], r#"(?:/home/|Users[/\\]{1,4})(?P<secret>[^/\\\s\"':;,)]{1,64})"#).only_with(Choice::HomeDirectories),
    // Passwords among the arguments of programs.
    BuiltIn::new("redis-password", &["redis-cli", "valkey-cli"], argument!("redis-cli|valkey-cli", "-a", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("login-password", &["login ", "twine upload"], r#"(?:login(?:\s+[A-Za-z0-9-]{1,60}[.:/][^\s"'-]{0,100})?|twine upload)(?:(?:\s|\\\r?\n)+--?[a-z-]{1,30}(?:[= ][^\s-]\S{0,100})?)*(?:\s|\\\r?\n)+-p[= ]?\\*["']?(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("mongo-password", &["mongo"], argument!(r"mongo(?:sh|dump|restore|export|import)|mongo\s+-[uh]", "-p", r#"(?:\\*["',=\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("sql-password", &["sqlcmd", "bcp "], argument!("sqlcmd|bcp", "-P", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("mqtt-password", &["mosquitto_"], argument!("mosquitto_(?:pub|sub|rr)", "-P", r#"(?:\\*["',\s]){1,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("ldap-password", &["ldap"], argument!("ldap(?:search|add|modify|delete|whoami|passwd|compare|modrdn|exop)", "-w", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("smb-password", &["smbclient", "rpcclient"], argument!("smbclient|rpcclient", r#"-U(?:\\*["',\s]){0,4}[^\s%"']{1,100}%"#, "")).a_word().argument(),
    BuiltIn::new("archive-password", &["zip ", "unzip "], argument!("(?:un)?zip", "-P", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("archive-password", &["7z ", "7za ", "7zz ", "rar ", "unrar "], argument!("7z[az]?|(?:un)?rar", "-h?p", r#"\\*["']?"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("htpasswd-password", &["htpasswd "], r#"htpasswd\s[^\n|;&]{0,100}?-[A-Za-z0-9]*b[A-Za-z0-9]*\s+(?:-\S{1,20}\s+){0,4}(?:[^\s|;&<>\\]{1,200}[\t ]+){1,2}\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("rabbitmq-password", &["rabbitmqctl "], r#"rabbitmqctl\s[^\n|;&]{0,100}?(?:add_user|change_password|authenticate_user)\s+[^\s|;&]{1,100}\s+\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("share-password", &["net use "], r#"net use\s+(?:[A-Za-z]:\s+)?\\+[^\s"']{1,200}\s+(?:/user:[^\s"']{1,100}\s+)?\\*["']?(?P<secret>[^\s"'/*\\][^\s"'\\]{2,200})"#).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("secret-to-store", &["vault kv ", "secrets set "], r#"(?:vault kv (?:put|patch)(?:\s+-\S{1,100})*\s+[^\s=]{1,200}|secrets set(?:\s+-\S{1,100})*)(?:\s+[A-Za-z0-9_.-]{1,100}=\\*["']?[$<{@][^\s]{0,200})*\s+[A-Za-z0-9_.-]{1,100}=\\*["']?(?P<secret>[^\s"'\\$<{@][^\s"'\\]{2,200}(?:\s+[A-Za-z0-9_.-]{1,100}=[^\s"'\\]{1,200})*)"#),
    BuiltIn::new("secret-to-store", &["create secret "], argument!("create secret", r#"--from-literal[= ]\\*["']?[A-Za-z0-9_.-]{1,100}=\\*["']?"#, "", r#"(?: --from-literal[= ][^\s"'\\]{1,100})*"#)).checked(Check::Chosen),
    BuiltIn::new("secret-to-store", &["gh secret set "], argument!("gh secret set", "(?:--body|-b)", r#"(?:\\*["',=\s]){0,4}"#)).checked(Check::Chosen),
    BuiltIn::new("piped-password", &["echo ", "printf "], r#"(?:echo|printf)[ ](?:-[neE]+[ ])?(?:\\*["']%s(?:\\{1,4}n|\n)?\\*["']\s+)?\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,100}(?:(?:\\{1,4}n|\n)[^\s"'\\|;&<>]{3,100})?)(?:\\{1,4}n|\n)?\\*["']?\s*\|\s*(?:su\s|[ -%'-:<-{}~]{0,150}?(?:-pass(?:word|wd|phrase)?-?(?:stdin|fd)|-with-token|sudo\s(?:-\S+\s)*-\w*S\b|passwd\b|kinit\b|secrets? (?:set|create|put|versions add)|cryptsetup\s|(?:load|change)-key|keyctl\s|pass insert|env add))"#).a_word().checked(Check::Chosen),
    BuiltIn::new("app-password", &["altool ", "notarytool "], r#"(?:altool|notarytool)\s[^\n|;]{0,300}?\s(?:-p|--password)[ =]\\*["']?(?P<secret>[^\s"'\\$@<|;&-][^\s"'\\]{3,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("backblaze-key", &["K00"], "K00[0-9][A-Za-z0-9+/]{27}").at_word_start().checked(Check::Mixed),
    BuiltIn::new("mail-password", &["]:587", "]:465", "]:25", "]:2525"], r"\]:(?:587|465|2525|25)\s{1,8}[^\s:]{1,100}:(?P<secret>[^\s\\\x22\x27]{3,200})").checked(Check::Chosen),
    BuiltIn::new("openssl-password", &["-pass"], r#"-pass(?:in|out|word)?\s+\\*["']?pass:(?P<secret>[^\s"'\\]{1,200})"#).argument(),
    BuiltIn::new("quoted-password", &["assw", "ASSW"], r#"(?i:assword)(?:\s+|\s*\(\s*)(?i:(?:is|=)\s+)?\\*'\\*'?(?P<secret>[^'\s\\]{3,200})\\*'"#).checked(Check::Chosen),
    BuiltIn::new("stored-password", &["echo ", "printf "], r#"(?:echo|printf)[ ](?:-[neE]+[ ])?\\*["']?(?P<secret>[^\s"'\\|;&<>$=]{6,100})\\*["']?\s*>{1,2}\s*\\*["']?[^\s"'|;&<>]{0,100}(?i:passw|secret|token|credential)"#).a_word().checked(Check::Drawn),
    BuiltIn::new("command-password", &["assw", "ASSW", "assphrase", "_pass"], r#"(?:(?:add|find)-(?:generic|internet)-password\s[^\n|;]{0,300}?-w(?:\\*["',\s]){1,4}|(?:reset|set|change|new|hash)-(?:[a-z]{1,20}-){0,3}password\s+|wpa_passphrase\s+\S{1,64}\s+)\\*["']?(?P<secret>[^\s"'\\$<|;&,-][^\s"'\\]{2,100})"#).at_word_start().checked(Check::Chosen).argument(),
    BuiltIn::new("keychain-password", &["unlock-keychain "], r#"unlock-keychain\s[^\n|;]{0,100}?-p(?:\\*["',\s]){1,4}(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("asked-password", &["assw", "assphrase"], r#"ass(?:word|phrase)[^\n\\;{}]{0,12}\\*["']?\)?\s?\{?(?:\s|\\{1,4}[rn]|[;+]){0,8}(?:[a-z]{1,12}\.)?(?:exp_)?send(?:line|_user)?[\s(]+(?:--\s+)?\\*["'](?P<secret>[^"'\\$\[\s]{3,100})"#).checked(Check::Chosen),
    BuiltIn::new("call-password", &["asicAuth(", "asic_auth(", "auth=(", "redential", ".login(", "getConnection(", "i_connect("], r#"(?:asicAuth|asic_auth|auth=|redential|\.login|getConnection|i_connect)\((?:[^"'()\n]{1,60},\s?)?(?:\\*["'][^"'\n]{0,100}?\\*["'],\s?){1,3}?(?:Some\()?\\*["'](?P<secret>[^"'\\\s]{4,100})\\*["']"#).checked(Check::Chosen),
    BuiltIn::new("rclone-password", &["rclone "], r#"rclone (?:config (?:create|update|password)\s[^\n|;]{0,300}?\s(?:pass|password|secret_access_key|token|client_secret)[ =]|obscure\s)\s{0,3}\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("admin-password", &["mysqladmin "], r#"mysqladmin\s[^\n|;]{0,200}?\spassword\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("openssl-password", &["openssl "], r#"openssl\s+(?:enc|aes[a-z0-9-]{1,20}|des[a-z0-9-]{0,20})\s[^\n|;]{0,200}?-k(?:\\*["',\s]){1,4}(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("openssl-password", &["openssl "], r#"openssl\s+passwd(?:\s+-salt\s+\S{1,40}|\s+-[a-z0-9]{1,10})*\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("vault-password", &["encrypt_string "], r#"encrypt_string\s+(?:--?[a-z-]{1,30}(?:[ =][^\s'"-]\S{0,60})?\s+){0,4}?\\*["'](?P<secret>[^"'\\$]{3,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("secret-to-store", &["keyvault secret set"], r#"keyvault secret set\s[^\n|;]{0,300}?--value[ =]\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("secret-to-store", &["put-parameter "], r#"put-parameter\s(?:[^\n|;]{0,300}?SecureString[^\n|;]{0,300}?--value[ =]\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})|[^\n|;]{0,300}?--value[ =][^\n|;]{3,300}?SecureString)"#).checked(Check::Chosen).argument(),
    BuiltIn::new("secret-to-store", &["secrets set "], r#"secrets set\s+[A-Za-z0-9_.:-]{1,100}\s+\\*["']?(?P<secret>[^\s"'\\$<|;&=-][^\s"'\\=]{2,200})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("redis-password", &["redis-cli", "valkey-cli"], r#"(?:redis|valkey)-cli[^\n|;]{0,200}?\s(?i:auth)\s+(?:[a-z]{1,30}\s+)??\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,100})"#).a_word().checked(Check::Drawn).argument(),
    BuiltIn::new("oracle-password", &["sqlplus ", "expdp ", "impdp ", "sqlldr ", "rman target "], r#"(?:sqlplus|expdp|impdp|sqlldr|rman target)\s+(?:-\S{1,10}\s+){0,4}\\*["']?[^\s"'/@]{1,60}/\\*["']?(?P<secret>[^\s"'\\@$<][^\s"'\\@]{2,100})"#).checked(Check::Chosen),
    BuiltIn::new("oracle-password", &["reateCredential "], r#"reateCredential\s+\S{1,100}\s+\S{1,100}\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("user-password", &["-a "], r#"-a\s+\\*["']?[^\s:"'\\]{1,60}:(?P<secret>[^\s"'\\:/]{3,100})\\*["']?\s+(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|https?:|:[0-9/])"#).a_word().checked(Check::Drawn),
    BuiltIn::new("user-password", &["/rp "], r#"/rp\s+\\*["']?(?P<secret>[^\s"'\\$<|;&/][^\s"'\\]{3,100})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("user-password", &["user "], r#"user\s+[^\s\\]{1,100}\s+using\s+\\*["']?(?P<secret>[^\s"'\\;]{4,100})"#).a_word().checked(Check::Drawn),
    BuiltIn::new("ldap-password", &["ldap"], r#"ldappasswd\s[^\n|;]{0,200}?-[sa](?:\\*["',\s]){0,4}(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("smb-password", &["smbclient"], r#"smbclient\s+[\\/]{2}\S{1,200}\s+\\*["']?(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("key-password", &["ssh-keygen "], r#"ssh-keygen\s[^\n|;]{0,200}?-[NP](?:\\*["',\s]){1,4}(?P<secret>[^\s"'\\$-][^\s"'\\]{2,100}(?:\s+-N\s+[^\s"'\\$-][^\s"'\\]{2,100})?)"#).checked(Check::Chosen),
    BuiltIn::new("user-password", &["-creds"], r#"-creds[ =]\\*["']?[^\s:"']{1,100}:(?P<secret>[^\s"'\\]{3,200})"#).argument(),
    BuiltIn::new("user-password", &["-u ", "-U "], r#"-[uU]\s+\\*["']?[^\s"'\\-][^\s"']{0,80}\\*["']?\s+(?:--?[a-z-]{1,20}(?:[ =][^\s-]\S{0,60})?\s+){0,3}?-[pP]\s?\\*["']?(?P<secret>[^\s"'\\$<|;&,-][^\s"'\\]{3,100})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("user-password", &["usermod ", "useradd "], r#"user(?:mod|add)\s[^\n|;]{0,200}?(?:-p|--password)[ =]\\*["']?(?P<secret>[^\s"'\\$-][^\s"'\\]{3,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("user-password", &["mosquitto_"], r#"mosquitto_passwd\s+(?:-[a-zA-Z]+\s+)*-[a-zA-Z]*b\s+\S{1,200}\s+\S{1,100}\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("user-password", &["http-basic."], r#"http-basic\.\S{1,60}\s+\S{1,100}\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).argument(),
    BuiltIn::new("user-password", &["alias set "], r#"alias set\s+\S{1,100}\s+https?://\S{1,200}\s+\S{1,100}\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("user-password", &["user:password "], r#"user:password\s+\S{1,100}\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("signing-password", &["signtool "], r#"signtool\s+sign\s[^\n|;]{0,300}?/p\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("login-token", &["login "], r#"login\s+(?:--?[a-z-]{1,30}(?:=\S{1,60})?\s+){0,4}(?P<secret>[A-Za-z0-9_-]{20,200})"#).checked(Check::Drawn),
    BuiltIn::new("login-token", &["apikey", "-authtoken ", "auth token "], r#"(?:(?i:setapikey)|[a-z]{2,8}-authtoken|auth token)\s+\\*["']?(?P<secret>[A-Za-z0-9_-]{20,200})"#).at_word_start().checked(Check::Drawn),
    BuiltIn::new("login-token", &["sonar.login"], r#"sonar\.login[ =:]{1,3}\\*["']?(?P<secret>[A-Za-z0-9_]{20,100})"#),
    BuiltIn::new("unseal-key", &[" unseal "], r#" unseal\s+(?:-\S{1,60}\s+){0,3}\\*["']?(?P<secret>[A-Za-z0-9+/]{30,100}={0,2})"#),
    BuiltIn::new("role-secret", &["secret_id"], r#"secret_id\\*["']?\s{0,2}[=:]\s{0,2}\\*["']?(?P<secret>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})"#),
    BuiltIn::new("signature", &["-Signature="], "-Signature=(?P<secret>[0-9a-f]{64,})"),
    // What other programs and protocols take.
    BuiltIn::new("form-secret", &["form-data; name="], r#"form-data; name=\\*["'](?i:[a-z0-9_.\[\]-]{0,60}(?:passw|passphrase|secret|token|api-?_?key|pwd|credential)[a-z0-9_.\[\]-]{0,30})\\*["'](?:\r|\n|\\{1,4}[rn]|\+){2,8}(?P<secret>[^\s"'\\<]{3,200})"#).checked(Check::Chosen),
    BuiltIn::new("snmp-community", &["snmp"], argument!("snmp(?:walk|get|set|bulkwalk|bulkget|getnext|table|trap|inform|status|df|netstat|translate|test|usm)", "-[cAX]", r#"(?:\\*["',\s]){0,4}"#)).a_word().checked(Check::Chosen).argument(),
    BuiltIn::new("wifi-password", &["nmcli "], r#"nmcli\s[^\n|;]{0,300}?\s(?:password|[a-z0-9.-]{0,40}(?:psk|wep-key[0-9]|leap-password))\s+\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,100})"#).checked(Check::Chosen).argument(),
    BuiltIn::new("device-secret", &["assword 0 ", "assword 4 ", "assword 5 ", "assword 6 ", "assword 7 ", "assword 8 ", "assword 9 ", "ecret 0 ", "ecret 4 ", "ecret 5 ", "ecret 6 ", "ecret 7 ", "ecret 8 ", "ecret 9 ", "key 0 ", "key 6 ", "key 7 "], r#"(?:password|secret|key) [0-9]\s+\\*["']?(?P<secret>[^\s"'\\<]{4,200})"#).at_word_start().checked(Check::Drawn),
    BuiltIn::new("device-secret", &["key-string ", "server community ", "pre-shared-key ", "encrypted-password ", "tacacs-server key", "radius-server key", "authentication-key "], r#"(?:key-string|server community|pre-shared-key(?: (?:ascii-text|hexadecimal|local|remote|address \S{1,60} key))?|encrypted-password|(?:tacacs|radius)-server key|authentication-key(?: [0-9]{1,5})?(?: md5)?)(?: [0-9])?\s+\\*["']?(?P<secret>[^\s"'\\<$][^\s"'\\<]{3,200})"#).checked(Check::Chosen),
    BuiltIn::new("user-password", &["--user ", "--user=", "--user\"", "--userp", "--auth ", "--auth=", "-auth ", "-auth=", "--login ", "--login=", "--credential"], r#"(?:--user(?:pass|pwd|-pass)?|--?(?:[a-z]{1,10}-)?auth|--login|--credentials?)(?:[ =]|\\*["',]{1,4}\s?)\\*["']?[^\s:"'\\/=]{1,100}:(?P<secret>[^\s"'\\]{3,200})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("database-key", &["PRAGMA ", "pragma "], r#"(?i:pragma)\s+(?i:key|rekey|hexkey|hexrekey|cipher_key)\s*[=(]\s*\\*["']{1,2}(?:x\\*')?(?P<secret>[^"'\s\\]{3,200})"#).checked(Check::Chosen),
    BuiltIn::new("chat-password", &["ickServ ", "ickserv ", "ICKSERV ", "hanServ ", "hanserv "], r#"(?i:(?:nick|chan)serv) (?i:identify|register|ghost|recover|release|regain|set password)[ ]+(?P<secret>[^\s"'\\]{3,100}(?: [^\s"'\\]{3,100})?)"#).at_word_start().checked(Check::Chosen),
    BuiltIn::new("seed-phrase", &["eed phrase", "ecovery phrase", "ecret phrase", "ackup phrase", "eed words", "nemonic", "NEMONIC", "eed_phrase", "EED_PHRASE", "eedPhrase"], r#"(?i:(?:[a-z_]{0,20}(?:seed|recovery|secret|backup)[ _-]?(?:phrase|words)|[a-z_]{0,20}mnemonic))(?: (?:is|are|was))?[^A-Za-z\n]{1,12}(?P<secret>(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8})"#).at_word_start(),
    BuiltIn::new("login-password", &["ogin is ", "ogins are ", "ogin: ", "ogin as ", "ogin with ", "og in with ", "og in as ", "ign in with ", "ign in as ", "ccount is ", "ugang: ", "ugang ", "ugangsdaten: ", "ugangsdaten ", "ogin for ", "ogins for ", "ogin to ", "dentifiants", "cceso: ", "ccesso: "], r#"(?i:logins?|account|sign in|log in|zugang|zugangsdaten|identifiants|acceso|accesso)(?: (?:for|to|on|zum|zur|für|pour|para|de|per)(?: the)? [^\s:"'\\]{1,40})?(?: is| are| with| as| ?:)\s+\\*["'`]?[^\s"'`/:\\]{2,60}\\*["'`]?(?: / |:| and )\\*["'`]?(?P<secret>[^\s"'`\\]{6,100})"#).at_word_start().checked(Check::Drawn),
    BuiltIn::new("password", elsewhere::WORDS, elsewhere::PATTERN).checked(Check::Drawn),
    BuiltIn::new("sql-user-password", &["IDENTIFIED ", "identified "], r#"(?i:identified\s+(?:with\s+\S{1,60}\s+)?by)\s+(?i:password\s+)?\\*["']\\*'?(?P<secret>[^'"\s\\]{3,200})\\*["']"#).a_word().checked(Check::Chosen),
    BuiltIn::new("sql-user-password", &["IDENTIFIED ", "identified "], r#"(?i:identified\s+(?:with\s+\S{1,60}\s+)?by)\s+(?P<secret>[^'"\s\\;,()<$&:]{3,100})"#).a_word().checked(Check::Drawn),
    BuiltIn::new("sql-user-password", &["CREATE USER ", "ALTER USER ", "create user ", "alter user ", "CONNECT TO ", "connect to ", "CREATE ROLE ", "ALTER ROLE "], r#"(?i:(?:create|alter) (?:user|role)(?: if (?:not )?exists)?|connect to)\s+[^\s;]{1,100}\s+(?i:identified\s+by)\s+(?P<secret>[^'"\s\\;,()<$&:]{3,100})"#).checked(Check::Chosen),
    BuiltIn::new("sql-user-password", &["PASSWORD $", "password $", "BY $$", "by $$"], r#"(?i:password|by) \$[a-z_]{0,20}\$(?P<secret>[^$\s\\]{3,200})\$"#).checked(Check::Chosen),
    // What protocols say to log in.
    BuiltIn::new("login-password", &["LOGIN "], r#"LOGIN\s+\\*["']?[^\s"'\\]{1,100}\\*["']?\s+\\*["']?(?P<secret>[^\s"'\\<]{3,100})"#).a_word().checked(Check::Drawn),
    BuiltIn::new("login-password", &["USER "], r#"USER\s+[^\s\\]{1,100}(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){1,2}(?:[^\n\\]{1,100}(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){1,2}){0,2}?(?:[A-Za-z0-9<>:-]{1,12} )?PASS\s+(?P<secret>[^\s"'\\<]{3,100})"#).a_word().checked(Check::Chosen),
    BuiltIn::new("login-password", &["PASS "], r#"PASS\s+:?(?P<secret>[^\s"'\\<:/]{0,60}[!#$%^*+=?@~&][^\s"'\\</]{0,60})"#).a_word().checked(Check::Drawn),
    BuiltIn::new("login-password", &["AUTHINFO ", "authinfo "], r#"(?i:authinfo pass)\s+(?P<secret>[^\s"'\\<]{3,100})"#).checked(Check::Chosen),
    BuiltIn::new("login-password", &["OPER "], r#"OPER\s+[^\s\\]{1,60}\s+(?P<secret>[^\s"'\\<]{3,100})"#).a_word().checked(Check::Drawn),
    BuiltIn::new("login-token", &["oauth:"], r#"oauth:(?P<secret>[a-z0-9]{24,60})"#).a_word().checked(Check::Mixed),
    BuiltIn::new("basic-credentials", &["AUTH ", "AUTHENTICATE "], r#"AUTH(?:ENTICATE)?\s+\\*"?(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|SCRAM-SHA-(?:1|256)|CRAM-MD5|DIGEST-MD5)\\*"?\s+\\*"?(?P<secret>[A-Za-z0-9+/]{12,1000}={0,2})"#).a_word().checked(Check::Mixed),
    BuiltIn::new("basic-credentials", &["UGFzc3dvcmQ6"], r#"UGFzc3dvcmQ6(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){1,2}(?:[A-Za-z]{1,8}: ?)?(?P<secret>[A-Za-z0-9+/]{4,200}={0,2})"#),
    BuiltIn::new("redis-password", &["AUTH ", "AUTH\r\n$", "AUTH\\"], r#"AUTH(?:\s+(?:\\*["']?[a-z][a-z0-9_-]{0,30}\\*["']?\s+)?|(?:\r\n|\\{1,4}r\\{1,4}n)(?:\$[0-9]{1,4}(?:\r\n|\\{1,4}r\\{1,4}n)[a-z][a-z0-9_-]{0,30}(?:\r\n|\\{1,4}r\\{1,4}n))?\$[0-9]{1,4}(?:\r\n|\\{1,4}r\\{1,4}n))\\*["']?(?P<secret>[^\s"'\\<;|]{3,200})"#).a_word().checked(Check::Drawn),
    // As `MONITOR` shows what others send, each word in quotation marks.
    BuiltIn::new("redis-password", &["] \"AUTH", "] \"auth", "] \"HELLO", "] \"hello", "] \"CONFIG", "] \"config", "] \\"], r#"\] \\*"(?i:auth|hello\\*" \\*"[23]\\*" \\*"auth|config\\*" \\*"set\\*" \\*"(?:requirepass|masterauth))\\*"(?: \\*"[^\s"\\]{1,60}\\*")? \\*"(?P<secret>(?:[^"\s\\]|\\[^"\s\\]){3,200})\\*""#),
    BuiltIn::new("redis-password", &["AUTH\"", "auth\"", "\"requirepass", "\"masterauth"], r#"(?i:auth|requirepass|masterauth)\\*" (?:\\*"[^\s"\\]{1,60}\\*" )?\\*"(?P<secret>[^\s"\\]{3,200})\\*""#).at_word_start().checked(Check::Drawn),
    BuiltIn::new("redis-password", &["SETUSER ", "setuser ", "user "], r#"(?:(?i:setuser)\s+|user\s+)[^\s\\]{1,100}\s+(?:(?:on|off|reset|resetpass|resetkeys|nopass|allkeys|allcommands|allchannels|[~%+&@(-]\S{0,60})\s+){1,8}?\\*["']?[><](?P<secret>[^\s"'\\]{3,200})"#).a_word().checked(Check::Chosen),
    BuiltIn::new("ftp-password", &["open ", "ftp -"], r#"(?:open\s+[^\s\\]{1,200}(?:\s[0-9]{1,5})?|ftp\s[^\n\\]{0,200}?)(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){1,3}(?:quote )?(?i:user)\s+[^\s\\]{1,100}\s+\\*["']?(?P<secret>[^\s"'\\]{3,100})(?:[ \t]{0,4}[\r\n"'\\<]|\z)"#).a_word().checked(Check::Chosen),
    BuiltIn::new("ftp-password", &["open -u"], r#"open\s+-u\s{0,2}\\*["']?[^\s,"'\\]{1,100},(?P<secret>[^\s"'\\]{3,100})"#).a_word().checked(Check::Chosen).argument(),
    // What is a secret by where it goes.
    BuiltIn::new("secret-to-store", &["--from-literal"], r#"--from-literal(?:[= ]|\\*["',]{1,4}\s?)\\*["']?(?P<secret>[^\s"'\\$<{@=][^\s"'\\=]{3,200}={0,2})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("secret-to-store", &["_config/admins/", "/password", "/passwd", "/passphrase", "/secret"], r#"(?:_config/admins/|/(?:password|passwd|passphrase|secret))[^\s"'\\]{0,100}\\*["']?(?:[ -%'-:<-{}~]{0,200}?\s)?(?:-d|--data(?:-raw|-binary|-ascii)?|--json)(?:[ =]|\\*["',]{1,4}\s?)\\*["']?\\*["']?(?P<secret>[^\s"'\\{\[<@$&=][^\s"'\\&=]{3,200})(?:[\s"'\\<&]|\z)"#).checked(Check::Chosen),
    BuiltIn::new("piped-password", &["(echo ", "{ echo ", "(printf ", "{ printf "], r#"[({]\s?(?:echo|printf)[ ]\\*["']?(?P<secret>[^\s"'\\|;&<>]{3,100}(?:\\{1,4}n)?\\*["']?\s?;\s?(?:echo|printf)[ ]\\*["']?[^\s"'\\|;&<>)}]{3,100})[^|\n]{0,20}\|\s*(?:[ -%'-:<-{}~]{0,150}?(?:-pass(?:word|wd|phrase)?-?(?:stdin|fd)|passwd\b|kinit\b|cryptsetup\s|(?:load|change)-key|sudo\s))"#).checked(Check::Chosen),
    BuiltIn::new("user-password", &["ctl "], r#"ctl\s+(?:-{1,2}[a-z][a-z-]{0,20}(?:[ =][^\s-]\S{0,60})?\s+){0,3}(?:register|(?:add|create)[_-]?user|user[_ -](?:add|create)|adduser|(?:change|set|reset)[_-]?password)\s+[^\s|;&-][^\s|;&]{0,100}(?:\s+[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5})?\s+\\*["']?(?P<secret>[^\s"'\\|;&<>$-][^\s"'\\|;&<>]{3,100})"#).checked(Check::Drawn).argument(),
    BuiltIn::new("url-password", &["--uri", "--url", "--dsn", "--connect", "--database"], r#"--(?:uri|url|dsn|connection|connect|database)(?:[ =]|\\*["',]{1,4}\s?)\\*["']?[A-Za-z0-9_.-]{1,60}:(?P<secret>[^\s:@/"'\\]{3,100})@[A-Za-z0-9_.-]{1,100}"#).checked(Check::Chosen),
    BuiltIn::new("file-password", &["--encrypt "], r#"--encrypt\s+(?P<secret>[^\s"'\\|;&<>$-][^\s|;&<>]{2,100}\s+[^\s|;&<>-][^\s|;&<>]{2,100})\s+(?:40|128|256)\b"#),
    BuiltIn::new("root-password", &["rootpw --"], r#"rootpw\s+(?:--[a-z]{1,20}\s+){1,3}(?P<secret>[^\s"'\\-][^\s"'\\]{3,100})"#).checked(Check::Chosen),
    // Files in which logins stand beside their passwords.
    BuiltIn::new("login-password", &["chpasswd:"], r#"chpasswd:(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){1,2}(?:[a-z_]{1,20}: ?[A-Za-z]{1,10}(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*)){0,3}(?:list|users): ?\|?[+-]?(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*)(?P<secret>[a-z_][a-z0-9_-]*:[^\s:\\]{3,}(?:(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*)[a-z_][a-z0-9_-]*:[^\s:\\]{3,})*)"#),
    BuiltIn::new("login-password", &["* \"", "* \\"], r#"\*[ \t]{1,8}\\*"(?P<secret>[^"\\\s]{4,100})\\*"[ \t]{1,8}\*"#).checked(Check::Drawn),
    BuiltIn::new("pre-shared-key", &[": EAP ", ": XAUTH ", ": PSK ", ": NTLM "], r#": (?:EAP|XAUTH|PSK|NTLM)\s{1,4}\\*["'](?P<secret>[^"'\\\s]{3,200})\\*["']"#).checked(Check::Chosen),
    BuiltIn::new("login-password", &["[users]"], r#"\[users\](?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){1,2}(?:#[^\n\\]{0,100}(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*)){0,4}[A-Za-z0-9_.@-]{1,60}\s?=\s?(?P<secret>[^\s"'\\,]{4,100})"#).checked(Check::Drawn),
    BuiltIn::new("recovery-codes", &["ackup code", "ecovery code", "cratch code"], r#"(?i:backup|recovery|scratch) codes?\\*["'`]?\s{0,2}(?:are|is)?[:=]?(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*){0,2}\s{0,3}\[?\\*["'`]?(?P<secret>[A-Za-z0-9]{4,12}(?:(?:-|\\*["'`]?(?:[ ,]{1,2}|(?:[ \t]*(?:\r?\n|\\{1,4}r?\\{0,4}n)[+ \t]*))\\*["'`]?)[A-Za-z0-9]{4,12}){0,40})"#).at_word_start().checked(Check::Mixed),
    // Said in a sentence that goes on: `my recovery codes …, the first are b7a8b-12ae0 and …`.
    BuiltIn::new("recovery-codes", &["ackup code", "ackup-code", "ackup-Code", "ecovery code", "cratch code", "tellungscode", "odes de secours", "odes de récup"], r#"(?i:backup|recovery|scratch|wiederherstellungs|codes de)[ -]?(?i:codes?|secours|récupération)[^\n\\]{0,160}?(?:[:=(]|\b(?:are|is|were|was|like|code|codes|one|use|used|try|sind|ist|sont|est|with|and))\s{1,2}\\*["'`]?(?P<secret>(?:[0-9]{1,7}[a-z][0-9a-z]{0,7}-[a-z0-9]{4,10}|[a-z]{1,7}[0-9][0-9a-z]{0,7}-[a-z0-9]{4,10}|[0-9a-f]{4,8}-(?:[0-9]{1,7}[a-z]|[a-z]{1,7}[0-9])[0-9a-z]{0,8})(?:\\*["'`]?(?:,? ?(?:and|und|et|or|then)|[,;/])? \\*["'`]?[a-z0-9]{4,10}-[a-z0-9]{4,10}){0,20})"#).at_word_start(),
    BuiltIn::new("password", elsewhere::WORDS, elsewhere::QUOTED).checked(Check::Mixed),
    // A login and what opens it, said in one breath.
    BuiltIn::new("login-password", &["ogin ", "ogin: ", "ser ", "ser: ", "sername ", "sername: ", "ccount ", "ccount: ", "mail ", "mail: ", "ser=", "ogin="], r#"(?i:login|user(?:name)?|account|e?-?mail)(?: is)?\s?[:=]?\s{0,2}\\*["'`]?[^\s"'`,;/|\\]{1,80}\\*["'`]?(?:\s?[,;/|+]|\s(?:and|with|und|mit|et|y|e))?(?:\s|\\{1,4}[rn]|\+){1,6}(?:(?:the|a|its|his|her) )?(?i:pass|pw|pwd|psw|mdp|pword|passwd|pass ?word|passwort|code)\s?[:=]?\s{0,2}\\*["'`]?(?P<secret>[^\s"'`\\,;]{4,100})"#).at_word_start().checked(Check::Drawn),
    // In a remark behind a command.
    BuiltIn::new("password", &["# pw ", "# pass ", "# pwd ", "// pw ", "// pass ", "-- pw ", "-- pass ", "(pw ", "(pass "], r#"(?:#|//|--|\() ?(?:pw|pass|pwd)\s{1,3}(?:is )?\\*["'`]?(?P<secret>[^\s"'`\\)]{6,100})"#).checked(Check::Drawn),
    // Short words for one, which nothing but a colon tells from others.
    BuiltIn::new("password", &["ww: ", "WW: ", "Ww: ", "mk: ", "Mk: ", "MK: "], r#"(?:ww|WW|Ww|mk|Mk|MK): {1,3}\\*["'`]?(?P<secret>[^\s"'`\\,;<>]{6,100})"#).a_word().checked(Check::Drawn),
    // The content of a file or a store that is named like a secret: one word on the line behind the command
    // that shows it.
    BuiltIn::new("shown-secret", &["cat ", "type ", "Get-Content "], shown!(r#"(?:cat|type|Get-Content)\s+(?:-[A-Za-z]{1,8}\s+)?\\*["']?[^\s"'|;&<>\\]{0,150}?(?:\b(?:master|production|staging|development|secret|api|private)\.key|(?i:passw(?:or)?d|passphrase|vault[_-]?pass|secret|[_-]token|/token|api[_-]?key)[A-Za-z0-9_-]{0,20}(?:\.txt|\.key|\.secret)?)"#)).a_word().checked(Check::Mixed),
    BuiltIn::new("shown-secret", &["echo $", "echo \"$", "echo \\", "echo ${", "printenv "], shown!(r"(?:echo|printenv)\s+\\*[\x22']?\$?\{?(?:[A-Z0-9]{1,20}_){0,4}(?:[A-Z]{0,8}PASSWORD|[A-Z]{0,8}PASS|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|[A-Z]{1,20}_KEY|[A-Z]{1,20}_PWD)\}?")).a_word().checked(Check::Mixed),
    BuiltIn::new("shown-secret", &["pass show ", "gopass show ", "op read ", "get password ", "find-generic-password ", "find-internet-password "], shown!(r"(?:(?:go)?pass show|op read|get password|find-(?:generic|internet)-password)\s(?:[^\n\\]|\\{1,4}[\x22']){1,100}?")).a_word().checked(Check::Mixed),
    BuiltIn::new("shown-secret", &["terraform output ", "tofu output ", "get-secret-value ", "get secret", "versions access ", "secret show ", "config:get ", "kv get "], shown!(r"(?:(?:terraform|tofu) output|get-secret-value|get secrets?(?:/[a-z0-9.-]{1,60})?|versions access|secret show|config:get|kv get)\s(?:[^\n\\]|\\{1,4}[\x22']){0,100}?(?i:passw|secret|token|_key|base64 -[dD]|--decode)(?:[^\n\\]|\\{1,4}[\x22']){0,60}?")).a_word().checked(Check::Mixed),
    BuiltIn::new("secret-to-store", &["encrypt_string "], r#"encrypt_string\s+(?:--?[a-z-]{1,20}(?:[= ][^\s-]\S{0,60})?\s+){0,3}\\*["']?(?P<secret>[^\s"'\\$<|;&-][^\s"'\\]{2,200})"#).checked(Check::Chosen).argument(),
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
