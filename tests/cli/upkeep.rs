//! `skillspan compact`, `skillspan erase`, and a table in a bucket.

use crate::support::{Site, fixtures, outcome, skillspan};

fn send(site: &Site, name: &str) {
    let body = std::fs::read(fixtures().join("captures/claude-code").join(name)).unwrap();
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
}

#[test]
fn a_session_is_erased_beside_the_running_collector_and_does_not_come_back() {
    let site = Site::new("default");
    let running = site.start();
    let session = "ecf0032b-cc57-4cf8-9c95-05dec2413dd5";
    send(&site, "s03-dbup-widgets-httpjson/0002-logs.json");
    assert!(site.run(&["sessions", "list", "--since", "7d"]).contains(session));
    assert_eq!(site.run(&["sessions", "list", "--user", "nobody"]), "no sessions\n");

    let report = site.run(&["erase", "--session", session]);
    assert!(report.contains(&format!("erased     session {session} of default")), "{report}");
    assert!(report.contains("Still to be looked at:") && report.contains("backups"), "{report}");
    assert!(!site.run(&["sessions", "list"]).contains(session));

    // The client sends it again.
    send(&site, "s03-dbup-widgets-httpjson/0002-logs.json");
    assert!(!site.run(&["sessions", "list"]).contains(session));
    assert_eq!(site.run(&["compact"]), "no closed day has files to merge\n");
    drop(running);

    let (code, _, stderr) =
        outcome(skillspan().args(["erase", "--user", "nobody", "--config"]).arg(site.config()));
    assert_eq!(code, 1);
    assert!(stderr.contains("nothing of \"nobody\" is in"), "{stderr}");
    let (code, _, stderr) = outcome(skillspan().args(["erase", "--config"]).arg(site.config()));
    assert_eq!(code, 64, "{stderr}");
}

/// `--user "$PERSON"` where no such variable is set.
#[test]
fn nobody_is_erased_for_want_of_a_name() {
    let site = Site::new("default");
    let _running = site.start();
    send(&site, "s03-dbup-widgets-httpjson/0002-logs.json");
    let before = site.sessions();
    assert_eq!(before.len(), 1);
    for subject in ["--user", "--session"] {
        for nameless in ["", " "] {
            let (code, _, stderr) =
                outcome(skillspan().args(["erase", subject, nameless, "--config"]).arg(site.config()));
            assert_eq!(code, 64, "{subject} {nameless:?}: {stderr}");
            assert!(stderr.contains(subject), "{stderr}");
        }
    }
    assert_eq!(site.sessions(), before);
}
