//! Every block of YAML in the documentation means something to the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::support::{give, outcome, skillspan};

/// A block, and where it stands.
struct Block {
    place: String,
    text: String,
}

/// What a file of configuration has at its top.
const SECTIONS: &[&str] = &["extensions", "receivers", "processors", "exporters", "connectors", "service"];
/// What a marker file has.
const MARKER: &[&str] = &["capture", "workspace", "user"];
/// What stands below `connectors.skillify`, where a page shows it alone.
const OF_SKILLIFY: &[&str] = &["embeddings", "model", "publish", "route", "rules", "agents_md"];

/// Every page of `docs/`, and the README.
pub(crate) fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    assert!(pages.len() > 20, "only {} pages were found", pages.len());
    pages
}

fn blocks(page: &Path) -> Vec<Block> {
    let name = page.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(page).unwrap();
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(kind)) if kind.starts_with("yaml") || kind.starts_with("yml") => {
                open = Some(Block { place: format!("{name}:{}", number + 1), text: String::new() });
            }
            // Of another kind: read up to its end, and dropped there.
            (None, Some(_)) => open = Some(Block { place: String::new(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take().filter(|block| !block.place.is_empty())),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block has no end");
    blocks
}

/// The keys at the top.
fn keys(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.starts_with([' ', '#']) && !line.is_empty());
    lines.map(|line| line.split(':').next().unwrap_or_default()).collect()
}

fn are(keys: &[&str], known: &[&str]) -> bool {
    !keys.is_empty() && keys.iter().all(|key| known.contains(key))
}

/// The files and variables that a block refers to, made up.
fn with_secrets(text: &str, folder: &Path) -> (String, Vec<(String, String)>) {
    let mut text = text.to_owned();
    for root in ["/run/secrets/", "/etc/skillspan/"] {
        while let Some(at) = text.find(root) {
            let name: String = text[at + root.len()..]
                .chars()
                .take_while(|char| char.is_ascii_alphanumeric() || "._-".contains(*char))
                .collect();
            let file = folder.join(&name);
            fs::write(&file, content(&name)).unwrap();
            text.replace_range(at..at + root.len() + name.len(), &file.display().to_string());
        }
    }
    let names = text.split("${env:").skip(1).map(|rest| rest.split([':', '}']).next().unwrap().to_owned());
    let variables = names
        .map(|name: String| {
            let value = format!("a-secret-of-enough-length-{name}");
            (name, value)
        })
        .collect();
    (text, variables)
}

/// A certificate and its key are looked into, other files are read.
fn content(name: &str) -> String {
    static PAIR: LazyLock<(String, String)> = LazyLock::new(|| {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    });
    match name {
        "tls.crt" => PAIR.0.clone(),
        "tls.key" => PAIR.1.clone(),
        name => format!("a-secret-of-enough-length-{name}"),
    }
}

/// What is wrong with a block.
fn fault(block: &Block) -> Option<String> {
    let folder = TempDir::new().unwrap();
    let (text, variables) = with_secrets(&block.text, folder.path());
    let keys = keys(&text);
    if are(&keys, MARKER) {
        return fault_of_marker(&text, folder.path());
    }
    let text = if are(&keys, SECTIONS) {
        text
    } else if are(&keys, OF_SKILLIFY) {
        let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
        format!("connectors:\n  skillify:\n{lines}")
    } else {
        return Some(format!("it is no configuration and no part of one that this test knows: {keys:?}"));
    };
    let file = folder.path().join("c.yaml");
    fs::write(&file, &text).unwrap();
    let (code, _, stderr) = outcome(
        skillspan().args(["validate", "--config"]).arg(&file).env("HOME", folder.path()).envs(variables),
    );
    (code != 0).then_some(stderr)
}

/// A marker file is read by hooks: what they do not understand leaves a session out as well, with a reason.
fn fault_of_marker(text: &str, home: &Path) -> Option<String> {
    fs::write(home.join(".skillspan.yaml"), text).unwrap();
    let mut command = skillspan();
    command.args(["hook", "claude", "--verbose", "--endpoint", "http://127.0.0.1:9"]);
    command.env("HOME", home).current_dir(home);
    let object = r#"{"hook_event_name":"UserPromptSubmit","session_id":"s","prompt":"x"}"#;
    let output = give(command, object).wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = if text.contains("capture: false") { "left out by" } else { "what waits is kept" };
    (!said.contains(expected)).then_some(said)
}

#[test]
fn every_block_of_yaml_is_understood() {
    let blocks: Vec<Block> = pages().iter().flat_map(|page| blocks(page)).collect();
    assert!(blocks.len() > 10, "the reading is broken: {}", blocks.len());
    let faults = blocks.iter().filter_map(|block| Some(format!("{}: {}", block.place, fault(block)?)));
    assert_eq!(faults.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The test sees what is wrong.
#[test]
fn a_block_that_means_nothing_is_found() {
    for (text, reason) in [
        ("recievers: {}\n", "no configuration"),
        ("receivers: { otlp: { protocls: {} } }\n", "protocls"),
        (
            "processors: { sampling: { percent: many } }\nservice: { pipelines: { sessions: {}, skills: {} } }\n",
            "expected a number",
        ),
        ("embeddings: { flie: x }\n", "flie"),
        ("capture: maybe\n", "capture"),
        ("user: \"\"\nworkspace: [a]\n", "workspace"),
        ("- a\n", "no configuration"),
    ] {
        let block = Block { place: "x.md:1".to_owned(), text: text.to_owned() };
        let found = fault(&block).unwrap_or_default();
        assert!(found.contains(reason), "{text}: {found}");
    }
}
