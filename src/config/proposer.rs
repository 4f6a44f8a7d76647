//! `connectors.skillify.proposer`, resolved: which model is asked what, and what it may cost.

use crate::secret::Secret;
use crate::skillify::llm::{Allowance, Budget, Endpoint, Protocol};

use super::raw::{Count, Limits, Model, Proposer, Sees as RawSees, Use};
use super::resolver::{ResolveError, Resolver, usize_of};
use super::settings::{ModelSettings, Sees, Uses};

const ANTHROPIC: &str = "https://api.anthropic.com";
const HAIKU: &str = "claude-haiku-4-5";
/// Dollars for a million tokens of [`HAIKU`]: read, written.
const PRICE_OF_HAIKU: (u64, u64) = (1_000_000, 5_000_000);

/// The default of tokens a day.
const TOKENS_OF_CLAIMS: u64 = 500_000;
const TOKENS_OF_EXCERPTS: u64 = 1_000_000;

impl Resolver<'_> {
    /// `None`: skills are worded offline.
    pub(super) fn model(&self, id: &str, raw: &Proposer) -> Result<Option<ModelSettings>, ResolveError> {
        let (protocol, name, raw) = match raw {
            Proposer::Offline => return Ok(None),
            Proposer::Anthropic(raw) => (Protocol::Anthropic, "anthropic", raw),
            Proposer::OpenAi(raw) => (Protocol::OpenAi, "openai", raw),
        };
        let at = ["connectors", id, "proposer", name];
        let below = |key: &'static str| [at.as_slice(), &[key]].concat();
        let missing = |key: &'static str, what: &str| self.invalid(&at, &format!("name {what} here: {key}"));
        let (url, model) = match protocol {
            Protocol::Anthropic => (
                raw.endpoint.clone().unwrap_or_else(|| ANTHROPIC.to_owned()),
                raw.model.clone().unwrap_or_else(|| HAIKU.to_owned()),
            ),
            Protocol::OpenAi => (
                raw.endpoint.clone().ok_or_else(|| missing("endpoint", "the server's base URL"))?,
                raw.model.clone().ok_or_else(|| missing("model", "the model"))?,
            ),
        };
        if model.is_empty() || model.chars().any(char::is_control) {
            return Err(self.invalid(&below("model"), "this is no name of a model"));
        }
        let address = base_url(&url).map_err(|message| self.invalid(&below("endpoint"), message))?;
        let is_here = is_loopback(&address);
        let api_key = self.api_key(raw.api_key.as_ref(), &below("api_key"))?;
        if protocol == Protocol::Anthropic && api_key.is_none() && raw.endpoint.is_none() {
            return Err(missing("api_key", "the key, such as ${env:ANTHROPIC_API_KEY},"));
        }
        let price = self.price(raw, &model, &at)?;
        if raw.concurrency == 0 || raw.concurrency > 64 {
            return Err(self.invalid(&below("concurrency"), "expected 1 to 64 requests at once"));
        }
        let endpoint = Endpoint {
            protocol,
            url: address.as_str().trim_end_matches('/').to_owned(),
            model,
            api_key,
            timeout: raw.timeout.0,
            concurrency: usize_of(raw.concurrency),
            budget: budget(raw),
            price,
        };
        let uses = Uses {
            wording: raw.uses.contains(&Use::Wording),
            same_skill: raw.uses.contains(&Use::SameSkill),
        };
        if uses == Uses::default() {
            return Err(
                self.invalid(&below("uses"), "nothing would be asked: write wording, same_skill or both")
            );
        }
        let sees = match raw.sees {
            RawSees::Claims => Sees::Claims,
            RawSees::Excerpts => Sees::Excerpts,
        };
        Ok(Some(ModelSettings { endpoint, uses, sees, is_here }))
    }

    /// As a header carries it.
    pub(super) fn api_key(&self, key: Option<&Secret>, at: &[&str]) -> Result<Option<Secret>, ResolveError> {
        let Some(key) = key.map(|key| key.reveal().trim()) else { return Ok(None) };
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(self.invalid(at, "the key is empty, or holds what no key holds"));
        }
        Ok(Some(Secret::new(key)))
    }

    /// Micro-dollars for a million tokens; unknown prices are 0, and then money is not limited.
    fn price(&self, raw: &Model, model: &str, at: &[&str]) -> Result<(u64, u64), ResolveError> {
        let limited = raw.budget.cost.run.is_some() || raw.budget.cost.day.is_some();
        match raw.price {
            Some(price) => Ok((price.input.0, price.output.0)),
            None if model.starts_with(HAIKU) => Ok(PRICE_OF_HAIKU),
            None if limited => Err(self.invalid(
                at,
                "budget.cost needs the model's price: write price: { input: …, output: … } in dollars for a million tokens",
            )),
            None => Ok((0, 0)),
        }
    }
}

/// What is allowed and probably not meant.
pub(super) fn warning(id: &str, model: &ModelSettings) -> Option<String> {
    let ModelSettings { endpoint, is_here, .. } = model;
    let in_clear = endpoint.api_key.is_some() && endpoint.url.starts_with("http://") && !is_here;
    in_clear.then(|| {
        format!("connectors.{id}.proposer: without https, the key crosses the network in clear text")
    })
}

fn budget(raw: &Model) -> Budget {
    fn both<T: Copy>(limits: &Limits<T>, of: impl Fn(T) -> u64) -> (Option<u64>, Option<u64>) {
        (limits.run.map(&of), limits.day.map(&of))
    }
    let by_default = match raw.sees {
        RawSees::Claims => TOKENS_OF_CLAIMS,
        RawSees::Excerpts => TOKENS_OF_EXCERPTS,
    };
    let by_default = Limits { run: None, day: Some(Count(by_default)) };
    let calls = both(&raw.budget.calls, |count| count.0);
    let tokens = both(raw.budget.tokens.as_ref().unwrap_or(&by_default), |count| count.0);
    let micros = both(&raw.budget.cost, |dollars| dollars.0);
    Budget {
        run: Allowance { calls: calls.0, tokens: tokens.0, micros: micros.0 },
        day: Allowance { calls: calls.1, tokens: tokens.1, micros: micros.1 },
    }
}

/// An `http` or `https` URL of a host, with nothing in it that is secret.
pub(super) fn base_url(url: &str) -> Result<reqwest::Url, &'static str> {
    let address =
        reqwest::Url::parse(url).map_err(|_| "expected a URL, such as http://127.0.0.1:11434/v1")?;
    if !matches!(address.scheme(), "http" | "https") || address.host_str().is_none() {
        return Err("expected an http or https URL, such as http://127.0.0.1:11434/v1");
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Err("a key belongs in api_key, not in the URL");
    }
    if address.query().is_some() || address.fragment().is_some() {
        return Err("a base URL has no query and no fragment");
    }
    Ok(address)
}

pub(super) fn is_loopback(address: &reqwest::Url) -> bool {
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
