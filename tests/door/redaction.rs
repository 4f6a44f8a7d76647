//! What must never be stored, and what must be stored as it is.

use std::borrow::Cow;
use std::path::Path;

use skillspan::redact::{Key, Options, Redactor, RuleSpec};

use crate::corpus::{BASE62, Letters, needles, planted};

fn redactor() -> Redactor {
    Redactor::new(&Options::default(), Key::new(&[7; 32]).unwrap()).unwrap()
}

#[test]
fn every_kind_of_secret_leaves_every_kind_of_text() {
    let redactor = redactor();
    let mut missed = Vec::new();
    let planted = planted(1);
    assert!(planted.len() >= 200, "{}", planted.len());
    for secret in &planted {
        let redacted = redactor.redact(&secret.text);
        if needles(&secret.secret).iter().any(|needle| redacted.contains(needle.as_str())) {
            let text: String = redacted.chars().filter(|char| *char != '\n').take(300).collect();
            missed.push(format!("{}: {} in {text}", secret.kind, secret.secret));
        }
        assert!(redactor.finds(&secret.text), "{}", secret.kind);
        assert_eq!(redactor.redact(&redacted), redacted, "twice is once: {}", secret.kind);
    }
    assert!(missed.is_empty(), "{} of {} missed:\n{}", missed.len(), planted.len(), missed.join("\n"));
}

#[test]
fn equal_secrets_stay_equal_and_show_nothing_else() {
    let redactor = redactor();
    let secret = format!("ghp_{}", Letters::new(5).of(BASE62, 36));
    let other = format!("ghp_{}", Letters::new(6).of(BASE62, 36));
    let redacted = redactor.redact(&format!("{secret} {other} {secret}")).into_owned();
    let words: Vec<&str> = redacted.split(' ').collect();
    assert_eq!(words[0], words[2]);
    assert_ne!(words[0], words[1]);
    assert!(words[0].starts_with("[redacted:github-token:") && words[0].len() == 30, "{redacted}");
    let elsewhere = Redactor::built_in().unwrap().redact(&secret).into_owned();
    assert_ne!(elsewhere, words[0], "another key, another placeholder");
    assert_eq!(format!("{:?}", Key::new(&[7; 32]).unwrap()), "Key([redacted])");
}

#[test]
fn the_key_is_made_once_and_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redaction.key");
    let redact = || {
        let key = Key::from_file(&path).unwrap();
        Redactor::new(&Options::default(), key).unwrap().redact("--password swordfish").into_owned()
    };
    assert_eq!(redact(), redact());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&path, "short").unwrap();
    assert!(Key::from_file(&path).is_err(), "a key that was cut is no key");
}

#[test]
fn names_the_rule_and_keeps_what_stands_around() {
    let redactor = redactor();
    for (text, rule) in [
        ("curl -H 'Authorization: Bearer |abcdefghijklmnop1234|' https://x", "bearer-token"),
        ("postgres://app:|hunter2hunter|@db/x", "url-password"),
        ("redis://:|p@ss@word|@cache:6379", "url-password"),
        ("authorization: basic |dXNlcjpwYXNzd29yZA==|", "basic-credentials"),
        ("PGPASSWORD=|swordfish| psql -h db", "assigned-secret"),
        ("docker login -u x --password=|swordfish| r.io", "assigned-secret"),
        ("[\"--token\", \"|abc123def456|\"]", "assigned-secret"),
        ("{\"name\":\"DB_PASSWORD\",\"value\":\"|swordfish|\"}", "assigned-secret"),
        ("- name: API_KEY\n  value: |k9k9k9k9k9|\n", "assigned-secret"),
        ("{\\\"password\\\": \\\"|hunter2|\\\"}", "assigned-secret"),
        ("const apiKey = \"|a1b2c3d4e5f6|\";", "assigned-secret"),
        ("password: |hunter22|", "assigned-secret"),
        ("host=db user=app password=|swordfish| dbname=x", "assigned-secret"),
        ("GET /login?user=a&password=|swordfish|&x=1", "assigned-secret"),
        ("x-api-key: |9f8e7d6c5b4a3f2e1d0c|", "assigned-secret"),
        ("machine git.example.com login bob password |swordfish|", "netrc-password"),
        ("mysql -h db -u root -p|swordfish| shop", "mysql-password"),
    ] {
        let parts: Vec<&str> = text.split('|').collect();
        let redacted = redactor.redact(&text.replace('|', "")).into_owned();
        let expected = format!("{}[redacted:{rule}:", parts[0]);
        assert!(redacted.starts_with(&expected) && redacted.ends_with(parts[2]), "{text} gave {redacted}");
        assert!(!redacted.contains(parts[1]), "{text} gave {redacted}");
    }
}

#[test]
fn passwords_leave_the_arguments_of_programs() {
    let redactor = redactor();
    // What stands between two ¦ is the secret.
    for text in [
        "./tool sync --pw ¦Rosebud1941¦",
        "./tool sync --pass ¦Rosebud1941¦",
        "./tool sync --pass=¦Rosebud1941¦ --wait",
        "./tool unlock --pin ¦493817¦",
        "plink -pw ¦Rosebud1941¦ build.local",
        "keytool -list -keystore app.jks -storepass ¦changeit77¦",
        "kubectl create secret generic crm --from-literal=pw=¦Rosebud1941¦ -n dev",
        "kubectl create secret generic crm --from-literal=a=$A --from-literal=code=¦Rosebud1941¦",
        "aws configure set aws_secret_access_key ¦q7Rk2mPz9XvT4wLc8JnB¦",
        "npm config set //registry.local/:_password ¦Um9zZWJ1ZDE5NDE=¦",
        "git config --global acme.token ¦Rosebud1941¦",
        "redis-cli -a ¦Sommer2026¦ -n 2 FLUSHDB",
        "redis-cli -h cache -a '¦Sommer2026¦' PING",
        r#"["redis-cli","-a","¦Sommer2026¦","PING"]"#,
        r#"{"command":"redis-cli -a \"¦Sommer2026¦\" PING"}"#,
        "docker login -u ci -p ¦hunter2-Blue¦ registry.local",
        "docker login -u ci \\\n  -p ¦hunter2-Blue¦ registry.local",
        "helm registry login -u ci -p¦hunter2-Blue¦ registry.local",
        "az login --service-principal -u crm -p ¦Rosebud1941¦ --tenant acme",
        "twine upload -u ci -p ¦Rosebud1941¦ dist/*",
        "mongosh -u root -p ¦Rosebud1941¦ --eval 'rs.initiate()'",
        "mysqladmin -uroot -p¦Sommer2026¦ create shop",
        "mariadb-dump -uroot -p¦Sommer2026¦ shop",
        "sqlcmd -S crm -U sa -P ¦Rosebud1941¦ -i sync.sql",
        "ldapsearch -D cn=admin -w ¦Rosebud1941¦ -b dc=acme",
        "smbclient //nas/build -U ci%¦Rosebud1941¦",
        "zip -P ¦Rosebud1941¦ out.zip c.pem",
        "unzip -P ¦Rosebud1941¦ out.zip",
        "7z x -p¦Rosebud1941¦ a.7z",
        "htpasswd -b users.txt ada ¦Rosebud1941¦",
        "htpasswd -nbB ada ¦Rosebud1941¦ > users.txt",
        "rabbitmqctl add_user ci ¦Rosebud1941¦",
        r"net use Z: \\nas\build ¦Rosebud1941¦ /user:ci",
        "vault kv put secret/app value=¦hunter2-Blue¦",
        "vault kv put -mount=secret app user=$USER value=¦hunter2-Blue¦",
        "fly secrets set CODE=¦hunter2-Blue¦",
        "gh secret set DEPLOY --body ¦Tr0ub4dor-9¦",
        "gh secret set DEPLOY -b\"¦Tr0ub4dor-9¦\"",
        "echo ¦Sommer2026¦ | docker login --username ci --password-stdin registry.local",
        "printf '%s' '¦Sommer2026¦' | sudo -S apt-get update",
        "echo \"¦app:Sommer2026¦\" | chpasswd",
        "echo -n ¦Sommer2026¦ | gh secret set DEPLOY",
        "openssl pkcs12 -in c.p12 -passin pass:¦Rosebud1941¦ -nodes",
        "psql -d app -c \"ALTER USER app PASSWORD '¦Rosebud1941¦'\"",
        "mysql -e \"CREATE USER ci IDENTIFIED WITH x BY '¦Rosebud1941¦'\"",
    ] {
        let parts: Vec<&str> = text.split('¦').collect();
        let redacted = redactor.redact(&text.replace('¦', "")).into_owned();
        let kept = redacted.starts_with(&format!("{}[redacted:", parts[0])) && redacted.ends_with(parts[2]);
        assert!(kept && !redacted.contains(parts[1]), "{text} gave {redacted}");
        assert_eq!(redactor.redact(&redacted), redacted, "twice is once");
    }
}

#[test]
fn other_arguments_of_the_same_look_stay() {
    let redactor = redactor();
    for text in [
        "mkdir -p build/out && docker run -p 8080:80 --name web nginx",
        "docker login registry.local && docker run -p 8080:80 web",
        "docker run -d --name mongo -p 27017:27017 mongo:7",
        "docker exec mongo mkdir -p /data/seed && mongosh --port 27017 -u app -p",
        "ssh -p 2222 build.local && scp -P 2222 a.tgz build.local: && grep -w redis-cli notes.txt",
        "redis-cli -a $REDIS_PASSWORD PING; redis-cli -a \"${REDIS_PASSWORD}\" PING",
        "{\"command\":\"redis-cli PING\\nls -a build\"}",
        "sqlcmd -S crm -P \"$SA_PASSWORD\" && mysql -u root -p shop",
        "zip -r out.zip src && gzip -9 a.tar && 7z x -y -p a.7z",
        "echo done | tee log.txt && echo $TOKEN | docker login --password-stdin",
        "echo redis | grep redis-cli; echo hello | npx prettier --stdin-filepath a.ts",
        "cargo test --pass-through 12345 && npx jest --passWithNoTests && flash --pin 13",
        "kubectl create secret generic crm --from-literal=a=$A --from-file=b=b.txt -n dev",
        "kubectl create configmap web --from-literal=LOG_LEVEL=debug",
        "vault kv put secret/app @app.json; vault kv get secret/app; vault kv put secret/app a=$A",
        "gh secret set DEPLOY < deploy.txt; gh auth login -p https; gh secret set DEPLOY --body \"$T\"",
        "the password 'must have' eight letters; ALTER TABLE users ADD COLUMN password text",
        "git config user.name bot && npm config set fund false && aws configure set region eu-west-1",
        "rabbitmqctl list_users && htpasswd users.txt ada && net use Z: /delete",
        "PASSWORD '<password>' IDENTIFIED BY '${PASSWORD}' openssl -passin pass:$PASS -passin env:PASS",
    ] {
        assert!(matches!(redactor.redact(text), Cow::Borrowed(_)), "{text} gave {}", redactor.redact(text));
    }
}

#[test]
fn leaves_ordinary_text_alone() {
    let redactor = redactor();
    for text in [
        "make db-up && make test-integration",
        "commit 4f2c1aa0d3b5e6f7a8b9c0d1e2f3a4b5c6d7e8f9",
        "git clone https://git.example.com/acme/shop-api",
        "task-sk-learn-0123456789abcdef and risk-assessment-0123456789abcdef",
        "the bearer of this letter, a basic understanding",
        "http://127.0.0.1:4318/v1/traces and user@example.com",
        "let token = parser.next_token()?; password: string; token: Token,",
        "f(password=password, token=self.token, api_key=os.environ['API_KEY'])",
        "max_tokens=4096 input_tokens: 123 \"total_tokens\": 17",
        "TOKEN=$GITHUB_TOKEN PASSWORD=${DB_PASSWORD} --token \"$TOKEN\" --password <your password>",
        "password=*** token: xxxxxxxx API_KEY=your-key-here",
        "postgres://${USER}:${PASS}@db/x http://localhost:8080/a?to=me@example.com",
        "claude-haiku-4-5-20251001 gpt-4o-2024-08-06 meta-llama/Llama-3.3-70B-Instruct",
        "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b toolu_01Zk3Qp9XvT2mLr8WcY5bN",
        "type=\"password\" name=\"password\" secretName: db-credentials",
        "if (token === null) return; token_type: bearer; refresh the token",
        "#[error(\"the key {0} is not known\")] KeyError: 'name' cache_key=users:42",
    ] {
        assert!(matches!(redactor.redact(text), Cow::Borrowed(_)), "{text} gave {}", redactor.redact(text));
    }
}

#[test]
fn options_add_people_and_rules_of_ones_own() {
    let text = "mail ann@example.com about /home/ann/shop, C:\\\\Users\\\\ann\\\\x and acme_0123456789";
    assert!(matches!(redactor().redact(text), Cow::Borrowed(_)));
    let rule = |pattern: &str, marks: &[&str]| RuleSpec {
        marks: marks.iter().map(|&mark| mark.to_owned()).collect(),
        ..serde_json::from_value(serde_json::json!({ "name": "acme-token", "pattern": pattern })).unwrap()
    };
    for marks in [&["acme_"][..], &[]] {
        let options =
            Options { rules: vec![rule("acme_[0-9]{10}", marks)], emails: true, home_directories: true };
        let redactor = Redactor::new(&options, Key::random()).unwrap();
        let redacted = redactor.redact(text).into_owned();
        assert!(redacted.contains("mail [redacted:email:"), "{redacted}");
        assert!(redacted.contains("/home/[redacted:home-directory:"), "{redacted}");
        assert!(redacted.contains("[redacted:acme-token:"), "{redacted}");
        assert!(!redacted.contains("ann"), "{redacted}");
    }
    for unusable in [rule("(", &[]), rule("a*", &[]), rule("x", &[""])] {
        let options = Options { rules: vec![unusable], ..Options::default() };
        assert!(Redactor::new(&options, Key::random()).is_err());
    }
}

/// Files of this repository that are ordinary: source code, a lock file, prose.
fn repository() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join("src"), root.join("tests"), root.join("proto")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // These two hold secrets that are meant to be found.
            if path.ends_with("src/redact")
                || path.ends_with("tests/door")
                || path.ends_with("tests/fixtures")
            {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.push((path.display().to_string(), text));
            }
        }
    }
    for name in ["Cargo.lock", "Cargo.toml", "README.md", "config.example.yaml", "build.rs"] {
        files.push((name.to_owned(), std::fs::read_to_string(root.join(name)).unwrap()));
    }
    files
}

/// Lock files, ids and hashes as other tools write them, at random.
fn generated() -> Vec<(String, String)> {
    let mut letters = Letters::new(42);
    let mut texts = vec![String::new(); 5];
    for index in 0..400 {
        let sha512 = letters.of(BASE62, 86);
        let hex = letters.of("0123456789abcdef", 64);
        let id = letters.of(BASE62, 24);
        let uuid =
            format!("{}-{}-7{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30]);
        texts[0] += &format!(
            "\"node_modules/pkg-{index}\": {{\n  \"version\": \"1.{index}.0\",\n  \"resolved\": \"https://registry.npmjs.org/pkg/-/pkg-1.{index}.0.tgz\",\n  \"integrity\": \"sha512-{sha512}==\"\n}},\n"
        );
        texts[1] += &format!("github.com/acme/pkg{index} v1.{index}.0 h1:{}=\n", &sha512[..43]);
        texts[2] += &format!(
            "commit {}\nAuthor: A <a@example.com>\nimage@sha256:{hex}\n{uuid} {}\n",
            &hex[..40],
            &hex[..32]
        );
        texts[3] += &format!(
            "{{\"id\":\"toolu_{id}\",\"call_id\":\"call_{id}\",\"message\":\"msg_01{id}\",\"usage\":{{\"input_tokens\":{index},\"output_tokens\":7}},\"model\":\"claude-sonnet-4-5-20250929\"}}\n"
        );
        texts[4] += &format!(
            "function e{index}(t,n){{var r=n.getState().tokenizer,o=\"key-{index}\";return t.passwordField?r.setToken(o):void 0}}!function(){{a.aB{index}=function(e){{return e.nextToken}}}}();"
        );
    }
    let names = ["package-lock.json", "go.sum", "git log", "provider ids", "minified script"];
    names.into_iter().map(str::to_owned).zip(texts).collect()
}

#[test]
fn ordinary_files_are_stored_as_they_are() {
    let redactor = redactor();
    let mut altered = Vec::new();
    let (mut bytes, mut lines) = (0, 0);
    for (name, text) in repository().into_iter().chain(generated()) {
        bytes += text.len();
        lines += text.lines().count();
        for (number, line) in text.lines().enumerate() {
            if let Cow::Owned(redacted) = redactor.redact(line) {
                altered.push(format!("{name}:{}: {redacted}", number + 1));
            }
        }
    }
    println!("{} of {lines} lines ({bytes} bytes) altered", altered.len());
    assert!(bytes > 500_000, "the corpus is not there: {bytes} bytes");
    assert!(altered.len() * 2_000 <= lines, "{} of {lines} lines:\n{}", altered.len(), altered.join("\n"));
}
