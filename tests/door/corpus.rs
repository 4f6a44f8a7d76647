//! Planted secrets, made at run time so that no scanner takes this repository for a leak.

use base64::Engine;

/// A reproducible source of letters.
pub(crate) struct Letters(u64);

pub(crate) const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Letters {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub(crate) fn of(&mut self, alphabet: &str, length: usize) -> String {
        let letters = alphabet.as_bytes();
        (0..length).map(|_| char::from(letters[self.number() as usize % letters.len()])).collect()
    }
}

/// A secret and the words that it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    pub(crate) kind: &'static str,
    pub(crate) secret: String,
    /// What a person or a tool writes; holds the secret.
    pub(crate) text: String,
}

/// How one kind of secret is made and written: (kind, secret, text with `{}` in its place).
fn kinds(letters: &mut Letters) -> Vec<(&'static str, String, &'static str)> {
    let mut random = |prefix: &str, alphabet: &str, length: usize| {
        // Long random words hold a digit and both cases nearly always; here they do always.
        let filling = if alphabet == BASE62 { "a7Q" } else { "" };
        format!("{prefix}{filling}{}", letters.of(alphabet, length - filling.len()))
    };
    let pem = (0..6).map(|_| random("", BASE62, 64)).collect::<Vec<_>>().join("\n");
    let user_password = format!("app:{}", random("", BASE62, 14));
    let basic = base64::engine::general_purpose::STANDARD.encode(user_password);
    let jwt = [random("eyJ", BASE62, 24), random("eyJ", BASE62, 60), random("", BASE62, 43)].join(".");
    vec![
        ("anthropic-key", random("sk-ant-api03-", BASE62, 80), "{}"),
        ("openai-key", random("sk-proj-", BASE62, 48), "{}"),
        ("openai-legacy-key", random("sk-", BASE62, 48), "key {}"),
        ("github-token", random("ghp_", BASE62, 36), "{}"),
        ("github-fine-grained", random("github_pat_", BASE62, 70), "{}"),
        ("gitlab-token", random("glpat-", BASE62, 20), "{}"),
        ("aws-access-key", random("AKIA", UPPER, 16), "{}"),
        ("aws-secret-key", random("", BASE62, 40), "{}"),
        ("google-api-key", random("AIza", BASE62, 35), "{}"),
        ("slack-token", random("xoxb-123456789012-", BASE62, 24), "{}"),
        ("slack-webhook", random("T0AB12CD3/B0AB12CD3/", BASE62, 24), "https://hooks.slack.com/services/{}"),
        ("stripe-key", random("sk_live_", BASE62, 24), "{}"),
        ("npm-token", random("npm_", BASE62, 36), "//registry.npmjs.org/:_authToken={}"),
        ("pypi-token", random("pypi-AgEIcHlwaS5vcmc", BASE62, 60), "{}"),
        ("sendgrid-key", format!("{}.{}", random("SG.", BASE62, 22), random("", BASE62, 43)), "{}"),
        ("huggingface-token", random("hf_", BASE62, 34), "{}"),
        ("jwt", jwt, "{}"),
        ("bearer-token", random("", HEX, 32), "Authorization: Bearer {}"),
        ("basic-credentials", basic, "Authorization: Basic {}"),
        ("url-password", random("", BASE62, 14), "postgres://app:{}@db.example.com/shop"),
        (
            "private-key",
            format!("-----BEGIN RSA PRIVATE KEY-----\n{pem}\n-----END RSA PRIVATE KEY-----"),
            "{}",
        ),
        ("cut-private-key", format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{pem}"), "{}"),
        ("environment-password", random("", BASE62, 12), "export DB_PASSWORD={}"),
        ("word-password", letters_word(letters), "--password {}"),
        ("environment-secret", hex_of(letters, 32), "DJANGO_SECRET_KEY={}"),
        ("json-token", hex_of(letters, 40), r#"{"access_token": "{}"}"#),
        ("yaml-password", format!("{}7x", letters.of(HEX, 10)), "db_password: {}"),
        ("azure-storage-key", format!("{}==", letters.of(BASE62, 86)), "AccountName=shop;AccountKey={}"),
        ("digitalocean-token", format!("dop_v1_{}", letters.of(HEX, 64)), "{}"),
        ("vault-token", format!("hvs.a7Q{}", letters.of(BASE62, 90)), "{}"),
        ("telegram-token", format!("AAa7Q{}", letters.of(BASE62, 30)), "7123456789:{}"),
        ("session-cookie", letters.of(HEX, 32), "Cookie: session={}"),
        (
            "curl-password",
            format!("p4{}", letters.of(BASE62, 10)),
            "curl -sS -u deploy:{} https://ci.example.com",
        ),
    ]
}

fn letters_word(letters: &mut Letters) -> String {
    letters.of("abcdefghijklmnopqrstuvwxyz", 14)
}

fn hex_of(letters: &mut Letters, length: usize) -> String {
    format!("{}e7", letters.of(HEX, length - 2))
}

/// How text reaches a record: what it is, and the text around.
type Wrapping = (&'static str, fn(&str) -> String);

fn wrappings() -> Vec<Wrapping> {
    vec![
        ("prose", |text| format!("Please use {text} for the deployment.")),
        ("shell", |text| format!("cd /srv && {text} && make deploy")),
        ("patch", |text| format!("--- a/.env\n+++ b/.env\n@@ -1,2 +1,2 @@\n-old\n+{text}\n context\n")),
        ("url query", |text| format!("GET https://ci.example.com/build?ref=main&note={text}&x=1 HTTP/1.1")),
        ("json", |text| serde_json::json!({ "command": text, "n": 1 }).to_string()),
        ("json in json", |text| {
            serde_json::json!([{ "parts": serde_json::json!({ "cmd": text }).to_string() }]).to_string()
        }),
        ("unicode", |text| format!("秘密は「{text}」です — ключ: {text}…")),
        ("terminal", |text| format!("\u{1b}[32m{text}\u{1b}[0m\r\nok\t{text}\n")),
        ("long output", |text| {
            format!("{}\n{text}\n{}", "line of a log\n".repeat(7_000), "more\n".repeat(500))
        }),
    ]
}

/// Every kind in every wrapping, each secret its own.
pub(crate) fn planted(seed: u64) -> Vec<Planted> {
    let mut planted = Vec::new();
    for (index, (wrapping, wrap)) in wrappings().into_iter().enumerate() {
        let mut letters = Letters::new(seed * 100 + index as u64 + 1);
        for (kind, secret, template) in kinds(&mut letters) {
            // Nobody puts a whole key file or a header into a query.
            if wrapping == "url query" && template.contains(' ') | secret.contains('\n') {
                continue;
            }
            let text = wrap(&template.replace("{}", &secret));
            planted.push(Planted { kind, secret, text });
        }
    }
    planted
}

/// What must not be found anywhere: the secret, and pieces of it that are long enough to be its own.
pub(crate) fn needles(secret: &str) -> Vec<String> {
    let mut needles: Vec<String> = secret
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| {
            let middle = line.len() / 2;
            [line.to_owned(), line[middle.saturating_sub(6)..(middle + 6).min(line.len())].to_owned()]
        })
        .collect();
    needles.retain(|needle| needle.len() >= 10);
    needles
}
