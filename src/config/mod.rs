//! The configuration: YAML as written, checked and resolved.
