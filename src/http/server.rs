//! The listener: TCP or TLS, its time limits and its end.

use crate::config;
use axum::Router;
use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;

/// Header fields of one request: a browser behind two proxies sends some 30.
const MAX_HEADERS: usize = 64;
/// Request line and headers together; also hyper's read buffer.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Headers of one HTTP/2 request.
const MAX_HEADER_LIST_BYTES: u32 = 32 << 10;
/// Calls at a time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 64;
/// A silent HTTP/2 peer is asked for a sign of life after this long.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Why the listener does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be taken.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// Certificate, key or client authorities are not usable.
    #[error("TLS: {path}: {cause}")]
    Tls {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// A running listener.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
    grace: Duration,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connection, lets the requests under way finish within the time of grace, and ends.
    pub async fn shut_down(self) -> io::Result<()> {
        self.handle.graceful_shutdown(Some(self.grace));
        self.task.await.map_err(io::Error::other)?
    }
}

/// Starts to listen; an answer means that connections are accepted.
pub async fn start(config: &config::Http, router: Router) -> Result<Server, ServerError> {
    let listen_error = |cause| ServerError::Listen { address: config.listen, cause };
    let tls = tls(config)?;
    let listener = TcpListener::bind(config.listen).map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let handle = Handle::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = limited(axum_server::from_tcp(listener).map_err(listen_error)?, config).handle(handle.clone());
    let task = match tls {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).handshake_timeout(config.header_timeout.duration());
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
        None => tokio::spawn(server.serve(service)),
    };
    Ok(Server { address, handle, task, grace: config.shutdown_grace.duration() })
}

/// Looks at what [`start`] would read, and listens to nothing.
///
/// # Errors
/// [`ServerError::Tls`].
pub fn check(config: &config::Http) -> Result<(), ServerError> {
    tls(config).map(drop)
}

fn limited(server: axum_server::Server<SocketAddr>, config: &config::Http) -> axum_server::Server<SocketAddr> {
    let header_timeout = config.header_timeout.duration();
    let mut server = server.first_request_timeout(header_timeout);
    let builder = server.http_builder();
    builder.http1().max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD_BYTES).header_read_timeout(header_timeout);
    builder
        .http2()
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING_INTERVAL);
    server
}

fn tls(config: &config::Http) -> Result<Option<RustlsConfig>, ServerError> {
    let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else { return Ok(None) };
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|cause| tls_error(key, &cause))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|cause| tls_error(certificate, &cause))?;
    let builder = match &config.tls_client_ca {
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|cause| tls_error(path, &cause))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|cause| tls_error(path, &cause))?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut tls = builder.with_single_cert(chain, private).map_err(|cause| tls_error(key, &cause))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(RustlsConfig::from_config(Arc::new(tls))))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|cause| tls_error(path, &cause));
    match found {
        Ok(found) if found.is_empty() => {
            Err(ServerError::Tls { path: path.display().to_string(), cause: "no certificate".into() })
        }
        found => found,
    }
}

fn tls_error(path: &Path, cause: &dyn std::fmt::Display) -> ServerError {
    ServerError::Tls { path: path.display().to_string(), cause: cause.to_string() }
}
