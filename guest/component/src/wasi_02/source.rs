//! Asking another component for an identity token, in the world that has such an import.

use alloc::string::String;

use keyless_engine::io::SourceFault;
use keyless_engine::secret::Secret;

/// What it gives. The call returns when the other component has.
#[cfg(feature = "custom-source")]
pub(crate) fn ask(audience: Option<String>) -> Result<Secret, SourceFault> {
    use crate::bindings::keyless::credentials::subject_token_source;

    subject_token_source::token(audience.as_deref()).map(Secret::new).map_err(SourceFault::Failed)
}

/// The world `provider` has nobody to ask.
#[cfg(not(feature = "custom-source"))]
pub(crate) fn ask(_: Option<String>) -> Result<Secret, SourceFault> {
    Err(SourceFault::Absent)
}
