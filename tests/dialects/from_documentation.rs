//! Dialects without recorded sessions here, against records built as their descriptions say.
