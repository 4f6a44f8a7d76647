//! Pipelines `traces`, `logs` and `metrics`: what receivers take in goes to other backends as it came.

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

use crate::event::Signal;
use crate::exporters::otlp::{Config, Protocol, Retry, Tls};
use crate::forward::{self, Form, QueueStorage};
use crate::redact;

use super::components::type_of;
use super::own_addresses::is_reached;
use super::proposer::is_loopback;
use super::raw::{self, Exporter, Pipeline, Processor, Receiver};
use super::resolver::{ResolveError, Resolver, usize_of};
use super::settings::{ForwardRoute, ForwardSettings, ProcessorSettings, ReceiverSettings, SessionsPipeline};
use super::targets::folder_name;
use super::tenants::safe_name;

/// The defaults of what may wait on the disk, and in memory.
const ON_DISK: u64 = 1 << 30;
const IN_MEMORY: u64 = 64 << 20;
/// A smaller queue on the disk would be mostly headers.
const SMALLEST: u64 = 1 << 20;
/// Headers that the protocols write themselves.
const OWN_HEADERS: [&str; 8] = [
    "content-type",
    "content-encoding",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "grpc-encoding",
    "connection",
];

/// The type of exporters to servers of Langfuse.
pub(super) const LANGFUSE: &str = "langfuse";

/// The signal of a pipeline's name, if it forwards one.
pub(super) fn forwarded(pipeline: &str) -> Option<Signal> {
    Signal::ALL.into_iter().find(|signal| signal.as_str() == type_of(pipeline))
}

impl Resolver<'_> {
    /// Adds a pipeline of `signal` to the backends that it names.
    pub(super) fn forwards(
        &mut self,
        (name, pipeline): (&str, &Pipeline),
        signal: Signal,
        receivers: &[ReceiverSettings],
        sessions: &[SessionsPipeline],
        forwards: &mut Vec<ForwardSettings>,
    ) -> Result<(), ResolveError> {
        let redact = self.redaction_of(name, pipeline)?;
        self.check_receivers(name, signal, pipeline, receivers)?;
        let at = ["service", "pipelines", name, "exporters"];
        if pipeline.exporters.is_empty() {
            let message =
                format!("a pipeline of {} needs a backend: otlp/NAME or otlphttp/NAME", signal.as_str());
            return Err(self.invalid(&at, &message));
        }
        for (index, id) in pipeline.exporters.iter().enumerate() {
            self.check_backend((name, index, id), signal)?;
            if !forwards.iter().any(|forward| forward.exporter == *id) {
                forwards.extend(self.backends(id, receivers)?);
            }
            self.used.insert(format!("exporters.{id}"));
            let fed = sessions.iter().filter(|sessions| {
                receivers.iter().any(|known| pipeline.receivers.contains(&known.id) && known.feeds(sessions))
            });
            let kept = fed.filter_map(|sessions| sessions.table.retention).min();
            let is_twice =
                |route: &ForwardRoute| route.signal == signal && pipeline.receivers.contains(&route.receiver);
            let twice =
                forwards.iter().filter(|forward| forward.exporter == *id).flat_map(|forward| &forward.routes);
            let twice = twice.filter(|route| is_twice(route)).map(|route| route.receiver.clone()).next();
            self.warnings.extend(twice.map(|receiver| {
                format!(
                    "service.pipelines.{name}: {id} has the {} of {receiver} by another pipeline too: it is sent each body twice",
                    signal.as_str()
                )
            }));
            for forward in forwards.iter_mut().filter(|forward| forward.exporter == *id) {
                forward.queue.retention = kept.into_iter().chain(forward.queue.retention).min();
                let redact = Some(redact.clone()).filter(|_| forward.queue.place != QueueStorage::Memory);
                forward.routes.extend(pipeline.receivers.iter().map(|receiver| ForwardRoute {
                    receiver: receiver.clone(),
                    signal,
                    redact: redact.clone(),
                }));
            }
        }
        Ok(())
    }

    /// A pipeline of `signal` names exporters that take it as it came.
    fn check_backend(
        &self,
        (name, index, id): (&str, usize, &str),
        signal: Signal,
    ) -> Result<(), ResolveError> {
        let at = ["service", "pipelines", name, "exporters"];
        let message = match self.raw.exporters.0.get(id) {
            // Scores go with its traces.
            Some(Exporter::Otlp(_)) if type_of(id) == LANGFUSE && signal != Signal::Traces => format!(
                "Langfuse takes no {}: name {id} in a pipeline traces, scores go with it",
                signal.as_str()
            ),
            Some(Exporter::Otlp(_)) => return Ok(()),
            None => return Err(self.no_such(&at, index, id, "exporters", self.raw.exporters.0.keys())),
            Some(_) => format!(
                "{id} takes no bodies as they came; a pipeline of {} needs otlp/NAME or otlphttp/NAME",
                signal.as_str()
            ),
        };
        Err(self.invalid(&at, &message))
    }

    /// What an exporter sends to: one backend, or one for each tenant.
    fn backends(
        &mut self,
        id: &str,
        receivers: &[ReceiverSettings],
    ) -> Result<Vec<ForwardSettings>, ResolveError> {
        let Some(Exporter::Otlp(raw)) = self.raw.exporters.0.get(id) else { return Ok(Vec::new()) };
        let backends = if type_of(id) == LANGFUSE {
            self.langfuse(id, raw, receivers)?
        } else if raw.keys.is_empty() {
            vec![self.forward(id, None, raw, receivers)?]
        } else {
            return Err(
                self.invalid(&["exporters", id, "keys"], "these are for langfuse/NAME; write headers here")
            );
        };
        let without_keys = (type_of(id) == LANGFUSE).then(|| self.without_keys(id, raw)).flatten();
        self.warnings.extend(backends.first().map(warnings).into_iter().flatten().chain(without_keys));
        Ok(backends)
    }

    /// Bodies come from doors that take OTLP, and that sessions pipelines have.
    fn check_receivers(
        &self,
        name: &str,
        signal: Signal,
        pipeline: &Pipeline,
        receivers: &[ReceiverSettings],
    ) -> Result<(), ResolveError> {
        let at = ["service", "pipelines", name, "receivers"];
        if pipeline.receivers.is_empty() {
            let message = format!("a pipeline of {} needs a receiver, such as otlp", signal.as_str());
            return Err(self.invalid(&at, &message));
        }
        for (index, id) in pipeline.receivers.iter().enumerate() {
            let position = index.to_string();
            let here = [at.as_slice(), &[position.as_str()]].concat();
            match self.raw.receivers.0.get(id) {
                None => return Err(self.no_such(&at, index, id, "receivers", self.raw.receivers.0.keys())),
                Some(Receiver::Otlp(_) | Receiver::Langfuse(_)) => {}
                Some(_) => {
                    let message = format!("{id} receives no OTLP: name otlp or langfuse");
                    return Err(self.invalid(&here, &message));
                }
            }
            if pipeline.receivers.iter().filter(|other| *other == id).count() > 1 {
                return Err(self.invalid(&here, &format!("{id} stands here twice")));
            }
            if !receivers.iter().any(|known| known.id == *id) {
                let message = format!(
                    "{id} feeds no sessions pipeline, and opens no port without one: write `sessions: {{}}` beside {name}"
                );
                return Err(self.invalid(&here, &message));
            }
        }
        Ok(())
    }

    /// The pipeline's `redact` processor, or the one that is called so.
    fn redaction_of(&mut self, name: &str, pipeline: &Pipeline) -> Result<ProcessorSettings, ResolveError> {
        let at = ["service", "pipelines", name, "processors"];
        if let Some(index) = pipeline
            .processors
            .iter()
            .position(|id| matches!(self.raw.processors.0.get(id), Some(processor) if !matches!(processor, Processor::Redact(_))))
        {
            let index = index.to_string();
            let message = "bodies are forwarded as they came: only `redact` may stand here";
            return Err(self.invalid(&[at.as_slice(), &[index.as_str()]].concat(), message));
        }
        let mut processors = self.processors(name, pipeline)?;
        if processors.len() > 1 {
            return Err(self.invalid(&at, "one redact processor is enough"));
        }
        match processors.pop() {
            Some(processor) => Ok(processor),
            None => self.redact_called(raw::REDACT),
        }
    }

    /// The backend of `tenant` alone, or of everybody.
    pub(super) fn forward(
        &self,
        id: &str,
        tenant: Option<&str>,
        raw: &raw::Forwarder,
        receivers: &[ReceiverSettings],
    ) -> Result<ForwardSettings, ResolveError> {
        let refused = |key: &str, message: &str| self.invalid(&["exporters", id, key], message);
        let protocol = match type_of(id) {
            "otlp" => Protocol::Grpc,
            LANGFUSE => Protocol::Langfuse,
            _ => Protocol::Http,
        };
        let endpoint = self.backend(id, raw, protocol)?;
        self.check_that_it_is_another(id, &endpoint, receivers)?;
        let form = match (protocol, raw.encoding) {
            (Protocol::Grpc, raw::Encoding::Json) => {
                return Err(refused("encoding", "gRPC carries protobuf alone; use otlphttp for JSON"));
            }
            (Protocol::Grpc, _) | (Protocol::Http, raw::Encoding::Proto) => Some(Form::Protobuf),
            (Protocol::Http, raw::Encoding::Json) => Some(Form::Json),
            (Protocol::Http, raw::Encoding::AsReceived) | (Protocol::Langfuse, _) => None,
        };
        for (key, span) in [("timeout", raw.timeout), ("retry", raw.retry.initial), ("retry", raw.retry.max)]
        {
            if span.0.is_zero() {
                return Err(refused(key, "expected more than no time"));
            }
        }
        if raw.retry.max < raw.retry.initial {
            return Err(refused("retry", "max is shorter than initial"));
        }
        let proxy = raw.proxy.as_ref().map(|proxy| reqwest::Proxy::all(proxy.reveal()));
        if proxy.is_some_and(|proxy| proxy.is_err()) {
            return Err(refused("proxy", "expected the URL of a proxy, such as http://proxy:3128"));
        }
        let otlp = Config {
            name: tenant.map_or_else(|| id.to_owned(), |tenant| format!("{id} ({tenant})")),
            protocol,
            endpoint,
            headers: self.headers(id, raw)?,
            compression: raw.compression,
            timeout: raw.timeout.0,
            tls: self.client_tls(id, &raw.tls)?,
            proxy: raw.proxy.clone(),
            retry: Retry { initial: raw.retry.initial.0, max: raw.retry.max.0 },
            batch: usize_of(raw.batch.0),
        };
        let (exporter, queue) = (id.to_owned(), self.queue(id, tenant, raw)?);
        Ok(ForwardSettings {
            exporter,
            tenant: tenant.map(str::to_owned),
            otlp,
            form,
            queue,
            routes: Vec::new(),
        })
    }

    fn queue(
        &self,
        id: &str,
        tenant: Option<&str>,
        raw: &raw::Forwarder,
    ) -> Result<forward::Config, ResolveError> {
        let (place, usual) = match raw.redact {
            raw::Switch::Off => (QueueStorage::Memory, IN_MEMORY),
            raw::Switch::On => {
                // No id has an `@`.
                let of = tenant.map(|tenant| format!("@{}", safe_name(tenant))).unwrap_or_default();
                let path = self.journals()?.join("forward").join(folder_name(id) + &of);
                (QueueStorage::Folder { path, durability: self.durability() }, ON_DISK)
            }
        };
        let max_size = raw.queue.max_size.map_or(usual, |size| size.0);
        if max_size < SMALLEST {
            return Err(self.invalid(&["exporters", id, "queue", "max_size"], "expected at least 1MiB"));
        }
        Ok(forward::Config { place, max_size, on_full: raw.queue.on_full, retention: None })
    }

    fn backend(&self, id: &str, raw: &raw::Forwarder, protocol: Protocol) -> Result<Url, ResolveError> {
        if raw.endpoint.is_empty() {
            return Err(self.invalid(&["exporters", id], "name the backend here: endpoint"));
        }
        let message = match protocol {
            Protocol::Grpc => {
                "expected http:// or https://, a host and a port, such as https://backend.example.com:4317"
            }
            Protocol::Http => {
                "expected the URL that /v1/traces is added to, such as https://backend.example.com:4318"
            }
            Protocol::Langfuse => "expected the server's URL, such as https://cloud.langfuse.com",
        };
        let refused = || self.invalid(&["exporters", id, "endpoint"], message);
        let url = Url::parse(&raw.endpoint).map_err(|_| refused())?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let is_path_right = protocol != Protocol::Grpc || url.path() == "/";
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_bare || !is_path_right {
            return Err(refused());
        }
        if protocol == Protocol::Http
            && Signal::ALL.iter().any(|one| url.path().ends_with(&format!("/v1/{}", one.as_str())))
        {
            let message = "leave the signal's path out: /v1/traces and its like are added";
            return Err(self.invalid(&["exporters", id, "endpoint"], message));
        }
        Ok(url)
    }

    /// What is sent to a port of our own comes in again, and again.
    fn check_that_it_is_another(
        &self,
        id: &str,
        endpoint: &Url,
        receivers: &[ReceiverSettings],
    ) -> Result<(), ResolveError> {
        let port = endpoint.port_or_known_default();
        let own = receivers.iter().flat_map(|receiver| &receiver.listeners).find(|listener| {
            let address = listener.address;
            Some(address.port()) == port && address.port() != 0 && is_reached(endpoint, address.ip())
        });
        match own {
            None => Ok(()),
            Some(listener) => {
                let message =
                    format!("that is {} of this process: it would forward to itself", listener.path);
                Err(self.invalid(&["exporters", id, "endpoint"], &message))
            }
        }
    }

    fn headers(&self, id: &str, raw: &raw::Forwarder) -> Result<HeaderMap, ResolveError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &raw.headers {
            let refused = |message: &str| self.invalid(&["exporters", id, "headers", name], message);
            // A secret in a file ends with a line.
            let parsed =
                HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.reveal().trim()).ok());
            let Some((name, mut value)) = parsed else { return Err(refused("this is not an HTTP header")) };
            if OWN_HEADERS.contains(&name.as_str()) {
                return Err(refused("the protocol writes this header itself"));
            }
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn client_tls(&self, id: &str, raw: &raw::ClientTls) -> Result<Tls, ResolveError> {
        let file = |key: &str, path: &Option<String>| match path {
            None => Ok(None),
            path => self.local_path(path.clone(), "", &["exporters", id, "tls", key]).map(Some),
        };
        let (certificate, key) = (file("cert_file", &raw.cert_file)?, file("key_file", &raw.key_file)?);
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                let message = "a certificate goes with its key: write cert_file and key_file";
                return Err(self.invalid(&["exporters", id, "tls"], message));
            }
        };
        Ok(Tls { ca_file: file("ca_file", &raw.ca_file)?, identity })
    }

    /// The redaction of a forward whose configuration names none.
    pub(super) fn unwritten_redaction() -> ProcessorSettings {
        ProcessorSettings::Redact {
            drop_attributes: Vec::new(),
            options: redact::Options::default(),
            key: None,
        }
    }
}

/// What is allowed and probably not meant.
fn warnings(forward: &ForwardSettings) -> Vec<String> {
    let Config { name, endpoint, .. } = &forward.otlp;
    let mut warnings = Vec::new();
    if endpoint.scheme() == "http" && !is_loopback(endpoint) {
        warnings.push(format!(
            "exporters.{name}.endpoint: without https, what is forwarded and its headers cross the network in clear text"
        ));
    }
    if forward.queue.place == QueueStorage::Memory {
        warnings.push(format!(
            "exporters.{name}.redact: off: credentials are forwarded as they are, and what waits is in memory alone: a \
             stop loses it"
        ));
    }
    warnings
}
