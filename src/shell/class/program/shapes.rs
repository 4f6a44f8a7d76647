//! Programs whose arguments decide what they do.

use super::super::table::{self, Shape};
use super::super::{Class, Judgement, hosts, paths};
use super::{Context, Fed, Origin, line_within, program, shown};
use crate::shell::flag::is_flag;
use crate::shell::vocabulary as known;
use crate::shell::vocabulary::families::RUNNER_OPTIONS;

/// Adds what a program of this shape may do with these arguments; `length` words name it.
pub(super) fn judge(shape: Shape, length: usize, words: &[&str], context: Context, judged: &mut Judgement) {
    let name = words.first().copied().unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    match shape {
        Shape::Is(class) => is(class, name, length, rest, context, judged),
        // A wrapper that gives secrets to a command is not looked through: `doppler run`.
        Shape::Runs if ["cmake", "lerna", "nx"].contains(&name) => {
            runs(name, words.get(length..).unwrap_or_default(), context, judged);
        }
        Shape::Runs => runs(name, rest, context, judged),
        Shape::Installs => installs(length, words, judged),
        Shape::Web => web(name, rest, judged),
        Shape::Database => database(name, rest, judged),
        Shape::Script => script(name, rest, context, judged),
    }
}

fn is(class: Class, name: &str, length: usize, rest: &[&str], context: Context, judged: &mut Judgement) {
    let has = |options: &[&str]| rest.iter().any(|word| options.contains(word));
    let operands = || rest.iter().copied().filter(|word| !is_flag(word));
    match (name, operands().next().unwrap_or_default()) {
        ("find", _) => return find(rest, context, judged),
        ("fd" | "fdfind", _) => {
            if let Some(at) =
                rest.iter().position(|word| ["-x", "-X", "--exec", "--exec-batch"].contains(word))
            {
                program(rest.get(at + 1..).unwrap_or_default(), Origin::Path, context, judged);
            }
        }
        ("make" | "gmake" | "just" | "task", _) if has(&["-n", "--dry-run", "--list", "-l", "help"]) => {
            return judged.add(Class::Read, name);
        }
        ("git", "fetch" | "pull" | "ls-remote" | "push") => remote(rest, judged),
        ("git", "branch")
            if has(&[
                "-d",
                "-D",
                "-m",
                "-M",
                "-c",
                "-f",
                "-u",
                "--delete",
                "--move",
                "--set-upstream-to",
            ]) =>
        {
            judged.add(Class::Tree, "git branch");
        }
        ("git", "branch") if operands().nth(1).is_some() => judged.add(Class::Tree, "git branch"),
        ("git", "remote") if length > 2 => {}
        ("git", "remote") if operands().nth(1).is_some() => judged.add(Class::Fetch, "git remote"),
        ("git", "config") if class == Class::Read && operands().count() > 2 => {
            judged.add(Class::Administer, "git config")
        }
        ("gh", "api") => return judged.add(api(rest), "gh api"),
        (_, verb) if shows_secrets(name, verb, rest) => judged.add(Class::Send, "it shows secrets"),
        ("npm" | "pnpm", "pkg") if operands().any(|word| word.contains("scripts")) => {
            judged.add(Class::Unknown, "it changes what a task runs");
        }
        ("npm", "init") => {
            let fetches = operands().nth(1).is_some();
            return judged.add(if fetches { Class::FetchedCode } else { Class::Tree }, "npm init");
        }
        ("sed", _) if rest.iter().any(|word| word.starts_with("-i") || word.starts_with("--in-place")) => {
            judged.add(Class::Tree, "sed");
        }
        ("rebar3", "do") => return several(name, rest.get(1..).unwrap_or_default(), context, judged),
        ("go", "run") => return go_run(rest, judged),
        ("deno", "run") if operands().nth(1).is_some_and(is_elsewhere) => {
            judged.add(Class::FetchedCode, "deno run")
        }
        ("mvn" | "./mvnw", _) if operands().any(|goal| goal.matches(':').count() > 1) => {
            judged.add(Class::FetchedCode, "a goal of a plugin that it names");
        }
        ("mvn" | "./mvnw", _) if operands().any(|goal| goal == "exec:exec") => {
            judged.add(Class::Unknown, "exec:exec")
        }
        ("rsync", _) if operands().any(|word| hosts::is_remote_path(word) || word.contains("::")) => {
            judged.add(Class::Send, "it names another machine");
        }
        ("date" | "hostname", _) if class == Class::Read && has(&["-s", "--set"]) => {
            judged.add(Class::Administer, name)
        }
        _ => {}
    }
    judged.add(class, shown(name));
}

/// Whether a client shows what a cluster or a state keeps secret.
fn shows_secrets(program: &str, verb: &str, rest: &[&str]) -> bool {
    let any = |is_one: fn(&str) -> bool| rest.iter().any(|word| !is_flag(word) && is_one(word));
    match (program, verb) {
        ("kubectl" | "oc", "get" | "describe") => any(|word| word.starts_with("secret")),
        ("kubectl" | "oc", "config") => rest.contains(&"--raw"),
        ("kind", "get") => any(|word| word == "kubeconfig"),
        ("terraform" | "tofu", "output") => any(names_secret),
        _ => false,
    }
}

/// Whether a name says that its value is secret.
fn names_secret(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["pass", "secret", "token", "_key", "credential"].iter().any(|part| lower.contains(part))
}

fn is_elsewhere(word: &str) -> bool {
    hosts::is_foreign_address(word) || hosts::is_domain(word)
}

/// The remote of `git fetch` is one that the repository has by name.
fn remote(rest: &[&str], judged: &mut Judgement) {
    let is_name =
        |word: &str| word.chars().all(|char| char.is_alphanumeric() || "-_{}".contains(char)) || word == ".";
    let remote = rest.iter().skip_while(|word| is_flag(word)).filter(|word| !is_flag(word)).nth(1);
    if remote.is_some_and(|remote| !is_name(remote)) {
        judged.add(Class::Send, "it names another machine");
    }
}

/// `gh api` reads unless it is told otherwise.
fn api(rest: &[&str]) -> Class {
    let writes = |word: &&str| {
        ["-X", "-f", "-F", "--method", "--field", "--raw-field", "--input", "--hostname", "graphql"]
            .contains(word)
            || ["-X", "-f", "-F", "--field=", "--raw-field=", "--method=", "--input="]
                .iter()
                .any(|option| word.starts_with(option))
    };
    if rest.iter().any(writes) { Class::Publish } else { Class::Read }
}

/// A program of the repository, or one of elsewhere.
fn go_run(rest: &[&str], judged: &mut Judgement) {
    let of_elsewhere = |word: &&&str| word.contains('@') || is_elsewhere(word);
    let program = rest
        .iter()
        .skip(1)
        .filter(|word| !is_flag(word))
        .find(|word| !word.contains('=') && !word.is_empty());
    match program.filter(of_elsewhere) {
        Some(_) => judged.add(Class::FetchedCode, "go run"),
        None => judged.add(Class::Tasks, "go run"),
    }
}

/// Tasks with commas between: `rebar3 do eunit, ct`.
fn several(name: &str, tasks: &[&str], context: Context, judged: &mut Judgement) {
    for task in tasks.split_inclusive(|word| word.ends_with(',')) {
        let words = task.iter().map(|word| word.trim_end_matches(',')).filter(|word| !word.is_empty());
        let words: Vec<&str> = std::iter::once(name).chain(words).collect();
        program(&words, Origin::Path, context, judged);
    }
}

/// The commands that `find` runs on each match.
fn find(rest: &[&str], context: Context, judged: &mut Judgement) {
    judged.add(Class::Read, "find");
    if rest.iter().any(|word| word.starts_with("-fprint") || word.starts_with("-fls") || *word == "-delete") {
        judged.add(Class::Tree, "find");
    }
    let mut words = rest;
    while let Some(at) = words.iter().position(|word| ["-exec", "-execdir", "-ok", "-okdir"].contains(word)) {
        let inner = words.get(at + 1..).unwrap_or_default();
        let end = inner.iter().position(|word| [";", "+"].contains(word)).unwrap_or(inner.len());
        let run = inner.get(..end).unwrap_or_default();
        let runs_it = run.first() == Some(&"{}")
            || (run.get(1) == Some(&"{}") && run.first().is_some_and(|first| interprets(first)));
        if runs_it {
            judged.add(Class::Unknown, "it runs whatever it finds");
        }
        program(run, Origin::Path, context, judged);
        words = inner.get(end..).unwrap_or_default();
    }
}

/// Whether a program runs the file that it is given.
fn interprets(program: &str) -> bool {
    known::INTERPRETERS.contains(&program) || ["source", "."].contains(&program)
}

/// Something that runs the words behind its options.
fn runs(name: &str, rest: &[&str], context: Context, judged: &mut Judgement) {
    const WITH_VALUE: &[&str] =
        &["-I", "-n", "-P", "-d", "-L", "-s", "-E", "-a", "-i", "--interval", "-e", "-f", "-u"];
    let mut words = rest;
    while let Some((first, behind)) = words.split_first() {
        if *first == "--" {
            words = behind;
            break;
        }
        if !is_flag(first) {
            break;
        }
        words = if WITH_VALUE.contains(first) { behind.get(1..).unwrap_or_default() } else { behind };
    }
    if ["flock", "taskset", "chrt", "faketime"].contains(&name) {
        words = words.get(1..).unwrap_or_default();
    }
    match words {
        [] => judged.add(if name == "xargs" { Class::Read } else { Class::Unknown }, name),
        [line] if line.contains(' ') => line_within(line, context, judged),
        words => program(words, Origin::Path, context, judged),
    }
}

/// Where the installed package comes from: the project's declaration, the reader's own choice, or elsewhere.
fn installs(length: usize, words: &[&str], judged: &mut Judgement) {
    let program = words.first().copied().unwrap_or_default();
    let rest = words.get(length.max(1)..).unwrap_or_default();
    const WITH_VALUE: &[&str] = &[
        "-r",
        "-c",
        "--requirement",
        "--constraint",
        "--features",
        "--editable",
        "-E",
        "-G",
        "--only",
        "--path",
    ];
    let mut operands = Vec::new();
    let mut is_value = false;
    for word in rest {
        if std::mem::take(&mut is_value) {
            continue;
        }
        is_value =
            WITH_VALUE.contains(word) || (RUNNER_OPTIONS.contains(word) && !["-w", "-n"].contains(word));
        if !is_flag(word) {
            operands.push(*word);
        }
    }
    // `yarn build` and `bundle x` install nothing.
    if length < 2 && !operands.is_empty() {
        return judged.add(Class::Tasks, program);
    }
    let is_global =
        rest.iter().any(|word| ["-g", "--global", "--system", "--break-system-packages"].contains(word));
    if is_global {
        judged.add(Class::Administer, "it installs for the whole machine");
    }
    let is_hole = |word: &&str| word.starts_with('{') && word.contains('}');
    let is_here = |word: &&str| {
        [".", "./"].iter().any(|here| word.starts_with(here)) || word.starts_with("\".") || *word == "all"
    };
    let is_module = |word: &&str| program == "go" && ["...", "all"].contains(word);
    if operands.iter().all(|word| is_here(word) || is_module(word)) {
        judged.add(Class::Build, program);
    } else if operands.iter().all(|word| is_hole(word) || is_here(word) || *word == "package") {
        judged.add(Class::Tree, program);
    } else {
        judged.add(Class::Fetch, program);
    }
}

/// A client of the web: this machine's services are local, all others are elsewhere.
fn web(name: &str, rest: &[&str], judged: &mut Judgement) {
    const METHODS: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];
    const WITH_VALUE: &[&str] = &[
        "-X",
        "--request",
        "-d",
        "--data",
        "--data-binary",
        "--data-raw",
        "--data-urlencode",
        "--json",
        "-F",
        "--form",
        "-H",
        "--header",
        "-o",
        "--output",
        "-w",
        "--write-out",
        "-u",
        "--user",
        "-b",
        "--cookie",
        "-c",
        "--cookie-jar",
        "-A",
        "--user-agent",
        "-m",
        "--max-time",
        "--connect-timeout",
        "--retry",
        "--retry-delay",
        "-T",
        "--upload-file",
        "-O",
        "-n",
        "-z",
    ];
    let mut is_value = false;
    let mut addresses = Vec::new();
    for word in rest {
        if std::mem::take(&mut is_value) {
            if paths::is_secret(word) {
                judged.add(Class::Send, "it sends a file of secrets");
            }
            continue;
        }
        // Of wget `-O` names a file, of curl it takes the remote name.
        is_value = WITH_VALUE.contains(word) && (name == "wget" || *word != "-O");
        if let Some((_, address)) = word.split_once('=').filter(|(option, _)| *option == "--url") {
            addresses.push(address);
        } else if !is_flag(word) && !METHODS.contains(word) {
            addresses.push(word);
        }
    }
    let is_here =
        |address: &&str| hosts::is_this_machine(hosts::host_of(address)) && !address.starts_with('{');
    // httpie's items (`name=value`) are no addresses.
    let items = ["http", "https", "xh", "xhs", "httpie", "grpcurl"].contains(&name);
    let addresses = if items { addresses.get(..1).unwrap_or_default() } else { &addresses };
    if addresses.is_empty()
        || !addresses.iter().all(is_here)
        || addresses.iter().any(|address| address.starts_with("file:"))
    {
        judged.add(Class::Send, shown(name));
        return judged.add(Class::Fetch, shown(name));
    }
    let writes = rest.iter().any(|word| METHODS.contains(word) || word.starts_with("-X") && word.len() > 2);
    judged.add(if writes { Class::Services } else { Class::Read }, shown(name));
}

/// A client of a database: local unless a host is told.
fn database(name: &str, rest: &[&str], judged: &mut Judgement) {
    const HOSTS: &[&str] =
        &["-h", "--host", "--hostname", "--server", "--uri", "--url", "--bootstrap-server", "--dbname"];
    let of_program: &[&str] = match name {
        "redis-cli" | "valkey-cli" => &["-u"],
        "nats" => &["-s"],
        "sqlcmd" | "usql" => &["-S", "-H"],
        "influx" => &["-host", "--host"],
        _ => &[],
    };
    let is_here = |host: &str| hosts::is_this_machine(hosts::host_of(host)) || host.starts_with('.');
    let mut told = "";
    for word in rest {
        let option = std::mem::replace(&mut told, word);
        let attached = word.strip_prefix("-h").filter(|host| !host.is_empty() && !word.starts_with("--"));
        let named = word
            .split_once('=')
            .filter(|(option, _)| HOSTS.contains(option))
            .map(|(_, host)| host)
            .or(attached);
        let names_the_database = option == "--dbname" && !word.contains("://");
        let is_value = (HOSTS.contains(&option) || of_program.contains(&option)) && !names_the_database;
        let is_foreign = named
            .is_some_and(|host| !is_here(host) && (!word.starts_with("--dbname") || host.contains("://")))
            || (is_value && !is_flag(word) && !is_here(word))
            || word.split(' ').any(|part| {
                part.split_once('=').is_some_and(|(key, host)| {
                    ["host", "hostaddr", "service"].contains(&key) && !is_here(host)
                })
            })
            || (!word.contains(' ')
                && !is_flag(word)
                && hosts::is_domain(word)
                && !paths_are_files(name, word));
        if is_foreign {
            judged.add(Class::Send, "it names another machine");
        }
    }
    if name == "cqlsh" && rest.iter().any(|word| !is_flag(word)) && !rest.iter().any(|word| is_here(word)) {
        judged.add(Class::Send, "it names another machine");
    }
    judged.add(Class::Services, shown(name));
}

/// Whether a client opens files and no servers.
fn paths_are_files(name: &str, word: &str) -> bool {
    ["sqlite3", "duckdb"].contains(&name) || word.contains("/") && word.starts_with('.')
}

/// An interpreter: a script of the repository, a line of a shell, or code in its arguments.
fn script(name: &str, rest: &[&str], context: Context, judged: &mut Judgement) {
    let is_shell = known::SHELLS.contains(&name) || ["csh", "fish"].contains(&name);
    let mut words = rest;
    while let Some((first, behind)) = words.split_first() {
        if !is_flag(first) || *first == "-" {
            break;
        }
        let is_line = is_shell && !first.starts_with("--") && first.contains('c');
        if is_line {
            return match behind.first() {
                Some(line) => line_within(line, context, judged),
                None => judged.add(Class::Unknown, shown(name)),
            };
        }
        if is_inline(name, first) {
            return judged.add(Class::Unknown, "code in its arguments");
        }
        let takes_value = ["-W", "-X", "--cwd", "--project", "-o", "-O", "--tsconfig", "-P"].contains(first);
        words = if takes_value { behind.get(1..).unwrap_or_default() } else { behind };
    }
    let Some(script) = words.first().filter(|script| **script != "-") else {
        return match context.fed {
            Fed::Fetched => judged.add(Class::FetchedCode, "it runs what is fetched"),
            Fed::Written | Fed::No => judged.add(Class::Unknown, "it runs what is fed to it"),
        };
    };
    if is_elsewhere(script) {
        return judged.add(Class::FetchedCode, shown(name));
    }
    if script.starts_with("/dev/") {
        return judged.add(Class::Unknown, "it runs what is fed to it");
    }
    let base = script.rsplit('/').next().unwrap_or(script);
    let mut own = vec![base];
    own.extend(words.get(1..).unwrap_or_default());
    match table::known(&own).filter(|_| base.contains('.')) {
        Some((Shape::Is(class), _)) => judged.add(class, shown(base)),
        _ => judged.add(Class::Tasks, shown(script)),
    }
}

/// Whether an option of an interpreter is followed by code, or loads some.
fn is_inline(name: &str, option: &str) -> bool {
    let long = [
        "--eval",
        "--print",
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "--preload",
        "--command",
        "--rcfile",
        "--init-file",
        "--run",
    ];
    if long
        .iter()
        .any(|known| option == *known || option.split_once('=').is_some_and(|(name, _)| name == *known))
    {
        return true;
    }
    if option.starts_with("--") {
        return false;
    }
    let letters: &[char] = match name {
        "python" | "python2" | "python3" => &['c', 'i', 'm'],
        "node" | "tsx" | "ts-node" => &['e', 'p', 'r'],
        "perl" => &['e', 'E', 'M', 'm', 'I', 'i', 'd', 'S'],
        "ruby" => &['e', 'r', 'I', 'n', 'p', 'S'],
        "php" => &['r', 'd', 'B', 'R', 'E', 'F', 'z', 'c'],
        "pwsh" | "Rscript" => &['c', 'C', 'e', 'f', 'F'],
        _ => &['s', 'i', 'c'],
    };
    option.contains(letters)
}

/// The class of a module of Python's own.
pub(super) fn module(name: &str) -> Option<Class> {
    Some(match name {
        "ast" | "dis" | "json.tool" | "site" | "sysconfig" | "tokenize" => Class::Read,
        "build" | "compileall" | "ensurepip" | "venv" | "virtualenv" => Class::Build,
        "doctest" | "py_compile" => Class::Test,
        "zipfile" | "tarfile" | "gzip" => Class::Tree,
        "http.server" | "smtpd" | "ftplib" | "telnetlib" => Class::Send,
        _ => return None,
    })
}
