//! Any bytes as an OTLP request in protobuf: every record is read, mapped and redacted, or refused.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use skillspan::receivers::otlp::Encoding;

fuzz_target!(|bytes: &[u8]| support::export(Encoding::Protobuf, bytes));
