//! The promises, one function each. A further one is a function in the file of its kind and a line in [`ALL`].

mod endpoints;
mod files;
mod life;
mod minted;
mod pure;
mod secrets;
mod transport;

use std::future::Future;
use std::pin::Pin;

pub(super) use self::pure::introduction;
use super::stage::{Stage, Stop};

/// A promise that a host has to keep.
pub(super) struct Check {
    /// Stable, kebab-case.
    pub(super) name: &'static str,
    /// What is promised, in one line.
    pub(super) promise: &'static str,
    /// The section of docs/write-a-host.md that says how to keep it, as its anchor.
    pub(super) section: &'static str,
    pub(super) run: for<'a> fn(&'a mut Stage) -> Running<'a>,
}

impl Check {
    /// Whether a host may say that it cannot be asked: one that loads another component than the machine has nothing to replay.
    pub(super) fn optional(&self) -> bool {
        self.name == "replay"
    }
}

/// A check under way.
pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

macro_rules! check {
    ($name:literal, $section:literal, $function:path, $promise:literal) => {
        Check { name: $name, promise: $promise, section: $section, run: |stage| Box::pin($function(stage)) }
    };
}

/// The check that is also answered by what is found during all others.
pub(super) const SECRETS: &str = "no-secrets";

/// In the order in which they are shown.
pub(super) const ALL: &[Check] = &[
    check!("hello", "the-protocol", pure::hello, "it says what it is called and which component it loads"),
    check!(
        "unknown-request",
        "the-protocol",
        pure::unknown,
        "a request that it does not know is answered `unsupported`"
    ),
    check!("ends", "the-protocol", pure::ends, "it ends when its standard input does"),
    check!(
        "variables",
        "before-it-opens",
        pure::variables,
        "the variables that a document reads are named as the component names them"
    ),
    check!(
        "plan",
        "before-it-opens",
        pure::plan,
        "a plan is the component's, byte for byte, for every source with every exchange"
    ),
    check!(
        "replay",
        "the-loop",
        pure::replay,
        "a document that does not open in a replay is refused with the component's error"
    ),
    check!(
        "grant-endpoint",
        "the-grant",
        endpoints::not_granted,
        "an endpoint that is not granted gets no connection"
    ),
    check!(
        "grant-exact",
        "the-grant",
        endpoints::exact,
        "a grant is for one method, scheme, host, port and path, to the byte"
    ),
    check!(
        "grant-star",
        "the-grant",
        endpoints::star,
        "a last segment `*` stands for one segment, and for nothing else"
    ),
    check!(
        "grant-apart",
        "the-grant",
        endpoints::apart,
        "what is granted to one connection is not granted to another"
    ),
    check!("grant-file", "the-grant", files::not_granted, "a file that is not granted is not read"),
    check!("file-missing", "files", files::missing, "a file that is not there is `missing`"),
    check!(
        "file-kind",
        "files",
        files::kind,
        "a directory or a pipe is `not-a-file`, and nothing waits for it"
    ),
    check!("file-limit", "files", files::limit, "a file may be as large as the limit, and no larger"),
    check!(
        "file-anew",
        "files",
        files::anew,
        "a file is read anew each time, through links that were swapped meanwhile"
    ),
    check!(
        "request-exact",
        "requests",
        transport::exact,
        "a request is the engine's, byte for byte: no header more, none less, a length and no chunks"
    ),
    check!("no-redirect", "requests", endpoints::redirect, "a redirect is an answer, and is never followed"),
    check!("no-proxy", "requests", endpoints::proxy, "no proxy is used, whatever the environment says"),
    check!(
        "answer-whole",
        "requests",
        transport::whole,
        "status, headers and body of an answer reach the machine"
    ),
    check!(
        "deadline-silence",
        "requests",
        transport::silence,
        "an endpoint that says nothing is given up at the deadline"
    ),
    check!(
        "deadline-drip",
        "requests",
        transport::drip,
        "an endpoint that drips is given up at the same deadline"
    ),
    check!(
        "answer-limit",
        "requests",
        transport::limit,
        "an answer may be as large as the limit, and no larger"
    ),
    check!(
        "broken",
        "requests",
        transport::broken,
        "a connection that breaks is told, and so is one that cannot be made"
    ),
    check!(
        "tls-untrusted",
        "requests",
        transport::untrusted,
        "a certificate that nobody vouches for is not trusted"
    ),
    check!(
        "tls-trusted",
        "requests",
        transport::trusted,
        "with `ca-file` it is, and the credential opens the API"
    ),
    #[cfg(target_os = "linux")]
    check!("tls-name", "requests", transport::name, "a trusted certificate for another name is not trusted"),
    check!("cached", "the-loop", life::cached, "a credential that is held is given without a request"),
    check!("single-flight", "the-loop", life::together, "callers who wait together share one exchange"),
    check!(
        "renewal",
        "the-loop",
        life::renewal,
        "a credential is followed by the next when its renewal is due"
    ),
    check!(
        "reject",
        "the-loop",
        life::reject,
        "a rejected generation is replaced once, and a word about an old one is ignored"
    ),
    check!("outage", "the-loop", life::outage, "a failed renewal hides no credential that is still valid"),
    check!("end-of-life", "the-loop", life::end, "a credential is never given past its end"),
    check!("status", "the-loop", life::status, "the status is the machine's"),
    check!(
        "close",
        "the-loop",
        life::close,
        "a closed connection asks for nothing any more and gives nothing any more"
    ),
    check!(
        "close-deletes",
        "the-loop",
        minted::close,
        "closing deletes the service accounts that the connection made, and no others"
    ),
    check!("close-tells", "the-loop", minted::tells, "what could not be deleted is told to whoever closes"),
    check!(
        "drop-deletes-nothing",
        "the-loop",
        minted::dropped,
        "a connection that ends with its program deletes nothing"
    ),
    check!("no-secrets", "secrets", secrets::none, "no token is in an error, a status, or on standard error"),
];
