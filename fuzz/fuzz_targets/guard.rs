//! Any text as a command line: it is judged, the same each time, and nothing that stands before it takes a class away.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillspan::shell::{Class, classes_of};

fuzz_target!(|line: &str| {
    let judged = classes_of(line);
    assert_eq!(judged, classes_of(line));
    // What a reader does not see is refused wherever it stands.
    assert!(classes_of(&format!("{line}\u{200b}")).is_err());
    assert!(classes_of(&format!("cat /etc/passwd\n{line}")).is_err());
    let Ok(classes) = judged else { return };
    if let Ok(more) = classes_of(&format!("evil-tool\n{line}")) {
        assert!(more.contains(&Class::Unknown));
        assert!(classes.iter().all(|class| more.contains(class)), "{classes:?} {more:?}");
    }
});
