//! Variables that add a class.
//!
//! What a tool reads by a name of its own (`GIT_…`, `npm_config_…`, `LD_…`) can change what is run or where things
//! come from: of these only the ones that are known to be harmless add nothing. A project's own variables are read
//! for paths and hosts.

use super::Class::{self, Administer, Fetch, Send, Unknown};
use super::{Judgement, hosts, paths};
use crate::shell::setting::MANNER_VARIABLES;

/// Prefixes of variables that tools read, each with the class of its unknown names.
const TOOLS: &[(&str, Class)] = &[
    ("AWS_", Send),
    ("BASH_", Unknown),
    ("BUN_", Fetch),
    ("BUNDLE_", Fetch),
    ("CARGO_", Unknown),
    ("CLASSPATH", Unknown),
    ("COMPOSER_", Fetch),
    ("CONDA_", Fetch),
    ("CURL_", Administer),
    ("DOCKER_", Send),
    ("DOTNET_", Unknown),
    ("DYLD_", Unknown),
    ("ELECTRON_", Unknown),
    ("GEM_", Fetch),
    ("GH_", Send),
    ("GIT_", Unknown),
    ("GLIBC_", Unknown),
    ("GONOPROXY", Administer),
    ("GONOSUM", Administer),
    ("GOINSECURE", Administer),
    ("GOPROXY", Fetch),
    ("GOPRIVATE", Administer),
    ("GOSUMDB", Administer),
    ("GOFLAGS", Unknown),
    ("GOROOT", Unknown),
    ("GOENV", Unknown),
    ("GOTOOLCHAIN", Fetch),
    ("GOVCS", Administer),
    ("GRADLE_", Unknown),
    ("HOMEBREW_", Fetch),
    ("HUSKY", Administer),
    ("JAVA_", Unknown),
    ("JDK_", Unknown),
    ("KUBE", Unknown),
    ("LD_", Unknown),
    ("LEFTHOOK", Administer),
    ("LESSOPEN", Unknown),
    ("LESSCLOSE", Unknown),
    ("MAKEFLAGS", Unknown),
    ("MAVEN_", Unknown),
    ("MFLAGS", Unknown),
    ("MYSQL_", Send),
    ("NODE_", Unknown),
    ("NPM_CONFIG_", Fetch),
    ("NUGET_", Fetch),
    ("PERL", Unknown),
    ("PG", Send),
    ("PHP_", Unknown),
    ("PHPRC", Unknown),
    ("PIP_", Fetch),
    ("PNPM_", Fetch),
    ("POETRY_", Fetch),
    ("PRE_COMMIT_", Unknown),
    ("PROMPT_", Unknown),
    ("PYTEST_", Unknown),
    ("PYTHON", Unknown),
    ("REDISCLI_", Send),
    ("RUBY", Unknown),
    ("RUST", Unknown),
    ("SKIP", Administer),
    ("SSH_", Unknown),
    ("SSL_", Administer),
    ("TF_CLI_", Unknown),
    ("UV_", Fetch),
    ("YARN_", Fetch),
    ("_JAVA_", Unknown),
    ("NODE_EXTRA_CA", Administer),
];

/// Names that add a class whatever their value.
const NAMES: &[(&str, Class)] = &[
    ("ALL_PROXY", Send),
    ("ENV", Unknown),
    ("FTP_PROXY", Send),
    ("HTTPS_PROXY", Send),
    ("HTTP_PROXY", Send),
    ("IFS", Unknown),
    ("KUBECONFIG", Unknown),
    ("PATH", Unknown),
    ("PKG_CONFIG", Unknown),
    ("PS4", Unknown),
    ("REQUESTS_CA_BUNDLE", Administer),
    ("SHELLOPTS", Unknown),
    ("ZDOTDIR", Unknown),
    ("PYTHONHTTPSVERIFY", Administer),
    ("NODE_TLS_REJECT_UNAUTHORIZED", Administer),
    ("GIT_SSL_NO_VERIFY", Administer),
];

/// Names that hold a program or its flags: harmless where the value is a known one.
const PROGRAMS: &[&str] = &[
    "AR",
    "BROWSER",
    "CC",
    "CFLAGS",
    "CPP",
    "CXX",
    "CXXFLAGS",
    "EDITOR",
    "GH_EDITOR",
    "GH_PAGER",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_SEQUENCE_EDITOR",
    "LD",
    "LDFLAGS",
    "LESS",
    "MANPAGER",
    "NM",
    "PAGER",
    "RANLIB",
    "SHELL",
    "STRIP",
    "SUDO_EDITOR",
    "SYSTEMD_PAGER",
    "VISUAL",
];

/// Values of [`PROGRAMS`] that are known.
const KNOWN_PROGRAMS: &[&str] = &[
    "", ":", "cat", "clang", "clang++", "g++", "gcc", "less", "more", "musl-gcc", "nano", "none", "true",
    "vi", "vim",
];

/// Names of tools that change nothing of what is run.
const HARMLESS: &[&str] = &[
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
    "CARGO_NET_OFFLINE",
    "CARGO_PROFILE_DEV_DEBUG",
    "CARGO_PROFILE_RELEASE_LTO",
    "CARGO_PROFILE_TEST_DEBUG",
    "CARGO_TARGET_DIR",
    "DOCKER_BUILDKIT",
    "DOCKER_DEFAULT_PLATFORM",
    "DOTNET_ENVIRONMENT",
    "DOTNET_CLI_UI_LANGUAGE",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_DATE",
    "GIT_LFS_SKIP_SMUDGE",
    "GIT_MERGE_AUTOEDIT",
    "NODE_ENV",
    "NODE_NO_WARNINGS",
    "PGDATABASE",
    "PGPORT",
    "PGUSER",
    "PGDATA",
    "PGOPTIONS",
    "PYTEST_TIMEOUT",
    "PYTEST_XDIST_WORKER_COUNT",
    "PYTHONASYNCIODEBUG",
    "PYTHONDEVMODE",
    "PYTHONFAULTHANDLER",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "PYTHONTRACEMALLOC",
    "PYTHONUTF8",
    "RUST_LOG_STYLE",
    "RUST_MIN_STACK",
    "RUST_TEST_THREADS",
    "UV_FROZEN",
    "UV_LOCKED",
    "UV_NO_SYNC",
    "UV_OFFLINE",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "MYSQL_DATABASE",
    "GIT_SEQUENCE_NUMBER",
    "PIP_REQUIRE_VIRTUALENV",
    "GRADLE_USER_ENV",
    "NODE_CONFIG_ENV",
    "NODE_PATH_LOG",
];

/// Flags that are harmless in the variables that hold flags.
const FLAGS: &[(&str, &[&str])] = &[
    ("CFLAGS", &["-O", "-W", "-g", "-f", "-std=", "-D", "-m"]),
    ("CXXFLAGS", &["-O", "-W", "-g", "-f", "-std=", "-D", "-m"]),
    (
        "GOFLAGS",
        &["-count=", "-mod=", "-p=", "-race", "-tags=", "-timeout=", "-trimpath", "-v", "-buildvcs="],
    ),
    ("JAVA_OPTS", &["-Xm", "-Dfile.encoding"]),
    ("MAVEN_OPTS", &["-Xm", "-Dfile.encoding"]),
    ("GRADLE_OPTS", &["-Xm", "-Dorg.gradle.daemon=", "-Dorg.gradle.jvmargs=-Xm", "-Dfile.encoding"]),
    (
        "NODE_OPTIONS",
        &[
            "--max-old-space-size=",
            "--openssl-legacy-provider",
            "--experimental-vm-modules",
            "--no-warnings",
            "--no-deprecation",
            "--trace-warnings",
            "--unhandled-rejections=",
            "--enable-source-maps",
            "--no-experimental",
            "--experimental-strip-types",
            "--max_old_space_size=",
            "--stack-size=",
        ],
    ),
    ("PYTEST_ADDOPTS", &["-q", "-v", "-x", "-n", "--maxfail", "--tb", "--color", "-s", "--durations"]),
    ("RUSTDOCFLAGS", &["-D", "-A", "-W", "warnings", "--cfg", "rustdoc::", "docsrs"]),
    (
        "RUSTFLAGS",
        &[
            "-D",
            "-A",
            "-W",
            "warnings",
            "--cfg",
            "-Awarnings",
            "-Dwarnings",
            "-Ctarget-cpu=",
            "target-cpu=",
            "-C",
            "-Cdebuginfo=",
            "debuginfo=",
            "-Cinstrument-coverage",
            "instrument-coverage",
            "tokio_unstable",
            "opt-level=",
        ],
    ),
];

/// What stands for a secret that is not said.
const WITHHELD: &str = "{secret}";

/// Adds what a variable adds.
pub(super) fn judge(name: &str, value: &str, depth: usize, judged: &mut Judgement) {
    let upper = name.to_uppercase();
    if paths::argument_leads_out(value, depth, false) {
        judged.refuse("a path outside of the repository");
    }
    if let Some((_, class)) = NAMES.iter().find(|(known, _)| *known == upper) {
        return judged.add(*class, name);
    }
    if hosts::names_one(value)
        || (["PGHOST", "MYSQL_HOST", "DOCKER_HOST"].contains(&upper.as_str())
            && !hosts::is_this_machine(hosts::host_of(value)))
    {
        judged.add(Send, "it names another machine");
    }
    if value == WITHHELD || upper == "PGHOST" {
        return;
    }
    if let Some((_, known)) = FLAGS.iter().find(|(known, _)| *known == upper) {
        let is_known = |flag: &str| {
            known.iter().any(|known| flag.starts_with(known))
                && !flag.contains("linker")
                && !flag.contains("plugin")
        };
        if !value.split_whitespace().all(is_known) {
            judged.add(Unknown, name);
        }
        return;
    }
    if PROGRAMS.contains(&upper.as_str()) {
        if !KNOWN_PROGRAMS.contains(&value.split(' ').next().unwrap_or_default()) {
            judged.add(Unknown, name);
        }
        return;
    }
    if MANNER_VARIABLES.contains(&name) || HARMLESS.contains(&upper.as_str()) {
        return;
    }
    if let Some((_, class)) = TOOLS.iter().find(|(known, _)| upper.starts_with(known)) {
        return judged.add(*class, name);
    }
    // A value that a shell would read again.
    if value.contains([';', '|', '&', '`', '$', '<', '>']) {
        judged.add(Unknown, name);
    }
}
