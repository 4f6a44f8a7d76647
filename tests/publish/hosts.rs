//! Publishing to real servers: HTTP with Basic, SSH; what goes wrong there; what never leaves.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use skillspan::exporters::Destination;
use skillspan::exporters::git::{Auth, Config, Error, Git, Mode, Remote};
use skillspan::exporters::target::{Target, TargetKind};
use skillspan::library::Route;
use skillspan::secret::Secret;

use crate::port::Port;

use super::repository::{Bare, NAME, PROPOSAL, SKILL, first, update, with_migration};
use super::server::{Server, base64};

const USER: &str = "x-access-token";
pub(crate) const TOKEN: &str = "marker-5e1f0c9a7b";

pub(crate) fn over_http(bare: &Bare, server: &Server, token: &str) -> Config {
    let mut config = bare.config("http", Mode::Review);
    config.remote = Remote::parse(&server.url()).unwrap();
    config.auth = Auth::Token { username: USER.into(), token: Secret::new(token) };
    config
}

pub(crate) fn serve(bare: &Bare) -> Server {
    Server::start(bare.folder.path(), USER, TOKEN, Arc::new(|| {}))
}

#[test]
fn a_token_opens_a_repository_over_http() {
    let bare = Bare::new();
    let server = serve(&bare);
    let git = Git::new(over_http(&bare, &server, TOKEN));
    git.publish(&update(&first())).unwrap();
    bare.person("ann").merge_the_proposal();
    git.publish(&update(&with_migration())).unwrap();
    assert!(bare.read(PROPOSAL, SKILL).contains("make migrate"));
    assert!(git.load().unwrap().skills().iter().any(|skill| skill.name == NAME));
}

#[test]
fn a_wrong_token_is_named_and_not_told() {
    let bare = Bare::new();
    let server = serve(&bare);
    let error = Git::new(over_http(&bare, &server, "wrong-secret-9")).publish(&update(&first())).unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }) && !error.is_transient(), "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong-secret-9"));
    let mut open = over_http(&bare, &server, TOKEN);
    open.auth = Auth::Open;
    let error = Git::new(open).publish(&update(&first())).unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[test]
fn a_repository_that_is_not_there_is_named() {
    let bare = Bare::new();
    let server = serve(&bare);
    let mut config = over_http(&bare, &server, TOKEN);
    config.remote = Remote::parse(&format!("http://{}/other.git", server.address)).unwrap();
    let error = Git::new(config).publish(&update(&first())).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[test]
fn a_remote_that_is_down_is_named_and_tried_again() {
    let bare = Bare::new();
    let server = serve(&bare);
    let mut config = over_http(&bare, &server, TOKEN);
    let nobodys = Port::keep();
    config.remote = Remote::parse(&format!("http://{}/remote.git", nobodys.address())).unwrap();
    let error = Git::new(config).publish(&update(&first())).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.is_transient(), "{error}");
    Git::new(over_http(&bare, &server, TOKEN)).publish(&update(&first())).unwrap();
}

#[test]
fn a_remote_that_never_answers_does_not_hold_up_a_stop() {
    let bare = Bare::new();
    let mut config = bare.config("one", Mode::Direct);
    // Connections are taken by the system and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    config.remote = Remote::parse(&format!("http://{}/remote.git", silent.local_addr().unwrap())).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let git = Git::new(config).until(Arc::clone(&stop));
    let publishing = std::thread::spawn(move || git.publish(&update(&first())));
    let connection = silent.accept().unwrap();
    stop.store(true, Ordering::Relaxed);
    let error = publishing.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
    drop(connection);
}

/// Every argument and every environment variable of every process of this machine that can be read.
fn processes() -> String {
    let mut text = String::new();
    for entry in fs::read_dir("/proc").unwrap().map(Result::unwrap) {
        for file in ["cmdline", "environ"] {
            if let Ok(bytes) = fs::read(entry.path().join(file)) {
                text.push_str(&String::from_utf8_lossy(&bytes).replace('\0', "\n"));
            }
        }
    }
    text
}

fn search(folder: &Path, needles: &[String], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            search(&path, needles, found);
        } else if let Ok(bytes) = fs::read(&path) {
            let text = String::from_utf8_lossy(&bytes);
            found.extend(
                needles.iter().filter(|needle| text.contains(*needle)).map(|_| path.display().to_string()),
            );
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_token_is_in_no_argument_environment_file_or_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let bare = Bare::new();
    let seen = Arc::new(Mutex::new(String::new()));
    let visit = {
        let seen = Arc::clone(&seen);
        Arc::new(move || seen.lock().unwrap().push_str(&processes()))
    };
    let server = Server::start(bare.folder.path(), USER, TOKEN, visit);
    // The helper lives too short to be seen by chance: it tells about itself.
    let helper = bare.folder.path().join("helper");
    let asked = bare.folder.path().join("asked");
    let script = format!(
        "#!/bin/sh\ncat /proc/$$/environ /proc/$$/cmdline >> {}\nexec {} \"$@\"\n",
        asked.display(),
        env!("CARGO_BIN_EXE_skillspan")
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = over_http(&bare, &server, TOKEN);
    config.credential_helper = helper;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        Git::new(config.clone()).publish(&update(&first())).unwrap();
        Git::new(config.clone()).publish(&update(&with_migration())).unwrap();
        let mut gone = config.clone();
        gone.remote = Remote::parse(&format!("http://{}/other.git", server.address)).unwrap();
        let error = Git::new(gone.clone()).publish(&update(&first())).unwrap_err();
        tracing::error!("{error} {error:?} {gone:?}");
    });
    let needles = [TOKEN.to_owned(), base64(&format!("{USER}:{TOKEN}"))];
    let processes = seen.lock().unwrap().clone();
    assert!(processes.contains("remote-http") && processes.contains("git-credential"), "children were seen");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("there is no repository"), "{log}");
    assert!(asked.exists(), "the helper was asked");
    let mut found = Vec::new();
    search(bare.folder.path(), &needles, &mut found);
    for needle in &needles {
        found.extend(processes.contains(needle).then(|| "a process".to_owned()));
        found.extend(log.contains(needle).then(|| "the log".to_owned()));
    }
    assert!(found.is_empty(), "{found:?}");
}

/// An SSH server of the test; `None` where the machine has none.
struct Sshd {
    process: Child,
    port: u16,
    _kept: Port,
}

impl Sshd {
    fn start(folder: &Path) -> Option<Self> {
        let program = std::env::var("SKILLSPAN_TEST_SSHD").unwrap_or_else(|_| "/usr/sbin/sshd".to_owned());
        if !Path::new(&program).exists() {
            eprintln!("{program} is not here: SSH is not tested");
            return None;
        }
        let keygen = |name: &str| {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(name))
                .status();
            assert!(made.unwrap().success());
        };
        keygen("host");
        keygen("key");
        fs::copy(folder.join("key.pub"), folder.join("authorized_keys")).unwrap();
        let kept = Port::keep();
        let port = kept.number();
        let settings = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n",
            folder.display()
        );
        fs::write(folder.join("sshd_config"), settings).unwrap();
        let process = Command::new(&program)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stderr(Stdio::from(fs::File::create(folder.join("sshd.log")).unwrap()))
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(folder.join("sshd.log")).unwrap();
            assert!(Instant::now() < deadline, "sshd did not start: {log}");
            std::thread::yield_now();
        }
        Some(Self { process, port, _kept: kept })
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_key_opens_a_repository_over_ssh_and_an_unknown_host_is_refused() {
    let bare = Bare::new();
    let folder = bare.folder.path().join("ssh");
    fs::create_dir(&folder).unwrap();
    let Some(sshd) = Sshd::start(&folder) else { return };
    let host_key = fs::read_to_string(folder.join("host.pub")).unwrap();
    let known_hosts_file = folder.join("known_hosts");
    fs::write(&known_hosts_file, format!("[127.0.0.1]:{} {host_key}", sshd.port)).unwrap();
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let mut config = bare.config("ssh", Mode::Direct);
    let url = format!("ssh://{}@127.0.0.1:{}{}", user.trim(), sshd.port, bare.path().display());
    config.remote = Remote::parse(&url).unwrap();
    config.auth = Auth::Key { key_file: folder.join("key"), known_hosts_file: known_hosts_file.clone() };
    Git::new(config.clone()).publish(&update(&first())).unwrap();
    assert!(bare.has("main", SKILL));
    let other_key = fs::read_to_string(folder.join("key.pub")).unwrap();
    fs::write(&known_hosts_file, format!("[127.0.0.1]:{} {other_key}", sshd.port)).unwrap();
    let error = Git::new(config).publish(&update(&with_migration())).unwrap_err();
    assert!(matches!(error, Error::HostKey { .. }) && !error.is_transient(), "{error}");
}

/// What a worker says of a target that it cannot write.
fn state(config: Config) -> (&'static str, bool, &'static str) {
    let target = Target { route: Route::default(), place: TargetKind::Git(Box::new(config)) };
    let error = target.publish(&update(&first()), Arc::default()).unwrap_err();
    (error.kind(), error.is_transient(), error.remedy())
}

#[test]
fn every_refusal_of_a_host_has_a_state_and_a_remedy() {
    let bare = Bare::new();
    let server = serve(&bare);
    let direct = || Config { mode: Mode::Direct, ..over_http(&bare, &server, TOKEN) };
    let at = |url: &str| Config { remote: Remote::parse(url).unwrap(), ..direct() };
    let nobodys = Port::keep();
    let nobody = nobodys.address();
    let token = Auth::Token { username: USER.into(), token: Secret::new("another") };
    let refusing = [
        ("a wrong token", Config { auth: token, ..direct() }, "unauthorized", false, "renew the credentials"),
        ("no token", Config { auth: Auth::Open, ..direct() }, "unauthorized", false, "renew the credentials"),
        (
            "no repository",
            at(&format!("http://{}/other.git", server.address)),
            "not_found",
            false,
            "create the repository",
        ),
        (
            "nobody there",
            at(&format!("http://{nobody}/remote.git")),
            "unreachable",
            true,
            "see whether the remote is up",
        ),
    ];
    for (what, config, kind, transient, remedy) in refusing {
        let state = state(config);
        assert_eq!((state.0, state.1), (kind, transient), "{what}");
        assert!(state.2.starts_with(remedy), "{what}: {}", state.2);
    }
    for (what, hook) in [
        (
            "the branch",
            "[ \"$1\" != refs/heads/main ] || { echo 'protected branch hook declined' >&2; exit 1; }",
        ),
        ("everything", "echo 'GH006: Protected branch update failed' >&2; exit 1"),
    ] {
        bare.hook(hook);
        let state = state(direct());
        assert_eq!((state.0, state.1), ("protected", false), "{what} is protected");
        assert!(state.2.contains("mode: review"), "{what}: {}", state.2);
        assert_eq!(bare.tip("main"), None, "{what} is protected");
    }
    bare.hook("exit 0");
    Git::new(direct()).publish(&update(&first())).unwrap();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("notes.txt", "history is rewritten");
    ann.git(&["checkout", "--quiet", "--orphan", "anew"]);
    ann.git(&["add", "--all"]);
    ann.git(&["commit", "--quiet", "--message", "Anew"]);
    ann.git(&["push", "--quiet", "--force", "origin", "HEAD:refs/heads/main"]);
    let report = Git::new(direct()).publish(&update(&with_migration())).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("rewritten")), "{report}");
    assert!(bare.has("main", "notes.txt") && bare.read("main", SKILL).contains("make migrate"));
}
