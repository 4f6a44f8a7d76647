//! c
mod tree;
mod components;
mod decode;
mod expand;
mod raw;
mod units;
pub use decode::DecodeError;
