//! Redaction: credentials leave a text before it is written anywhere.
