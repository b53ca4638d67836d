//! The Secret: what of it is ours, whether it is as it should be, and how it is written.

mod content;
mod object;
mod standing;
mod watch;
mod writer;

pub use content::{Content, Target};
pub(crate) use standing::Standing;
pub(crate) use watch::Watch;
pub(crate) use writer::{Put, Writer};

/// By which the API server tells our fields from those of others.
pub const FIELD_MANAGER: &str = "keyless";

/// Marks a Secret as ours.
const OWNED: (&str, &str) = ("app.kubernetes.io/managed-by", "keyless");

/// Annotations, none of which holds a secret.
mod annotation {
    /// Which connection.
    pub(super) const CONNECTION: &str = "keyless/connection";
    /// Which settings it was made by: another value means that it has to be made anew.
    pub(super) const SETTINGS: &str = "keyless/settings";
    /// When the credential is to be renewed, RFC 3339. Empty: never.
    pub(super) const RENEW_AT: &str = "keyless/renew-at";
    /// When it ends, RFC 3339. Empty: it does not.
    pub(super) const EXPIRES_AT: &str = "keyless/expires-at";
    /// Counts the credentials of one leader.
    pub(super) const GENERATION: &str = "keyless/generation";
    /// Which leader wrote it: the Lease's uid, and how often it has changed hands.
    pub(super) const TERM: &str = "keyless/term";
}
