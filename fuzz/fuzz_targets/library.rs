//! Any text as what a remote holds: a skill, the files beside it, the state. It is read, listed and
//! reconciled with nothing new, or refused; a person's file is not written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillspan::event::Timestamp;
use skillspan::library::{Census, Findings, Layout, Stored, Tree, Ownership, load, reconcile};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.splitn(4, '\u{1}');
    let mut next = || parts.next().map(str::to_owned);
    let (skill, beside, current, interrupted) = (next(), next(), next(), next());
    let mut tree = Tree::new();
    for (path, content) in [
        ("skills/a/SKILL.md", &skill),
        ("skills/a/references/evidence.md", &beside),
        (".claude-plugin/plugin.json", &beside),
        ("README.md", &beside),
    ] {
        tree.extend(content.clone().map(|content| (path.to_owned(), content)));
    }
    let stored = Stored { current, next: interrupted };
    let Ok(library) = load(Layout::Library, &stored, tree) else { return };
    let _ = library.skills();
    let findings = Findings {
        learned: None,
        whose: Ownership::default(),
        census: Census::default(),
        tenant: "t".to_owned(),
        workspace: "w".to_owned(),
        as_of: Timestamp::from_micros(1_790_000_000_000_000),
        candidates: Vec::new(),
        uses: [("a".to_owned(), "2026-01-01".to_owned())].into(),
        episodes: Vec::new(),
    };
    for findings in [&[][..], &[findings]] {
        let Ok(changes) = reconcile(&library, findings) else { continue };
        let _ = (changes.commit_message(), changes.diff(&library));
    }
});
