//! `skillspan segment --arrow-stdio`: rows of the sessions table in, segments out, as a filter.
//!
//! Standard input and output are Arrow IPC streams. What belongs to one session must come in one
//! stream; sessions may come in any number of streams, on as many machines.

use std::io::{self, Read, Write};

use anyhow::{Context, anyhow, bail};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use clap::Args;

use crate::event::SessionEvent;
use crate::skillify::{Digest, segments_as_rows, segments_schema};
use crate::table::{ResolveOptions, events_of, resolve};

use super::{Failure, OrFail};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Read Arrow rows from standard input, write segments to standard output
    #[arg(long, required = true)]
    arrow_stdio: bool,
    /// The workspace of sessions that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    default_workspace: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // The decoder is given bytes from anywhere; if it gives up, that is an error like others.
    let reading = std::thread::spawn(|| read(io::stdin().lock())).join();
    let events =
        reading.unwrap_or_else(|_| Err(anyhow!("the Arrow decoder gave up on standard input"))).or_fail()?;
    let options = ResolveOptions { default_workspace: arguments.default_workspace.clone() };
    write(events, &options, io::BufWriter::new(io::stdout().lock())).or_fail()
}

/// The rows of a stream that ends as it should.
fn read(input: impl Read) -> anyhow::Result<Vec<SessionEvent>> {
    let mut input = Tail { input: io::BufReader::new(input), last: [0; END.len()], read: 0 };
    let mut events = Vec::new();
    let stream = StreamReader::try_new(&mut input, None);
    let stream = stream.context("standard input is not an Arrow IPC stream of rows of the sessions table");
    for batch in stream? {
        let batch = batch.context("standard input is damaged, or was cut off")?;
        events.extend(events_of(&batch).context("standard input has no rows of the sessions table")?);
    }
    if input.last != END {
        bail!("standard input ends after {} bytes without an end-of-stream mark: it was cut off", input.read);
    }
    if io::copy(&mut input, &mut io::sink()).context("standard input")? > 0 {
        bail!("standard input continues after its end-of-stream mark: give one stream per call");
    }
    Ok(events)
}

fn write(events: Vec<SessionEvent>, options: &ResolveOptions, output: impl Write) -> anyhow::Result<()> {
    let digests: Vec<Digest> = resolve(events, options).iter().map(Digest::of).collect();
    let mut writer = StreamWriter::try_new(output, &segments_schema())?;
    for digests in digests.chunks(SESSIONS_A_BATCH) {
        writer.write(&segments_as_rows(digests)?)?;
    }
    writer.finish()?;
    writer.into_inner()?.flush()?;
    Ok(())
}

const SESSIONS_A_BATCH: usize = 1024;

/// What ends an Arrow IPC stream. The format lets a stream end without it, and then nobody can tell a
/// whole stream from one whose writer died between two batches.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// A reader that remembers the last bytes.
struct Tail<R> {
    input: R,
    last: [u8; END.len()],
    read: u64,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read += read as u64;
        let new = buffer.get(..read).unwrap_or_default();
        let new = new.get(new.len().saturating_sub(END.len())..).unwrap_or_default();
        self.last.rotate_left(new.len());
        let from = END.len() - new.len();
        if let Some(place) = self.last.get_mut(from..) {
            place.copy_from_slice(new);
        }
        Ok(read)
    }
}
