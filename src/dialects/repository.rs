//! A repository's URL as every machine with a clone of it would name it.

use super::Record;

const URL: &[&str] = &["vcs.repository.url.full"];

/// The repository that a record names, normalised; `""` if none.
pub(super) fn of(record: &Record<'_>) -> String {
    record.text(URL).map(|url| normalise(&url)).unwrap_or_default()
}

/// A repository as its sessions name it, by its URL or by that name.
pub fn project_of(text: &str) -> String {
    let project = normalise(text);
    if project.is_empty() { text.trim().to_owned() } else { project }
}

/// `host/owner/name` of a repository URL, whatever the way to reach it: scheme, credentials, port,
/// `.git` and query do not matter, the host's case neither. `""` for what names no host, such as a
/// path or a bare name.
pub(super) fn normalise(url: &str) -> String {
    let url = url.trim();
    let Some((authority, path)) = split(url) else {
        return String::new();
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or(path).trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if host.is_empty() || path.is_empty() {
        return String::new();
    }
    format!("{host}/{path}")
}

/// Authority and path of `scheme://authority/path` or of the scp-like `user@host:path`.
fn split(url: &str) -> Option<(&str, &str)> {
    if let Some((scheme, rest)) = url.split_once("://") {
        return if scheme.eq_ignore_ascii_case("file") { None } else { rest.split_once('/') };
    }
    let (authority, path) = url.split_once(':')?;
    let is_host = authority.contains(['@', '.']) && !authority.contains(['/', '\\']);
    is_host.then_some((authority, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_a_repository_gives_one_name() {
        for url in [
            "https://git.example.com/acme/shop-api",
            "https://git.example.com/acme/shop-api.git",
            "http://user:secret@Git.Example.com:8443/acme/shop-api.git/",
            "ssh://git@git.example.com:22/acme/shop-api.git",
            "git@git.example.com:acme/shop-api.git",
            " https://git.example.com/acme/shop-api?ref=main#readme ",
        ] {
            assert_eq!(normalise(url), "git.example.com/acme/shop-api", "{url}");
        }
        assert_eq!(normalise("https://gitlab.example/a/b/c.git"), "gitlab.example/a/b/c");
    }

    #[test]
    fn what_names_no_host_is_no_project() {
        for url in [
            "",
            "shop-api",
            "/srv/shop-api",
            "file:///srv/shop-api",
            "C:\\src\\shop",
            "https://",
            "https://host/",
            ":",
            "@:",
        ] {
            assert_eq!(normalise(url), "", "{url}");
        }
    }
}
