//! Which words lead out of the repository, and which name files of secrets.

/// The devices that every program may use.
const DEVICES: &[&str] = &["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty"];

/// Folders of programs that belong to the system: their programs are known by name.
const SYSTEM: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Names of files that hold secrets, whatever stands before.
const SECRET_NAMES: &[&str] = &[
    ".env",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    "credentials",
    "credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "kubeconfig",
    "master.key",
    "secrets.json",
    "secrets.yaml",
    "secrets.yml",
    "service-account.json",
    "terraform.tfstate",
];

/// Endings of files that hold secrets.
const SECRET_ENDINGS: &[&str] = &["key.pem", ".jks", ".kdbx", ".key", ".keystore", ".p12", ".pfx", ".ppk"];

/// Folders whose files are secrets.
const SECRET_FOLDERS: &[&str] = &["/run/secrets/", "/var/run/secrets/"];

/// What of a `.env.…` holds no secret.
const SAMPLES: &[&str] =
    &["dist", "defaults", "example", "sample", "schema", "template", "test", "testing", "ci"];

/// Whether a path leads out of the repository, seen from a folder so deep in it.
pub(crate) fn leads_out(path: &str, depth: usize) -> bool {
    let path = path.trim_matches(['\'', '"']);
    if DEVICES.contains(&path) {
        return false;
    }
    let is_drive = |path: &str| {
        let mut chars = path.chars();
        chars.next().is_some_and(|char| char.is_ascii_alphabetic())
            && chars.next() == Some(':')
            && chars.next().is_some_and(|char| char == '\\')
    };
    let is_home = path.strip_prefix('~').is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(|char: char| char == '/' || char.is_ascii_alphabetic())
    });
    let is_told_by_a_variable =
        ["$HOME", "${HOME", "$TMPDIR", "${TMPDIR", "%USERPROFILE%", "%APPDATA%", "%TEMP%"];
    if path.starts_with(['/', '\\'])
        || is_drive(path)
        || is_home
        || is_told_by_a_variable.iter().any(|variable| path.starts_with(variable))
    {
        return true;
    }
    let mut depth = depth;
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Whether an argument, or a part of it, leads out of the repository.
pub(super) fn argument_leads_out(word: &str, depth: usize, in_container: bool) -> bool {
    let attached =
        word.strip_prefix('-').filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.get(1..));
    let outside = |piece: &str| {
        let piece = piece.strip_prefix('@').unwrap_or(piece);
        // `-d/` and `-F/` of `cut` and the like: one sign is no path.
        !piece.is_empty() && leads_out(piece, depth)
    };
    let attached = attached.filter(|attached| attached.len() > 1);
    let whole = [Some(word), attached];
    whole.into_iter().flatten().any(|word| {
        word.split([' ', '\t', '\n', '=', ',', ';', '\'', '"', '(', ')', '<', '>', '|']).any(|piece| {
            if let Some(path) = piece.strip_prefix("file:") {
                return outside(path.strip_prefix("//").unwrap_or(path));
            }
            if piece.contains("://") {
                return false;
            }
            let mut parts = piece.split(':');
            let first = parts.next().unwrap_or_default();
            let is_drive = first.len() == 1 && piece.contains(":\\");
            outside(first) || is_drive || (!in_container && parts.any(outside))
        })
    })
}

/// Whether a program stands in a folder of the system.
pub(super) fn is_of_the_system(program: &str) -> bool {
    program.rsplit_once('/').is_some_and(|(folder, _)| SYSTEM.contains(&folder))
}

/// Whether a word names a file of secrets.
pub(super) fn is_secret(word: &str) -> bool {
    let path = word.rsplit(['=', '@', ':']).next().unwrap_or(word);
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let env = name
        .strip_prefix(".env.")
        .is_some_and(|kind| !SAMPLES.contains(&kind.rsplit('.').next().unwrap_or(kind)));
    let shows_variables = path.starts_with("/proc/") && name == "environ";
    env || shows_variables
        || SECRET_FOLDERS.iter().any(|folder| path.starts_with(folder))
        || SECRET_NAMES.contains(&name.as_str())
        || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a path is of what git keeps for itself: its hooks are run by every command.
pub(super) fn is_of_git(word: &str) -> bool {
    let path = word.rsplit(['=', '@', ':']).next().unwrap_or(word);
    path.split('/').any(|part| part.eq_ignore_ascii_case(".git")) && path.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out_is_told_after_its_dots_are_resolved() {
        for path in [
            "/etc/x",
            "~",
            "~/x",
            "~root/x",
            "..",
            "../x",
            "a/../../x",
            "./../x",
            "$HOME/x",
            "/tmp/x",
            "C:\\x",
            "\\\\a\\b",
            "//a/b",
        ] {
            assert!(leads_out(path, 0), "{path}");
        }
        for path in
            ["a/../b", "./a", "a/b/../../c", "/dev/null", "...", "./...", "main..HEAD", "HEAD~3", "a~", ""]
        {
            assert!(!leads_out(path, 0), "{path}");
        }
        assert!(!leads_out("../../x", 2) && leads_out("../../../x", 2));
    }

    #[test]
    fn a_path_is_found_in_any_part_of_a_word() {
        for word in [
            "--config=/etc/x",
            "-I/usr/include",
            "-C../..",
            "@/etc/passwd",
            "a:/etc/x",
            "x=a,../b",
            "file:///etc/x",
            "COPY t FROM '/etc/passwd'",
        ] {
            assert!(argument_leads_out(word, 0, false), "{word}");
        }
        for word in ["--config=etc/x", "-d/", "http://localhost/etc", "a:b", "./data:/data"] {
            assert!(!argument_leads_out(word, 0, true), "{word}");
        }
    }

    #[test]
    fn files_of_secrets_are_told_by_their_names() {
        for word in [
            ".env",
            "web/.env.production",
            "@.env",
            "config/master.key",
            "a=.npmrc",
            "x.p12",
            "/run/secrets/db",
            "/proc/1/environ",
        ] {
            assert!(is_secret(word), "{word}");
        }
        for word in [".env.example", ".env.test", "env", "src/key.rs", ".envoy.yaml"] {
            assert!(!is_secret(word), "{word}");
        }
    }
}
