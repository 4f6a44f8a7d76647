//! A request of hooks as it came in, and how its records are read.

use axum::body::Bytes;

use crate::dialects::{Hooks, Record};
use crate::receivers::otlp::{Coding, Unreadable};
use crate::receivers::{Lease, Refusal, Signal, Source, Tally};

use super::decode;

/// Bodies up to this size are decoded on the connection's own thread; larger ones would make other connections wait.
const SMALL: usize = 16 << 10;

/// How objects stand in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One object.
    Object,
    /// One object per line; empty lines are skipped.
    Lines,
}

/// The body of a request to `/v1/hooks/{assistant}`.
#[derive(Debug, Clone)]
pub struct HookBody {
    /// Whose hooks.
    pub hooks: &'static Hooks,
    /// One object or several.
    pub form: Form,
    /// How it is compressed.
    pub coding: Coding,
    /// As received.
    pub body: Bytes,
    /// The most bytes that it may have, decompressed.
    pub limit: usize,
}

impl Source for HookBody {
    fn signal(&self) -> Signal {
        Signal::Logs
    }

    fn is_small(&self) -> bool {
        self.coding == Coding::Identity && self.body.len() <= SMALL
    }

    fn read(self, lease: &mut Lease, visit: &mut dyn FnMut(&Record<'_>)) -> Result<Tally, Refusal> {
        let body = self.coding.decompress(self.body, self.limit, lease)?;
        let mut tally = Tally::default();
        let mut show = |json: &[u8], place: &str| {
            let malformed = |Unreadable(reason)| Refusal::Malformed(format!("{place}{reason}"));
            decode::show(self.hooks, json, visit).map_err(malformed)?;
            tally.records += 1;
            Ok(())
        };
        match self.form {
            Form::Object => show(&body, "the body cannot be read: ")?,
            Form::Lines => {
                for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
                    if !line.trim_ascii().is_empty() {
                        show(line, &format!("line {} cannot be read: ", number + 1))?;
                    }
                }
            }
        }
        Ok(tally)
    }
}
