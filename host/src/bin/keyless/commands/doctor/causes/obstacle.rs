//! Why a place cannot be reached: name, connection, certificate.

use std::borrow::Cow;
use std::env;

use keyless::sender::{CertificateFault, Fault, Obstacle};

use crate::commands::doctor::code::Code;
use crate::commands::doctor::report::Diagnosis;
use crate::output::problem::Class;

/// `place` is what could not be reached, `error` the code with which the component fails then.
pub(in crate::commands::doctor) fn diagnose(obstacle: Obstacle, place: &str) -> Diagnosis {
    let (code, error, cause, next) = match (obstacle.fault, obstacle.certificate) {
        (Fault::Unresolved, _) => (
            Code::EndpointUnresolved,
            "endpoint-unresolved",
            "the name is misspelt, or this machine's name server does not know it",
            "check the host name in the document, and try `getent hosts NAME` here; in a pod, check `dnsPolicy` and the \
             egress rule for port 53",
        ),
        (Fault::Refused, _) => (
            Code::EndpointRefused,
            "endpoint-unreachable",
            "the machine is there, but nothing listens on this port, or a firewall says so",
            "check the port in the document and in `--connect-to`",
        ),
        (Fault::Unreachable, _) => (
            Code::EndpointUnreachable,
            "endpoint-unreachable",
            "there is no route to it: no network, or IPv6 only",
            "check this machine's network and egress rules",
        ),
        (Fault::ConnectTimeout, _) => (
            Code::EndpointConnectTimeout,
            "endpoint-timeout",
            "nobody answers: a firewall, a network policy or a security group drops the connection",
            "allow egress to this host and port",
        ),
        (Fault::Certificate, Some(CertificateFault::Expired)) => (
            Code::CertificateExpired,
            "endpoint-untrusted",
            "the server's certificate has expired, or this machine's clock is ahead",
            "check this machine's date first; else its operator has to renew the certificate",
        ),
        (Fault::Certificate, Some(CertificateFault::NotYetValid)) => (
            Code::CertificateNotYetValid,
            "endpoint-untrusted",
            "the server's certificate begins later: this machine's clock is behind, most likely",
            "set this machine's clock (NTP)",
        ),
        (Fault::Certificate, Some(CertificateFault::OtherName)) => (
            Code::CertificateWrongName,
            "endpoint-untrusted",
            "the server that answers is another one: its certificate is for other names",
            "check the host name in the document, `--connect-to`, and this machine's DNS and hosts file",
        ),
        (Fault::Certificate, Some(CertificateFault::UnknownIssuer)) => (
            Code::CertificateUnknownIssuer,
            "endpoint-untrusted",
            "the certificate comes from an authority that this machine does not know: a private CA, a proxy that opens \
             TLS, or an image without CA certificates",
            "give the authority's certificate with `--ca-cert FILE`, or install the image's `ca-certificates`",
        ),
        (Fault::Certificate, _) => (
            Code::CertificateRefused,
            "endpoint-untrusted",
            "the certificate cannot be used: revoked, malformed or not made for servers",
            "ask the server's operator",
        ),
        (Fault::Tls, _) => (
            Code::TlsFailed,
            "endpoint-untrusted",
            "what answers does not speak TLS 1.2 or 1.3: a plain http port, or a very old server",
            "check the port and the scheme in the document",
        ),
        (Fault::Denied, _) => (
            Code::EndpointDenied,
            "endpoint-denied",
            "plain http may go to this machine and to metadata addresses only, and the name leads elsewhere",
            "use https",
        ),
        _ => (
            Code::EndpointBroken,
            "endpoint-unreachable",
            "something between cuts the connection",
            "try again, and look at proxies and firewalls between",
        ),
    };
    let class = if obstacle.fault == Fault::Denied { Class::Denied } else { Class::Unavailable };
    Diagnosis {
        code: Cow::Borrowed(code.as_str()),
        what: format!("{place} cannot be reached: {}", obstacle.fault),
        cause: format!("{cause}{}", proxy_remark()),
        next: next.to_owned(),
        class,
        error: Some(error.to_owned()),
    }
}

/// What everybody forgets.
fn proxy_remark() -> &'static str {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().any(set) {
        " (a proxy is configured in this environment, which Keyless does not use)"
    } else {
        ""
    }
}
