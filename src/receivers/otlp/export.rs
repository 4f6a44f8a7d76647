//! An export request as it came in, and how its records are read.

use axum::body::Bytes;

use crate::dialects::Record;
use crate::forward::{Body, Form};
use crate::receivers::{Lease, Refusal, Signal, Source, Tally};

use super::sink::Sink;
use super::{Coding, json, protobuf};

/// Bodies up to this size are decoded on the connection's own thread; larger ones would make other connections wait.
const SMALL: usize = 128 << 10;

/// A JSON body that is shorter holds no record.
const NOTHING: usize = 32;

/// How a message is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Protocol Buffers.
    Protobuf,
    /// OTLP's JSON: ids in hex.
    Json,
}

/// The body of an `Export…ServiceRequest`.
#[derive(Debug, Clone)]
pub struct Export {
    /// What it exports.
    pub signal: Signal,
    /// How it is encoded.
    pub encoding: Encoding,
    /// How it is compressed.
    pub coding: Coding,
    /// As received.
    pub body: Bytes,
    /// The most bytes that it may have, decompressed.
    pub limit: usize,
}

impl Source for Export {
    fn signal(&self) -> Signal {
        self.signal
    }

    fn size(&self) -> usize {
        if self.coding == Coding::Identity { self.body.len() } else { 0 }
    }

    fn is_small(&self) -> bool {
        self.coding == Coding::Identity && self.body.len() <= SMALL
    }

    fn is_filled(&self) -> bool {
        let is_plain = self.coding == Coding::Identity && self.encoding == Encoding::Json;
        // `{}` and an empty list of resources are how clients send nothing.
        !(self.body.is_empty() || is_plain && self.body.len() < NOTHING)
    }

    fn read(self, lease: &mut Lease, visit: &mut dyn FnMut(&Record<'_>)) -> Result<Tally, Refusal> {
        let body = self.coding.decompress(self.body, self.limit, lease)?;
        let mut sink = Sink::new(lease, visit);
        match self.encoding {
            Encoding::Protobuf => protobuf::read(self.signal, &body, &mut sink)?,
            Encoding::Json => json::read(self.signal, &body, &mut sink)?,
        }
        let form = match self.encoding {
            Encoding::Protobuf => Form::Protobuf,
            Encoding::Json => Form::Json,
        };
        Ok(Tally { body: Some(Body { form, bytes: body }), ..sink.into_tally() })
    }
}
