//! What comes back from a cluster.

use keyless_engine::io::FileFault;
use keyless_scenarios::scenario::traffic::Fault;
use keyless_scenarios::world::script::What;

use super::pairs::Pairs;

/// An answer to a call, `:status` among its headers.
pub(super) struct Answer {
    pub(super) headers: Pairs,
    pub(super) body: Vec<u8>,
}

/// More than the engine takes of anything.
const TOO_LARGE: usize = 64 * 1024 + 1;

impl Answer {
    pub(super) fn new(status: u16, headers: Pairs, body: impl Into<Vec<u8>>) -> Self {
        let status = (":status".to_owned(), status.to_string());
        Self { headers: [status].into_iter().chain(headers).collect(), body: body.into() }
    }

    /// The other side's; or, where there is none, Envoy's own in its place.
    pub(super) fn to_a_request(what: What) -> Self {
        match what {
            What::Answer { status, headers, body } => {
                let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
                Self::new(status, headers.into_iter().map(lower).collect(), body)
            }
            What::Fault(fault) => {
                let (status, words) = envoys_words(fault);
                Self::new(status, vec![("content-type".to_owned(), "text/plain".to_owned())], words)
            }
            What::Stall => unreachable!("Envoy keeps the deadline"),
        }
    }

    /// From whatever serves files to the filter.
    pub(super) fn to_a_file(read: Result<Vec<u8>, FileFault>) -> Self {
        let (status, body) = match read {
            Ok(content) => (200, content),
            Err(FileFault::Missing) => (404, Vec::new()),
            Err(FileFault::Denied) => (403, Vec::new()),
            // There is something by that name, and it cannot be had.
            Err(FileFault::NotAFile) => (405, Vec::new()),
            Err(FileFault::TooLarge | FileFault::Failed) => (500, Vec::new()),
        };
        Self::new(status, Vec::new(), body)
    }
}

/// As the router says it (`source/common/router/router.cc` and `Utility::resetReasonToString` of envoyproxy/envoy).
fn envoys_words(fault: Fault) -> (u16, String) {
    const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";
    let reset = |reason: &str| (503, format!("{RESET}{reason}"));
    let tls = |reason: &str| reset(&format!("remote connection failure, transport failure reason: {reason}"));
    match fault {
        Fault::Unresolved => (503, "DNS resolution failure".to_owned()),
        Fault::Unreachable => tls("delayed connect error: Connection refused"),
        Fault::Untrusted => {
            tls("TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end")
        }
        Fault::NoCertificate => tls("TLS error: Secret is not supplied by SDS"),
        Fault::TimedOut => (504, "upstream request timeout".to_owned()),
        Fault::Broken => reset("connection termination"),
        // No cluster is closed to the filter: it has that one, or none.
        Fault::Denied => unreachable!("left out"),
        Fault::TooLarge => (200, " ".repeat(TOO_LARGE)),
    }
}
