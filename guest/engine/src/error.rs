//! Everything that can go wrong, as stable codes, each with one class: who has to act.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::fmt;

use crate::carry::{Reader, Writer};

/// Who has to act. One per exit code of the command and per case of the WIT `error` variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The author of the document.
    Invalid,
    /// The operator of the host, who did not grant something.
    Denied,
    /// The platform that issues the identity token.
    Identity,
    /// The administrator of the API: its token endpoint refused the identity.
    Rejected,
    /// Nobody: it may work later.
    Unavailable,
}

macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $text:literal $kind:ident ),+ $(,)?) => {
        /// What went wrong. The text form is part of the contract: scripts match on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $( $(#[doc = $doc])+ $variant ),+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[ $( Self::$variant ),+ ];

            /// The stable text, kebab-case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }

            /// Who has to act.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $( Self::$variant => Kind::$kind ),+ }
            }

            /// One sentence for the documentation.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$variant => concat!($($doc),+) ),+ }
            }
        }
    };
}

codes! {
    /// The document is empty.
    DocumentEmpty = "document-empty" Invalid,
    /// The document exceeds 64 KiB.
    DocumentTooLarge = "document-too-large" Invalid,
    /// The document is neither JSON nor a connection URI that can be read.
    DocumentSyntax = "document-syntax" Invalid,
    /// The document mixes the keys of several forms, or is of none.
    DocumentForm = "document-form" Invalid,
    /// A required field is missing.
    FieldMissing = "field-missing" Invalid,
    /// A field holds the wrong type of value.
    FieldType = "field-type" Invalid,
    /// A field's value is not one that it can have.
    FieldValue = "field-value" Invalid,
    /// Two fields contradict each other.
    FieldConflict = "field-conflict" Invalid,
    /// A URL cannot be used: its scheme, its form, or a part that it must not have.
    FieldUrl = "field-url" Invalid,

    /// The host did not grant an endpoint that the connection needs.
    EndpointDenied = "endpoint-denied" Denied,
    /// The host did not grant a file that the connection needs.
    FileDenied = "file-denied" Denied,
    /// The host has no way to ask the component of the source `custom`.
    CustomSourceMissing = "custom-source-missing" Denied,

    /// The token file is not there.
    TokenFileMissing = "token-file-missing" Identity,
    /// The token file cannot be read: a directory, a device, no permission.
    TokenFileUnreadable = "token-file-unreadable" Identity,
    /// The platform's identity token exceeds 16 KiB.
    TokenTooLarge = "token-too-large" Identity,
    /// The platform's identity token is empty.
    TokenEmpty = "token-empty" Identity,
    /// What the platform gave is not a JSON web token.
    TokenMalformed = "token-malformed" Identity,
    /// The identity token has expired by its own `exp`.
    TokenExpired = "token-expired" Identity,
    /// The identity token is for another audience than the document says, or about another kind of subject.
    TokenForeign = "token-foreign" Identity,
    /// The platform's token service (a metadata server, a CI system, a custom source) did not give an identity token.
    TokenNotGiven = "token-not-given" Identity,
    /// The host has no usable client certificate to present.
    ClientCertificate = "client-certificate" Identity,
    /// The file that holds a key is not there.
    KeyFileMissing = "key-file-missing" Identity,
    /// The file that holds a key cannot be read, or holds no key.
    KeyFileUnusable = "key-file-unusable" Identity,
    /// The identity token is for a control plane, and the host wants such tokens refused (`--strict`).
    TokenForAControlPlane = "token-for-a-control-plane" Identity,

    /// The token endpoint refused the identity.
    ExchangeRefused = "exchange-refused" Rejected,
    /// The Admin API does not accept the Admin key, or it may not do what minting takes.
    AdminKeyRefused = "admin-key-refused" Rejected,
    /// The Admin API knows no such project, or it is archived.
    ProjectRefused = "project-refused" Rejected,

    /// The token endpoint's name did not resolve.
    EndpointUnresolved = "endpoint-unresolved" Unavailable,
    /// No connection to the token endpoint.
    EndpointUnreachable = "endpoint-unreachable" Unavailable,
    /// The token endpoint's certificate is not trusted.
    EndpointUntrusted = "endpoint-untrusted" Unavailable,
    /// The token endpoint did not answer in time.
    EndpointTimeout = "endpoint-timeout" Unavailable,
    /// The token endpoint asked for fewer requests (429).
    EndpointThrottled = "endpoint-throttled" Unavailable,
    /// The token endpoint failed (5xx), or said that it is out of order.
    EndpointFailed = "endpoint-failed" Unavailable,
    /// The token endpoint answered with a redirect, which is never followed.
    EndpointRedirect = "endpoint-redirect" Unavailable,
    /// The answer is not one that a token endpoint gives.
    ResponseUnexpected = "response-unexpected" Unavailable,
    /// The answer's body exceeds 64 KiB.
    ResponseTooLarge = "response-too-large" Unavailable,
    /// The answer is not a JSON object.
    ResponseMalformed = "response-malformed" Unavailable,
    /// The answer holds no usable access token.
    ResponseToken = "response-token" Unavailable,
    /// The answer's lifetime is not a positive number, or less than two seconds.
    ResponseLifetime = "response-lifetime" Unavailable,
    /// There are as many minted service accounts as the document allows.
    TooManyAccounts = "too-many-accounts" Unavailable,
    /// The list of service accounts is not whole, so nothing is created or deleted by it.
    AccountsDoubtful = "accounts-doubtful" Unavailable,
    /// Minted service accounts could not be deleted when the connection was closed.
    AccountsLeft = "accounts-left" Unavailable,
    /// The attempt as a whole took too long.
    AttemptTimeout = "attempt-timeout" Unavailable,
    /// No usable credential is held, and no attempt has failed: the next one may start in a moment.
    NotYet = "not-yet" Unavailable,
}

/// A failure. Built from codes, field names and shapes; never from a secret or a response body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Parts>);

/// In a box: nearly every function here may return an error, and next to none does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    code: Code,
    message: String,
    retry_after_ms: Option<u64>,
}

impl Error {
    /// `message` says what happened and what to do next, in one or two sentences.
    #[must_use]
    pub fn new(code: Code, message: impl Message) -> Self {
        message.of(code)
    }

    /// With the time to leave it alone, as the other side asked or as the lease decided.
    #[must_use]
    pub fn retry_after(mut self, ms: Option<u64>) -> Self {
        self.0.retry_after_ms = ms;
        self
    }

    pub(crate) fn carry(&self, out: &mut Writer) {
        out.text(self.0.code.as_str());
        out.text(&self.0.message);
        out.option(self.0.retry_after_ms, Writer::number);
    }

    pub(crate) fn carried(carried: &mut Reader<'_>) -> Option<Self> {
        let code = carried.text()?;
        let code = Code::ALL.iter().copied().find(|known| known.as_str() == code)?;
        Some(Self::new(code, carried.text()?).retry_after(carried.option(Reader::number)?))
    }

    /// What went wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Who has to act.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// For people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Milliseconds to leave it alone.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }
}

/// What an error says: a text, or `format_args!`. The latter is put together in one place and not in each of the hundred
/// that fail.
pub trait Message {
    /// The error of that code that says so.
    fn of(self, code: Code) -> Error;
}

impl Message for String {
    #[inline(never)]
    fn of(self, code: Code) -> Error {
        Error(Box::new(Parts { code, message: one_line(self), retry_after_ms: None }))
    }
}

impl Message for &str {
    #[inline(never)]
    fn of(self, code: Code) -> Error {
        self.to_owned().of(code)
    }
}

impl Message for fmt::Arguments<'_> {
    #[inline(never)]
    fn of(self, code: Code) -> Error {
        self.to_string().of(code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl core::error::Error for Error {}

/// What is shown to people may quote names that a document chose: those must not break a line of a log, nor steer a
/// terminal.
pub(crate) fn one_line(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, "\u{fffd}") } else { text }
}

/// For parsers: a field by its dotted name and what is wrong with it.
pub(crate) fn field(code: Code, name: &str, fault: impl fmt::Display) -> Error {
    about(code, name, &fault)
}

#[inline(never)]
fn about(code: Code, name: &str, fault: &dyn fmt::Display) -> Error {
    Error::new(code, format_args!("`{name}` {fault}"))
}
