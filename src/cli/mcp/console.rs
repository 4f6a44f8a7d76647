//! The console that answers: this machine's own, with a key for each question, or a team's, with a token.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::super::probe::is_here;
use crate::cli::{ConfigFile, Failure, OrFail, local_client};
use crate::config::ConsoleSettings;
use crate::console::mcp::{self, Call, modern_call};
use crate::console::{OpenError, asking};
use crate::exporters::with_causes;

/// A console takes no longer for an answer.
const PATIENCE: Duration = Duration::from_secs(40);
/// Who listens on this machine says at once that it knows the secret.
const HELLO: Duration = Duration::from_secs(5);
/// An answer that is longer is none of a console.
const LONGEST: usize = 1 << 20;
/// A file that is longer holds no token.
const LONGEST_TOKEN: u64 = 4096;

/// Where questions go, and with what.
pub(super) struct There {
    base: String,
    client: Client,
    with: With,
}

enum With {
    /// A key of this user's console, and the console's settings.
    Key {
        console: Option<ConsoleSettings>,
        at: Option<(String, u16)>,
    },
    Token(String),
}

/// Why there is no result.
pub(super) enum Trouble {
    /// The question is wrong.
    Refused(mcp::Failure),
    /// Nobody answered it, and what to do.
    Unanswered(String),
}

impl There {
    pub(super) fn of(
        config: &ConfigFile,
        console: Option<&str>,
        token_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        check_console(console, token_file.is_some())?;
        let at = console.map(address).transpose()?;
        let token = token_file.map(token_in).transpose()?;
        let base = at.as_ref().map(|(base, _)| base.clone());
        let is_here = base.as_deref().is_none_or(is_here);
        let with = match token {
            Some(token) => With::Token(token),
            None => With::Key { console: config.load()?.console, at },
        };
        let base = match (&with, base) {
            (_, Some(base)) => base,
            (With::Key { .. }, None) => String::new(),
            (With::Token(_), None) => {
                let console = config.load()?.console;
                let asking = asking(console.as_ref(), None).or_fail()?;
                asking.base().to_owned()
            }
        };
        let is_plain = is_here && !base.starts_with("https://");
        let client = client(is_plain, matches!(with, With::Key { .. })).or_fail()?;
        Ok(Self { base, client, with })
    }

    /// Asks for the list of tools, or for the result of one.
    pub(super) async fn ask(&self, call: Option<&Call>) -> Result<Value, Trouble> {
        let (base, authorization) = self.authorization().await.map_err(Trouble::Unanswered)?;
        let (question, headers) = modern_call(call);
        let mut request = self
            .client
            .post(format!("{base}/mcp"))
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/json")
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let sent = request.body(question.to_string()).send().await;
        let mut answer = sent.map_err(|error| {
            Trouble::Unanswered(format!("{base} does not answer: {}. {START}", with_causes(&error)))
        })?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            if bytes.len() + chunk.len() > LONGEST {
                return Err(Trouble::Unanswered(format!("{base} answers more than a console does.")));
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(result) = answer.get_mut("result") {
            return Ok(result.take());
        }
        if let Some(failure) = answer.get("error").and_then(mcp::Failure::of) {
            return Err(Trouble::Refused(failure));
        }
        Err(Trouble::Unanswered(self.refused(&base, status, answer.get("error").and_then(Value::as_str))))
    }

    /// Where to ask, and what lets a question in.
    async fn authorization(&self) -> Result<(String, String), String> {
        let (console, at) = match &self.with {
            With::Token(token) => return Ok((self.base.clone(), format!("Bearer {token}"))),
            With::Key { console, at } => (console, at),
        };
        let at = at.as_ref().map(|(base, port)| (base.as_str(), *port));
        // Each time anew: the console may have been started, and made its secret, since.
        let asking = asking(console.as_ref(), at).map_err(|error| said(&error))?;
        let (challenge, question) = asking.challenge();
        let answer =
            async { self.client.get(question).timeout(HELLO).send().await.ok()?.text().await.ok() }.await;
        let header = asking.header(&challenge, answer.as_deref()).map_err(|error| said(&error))?;
        Ok((asking.base().to_owned(), header))
    }

    fn refused(&self, base: &str, status: StatusCode, says: Option<&str>) -> String {
        let has_token = matches!(self.with, With::Token(_));
        match status {
            StatusCode::UNAUTHORIZED if has_token => format!(
                "{base} does not know the token: compare the file of `skillspan mcp --token-file` with extensions.auth \
                 there."
            ),
            StatusCode::NOT_FOUND => format!(
                "{base} lets assistants ask nothing: extensions.console.mcp.enabled is false there, or it is an older \
                 skillspan."
            ),
            status => format!("{base} answers {status}: {}", says.unwrap_or("it is no console")),
        }
    }
}

const START: &str = "`skillspan run` starts the console";

fn said(error: &OpenError) -> String {
    format!("{error}.")
}

fn client(is_plain: bool, with_key: bool) -> Result<Client, reqwest::Error> {
    let builder = match (with_key, is_plain) {
        // The listener proves that it knows the secret, so any certificate will do.
        (true, _) => local_client().danger_accept_invalid_certs(true),
        (false, true) => local_client(),
        (false, false) => Client::builder(),
    };
    builder.redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()
}

/// Refuses what could not ask: no address, a console beyond this machine without a token, or without TLS.
pub(in crate::cli) fn check_console(console: Option<&str>, has_token: bool) -> Result<(), Failure> {
    let Some((base, _)) = console.map(address).transpose()? else { return Ok(()) };
    match is_here(&base) {
        true => Ok(()),
        false if !has_token => {
            Err(Failure::Usage(anyhow!("a console beyond this machine asks for a token: --token-file FILE")))
        }
        false if !base.starts_with("https://") => Err(Failure::Usage(anyhow!(
            "--console {base}: the token would cross the network in clear text; write an address that begins with https://"
        ))),
        false => Ok(()),
    }
}

/// The base of a console's addresses, and its port.
fn address(told: &str) -> Result<(String, u16), Failure> {
    let base = told.trim_end_matches('/');
    let base = base.strip_suffix("/mcp").unwrap_or(base);
    let uri = base.parse::<http::Uri>().ok();
    let found = uri.as_ref().and_then(|uri| {
        let usual = match uri.scheme_str()? {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let has_login = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none() && !has_login;
        (is_plain && !uri.host()?.is_empty()).then_some(uri.port_u16().unwrap_or(usual))
    });
    let wrong = || {
        anyhow!(
            "--console: `{told}` is no address; write http:// or https://, a name and a port, such as http://127.0.0.1:4320"
        )
    };
    Ok((base.to_owned(), found.ok_or_else(wrong).map_err(Failure::Usage)?))
}

fn token_in(path: &Path) -> Result<String, Failure> {
    use std::io::Read;
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST_TOKEN).read_to_string(&mut text));
    read.with_context(|| format!("the token cannot be read: {}", path.display())).or_fail()?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage(anyhow!("{}: it holds no token", path.display())));
    }
    Ok(token.to_owned())
}
