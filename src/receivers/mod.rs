//! Receivers: bytes in, events to the journal, answer out.
