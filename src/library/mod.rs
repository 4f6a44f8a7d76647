//! The library: the skills that have been published, and how candidates change it.
