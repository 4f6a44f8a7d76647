//! Compressed bodies: gzip, zstd and deflate, bounded in size and in memory.

use std::io::{self, Read};

use axum::body::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::receivers::{Lease, Refusal};

use super::body::too_large;
use super::buffer::Buffer;

/// Memory is taken in steps of this many bytes.
const STEP: usize = 64 << 10;
/// What RFC 9659 grants a zstd frame in HTTP: a window of 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is compressed: `Content-Encoding` over HTTP, `grpc-encoding` over gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 1950, and what some clients send under the same name, RFC 1951.
    Deflate,
}

impl Coding {
    /// The codings of a message, as an `Accept-Encoding` says them.
    pub(super) const ACCEPTED: &'static str = "gzip, zstd, deflate, identity";

    /// The coding of the given name, if it is one of these.
    pub fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }

    /// Undoes the compression. The result has at most `limit` bytes, which `lease` pays for, and no longer
    /// for what was compressed.
    pub fn decompress(self, body: Bytes, limit: usize, lease: &mut Lease) -> Result<Bytes, Refusal> {
        let bytes = body.as_ref();
        let (name, inflated) = match self {
            Self::Identity => return Ok(body),
            _ if bytes.is_empty() => return Ok(body),
            Self::Gzip => ("gzip", read_bounded(MultiGzDecoder::new(bytes), limit, lease)),
            Self::Deflate if is_zlib(bytes) => {
                ("deflate", read_bounded(ZlibDecoder::new(bytes), limit, lease))
            }
            Self::Deflate => ("deflate", read_bounded(DeflateDecoder::new(bytes), limit, lease)),
            Self::Zstd => (
                "zstd",
                zstd_decoder(bytes).map_or_else(
                    |error| Err(Fault::Broken(error)),
                    |decoder| read_bounded(decoder, limit, lease),
                ),
            ),
        };
        let inflated = inflated.map_err(|fault| match fault {
            Fault::Broken(error) => Refusal::Malformed(format!("the body is not {name}: {error}")),
            Fault::Refused(refusal) => refusal,
        })?;
        lease.shrink(body.len());
        Ok(inflated)
    }
}

enum Fault {
    Broken(io::Error),
    Refused(Refusal),
}

fn read_bounded(mut decoder: impl Read, limit: usize, lease: &mut Lease) -> Result<Bytes, Fault> {
    let mut inflated = Buffer::new(limit);
    let mut step = Vec::with_capacity(STEP);
    loop {
        step.clear();
        let read = decoder.by_ref().take(STEP as u64).read_to_end(&mut step).map_err(Fault::Broken)?;
        if read == 0 {
            return Ok(inflated.into_bytes());
        }
        if inflated.len() + read > limit {
            return Err(Fault::Refused(too_large(limit)));
        }
        lease.grow(read).and_then(|()| inflated.extend(&step)).map_err(Fault::Refused)?;
    }
}

fn zstd_decoder(bytes: &[u8]) -> io::Result<zstd::stream::read::Decoder<'static, &[u8]>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// A zlib header: method 8, and a check that makes the first two bytes a multiple of 31.
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31),
        _ => false,
    }
}
