//! TLS of the server itself, by openssl: TLS 1.2 and later with the cipher suites that Mozilla calls intermediate. `kith serve`
//! listens with it; new certificate files are taken up while the server runs.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use actix_tls::accept::openssl::TlsStream;
use actix_web::rt::net::TcpStream;
use arc_swap::ArcSwap;
use openssl::error::ErrorStack;
use openssl::ssl::{
    ClientHelloResponse, SslAcceptor, SslAcceptorBuilder, SslContext, SslFiletype, SslMethod, SslVerifyMode,
};

use super::thumbprint_of;
use crate::problem::{Kind, Problem};

/// The files that TLS needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Roots of client certificates, PEM. Without it a client may show any certificate, which counts only as the one that its
    /// registration names.
    pub client_authorities: Option<PathBuf>,
}

impl TlsFiles {
    fn modified(&self) -> Vec<Option<SystemTime>> {
        let time = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
        let all = [Some(&self.certificate), Some(&self.key), self.client_authorities.as_ref()];
        all.into_iter().flatten().map(|path| time(path)).collect()
    }

    fn builder(&self) -> Result<SslAcceptorBuilder, ErrorStack> {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_certificate_chain_file(&self.certificate)?;
        builder.set_private_key_file(&self.key, SslFiletype::PEM)?;
        builder.check_private_key()?;
        builder.set_session_id_context(b"kith")?;
        match &self.client_authorities {
            Some(path) => {
                builder.set_ca_file(path)?;
                builder.set_verify_callback(SslVerifyMode::PEER, |good, _| good);
            }
            None => builder.set_verify_callback(SslVerifyMode::PEER, |_, _| true),
        }
        Ok(builder)
    }
}

/// TLS as it is now.
pub struct Tls {
    files: TlsFiles,
    modified: Vec<Option<SystemTime>>,
    current: Arc<ArcSwap<SslContext>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files. `Kind::Invalid` where they cannot be used.
    pub fn open(files: TlsFiles) -> Result<Self, Problem> {
        let modified = files.modified();
        let context = context(&files)?;
        Ok(Self { files, modified, current: Arc::new(ArcSwap::from_pointee(context)) })
    }

    /// What a listener accepts connections with; each connection gets the certificate that is current when it begins.
    pub fn acceptor(&self) -> Result<SslAcceptorBuilder, Problem> {
        let mut builder = self.files.builder().map_err(|error| unusable(&self.files, error))?;
        let current = Arc::clone(&self.current);
        builder.set_client_hello_callback(move |connection, _| {
            connection.set_ssl_context(&current.load())?;
            Ok(ClientHelloResponse::SUCCESS)
        });
        Ok(builder)
    }

    /// Takes up files that have changed; true where they had. Files that cannot be used are refused, and what was there stays.
    pub fn reload(&mut self) -> Result<bool, Problem> {
        let modified = self.files.modified();
        if modified == self.modified {
            return Ok(false);
        }
        let context = context(&self.files)?;
        self.current.store(Arc::new(context));
        self.modified = modified;
        Ok(true)
    }
}

/// SHA-256 thumbprint (base64url) of the certificate that the client of a connection has shown; none without TLS or certificate.
#[must_use]
pub fn client_certificate(connection: &dyn Any) -> Option<String> {
    let stream = connection.downcast_ref::<TlsStream<TcpStream>>()?;
    thumbprint_of(&stream.ssl().peer_certificate()?.to_der().ok()?).ok()
}

fn context(files: &TlsFiles) -> Result<SslContext, Problem> {
    files.builder().map(|builder| builder.build().into_context()).map_err(|error| unusable(files, error))
}

fn unusable(files: &TlsFiles, error: ErrorStack) -> Problem {
    let text = format!(
        "The TLS certificate {} and key {} cannot be used: they must be PEM files that belong together.",
        files.certificate.display(),
        files.key.display()
    );
    Problem::new(Kind::Invalid, text).because(error)
}
