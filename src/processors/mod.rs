//! Processors: events in, events out, pure.
