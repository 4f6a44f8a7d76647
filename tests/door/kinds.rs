//! Kinds of secrets, and the texts that they stand in, as data. Each secret is made at run time: no scanner
//! takes this file for a leak.
//!
//! What stands between two `¦` is the secret; without them all of it is. `{b62:36}` is made of 36 letters and
//! digits; see [`made`].

use crate::corpus::{BASE62, Letters};
use crate::elsewhere::{ELSEWHERE, ELSEWHERE_TYPED};
use crate::forms::SAID;
use crate::typed::TYPED;

/// Tokens of providers: how they begin is what they are.
const TOKENS: &str = "\
github ghp_{b62:36}|github-oauth gho_{b62:36}|github-user ghu_{b62:36}|github-server ghs_{b62:36}|github-refresh ghr_{b62:36}
github-fine github_pat_{b62:22}_{b62:59}|gitlab glpat-{b62:20}|gitlab-deploy gldt-{b62:20}|gitlab-runner glrt-{b62:20}
gitlab-trigger glptt-{hex:40}|gitlab-ci glcbt-64_{b62:20}|gitlab-agent glagent-{b62:50}|gitlab-feed glft-{b62:20}
gitlab-scim glsoat-{b62:20}|gitlab-oauth gloas-{hex:64}|aws-id AKIA{up:16}|aws-session ASIA{up:16}|aws-secret {aws:40}
google-key AIza{b62:35}|google-oauth GOCSPX-{b62:28}|google-access ya29.{b62:60}|azure-key {b64:86}==|slack-bot xoxb-{dig:12}-{dig:12}-{b62:24}
slack-user xoxp-{dig:12}-{dig:12}-{dig:12}-{hex:32}|slack-client xoxc-{dig:12}-{dig:12}-{hex:64}|slack-cookie xoxd-{b62:60}
slack-config xoxe.xoxp-1-{b62:60}|slack-app xapp-1-A{up:10}-{dig:13}-{hex:64}|stripe sk_live_{b62:24}|stripe-test sk_test_{b62:24}
stripe-restricted rk_live_{b62:24}|stripe-webhook whsec_{b62:32}|openai sk-{b62:48}|openai-project sk-proj-{b62:48}
openai-service sk-svcacct-{b62:48}|openrouter sk-or-v1-{hex:64}|anthropic sk-ant-api03-{b62:93}AA|langfuse sk-lf-{uuid}
deepseek sk-{hex:32}|npm npm_{b62:36}|pypi pypi-AgEIcHlwaS5vcmc{b62:70}|rubygems rubygems_{hex:48}|docker dckr_pat_{b62:27}
docker-org dckr_oat_{b62:32}|digitalocean dop_v1_{hex:64}|digitalocean-oauth doo_v1_{hex:64}|sendgrid SG.{b62:22}.{b62:43}
mailgun key-{hex:32}|huggingface hf_{b62:34}|replicate r8_{b62:37}|groq gsk_{b62:52}|xai xai-{b62:80}|nvidia nvapi-{b62:64}
perplexity pplx-{b62:48}|shopify shpat_{hex:32}|shopify-shared shpss_{hex:32}|shopify-custom shpca_{hex:32}|vault hvs.{b62:90}
vault-batch hvb.{b62:130}|postman PMAK-{hex:24}-{hex:34}|linear lin_api_{b62:40}|grafana glsa_{b62:32}_{hex:8}|grafana-cloud glc_{b62:60}
figma figd_{b62:40}|databricks dapi{hex:32}|age AGE-SECRET-KEY-1{up:58}|jwt eyJ{b62:30}.eyJ{b62:60}.{b62:43}|telegram {dig:10}:¦AA{b62:33}¦
twilio SK{hex:32}|atlassian ATATT3xFfGF0{b62:60}|bitbucket ATBB{b62:32}|trello ATTA{hex:64}|newrelic NRAK-{up:27}|sentry-org sntrys_{b62:60}
sentry-user sntryu_{hex:64}|doppler dp.pt.{b62:43}|doppler-service dp.st.dev.{b62:40}|pulumi pul-{hex:40}|terraform-cloud {b62:14}.atlasv1.{b62:67}
netlify nfp_{b62:36}|vercel vcp_{b62:56}|supabase sbp_{hex:40}|planetscale pscale_tkn_{b62:43}|planetscale-pw pscale_pw_{b62:43}
notion ntn_{b62:46}|notion-old secret_{b62:43}|square sq0atp-{b62:22}|square-secret sq0csp-{b62:43}|plaid access-production-{uuid}
hubspot pat-na1-{uuid}|brevo xkeysib-{hex:64}-{b62:16}|circleci CCIPAT_{b62:22}_{hex:40}|buildkite bkua_{hex:40}|tailscale tskey-auth-{b62:17}-{b62:32}
contentful CFPAT-{b62:43}|dynatrace dt0c01.{up:24}.{up:64}|easypost EZAK{b62:54}|langsmith lsv2_pt_{hex:32}_{hex:10}|llamacloud llx-{b62:48}
pinecone pcsk_{b62:6}_{b62:60}|tavily tvly-dev-{b62:32}|firecrawl fc-{hex:32}|e2b e2b_{hex:40}|jina jina_{hex:32}{b62:28}|sonar squ_{hex:40}
sonar-project sqp_{hex:40}|crates cio{b62:32}|nuget oy2{low:43}|posthog phx_{b62:43}|honeycomb hcaik_{low:58}|axiom xaat-{uuid}
onepassword ops_eyJ{b62:250}|readme rdme_{low:70}|resend re_{b62:8}{b62:24}|razorpay rzp_live_{b62:14}|typeform tfp_{b62:44}_{b62:14}
flutterwave FLWSECK-{hex:32}-X|shippo shippo_live_{hex:40}|sourcegraph sgp_{hex:40}|alibaba LTAI{b62:20}|heroku HRKU-{uuid}|prefect pnu_{low:36}
adobe p8e-{low:32}|packagist packagist_uut_{hex:40}|clojars CLOJARS_{hex:60}|vercel-blob vercel_blob_rw_{b62:16}_{b62:30}|supabase-secret sb_secret_{b62:22}_{b62:8}
artifactory AKCp{b62:69}|duffel duffel_live_{b62:43}|frameio fio-u-{b62:64}|workos sk_live_{b62:40}|elevenlabs sk_{hex:48}|bcrypt $2b$12${bc:53}
argon2 $argon2id$v=19$m=65536,t=3,p=4${b62:22}${b62:43}|shadow $6${b62:16}${bc:86}|ssha {SSHA}{b64:38}=";

/// Names that are given secrets: what they are given, and how.
const ASSIGNED: &[&str] = &[
    "DB_PASSWORD=¦{word:12}¦",
    "DB_PASSWORD=¦{pw:32}¦",
    "export PGPASSWORD=¦{pw:24}¦",
    "export PGPASSWORD='¦{pwq:32}¦'",
    "MYSQL_ROOT_PASSWORD=\"¦{pw:32}¦\"",
    "SMTP_PASS=¦{word:9}4¦",
    "MYSQL_PWD=¦{b62:14}¦",
    "SECRET_KEY_BASE=¦{hex:128}¦",
    "DJANGO_SECRET_KEY='¦{pwq:50}¦'",
    "FLASK_SECRET=¦{hex:32}¦",
    "JWT_SECRET=¦{word:24}¦",
    "ENCRYPTION_KEY=¦{hex:64}¦",
    "RAILS_MASTER_KEY=¦{hex:32}¦",
    "OPENAI_KEY=¦{hex:40}¦",
    "DATADOG_API_KEY=¦{hex:32}¦",
    "TWILIO_AUTH_TOKEN=¦{hex:32}¦",
    "REDISCLI_AUTH=¦{hex:24}¦",
    "AUTH_SALT='¦{pwq:64}¦'",
    "RESTIC_PASSWORD=¦{word:16}¦",
    "BORG_PASSPHRASE='¦{word:6} {word:7} {word:5}¦'",
    "MNEMONIC=\"¦{word:6} {word:7} {word:5} {word:6}¦\"",
    "PASSWORD=¦%{pw:20}x¦",
    "PASSWORD=¦{{pw:20}x¦",
    "PASSWORD=¦<{b62:9}9!{pw:10}x¦",
    "PASSWORD=¦your{b62:16}1!¦",
    "PASSWORD=¦{b62:5}(x::y{b62:6}7¦",
    "PASSWORD=$'¦{b62:12}!#7¦'",
    "+ DB_PASSWORD=¦{b62:12}¦",
    "++ export API_TOKEN='¦{pwq:24}¦'",
    "ENV DB_PASSWORD ¦{word:13}¦",
    "ENV DB_PASSWORD=¦{word:13}¦",
    "ARG NPM_TOKEN=¦{b62:30}¦",
    "setenv DB_PASSWORD ¦{word:13}¦",
    "set -x DB_PASSWORD ¦{word:13}¦",
    "setx DB_PASSWORD ¦{word:13}¦",
    "fastcgi_param DB_PASSWORD ¦{word:13}¦;",
    "db_password: ¦{word:12}¦",
    "password: ¦{word:12}¦",
    "password: ¦{b62:14}¦",
    "password: '¦{pwq:32}¦'",
    "password: \"¦{pw:32}¦\"",
    "db:\n  password: >-\n    ¦{pw:24}¦\n  port: 5432",
    "db:\n  password: |\n    ¦{pw:24}¦\n  port: 5432",
    "- name: DB_PASSWORD\n  value: ¦{word:12}¦",
    "- name: DB_PASSWORD\n  value: \"¦{pw:24}¦\"",
    "pass: ¦{b62:12}¦",
    "client_secret = \"¦{b62:40}¦\"",
    "db_password = \"¦{word:14}¦\"",
    "  ~ password = \"¦{b62:12}\" -> \"{b62:12}¦\"",
    "\"db_password\": { \"sensitive\": true, \"type\": \"string\", \"value\": \"¦{word:16}¦\" }",
    "variable \"db_password\" {\n  default = \"¦{word:16}¦\"\n}",
    "{\"password\":\"¦{word:12}¦\"}",
    "{\"password\":\"¦{pw:32}¦\"}",
    "{\"name\":\"DB_PASSWORD\",\"value\":\"¦{word:12}¦\"}",
    "{\"access_token\": \"¦{hex:40}¦\", \"expires_in\": 3600}",
    "{\"auth\": \"¦{b64:30}a1¦\"}",
    "//registry.npmjs.org/:_authToken=¦{uuid}¦",
    "_auth=¦{b64:30}a1¦",
    "<password>¦{word:12}¦</password>",
    "<password>¦{pwx:24}¦</password>",
    "<server><id>ci</id><username>ci</username><password>¦{b62:16}¦</password></server>",
    "<wsse:Password Type=\"x#PasswordText\">¦{b62:16}¦</wsse:Password>",
    "<property name=\"db.password\" value=\"¦{word:12}¦\"/>",
    "<add key=\"ApiKey\" value=\"¦{b62:32}¦\" />",
    "<string name=\"api_key\">¦{b62:32}¦</string>",
    "<entry key=\"password\">¦{word:12}¦</entry>",
    "<key>apiToken</key>\n<string>¦{b62:24}¦</string>",
    "<password><![CDATA[¦{b62:8}!{b62:8}¦]]></password>",
    "Server=db;Database=shop;User Id=sa;Password=¦{ado:32}¦;Encrypt=true",
    "Data Source=db;Initial Catalog=shop;User ID=sa;Pwd=¦{ado:24}¦;",
    "jdbc:sqlserver://db:1433;databaseName=shop;user=sa;password=¦{ado:24}¦;encrypt=true",
    "jdbc:mysql://db:3306/shop?user=app&password=¦{b62:20}¦&useSSL=true",
    "jdbc:oracle:thin:app/x@db password=¦{b62:14}¦",
    "postgresql://app:¦{b62:20}¦@db.example.com:5432/shop",
    "redis://:¦{b62:20}¦@cache:6379/0",
    "mongodb+srv://app:¦{b62:20}¦@cluster0.example.net/shop",
    "amqp://ci:¦{b62:20}¦@mq:5672/",
    "https://oauth2:¦{b62:20}¦@git.example.com/a/b.git",
    "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=¦{b64:86}==¦;EndpointSuffix=core.windows.net",
    "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=¦{b64:43}=¦",
    "https://shop.blob.core.windows.net/c?sv=2024&sig=¦{b62:43}%3D¦",
    "const apiKey = \"¦{b62:32}¦\";",
    "password: str = \"¦{word:12}¦\"",
    "let secret: &str = \"¦{b62:20}¦\";",
    "define('DB_PASSWORD', '¦{word:14}¦');",
    "'password' => '¦{word:14}¦',",
    "os.environ[\"API_TOKEN\"] = \"¦{b62:20}¦\"",
    "spring.datasource.password=¦{word:14}¦",
    "db.password = ¦{word:14}¦",
    "userPassword: ¦{word:12}¦",
    "requirepass ¦{word:14}¦",
    "bindpw ¦{word:14}¦",
    "machine git.example.com\nlogin ci\npassword ¦{b62:14}¦",
    "db.example.com:5432:shop:app:¦{b62:14}¦",
    "X-Api-Key: ¦{hex:32}¦",
    "X-Auth-Token: ¦{word:18}¦",
    "Authorization: Bearer ¦{b62:40}¦",
    "Authorization: Basic ¦{basic}¦",
    "Authorization: token ¦{hex:40}¦",
    "Authorization: Token token=¦{hex:40}¦",
    "Authorization: ApiKey ¦{b62:40}¦",
    "Cookie: session=¦{hex:32}¦",
    "Set-Cookie: sid=¦{b62:32}¦; HttpOnly",
    "GET /login?user=a&password=¦{word:10}¦&x=1",
    "POST /token client_id=a&client_secret=¦{b62:24}¦&grant_type=x",
];

/// Secrets among the words of commands.
const COMMANDS: &[&str] = &[
    "curl -u ci:¦{b62:12}¦ https://ci.example.com",
    "curl -u 'ci:¦{pwq:20}¦' https://ci.example.com",
    "curl -sSu ci:¦{b62:12}¦ https://ci.example.com",
    "curl --user ci:¦{b62:12}¦ https://ci.example.com",
    "curl -sS -X POST --user \"ci:¦{b62:12}¦\" https://ci.example.com",
    "curl -H 'X-Api-Key: ¦{hex:32}¦' https://ci.example.com",
    "curl -H \"Authorization: Bearer ¦{b62:32}¦\" https://ci.example.com",
    "wget --http-password=¦{b62:12}¦ https://ci.example.com/a",
    "wget --user ci --password ¦{word:12}¦ https://ci.example.com/a",
    "lftp -u ci,¦{b62:12}¦ sftp://nas",
    "http -a ci:¦{b62:12}¦ https://ci.example.com",
    "sshpass -p ¦{b62:12}¦ ssh ci@build",
    "sshpass -p '¦{pwq:20}¦' ssh ci@build",
    "mysql -h db -u root -p¦{b62:12}¦ shop",
    "mysql -uroot -p'¦{pwq:16}¦' shop",
    "mysqldump --password=¦{word:12}¦ shop",
    "PGPASSWORD=¦{word:12}¦ psql -h db",
    "psql \"host=db user=app password=¦{b62:14}¦ dbname=shop\"",
    "redis-cli -a ¦{b62:12}¦ PING",
    "redis-cli -h cache -a '¦{pwq:16}¦' PING",
    "mongosh -u root -p ¦{b62:12}¦ --eval 'x'",
    "sqlcmd -S db -U sa -P '¦{pwq:16}¦' -i a.sql",
    "ldapsearch -D cn=admin -w ¦{b62:12}¦ -b dc=x",
    "docker login -u ci -p ¦{b62:12}¦ registry.local",
    "echo ¦{b62:12}¦ | docker login -u ci --password-stdin",
    "az login --service-principal -u x -p ¦{b62:24}¦ --tenant y",
    "aws configure set aws_secret_access_key ¦{b62:40}¦",
    "npm config set //registry.local/:_password ¦{b64:20}¦",
    "kubectl create secret generic x --from-literal=pw=¦{b62:12}¦",
    "vault kv put secret/app value=¦{b62:12}¦",
    "gh secret set DEPLOY --body ¦{b62:12}¦",
    "smbclient //nas/x -U ci%¦{b62:12}¦",
    "zip -P ¦{b62:12}¦ a.zip b",
    "7z x -p¦{b62:12}¦ a.7z",
    "htpasswd -b users ada ¦{b62:12}¦",
    "rabbitmqctl add_user ci ¦{b62:12}¦",
    "openssl rsa -in k -passin pass:¦{b62:12}¦",
    "mosquitto_pub -h mq -u a -P ¦{b62:12}¦ -t x",
    "keytool -list -storepass ¦{word:10}¦",
    "java -Ddb.password=¦{word:12}¦ -jar a.jar",
    "./gradlew publish -Psigning.password=¦{word:12}¦",
    "msbuild /p:Password=¦{b62:12}¦ a.sln",
    "cmdkey /add:x /user:ci /pass:¦{b62:12}¦",
    "net user bob ¦{b62:12}¦ /add",
    "xfreerdp /v:x /u:a /p:¦{b62:12}¦",
    "ConvertTo-SecureString '¦{b62:12}¦' -AsPlainText -Force",
    "plink -pw ¦{b62:12}¦ build",
    "psql -c \"ALTER USER app PASSWORD '¦{b62:12}¦'\"",
    "mysql -e \"CREATE USER ci IDENTIFIED BY '¦{b62:12}¦'\"",
    "docker run -e DB_PASSWORD=¦{word:12}¦ app",
    "helm install x --set db.password=¦{b62:14}¦",
    "flyway -password=¦{word:12}¦ migrate",
    "fly secrets set CODE=¦{b62:12}¦",
    "heroku config:set SECRET_TOKEN=¦{b62:30}¦",
    "ansible-playbook x.yml -e ansible_become_pass=¦{b62:12}¦",
    "terraform apply -var db_password=¦{word:12}¦",
];

/// A kind of secret, with a secret of its own.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    /// How it is written down here.
    pub(crate) written: String,
    pub(crate) text: String,
    /// Of which nothing may be left.
    pub(crate) secret: String,
    pub(crate) command: bool,
}

/// Letters for `{alphabet:length}`.
fn letters(letters: &mut Letters, alphabet: &str, length: usize) -> String {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    let signs = |more: &str| format!("{BASE62}{BASE62}!#$%*+-./:=?@^_~{more}");
    let of = |letters: &mut Letters, alphabet: &str| letters.of(alphabet, length);
    match alphabet {
        "hex" => format!("{}e7", letters.of("0123456789abcdef", length - 2)),
        "up" => format!("{}Q7", letters.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length - 2)),
        "low" => format!("{}q7", letters.of("abcdefghijklmnopqrstuvwxyz0123456789", length - 2)),
        "dig" => of(letters, "123456789"),
        // Of both cases, without a digit.
        "let" => of(letters, &BASE62.replace(|char: char| char.is_ascii_digit(), "")),
        "word" => of(letters, LOWER),
        "b64" => format!("{}a7Q", letters.of(&format!("{BASE62}+/"), length - 3)),
        "aws" => format!("{}+a7Q", letters.of(BASE62, length - 4)),
        "bc" => of(letters, &format!("{BASE62}./")),
        // Signs that end no word without quotation marks.
        "pw" => format!("{}Qa7", letters.of(&signs("()<>[]{}|;,"), length - 3)),
        "ado" => format!("{}Qa7", letters.of(&signs("()<>[]{}|&,"), length - 3)),
        "pwq" => format!("{}Qa7", letters.of(&signs("()<>[]{}|;,& "), length - 3).trim_start()),
        "pwx" => format!("{}Qa7", letters.of(&signs("()[]{}|;,"), length - 3)),
        _ => format!("a7Q{}", letters.of(BASE62, length.saturating_sub(3))).chars().take(length).collect(),
    }
}

/// A template with its letters made.
fn made(template: &str, random: &mut Letters) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let inside = rest[open + 1..].split('}').next().unwrap();
        let filled = match inside.split_once(':') {
            Some((alphabet, length))
                if length.parse::<usize>().is_ok() && alphabet.chars().all(char::is_alphanumeric) =>
            {
                letters(random, alphabet, length.parse().unwrap())
            }
            _ if inside == "uuid" => {
                let hex = letters(random, "hex", 32);
                format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
            }
            _ if inside == "basic" => {
                use base64::Engine;
                let pair = format!("app:{}", letters(random, "b62", 14));
                base64::engine::general_purpose::STANDARD.encode(pair)
            }
            _ => {
                text.push('{');
                rest = &rest[open + 1..];
                continue;
            }
        };
        text.push_str(&filled);
        rest = &rest[open + inside.len() + 2..];
    }
    text + rest
}

/// A kind with a secret of its own.
pub(crate) fn kind(written: &str, command: bool, random: &mut Letters) -> Kind {
    let parts: Vec<String> = written.split('¦').map(|part| made(part, random)).collect();
    let secret = parts.get(1).unwrap_or(&parts[0]).clone();
    Kind { written: written.to_owned(), text: parts.concat(), secret, command }
}

fn marked(
    texts: &'static [&'static str],
    commands: &'static [&'static str],
) -> impl Iterator<Item = (&'static str, bool)> {
    let texts = texts.iter().copied().map(|text| (text, false));
    texts.chain(commands.iter().map(|text| (*text, true)))
}

/// Every kind, each with a secret made from `seed`.
pub(crate) fn kinds(seed: u64) -> Vec<Kind> {
    let mut random = Letters::new(seed);
    let tokens = TOKENS.lines().flat_map(|line| line.split('|')).map(|row| row.split_once(' ').unwrap().1);
    let all = tokens.map(|text| (text, false)).chain(marked(ASSIGNED, COMMANDS));
    all.map(|(text, command)| kind(text, command, &mut random)).collect()
}

/// More forms, each with a secret made from `seed`.
pub(crate) fn forms(seed: u64) -> Vec<Kind> {
    let mut random = Letters::new(seed);
    marked(SAID, TYPED).map(|(text, command)| kind(text, command, &mut random)).collect()
}

/// What other programs, protocols and languages write, each with a secret made from `seed`.
pub(crate) fn elsewhere(seed: u64) -> Vec<Kind> {
    let mut random = Letters::new(seed);
    marked(ELSEWHERE, ELSEWHERE_TYPED).map(|(text, command)| kind(text, command, &mut random)).collect()
}

/// How a text comes to a record: what it is called, and the text around.
pub(crate) type Context = (&'static str, fn(&Kind) -> String);

fn json(text: &str) -> String {
    serde_json::json!({ "command": text, "n": 1 }).to_string()
}

pub(crate) fn contexts() -> Vec<Context> {
    vec![
        ("line", |kind| kind.text.clone()),
        ("json", |kind| json(&kind.text)),
        ("json in json", |kind| json(&json(&kind.text))),
        // As Go, PHP and browsers write it.
        ("json with escapes", |kind| {
            let escaped =
                json(&kind.text).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
            escaped.replace('=', "\\u003d").replace('\'', "\\u0027").replace('/', "\\/")
        }),
        ("script", |kind| match kind.command {
            true => format!("set -e\ncd /srv && {} && make deploy\n", kind.text),
            false => format!("cat > conf <<EOF\n{}\nEOF\nmake deploy\n", kind.text),
        }),
        ("trace", |kind| format!("+ cd /srv\n+ {}\n+ make deploy\n", kind.text)),
        ("log", |kind| {
            format!("2026-11-22T12:00:00Z INFO step 3: {}\n2026-11-22T12:00:01Z INFO done\n", kind.text)
        }),
        ("patch", |kind| format!("@@ -1,2 +1,2 @@\n-old\n+{}\n context\n", kind.text.replace('\n', "\n+"))),
        ("xml", |kind| {
            let text = kind
                .text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;");
            format!("<out>\n{}\n</out>", text.replace('\'', "&apos;"))
        }),
        ("url", |kind| {
            let encoded = |byte: u8| match byte {
                b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            };
            let text: String = kind.text.bytes().map(encoded).collect();
            format!("GET https://ci.example.com/run?ref=main&cmd={text}&x=1 HTTP/1.1")
        }),
    ]
}

/// Whether anything of a secret that could serve anybody is still in a text.
pub(crate) fn is_left(kind: &Kind, text: &str) -> bool {
    // Escapes change signs, never letters. What every token of a kind begins with is no secret.
    let runs = kind.secret.split(|char: char| !char.is_ascii_alphanumeric());
    let mut runs: Vec<&str> = runs.filter(|run| run.len() >= 5 && !kind.written.contains(run)).collect();
    if runs.is_empty() {
        runs.push(&kind.secret);
    }
    runs.iter().any(|run| text.contains(run))
}
