//! Why there is no answer, and what `wasi:http` calls it.

use std::error::Error as StdError;
use std::{fmt, io};

use wasmtime_wasi_http::Error as WasiError;

/// Why a request has no complete answer. Names no host and quotes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The grant does not hold this method and URL, or plain `http` would leave the machine.
    Denied,
    /// The request is malformed or too large to be sent.
    Unsendable,
    /// The name did not resolve.
    Unresolved,
    /// Nothing listens there.
    Refused,
    /// There is no way there.
    Unreachable,
    /// No connection in time.
    ConnectTimeout,
    /// The certificate is not trusted, or is for another name.
    Certificate,
    /// The TLS handshake failed.
    Tls,
    /// The client certificate that is to be presented is missing or cannot be used.
    ClientCertificate,
    /// No answer in time.
    ResponseTimeout,
    /// The answer began in time, but did not end in time.
    BodyTimeout,
    /// The connection broke.
    Terminated,
    /// The answer is larger than [`RESPONSE_LIMIT`](super::RESPONSE_LIMIT).
    TooLarge,
    /// The answer is not HTTP.
    Protocol,
}

impl Fault {
    /// The code that the component sees.
    pub(super) fn into_wasi(self) -> WasiError {
        match self {
            Self::Denied => WasiError::HttpRequestDenied,
            Self::Unsendable => WasiError::HttpRequestUriInvalid,
            Self::Unresolved => WasiError::DnsError { rcode: None, info_code: None },
            Self::Refused => WasiError::ConnectionRefused,
            Self::Unreachable => WasiError::DestinationUnavailable,
            Self::ConnectTimeout => WasiError::ConnectionTimeout,
            Self::Certificate => WasiError::TlsCertificateError,
            Self::Tls => WasiError::TlsProtocolError,
            Self::ClientCertificate => WasiError::ConfigurationError,
            Self::ResponseTimeout => WasiError::HttpResponseTimeout,
            Self::BodyTimeout => WasiError::ConnectionReadTimeout,
            Self::Terminated => WasiError::ConnectionTerminated,
            Self::TooLarge => WasiError::HttpResponseBodySize(Some(super::RESPONSE_LIMIT as u64)),
            Self::Protocol => WasiError::HttpProtocolError,
        }
    }

    /// From whatever hyper and its connector say: the first cause that is known decides.
    pub(super) fn from_chain(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Some(error);
        let mut guess = Self::Terminated;
        while let Some(error) = cause {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return *fault;
            }
            if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
                if hyper.is_parse() || hyper.is_parse_too_large() {
                    return Self::Protocol;
                }
                if hyper.is_user() {
                    return Self::Unsendable;
                }
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                if let Some(fault) = Self::from_io(io) {
                    guess = fault;
                }
                // An I/O error hides what it wraps from `source`, where that is another error of ours or of rustls.
                if let Some(inner) = io.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
                    return *inner;
                }
                // A client certificate that the server does not accept.
                if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                    return super::tls::TlsFailure::of(io).fault();
                }
            }
            cause = error.source();
        }
        guess
    }

    fn from_io(error: &io::Error) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(Self::Refused),
            io::ErrorKind::TimedOut => Some(Self::ConnectTimeout),
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => Some(Self::Unreachable),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "not granted",
            Self::Unsendable => "the request cannot be sent",
            Self::Unresolved => "the name does not resolve",
            Self::Refused => "connection refused",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "no connection in time",
            Self::Certificate => "the certificate is not trusted",
            Self::Tls => "the TLS handshake failed",
            Self::ResponseTimeout => "no answer in time",
            Self::BodyTimeout => "the answer did not end in time",
            Self::Terminated => "the connection broke",
            Self::TooLarge => "the answer is too large",
            Self::ClientCertificate => "there is no usable client certificate",
            Self::Protocol => "the answer is not HTTP",
        })
    }
}

impl StdError for Fault {}
