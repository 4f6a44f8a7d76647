//! Options of public tools that stand before the subcommand and take the next word as their value:
//! `kubectl --context eu apply` applies.

use super::flag::is_flag;

/// By program.
const GLOBAL_OPTIONS: &[(&str, &[&str])] = &[
    ("./gradlew", GRADLE),
    ("./mvnw", MAVEN),
    ("adb", &["-H", "-P", "-s", "-t"]),
    ("alembic", &["--config", "--name", "-c", "-n", "-x"]),
    ("aws", &["--ca-bundle", "--endpoint-url", "--output", "--profile", "--query", "--region"]),
    ("az", &["--output", "--query", "--subscription", "-o"]),
    ("cargo", &["--color", "--config", "--manifest-path", "-C", "-Z"]),
    ("celery", &["--app", "--broker", "--workdir", "-A", "-b"]),
    ("docker", CONTAINER),
    ("docker-compose", CONTAINER),
    ("firebase", &["--config", "--project", "-P", "-c"]),
    ("flask", &["--app", "--env-file", "-A", "-e"]),
    ("flux", CLUSTER),
    ("fly", &["--app", "--config", "-a", "-c"]),
    ("flyctl", &["--app", "--config", "-a", "-c"]),
    ("gcloud", &["--account", "--configuration", "--format", "--project", "--verbosity"]),
    ("gh", &["--repo", "-R"]),
    ("git", &["--git-dir", "--namespace", "--work-tree", "-C", "-c"]),
    ("glab", &["--repo", "-R"]),
    ("go", &["-C"]),
    ("gradle", GRADLE),
    ("helm", CLUSTER),
    ("heroku", &["--app", "--remote", "-a", "-r"]),
    ("istioctl", CLUSTER),
    ("just", &["--justfile", "--working-directory", "-d", "-f"]),
    ("kubectl", CLUSTER),
    ("make", &["--directory", "--file", "--makefile", "-C", "-I", "-f"]),
    ("mvn", MAVEN),
    ("ninja", &["-C", "-d", "-f", "-j", "-k", "-l"]),
    ("npm", &["--prefix", "--workspace", "-C", "-w"]),
    ("oc", CLUSTER),
    ("pnpm", &["--dir", "--filter", "-C", "-F"]),
    ("podman", CONTAINER),
    ("podman-compose", CONTAINER),
    ("poetry", &["--directory", "--project", "-C", "-P"]),
    ("pulumi", &["--cwd", "--stack", "-C", "-s"]),
    ("systemctl", &["--host", "--machine", "-H", "-M"]),
    ("task", &["--dir", "--taskfile", "-d", "-t"]),
    ("uv", &["--config-file", "--directory", "--project"]),
    ("west", &["--zephyr-base", "-z"]),
    ("yarn", &["--cwd"]),
];

const CLUSTER: &[&str] = &[
    "--as",
    "--as-group",
    "--cluster",
    "--context",
    "--kube-context",
    "--kubeconfig",
    "--namespace",
    "--request-timeout",
    "--server",
    "--user",
    "-n",
    "-s",
];

const CONTAINER: &[&str] = &[
    "--config",
    "--context",
    "--env-file",
    "--file",
    "--host",
    "--log-level",
    "--profile",
    "--project-directory",
    "--project-name",
    "-H",
    "-c",
    "-f",
    "-l",
    "-p",
];

const GRADLE: &[&str] = &[
    "--build-file",
    "--gradle-user-home",
    "--init-script",
    "--project-dir",
    "--settings-file",
    "-I",
    "-b",
    "-c",
    "-g",
    "-p",
];

const MAVEN: &[&str] = &[
    "--activate-profiles",
    "--file",
    "--projects",
    "--settings",
    "--threads",
    "-P",
    "-T",
    "-f",
    "-pl",
    "-s",
];

/// The words behind a program that are neither options nor the values of such options.
pub(crate) fn arguments<'a, 'b>(
    program: &str,
    words: &'b [&'a str],
) -> impl Iterator<Item = &'a str> + use<'a, 'b> {
    let of_program = GLOBAL_OPTIONS.iter().find(|(name, _)| *name == program);
    let with_value = of_program.map_or(&[][..], |(_, options)| options);
    let mut is_value = false;
    words.iter().copied().filter(move |word| {
        let is_argument = !is_flag(word) && !std::mem::take(&mut is_value);
        is_value |= with_value.contains(word);
        is_argument
    })
}
