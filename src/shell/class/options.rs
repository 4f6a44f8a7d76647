//! Options that add a class: another registry, a protection switched off, something else that is run.
//!
//! The name of an option tells by its parts, whatever the program; what a single program calls otherwise stands in a
//! list of its own. An option that nobody knows is read for paths and hosts, as every argument is.

use super::Class::{self, Administer, Fetch, FetchedCode, Publish, Send, Unknown};
use super::Judgement;
use crate::shell::flag::is_flag;

/// Parts of long options, with what they add. An option that begins with `no-` says the opposite, unless the part
/// does so itself.
const PARTS: &[(&str, Class)] = &[
    ("registry", Fetch),
    ("index-url", Fetch),
    ("extra-index", Fetch),
    ("default-index", Fetch),
    ("find-links", Fetch),
    ("repository-url", Fetch),
    ("remote-repositories", Fetch),
    ("mirror", Fetch),
    ("plugin-dir", FetchedCode),
    ("trusted-host", Administer),
    ("allow-insecure", Administer),
    ("allow-unauthenticated", Administer),
    ("allow-untrusted", Administer),
    ("disable-web-security", Administer),
    ("insecure", Administer),
    ("strict-ssl", Administer),
    ("no-check-certificate", Administer),
    ("no-gpg-check", Administer),
    ("no-sandbox", Administer),
    ("no-verify-ssl", Administer),
    ("nogpgcheck", Administer),
    ("unsafe-perm", Administer),
    ("cafile", Administer),
    ("cacert", Administer),
    ("ca-bundle", Administer),
    ("cap-add", Administer),
    ("privileged", Administer),
    ("dangerously", Administer),
    ("skip-permission", Administer),
    ("bypass-approvals", Administer),
    ("full-auto", Administer),
    ("yolo", Administer),
    ("yes-always", Administer),
    ("no-confirm", Administer),
    ("allow-all-tools", Administer),
    ("proxy", Send),
    ("endpoint-url", Send),
    ("askpass", Unknown),
    ("compress-program", Unknown),
    ("checkpoint-action", Unknown),
    ("exec", Unknown),
    ("external-diff", Unknown),
    ("post-renderer", Unknown),
    ("pager", Unknown),
    ("init-script", Unknown),
    ("in-pager", Unknown),
    ("node-options", Unknown),
    ("receive-pack", Unknown),
    ("rsh", Unknown),
    ("script-shell", Unknown),
    ("to-command", Unknown),
    ("run-under", Unknown),
    ("run_under", Unknown),
    ("toolexec", Unknown),
    ("unzip-command", Unknown),
    ("skip-grant", Administer),
    ("upload-pack", Unknown),
    ("vettool", Unknown),
];

/// Long options that a part would tell wrongly.
const HARMLESS: &[&str] = &[
    "--executable-path",
    "--execution",
    "--fix-dangerously",
    "--max-executions",
    "--no-exec",
    "--no-proxy",
    "--proxy-headers",
    "--executors",
    "--parallel-executions",
];

/// Whole options of single programs; of every program where none is named.
const OPTIONS: &[(&str, &str, Class)] = &[
    ("", "--no-verify", Administer),
    ("", "--eval", Unknown),
    ("docker", "--push", Publish),
    ("pnpm", "-c", Unknown),
    ("pnpm", "--shell-mode", Unknown),
    ("tar", "-P", Unknown),
    ("tar", "--absolute-names", Unknown),
    ("terraform", "-from-module", Fetch),
    ("", "--ignore-scripts=false", Administer),
    ("aider", "--yes", Administer),
    ("awk", "-f", Unknown),
    ("awk", "-i", Unknown),
    ("bb", "-e", Unknown),
    ("bun", "--preload", Unknown),
    ("bun", "-e", Unknown),
    ("bun", "-r", Unknown),
    ("cargo", "--config", Unknown),
    ("cargo", "--index", Fetch),
    ("cargo", "--git", Fetch),
    ("cargo", "-Zscript", Unknown),
    ("clj", "-e", Unknown),
    ("clojure", "-e", Unknown),
    ("cmake", "-P", Unknown),
    ("curl", "--config", Unknown),
    ("curl", "--unix-socket", Unknown),
    ("curl", "-K", Unknown),
    ("curl", "-k", Administer),
    ("curl", "-x", Send),
    ("deno", "eval", Unknown),
    ("docker", "--allow", Administer),
    ("docker", "--context", Send),
    ("docker", "--host", Send),
    ("docker", "-H", Send),
    ("docker", "--network=host", Administer),
    ("docker", "--ssh", Send),
    ("docker", "--pid=host", Administer),
    ("docker-compose", "-H", Send),
    ("dotnet", "--source", Fetch),
    ("dotnet", "-s", Fetch),
    ("elixir", "-e", Unknown),
    ("elixir", "--rpc-eval", Unknown),
    ("erl", "-eval", Unknown),
    ("gem", "--source", Fetch),
    ("ghc", "-e", Unknown),
    ("k3d", "--image", Fetch),
    ("k3d", "-i", Fetch),
    ("kind", "--image", Fetch),
    ("minikube", "--base-image", Fetch),
    ("minikube", "--image-repository", Fetch),
    ("minikube", "--iso-url", Fetch),
    ("bazel", "--bazelrc", Unknown),
    ("bazelisk", "--bazelrc", Unknown),
    ("git", "--global", Administer),
    ("git", "--no-gpg-sign", Administer),
    ("git", "--system", Administer),
    ("git", "--config-env", Unknown),
    ("git", "--template", Unknown),
    ("git", "--tree-filter", Unknown),
    ("git", "--open-files-in-pager", Unknown),
    ("git grep", "-O", Unknown),
    ("git update-index", "--assume-unchanged", Administer),
    ("git update-index", "--skip-worktree", Administer),
    ("git rebase", "-x", Unknown),
    ("git clone", "-c", Unknown),
    ("git clone", "-u", Unknown),
    ("git archive", "--remote", Send),
    ("gradle", "-I", Unknown),
    ("./gradlew", "-I", Unknown),
    ("groovy", "-e", Unknown),
    ("guile", "-c", Unknown),
    ("iex", "-e", Unknown),
    ("install", "-g", Administer),
    ("install", "-o", Administer),
    ("install", "--group", Administer),
    ("install", "--owner", Administer),
    ("julia", "-E", Unknown),
    ("julia", "-e", Unknown),
    ("just", "--shell", Unknown),
    ("just", "--command", Unknown),
    ("just", "-c", Unknown),
    ("kotlin", "-e", Unknown),
    ("kotlinc", "-e", Unknown),
    ("kubectl", "--server", Send),
    ("kubectl", "-s", Send),
    ("kubectl", "--kubeconfig", Unknown),
    ("less", "-k", Unknown),
    ("lua", "-e", Unknown),
    ("luajit", "-e", Unknown),
    ("make", "--eval", Unknown),
    ("man", "-P", Unknown),
    ("man", "-H", Unknown),
    ("mix", "-e", Unknown),
    ("mongod", "--bind_ip_all", Administer),
    ("mvn", "--settings", Fetch),
    ("mvn", "-s", Fetch),
    ("mvn", "-gs", Fetch),
    ("./mvnw", "--settings", Fetch),
    ("./mvnw", "-s", Fetch),
    ("npm", "--userconfig", Unknown),
    ("pip", "-i", Fetch),
    ("pip", "-f", Fetch),
    ("pip3", "-i", Fetch),
    ("pip3", "-f", Fetch),
    ("psql", "--pset=pager", Unknown),
    ("pytest", "--pyargs", Unknown),
    ("pytest", "--override-ini", Unknown),
    ("pytest", "-o", Unknown),
    ("R", "-e", Unknown),
    ("racket", "-e", Unknown),
    ("rake", "--execute", Unknown),
    ("rake", "-E", Unknown),
    ("rake", "-e", Unknown),
    ("raku", "-e", Unknown),
    ("redis-server", "--protected-mode", Administer),
    ("rg", "--pre", Unknown),
    ("rg", "--hostname-bin", Unknown),
    ("rsync", "-e", Unknown),
    ("scala", "-e", Unknown),
    ("sed", "-f", Unknown),
    ("sqlite3", "-cmd", Unknown),
    ("sqlite3", "-init", Unknown),
    ("swift", "-e", Unknown),
    ("tar", "-I", Unknown),
    ("tar", "-F", Unknown),
    ("tar", "--info-script", Unknown),
    ("terraform", "-chdir=..", Unknown),
    ("uv", "--index", Fetch),
    ("uv", "-i", Fetch),
    ("uv", "-f", Fetch),
    ("wget", "-e", Unknown),
    ("yarn node", "-e", Unknown),
    ("yarn node", "-p", Unknown),
    ("yarn node", "-r", Unknown),
    ("yarn node", "--import", Unknown),
    ("yarn node", "--print", Unknown),
    ("yarn node", "--require", Unknown),
    ("zip", "-TT", Unknown),
];

/// What `git -c` may set; everything else can name a program.
const GIT_SETTINGS: &[&str] = &[
    "advice.",
    "color.",
    "column.",
    "core.autocrlf",
    "core.quotepath",
    "diff.algorithm",
    "init.defaultbranch",
    "log.",
    "merge.conflictstyle",
    "pull.rebase",
    "rebase.autostash",
    "rerere.enabled",
    "user.name",
];

/// Adds what the options of a program add.
pub(super) fn judge(words: &[&str], judged: &mut Judgement) {
    let Some((program, rest)) = words.split_first() else { return };
    let verb = rest.iter().find(|word| !is_flag(word)).copied().unwrap_or_default();
    let with_verb = format!("{program} {verb}");
    for (at, word) in rest.iter().enumerate() {
        if *word == "--" {
            break;
        }
        if word.starts_with('+') && word.contains('!') {
            judged.add(Unknown, "a command within its arguments");
        }
        if !is_flag(word) {
            continue;
        }
        let option = word.split_once('=').map_or(*word, |(option, _)| option);
        let whole = OPTIONS.iter().filter(|(of, known, _)| {
            let of_it = of.is_empty() || of == program || *of == with_verb;
            let is_short = known.len() == 2 && !word.starts_with("--");
            of_it && (known == word || *known == option || (is_short && word.starts_with(known)))
        });
        for (_, known, class) in whole {
            judged.add(*class, *known);
        }
        let is_long =
            word.starts_with("--") || word.starts_with("-D") || ["go", "terraform", "tofu"].contains(program);
        if with_verb == "git commit" && leaves_hooks_out(word) {
            judged.add(Administer, "git commit -n");
        }
        if is_long && !HARMLESS.contains(&option) {
            by_parts(option, judged);
        }
        let value = word
            .split_once('=')
            .map(|(_, value)| value)
            .or_else(|| rest.get(at + 1).copied())
            .unwrap_or_default();
        let is_global = !rest.iter().take(at).any(|word| *word == verb);
        if !(*program == "git" && option == "-c") || is_global {
            of_value(program, option, value, judged);
        }
    }
}

/// Whether `-n` stands among the options of one letter of `git commit`, before one that takes a value.
fn leaves_hooks_out(word: &str) -> bool {
    let letters = word.strip_prefix('-').unwrap_or_default();
    let own = letters.split(['m', 'F', 'C', 'c', 't', 'S', 'u']).next().unwrap_or_default();
    own.contains('n') && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn by_parts(option: &str, judged: &mut Judgement) {
    let name = option.trim_start_matches('-').to_lowercase();
    for (part, class) in PARTS {
        let denies = name.starts_with("no-") && !part.starts_with("no-");
        if name.contains(part) && !denies {
            judged.add(*class, *part);
        }
    }
}

/// Options of which the value tells.
fn of_value(program: &str, option: &str, value: &str, judged: &mut Judgement) {
    match (program, option) {
        ("git", "-c") => {
            let name = value.split('=').next().unwrap_or_default().to_lowercase();
            let is_plain_pager = ["core.pager=cat", "core.pager=", "pager.log=false"].contains(&value);
            if !is_plain_pager && !GIT_SETTINGS.iter().any(|known| name.starts_with(known)) {
                judged.add(Unknown, "git -c");
            }
        }
        ("go", "-ldflags" | "-gcflags" | "-gccgoflags") if value.contains("extld") => {
            judged.add(Unknown, "a linker of its own");
        }
        ("docker", "--network") if value == "host" => judged.add(Administer, "the network of this machine"),
        // Its bits for set-user-id and the like.
        ("install", "-m" | "--mode")
            if value.contains('s') || (value.len() == 4 && !value.starts_with('0')) =>
        {
            judged.add(Administer, "a program that runs as another user");
        }
        (_, "--host") if value.is_empty() || is_flag(value) => {
            judged.add(Administer, "it listens beyond this machine")
        }
        ("git", "--config") => judged.add(Unknown, "git --config"),
        ("pytest" | "py.test", "-p") if !value.starts_with("no:") => {
            judged.add(Unknown, "a plugin that it loads")
        }
        ("gcc" | "g++" | "clang" | "clang++" | "cc", "-fplugin" | "-B" | "-wrapper" | "-specs") => {
            judged.add(Unknown, "a program of the compiler")
        }
        (_, "-Xcc" | "-Xclang" | "-Xcxx" | "-Xlinker" | "-Xswiftc") if loads_code(value) => {
            judged.add(Unknown, "a program of the compiler")
        }
        ("rustc", "-C" | "--codegen") if value.starts_with("linker") => {
            judged.add(Unknown, "a linker of its own")
        }
        _ => {}
    }
}

/// What of a compiler's options loads code into it or starts another program.
fn loads_code(option: &str) -> bool {
    ["-fplugin", "-load", "-plugin", "--plugin", "-wrapper", "-specs", "-B", "-fuse-ld"]
        .iter()
        .any(|known| option.starts_with(known))
}

/// Adds what the options of something that only starts a program add.
pub(super) fn judge_runner(words: &[&str], fetches: bool, judged: &mut Judgement) {
    for word in words.iter().skip(1).filter(|word| is_flag(word)) {
        let option = word.split_once('=').map_or(*word, |(option, _)| option);
        let names_a_package = option.starts_with("--with") && words.first() == Some(&"uv")
            || ["--with", "--from", "--spec", "--pip-args"].contains(&option)
            || (fetches && ["--package", "-p", "-c", "--call"].contains(&option));
        if names_a_package {
            judged.add(FetchedCode, "a package that it names");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(line: &str) -> Vec<Class> {
        let mut judged = Judgement::default();
        judge(&line.split(' ').collect::<Vec<_>>(), &mut judged);
        judged.classes.into_keys().collect()
    }

    #[test]
    fn an_option_adds_what_its_parts_say() {
        for (line, class) in [
            ("npm ci --registry=x", Fetch),
            ("pip install -ix y", Fetch),
            ("claude --dangerously-skip-permissions", Administer),
            ("git fetch --upload-pack=./x", Unknown),
            ("go build -toolexec ./x", Unknown),
            ("tool --insecure-skip-tls-verify", Administer),
            ("git -c core.sshCommand=x pull", Unknown),
            ("less +!x", Unknown),
            ("zip a b -T --unzip-command=sh", Unknown),
            ("bazel run //x --run_under=sh", Unknown),
            ("install -m 4755 a b", Administer),
            ("vite --host", Administer),
            ("docker build --network host .", Administer),
            ("yarn node -p 1", Unknown),
            ("mix run -e 1", Unknown),
            ("swift build -Xcc -fplugin=x", Unknown),
            ("git update-index --skip-worktree a", Administer),
            ("git commit -nm x", Administer),
            ("git commit -an", Administer),
        ] {
            assert_eq!(added(line), [class], "{line}");
        }
        for line in [
            "git -c color.ui=false log",
            "git commit -am n",
            "git commit -mn",
            "pytest -p no:cacheprovider",
            "npm run x -- --exec",
            "curl --no-proxy x",
            "install -m 0644 a b",
            "install -m 644 a b",
            "vite --host localhost",
        ] {
            assert_eq!(added(line), [], "{line}");
        }
    }
}
