//! `connectors.skillify.embeddings`, resolved: the file or the server that vectors of words come from.

use crate::skillify::llm::EmbeddingEndpoint;

use super::proposer::{base_url, is_loopback};
use super::raw::Embeddings;
use super::resolver::{ResolveError, Resolver};
use super::settings::EmbeddingSettings;

impl Resolver<'_> {
    /// `None`: mining does without vectors.
    pub(super) fn embeddings(
        &self,
        id: &str,
        raw: Option<&Embeddings>,
    ) -> Result<Option<EmbeddingSettings>, ResolveError> {
        let Some(raw) = raw else { return Ok(None) };
        let at = ["connectors", id, "embeddings"];
        let below = |key: &'static str| [at.as_slice(), &[key]].concat();
        match (&raw.file, &raw.endpoint) {
            (Some(_), None) => {
                let of_a_server = [
                    ("model", raw.model.is_some()),
                    ("api_key", raw.api_key.is_some()),
                    ("timeout", raw.timeout.is_some()),
                ];
                if let Some((key, _)) = of_a_server.into_iter().find(|(_, written)| *written) {
                    return Err(self.invalid(&below(key), "a file needs none: it goes with endpoint"));
                }
                let path = self.local_path(raw.file.clone(), "", &below("file"))?;
                Ok(Some(EmbeddingSettings::File(path)))
            }
            (None, Some(url)) => self.embedding_server(id, raw, url).map(Some),
            (Some(_), Some(_)) => Err(self.invalid(&at, "file and endpoint exclude each other: write one")),
            (None, None) => Err(self.invalid(
                &at,
                "name where vectors of words come from: file, or endpoint and model; without this key mining \
                 does without",
            )),
        }
    }

    fn embedding_server(
        &self,
        id: &str,
        raw: &Embeddings,
        url: &str,
    ) -> Result<EmbeddingSettings, ResolveError> {
        let at = ["connectors", id, "embeddings"];
        let below = |key: &'static str| [at.as_slice(), &[key]].concat();
        let url = url.trim_end_matches('/');
        let url = url.strip_suffix("/embeddings").unwrap_or(url);
        let address = base_url(url).map_err(|message| self.invalid(&below("endpoint"), message))?;
        let model = raw.model.clone().ok_or_else(|| self.invalid(&at, "name the model here: model"))?;
        if model.is_empty() || model.chars().any(char::is_control) {
            return Err(self.invalid(&below("model"), "this is no name of a model"));
        }
        let endpoint = EmbeddingEndpoint {
            url: address.as_str().trim_end_matches('/').to_owned(),
            model,
            api_key: self.api_key(raw.api_key.as_ref(), &below("api_key"))?,
            timeout: raw.timeout(),
        };
        Ok(EmbeddingSettings::Server { endpoint, is_here: is_loopback(&address) })
    }
}

/// What is allowed and probably not meant.
pub(super) fn warning(id: &str, settings: &EmbeddingSettings) -> Option<String> {
    let EmbeddingSettings::Server { endpoint, is_here } = settings else { return None };
    let in_clear = endpoint.api_key.is_some() && endpoint.url.starts_with("http://") && !is_here;
    in_clear.then(|| {
        format!("connectors.{id}.embeddings: without https, the key crosses the network in clear text")
    })
}
