//! Commands that cannot be undone: a closed list of what public tools call throwing away.
//!
//! A team may well do so again and again, so they are steps like others; but whoever follows a skill is
//! told to ask first.

use std::sync::LazyLock;

use regex::RegexSet;

/// The warning that such a step carries.
pub(super) const CAUTION: &str = " It cannot be undone: ask first.";

static IRREVERSIBLE: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        // Work that was not committed, history that others have.
        r"^git\b.*\s(?:reset\b.*\s--hard|clean\b.*\s-\w*f\w*|stash\s+(?:drop|clear)|branch\b.*\s-D)\b",
        r"^git\b.*\spush\b.*\s(?:--force|-f)(?:\s|$)",
        // Machines, clusters and what is stored there.
        r"^(?:terraform|tofu|terragrunt|pulumi|cdk|npx cdk)\b.*\s(?:destroy|-destroy)\b",
        r"^(?:kubectl|oc)\b.*\sdelete\b|^helm\b.*\s(?:uninstall|delete)\b",
        r"^(?:docker|podman)\b.*\s(?:prune|volume\s+rm|down\b.*\s(?:-v|--volumes))(?:\s|$)",
        r"^aws\b.*\s(?:s3\s+rb|s3\s+rm\b.*\s--recursive|delete-[\w-]+|terminate-[\w-]+)(?:\s|$)",
        r"^(?:gcloud|az)\b.*\sdelete\b",
        // Databases.
        r"(?i)\b(?:drop\s+(?:database|schema|table)|truncate\s+table|flushall|flushdb)\b|^dropdb\b",
        r"\bflyway(?::|\s+)clean\b|\bdb:(?:drop|reset)\b|\bmigrate[: ](?:fresh|reset)\b",
    ])
    .ok()
});

/// Whether the command throws away what nothing brings back.
pub(super) fn is_irreversible(command: &str) -> bool {
    // Rules that do not compile tell nothing apart: then each command is one to ask about.
    IRREVERSIBLE.as_ref().is_none_or(|rules| rules.is_match(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_brings_back_is_told_from_ordinary_commands() {
        for command in [
            "git reset --hard origin/main",
            "git clean -fdx",
            "git push --force origin main",
            "terraform -chdir=preview destroy -auto-approve",
            "kubectl delete pvc --all -n preview",
            "helm uninstall preview -n preview",
            "docker compose down -v",
            "aws s3 rm s3://bucket --recursive",
            "mvn -q flyway:clean flyway:migrate",
            "bundle exec rails db:drop",
            "redis-cli -n 2 FLUSHDB",
            "psql -c 'DROP TABLE orders'",
        ] {
            assert!(is_irreversible(command), "{command}");
        }
        for command in [
            "git reset HEAD~1",
            "git push --force-with-lease",
            "git stash pop",
            "terraform apply tfplan",
            "kubectl rollout restart deploy/mail",
            "docker compose down",
            "mvn flyway:migrate",
            "bundle exec rails db:migrate",
            "make clean",
            "./gradlew clean build",
        ] {
            assert!(!is_irreversible(command), "{command}");
        }
    }
}
