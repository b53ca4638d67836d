//! What WASI's error codes mean to the engine. Both levels of WASI have the same names for them.

use keyless_engine::io::{FileFault, SendFault};

use crate::wasi::filesystem::types::ErrorCode as FileCode;
use crate::wasi::http::types::ErrorCode as HttpCode;

pub(crate) fn file(code: FileCode) -> FileFault {
    match code {
        FileCode::NoEntry | FileCode::NotDirectory => FileFault::Missing,
        // A link that leads out of the directory.
        FileCode::NotPermitted => FileFault::Denied,
        FileCode::IsDirectory => FileFault::NotAFile,
        _ => FileFault::Failed,
    }
}

pub(crate) fn send(code: &HttpCode) -> SendFault {
    match code {
        HttpCode::HttpRequestDenied
        | HttpCode::DestinationIpProhibited
        | HttpCode::HttpRequestUriInvalid
        | HttpCode::HttpRequestMethodInvalid => SendFault::Denied,
        HttpCode::DnsTimeout | HttpCode::DnsError(_) | HttpCode::DestinationNotFound => SendFault::Unresolved,
        HttpCode::DestinationUnavailable
        | HttpCode::DestinationIpUnroutable
        | HttpCode::ConnectionRefused
        | HttpCode::ConnectionLimitReached => SendFault::Unreachable,
        HttpCode::TlsProtocolError | HttpCode::TlsCertificateError | HttpCode::TlsAlertReceived(_) => {
            SendFault::Untrusted
        }
        HttpCode::ConfigurationError => SendFault::NoCertificate,
        HttpCode::ConnectionTimeout
        | HttpCode::ConnectionReadTimeout
        | HttpCode::ConnectionWriteTimeout
        | HttpCode::HttpResponseTimeout => SendFault::TimedOut,
        HttpCode::HttpResponseBodySize(_) => SendFault::TooLarge,
        _ => SendFault::Broken,
    }
}
