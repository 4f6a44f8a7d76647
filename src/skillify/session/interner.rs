//! Commands that many actions share.
//!
//! Sessions run the same commands again and again. Kept digests hold each action's command as bytes of
//! their own ([`postcard`]); who reads or makes many of them within [`super::sharing::SharedCommands::within`] has each command once.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::hash_index::{HashIndex, hash_of};
use crate::shell::command::Command;

/// A command that actions may share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::skillify) struct SharedCommand(Arc<Command>);

impl From<Command> for SharedCommand {
    fn from(command: Command) -> Self {
        KNOWN.with_borrow_mut(|known| match known {
            Some(known) => known.value(command),
            None => Self(Arc::new(command)),
        })
    }
}

impl std::ops::Deref for SharedCommand {
    type Target = Command;

    fn deref(&self) -> &Command {
        &self.0
    }
}

impl SharedCommand {
    /// Where the command stands in memory: what stands at one place is one command.
    pub(in crate::skillify) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// So many commands are remembered from one piece of work to the next, some 16 MiB: in a large table there is no end of
/// different ones.
const MOST_REMEMBERED: usize = 1 << 14;

/// The commands that were read or made.
#[derive(Default)]
pub(super) struct Commands {
    /// By their bytes.
    read: Vec<(Box<[u8]>, SharedCommand)>,
    places_of_read: HashIndex,
    commands: Vec<SharedCommand>,
    places: HashIndex,
}

thread_local! {
    /// The commands of [`super::sharing::SharedCommands::within`]; `None` outside of it. Serde passes no context to a
    /// deserializer.
    static KNOWN: RefCell<Option<Commands>> = const { RefCell::new(None) };
}

/// Shares commands on this thread from now on.
pub(super) fn share(commands: Commands) {
    KNOWN.set(Some(commands));
}

/// Shares no more; the commands that are known by now.
pub(super) fn shared() -> Commands {
    KNOWN.take().unwrap_or_default().bounded()
}

impl Commands {
    /// The same, or none if they are many: who reads a whole table a part at a time is to keep a part.
    fn bounded(self) -> Self {
        if self.commands.len().max(self.read.len()) <= MOST_REMEMBERED { self } else { Self::default() }
    }

    fn value(&mut self, command: Command) -> SharedCommand {
        let same = |at: usize| self.commands.get(at).is_some_and(|known| **known == command);
        let hash = hash_of(&command);
        let known = self.places.find(hash, same);
        if let Some(command) = known.and_then(|place| self.commands.get(place as usize)) {
            return command.clone();
        }
        let command = SharedCommand(Arc::new(command));
        self.places.insert(hash, self.commands.len());
        self.commands.push(command.clone());
        command
    }

    fn command(&mut self, bytes: &[u8]) -> postcard::Result<SharedCommand> {
        let same = |at: usize| self.read.get(at).is_some_and(|(known, _)| **known == *bytes);
        let hash = hash_of(bytes);
        let known = self.places_of_read.find(hash, same);
        if let Some((_, command)) = known.and_then(|place| self.read.get(place as usize)) {
            return Ok(command.clone());
        }
        let command = self.value(postcard::from_bytes(bytes)?);
        self.places_of_read.insert(hash, self.read.len());
        self.read.push((bytes.into(), command.clone()));
        Ok(command)
    }
}

fn decoded(bytes: &[u8]) -> postcard::Result<SharedCommand> {
    postcard::from_bytes::<Command>(bytes).map(|command| SharedCommand(Arc::new(command)))
}

impl Serialize for SharedCommand {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            return self.0.serialize(to);
        }
        let bytes = postcard::to_extend(&*self.0, Vec::new()).map_err(S::Error::custom)?;
        to.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for SharedCommand {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            return Command::deserialize(from).map(Self::from);
        }
        from.deserialize_bytes(Bytes)
    }
}

/// Reads a command from its bytes.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = SharedCommand;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a command")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<SharedCommand, E> {
        let command = KNOWN.with_borrow_mut(|known| match known {
            Some(known) => known.command(bytes),
            None => decoded(bytes),
        });
        command.map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sharing::{SharedCommands, sharing_commands};
    use super::*;
    use crate::shell::command::commands;

    #[test]
    fn commands_that_are_read_together_are_one_and_those_that_are_not_are_equal() {
        let written: Vec<SharedCommand> = ["make test", "git tag v1", "make test"]
            .iter()
            .map(|line| commands(line).remove(0).command.into())
            .collect();
        let bytes = postcard::to_extend(&written, Vec::new()).unwrap();
        let read = || postcard::from_bytes::<Vec<SharedCommand>>(&bytes).unwrap();
        let shared = sharing_commands(read);
        assert_eq!(shared, written);
        assert!(Arc::ptr_eq(&shared[0].0, &shared[2].0) && !Arc::ptr_eq(&shared[0].0, &shared[1].0));
        let single = read();
        assert_eq!(single, written);
        assert!(!Arc::ptr_eq(&single[0].0, &single[2].0));
    }

    #[test]
    fn from_one_piece_of_work_to_the_next_a_bounded_number_is_remembered() {
        let mut known = SharedCommands::default();
        let make = |number: usize| commands(&format!("make target-{number}")).remove(0).command;
        for piece in 0..5 {
            let work = || (0..MOST_REMEMBERED / 2).map(|at| SharedCommand::from(make(piece * 100_000 + at)));
            let made: Vec<SharedCommand>;
            (made, known) = known.within(|| work().collect());
            assert_eq!(made.len(), MOST_REMEMBERED / 2);
            assert!(known.commands.commands.len() <= MOST_REMEMBERED, "{}", known.commands.commands.len());
        }
    }

    #[test]
    fn bytes_that_are_no_command_are_refused() {
        let bytes = postcard::to_extend(&vec![vec![9_u8, 200, 200]], Vec::new()).unwrap();
        let read = || postcard::from_bytes::<Vec<SharedCommand>>(&bytes).is_err();
        assert!(read() && sharing_commands(read));
    }
}
