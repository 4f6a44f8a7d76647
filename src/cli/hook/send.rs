//! What waits in a spool → the collector.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use http::Uri;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, StatusCode};

use super::Arguments;
use crate::cli::{local_client, speak_tls_with_ring};
use crate::receivers::hooks::{Batch, Entry, Outlet, Spool};

/// What is refused as it stands is refused every time.
const FOR_GOOD: &[StatusCode] =
    &[StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNSUPPORTED_MEDIA_TYPE];

/// The least time that a connection is given.
const SHORTEST: Duration = Duration::from_millis(1);

/// Set for the process that only sends what waits.
const ON_ITS_OWN: &str = "SKILLSPAN_HOOK_SENDS";

/// Nothing was tried: that says nothing of the collector.
#[derive(Debug, thiserror::Error)]
#[error("time ran out before anything was sent to {0}; what waits is kept")]
pub(super) struct NoTime(String);

/// Whether this process only sends what waits.
pub(super) fn is_asked() -> bool {
    std::env::var_os(ON_ITS_OWN).is_some()
}

/// Starts a process that sends what waits, and outlives this one: a handshake with a server that is further away
/// takes longer than an assistant is to wait. Of several such processes one sends.
pub(super) fn on_its_own(arguments: &Arguments, endpoint: &str) -> std::io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["hook", &arguments.assistant, "--endpoint", endpoint]).env(ON_ITS_OWN, "1");
    if let Some(path) = &arguments.token_file {
        command.arg("--token-file").arg(path);
    }
    // Assistants end the group of a hook that takes too long.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(drop)
}

/// Sends until nothing waits or it is `deadline`. Returns how many entries were acknowledged; 0 if
/// another process sends or has sent.
pub(super) fn what_waits(
    spool: &Spool,
    endpoint: &str,
    token: &str,
    deadline: Instant,
) -> anyhow::Result<usize> {
    if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        bail!("`{endpoint}` is no address: it begins with http:// or https://; what waits is kept");
    }
    let mut sent = 0;
    // A process that adds an entry while another one sends relies on the other to look again.
    while spool.may_have_entries() && Instant::now() < deadline {
        let Some(outlet) = spool.outlet()? else { return Ok(sent) };
        listens(endpoint, deadline)
            .with_context(|| format!("{endpoint} does not answer; what waits is kept"))?;
        sent += block_on(drain(outlet, endpoint, token, deadline))?;
    }
    if sent == 0 && spool.may_have_entries() {
        return Err(NoTime(endpoint.to_owned()).into());
    }
    Ok(sent)
}

/// Sends an entry that no spool has.
pub(super) fn directly(
    entry: &Entry,
    endpoint: &str,
    token: &str,
    deadline: Instant,
) -> anyhow::Result<String> {
    let batch = Batch { assistant: entry.assistant.clone(), lines: entry.json.clone(), entries: 1 };
    let status = block_on(async { post(&client(endpoint)?, endpoint, token, &batch, deadline).await })?;
    if status == StatusCode::OK {
        Ok(format!("sent to {endpoint}, not kept"))
    } else {
        bail!("{endpoint} answered {status}")
    }
}

/// Asks whether anything listens at a plain address of this kind, before a runtime and a client are
/// built, which takes much longer than to be refused. Names are left to the client, whose question to
/// a name server has an end; so is whatever goes through a proxy.
fn listens(endpoint: &str, deadline: Instant) -> std::io::Result<()> {
    let Ok(uri) = endpoint.parse::<Uri>() else { return Ok(()) };
    if uri.scheme_str() != Some("http") {
        return Ok(());
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let mut addresses: Vec<IpAddr> = match host.parse() {
        Ok(address) => vec![address],
        Err(_) if host == "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Err(_) => return Ok(()),
    };
    let Some(last) = addresses.pop() else { return Ok(()) };
    let connect = |address: IpAddr| {
        // A time that has passed is an error of its own.
        let left = deadline.saturating_duration_since(Instant::now()).max(SHORTEST);
        TcpStream::connect_timeout(&(address, uri.port_u16().unwrap_or(80)).into(), left).map(drop)
    };
    if addresses.into_iter().any(|address| connect(address).is_ok()) { Ok(()) } else { connect(last) }
}

/// One thread is enough for one connection. A name server that has not answered by the end is not
/// waited for.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    outcome
}

async fn drain(mut outlet: Outlet, endpoint: &str, token: &str, deadline: Instant) -> anyhow::Result<usize> {
    let client = client(endpoint)?;
    let (mut sent, mut unknown) = (0, None);
    while let Some(batch) = outlet.next_batch()? {
        let status = post(&client, endpoint, token, &batch, deadline).await?;
        match status {
            StatusCode::OK => {
                outlet.done(&batch)?;
                sent += batch.entries;
            }
            // An older collector: what it knows goes on, the rest waits until it is updated.
            StatusCode::NOT_FOUND => {
                outlet.set_aside(&batch)?;
                unknown = Some(batch.assistant);
            }
            status if FOR_GOOD.contains(&status) && batch.entries > 1 => outlet.one_by_one(),
            status if FOR_GOOD.contains(&status) => {
                outlet.note_refusal(&format!("{endpoint} answered {status}"));
                outlet.done(&batch)?;
            }
            status => bail!("{endpoint} answered {status}; what waits is kept"),
        }
    }
    if let Some(assistant) = unknown {
        bail!("{endpoint} does not know hooks of {assistant}; update skillspan there; what waits is kept");
    }
    Ok(sent)
}

async fn post(
    client: &Client,
    endpoint: &str,
    token: &str,
    batch: &Batch,
    deadline: Instant,
) -> anyhow::Result<StatusCode> {
    let mut request = client
        .post(format!("{endpoint}/v1/hooks/{}", batch.assistant))
        .header(CONTENT_TYPE, "application/x-ndjson")
        .timeout(deadline.saturating_duration_since(Instant::now()))
        .body(batch.lines.clone());
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let answer =
        request.send().await.with_context(|| format!("{endpoint} does not answer; what waits is kept"))?;
    Ok(answer.status())
}

/// A client for the endpoint. Certificates are only read where they are needed.
fn client(endpoint: &str) -> anyhow::Result<Client> {
    speak_tls_with_ring();
    let local = local_client();
    let builder = if endpoint.starts_with("https://") { Client::builder() } else { local };
    Ok(builder.build()?)
}
