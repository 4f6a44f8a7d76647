//! `connectors.skillify.embeddings`: where vectors of words come from.

use std::time::Duration;

use serde::Deserialize;

use crate::config::units::Span;
use crate::secret::Secret;

/// `file`, or `endpoint` and `model`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Embeddings {
    /// A file in the text format of GloVe, word2vec and fastText.
    pub(in crate::config) file: Option<String>,
    /// The base URL of a server that speaks `POST /embeddings`, with or without that path.
    pub(in crate::config) endpoint: Option<String>,
    /// The model's name there.
    pub(in crate::config) model: Option<String>,
    /// The key; your own server may need none.
    pub(in crate::config) api_key: Option<Secret>,
    /// How long one request may take; default 30s.
    pub(in crate::config) timeout: Option<Span>,
}

impl Embeddings {
    /// How long one request may take.
    pub(in crate::config) fn timeout(&self) -> Duration {
        self.timeout.map_or(Duration::from_secs(30), |timeout| timeout.0)
    }
}
