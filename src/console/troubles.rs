//! What went wrong in a session, as a report counts it: kept with its row, for lists that ask for it.

use std::collections::BTreeSet;

use crate::skillify::account::Account;

/// The most bytes of a session's failures that are kept.
const LONGEST_TROUBLES: usize = 2_000;

/// What went wrong in a session, as a report counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble<'t> {
    /// Something of this kind failed: the kind, and the command or the tool.
    Failed(&'t str, &'t str),
    /// A person was against this act.
    Against(&'t str),
}

/// What went wrong, each once, of the lines that are kept.
pub(super) fn told(lines: &str) -> impl Iterator<Item = Trouble<'_>> {
    lines.lines().filter_map(|line| match line.split_once('\t')? {
        ("", act) => Some(Trouble::Against(act)),
        (kind, what) => Some(Trouble::Failed(kind, what)),
    })
}

/// The lines that are kept of a session: [`told`].
pub(super) fn troubles_of(account: &Account) -> String {
    let plain = |text: &str| text.replace(['\n', '\r', '\t'], " ");
    let failed = account.failures.iter().map(|one| format!("{}\t{}\n", one.kind, plain(&one.what)));
    let against = account.objections.iter().map(|one| format!("\t{}\n", plain(&one.act)));
    let lines: BTreeSet<String> = failed.chain(against).collect();
    let mut text = String::new();
    for line in lines {
        if text.len() + line.len() > LONGEST_TROUBLES {
            break;
        }
        text.push_str(&line);
    }
    text.shrink_to_fit();
    text
}
