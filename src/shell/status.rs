//! How each command of a line ended.

use super::command::Listed;
use super::parse::Connector;
use super::signature;
use crate::event::Status;

/// How each command of a line ended, as far as the line's own status tells.
pub(crate) fn statuses(listed: &[Listed], status: Status, output: &str) -> Vec<Status> {
    let chained = listed.iter().skip(1).all(|command| command.connector == Connector::And);
    let telling: Vec<usize> = (0..listed.len())
        .filter(|index| listed.get(*index).is_some_and(|listed| !listed.command.is_trivial()))
        .collect();
    let last = listed.len().saturating_sub(1);
    listed
        .iter()
        .enumerate()
        .map(|(index, command)| {
            let own = match status {
                Status::Ok if chained || index == last => Status::Ok,
                Status::Error if telling == [index] && (chained || index == last) => Status::Error,
                _ => Status::Unknown,
            };
            if command.masked && own == Status::Ok { signature::status_shown_by(output) } else { own }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::commands;

    #[test]
    fn a_failed_list_blames_only_what_must_have_failed() {
        let of = |line: &str, status| statuses(&commands(line), status, "");
        assert_eq!(of("cd a && make b", Status::Error)[1], Status::Error);
        assert_eq!(of("make a && make b", Status::Error), [Status::Unknown, Status::Unknown]);
        assert_eq!(of("make a && make b", Status::Ok), [Status::Ok, Status::Ok]);
        assert_eq!(of("make a; make b", Status::Ok), [Status::Unknown, Status::Ok]);
        assert_eq!(of("make a | tail", Status::Ok), [Status::Unknown]);
    }
}
