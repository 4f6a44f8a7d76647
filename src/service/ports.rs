//! The ports. They are bound before anything else starts.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::config::{ReceiverSettings, Settings};
use crate::receivers::cors;
use crate::receivers::tls::{self, Certificates};

use super::StartError;

/// Bound, not yet serving.
pub(super) struct Door {
    /// The id of its receiver.
    pub(super) receiver: String,
    pub(super) protocol: &'static str,
    pub(super) address: SocketAddr,
    pub(super) listener: TcpListener,
    pub(super) certificates: Option<Certificates>,
    pub(super) cors: Option<cors::Config>,
}

/// Everything that listens.
pub(super) struct Ports {
    pub(super) doors: Vec<Door>,
    pub(super) renewals: Vec<tls::Renewal>,
    pub(super) health: Option<(SocketAddr, TcpListener)>,
}

impl Ports {
    /// Binds every port, or none.
    pub(super) async fn bind(settings: &Settings) -> Result<Self, StartError> {
        let (mut doors, mut renewals) = (Vec::new(), Vec::new());
        let listeners = |receiver: &ReceiverSettings| {
            let id = receiver.id.clone();
            receiver.listeners.clone().into_iter().map(move |listener| (id.clone(), listener))
        };
        for (receiver, listener) in settings.receivers.iter().flat_map(listeners) {
            let certificates = match &listener.tls {
                None => None,
                Some(config) => {
                    let path = || listener.path.replace(".endpoint", ".tls");
                    let loaded = tls::load(config.clone());
                    let (certificates, renewal) = loaded
                        .map_err(|source| StartError::Tls { path: path(), source: Box::new(source) })?;
                    renewals.push(renewal);
                    Some(certificates)
                }
            };
            let (address, bound) = bind(&listener.path, listener.address).await?;
            let (protocol, cors) = (listener.protocol, listener.cors.clone());
            doors.push(Door { receiver, protocol, address, listener: bound, certificates, cors });
        }
        let health = match settings.health {
            Some(address) => Some(bind("extensions.health.endpoint", address).await?),
            None => None,
        };
        Ok(Self { doors, renewals, health })
    }
}

async fn bind(path: &str, address: SocketAddr) -> Result<(SocketAddr, TcpListener), StartError> {
    let error = |source| StartError::Bind { path: path.to_owned(), address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    Ok((listener.local_addr().map_err(error)?, listener))
}
