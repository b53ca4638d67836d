//! Which components are tested: here is the one place that says so.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::{env, fs};

/// The finished one, as it is embedded and shipped; or the file that `$KEYLESS_COMPONENT` names.
pub(crate) fn bytes() -> &'static [u8] {
    static BYTES: OnceLock<Cow<'static, [u8]>> = OnceLock::new();
    BYTES.get_or_init(|| named("KEYLESS_COMPONENT", keyless_artifact::CREDENTIAL_PROVIDER))
}

/// As [`bytes`], of the world `provider-with-source`; or the file that `$KEYLESS_COMPONENT_WITH_SOURCE` names.
pub(crate) fn bytes_with_source() -> &'static [u8] {
    static BYTES: OnceLock<Cow<'static, [u8]>> = OnceLock::new();
    BYTES.get_or_init(|| {
        named("KEYLESS_COMPONENT_WITH_SOURCE", keyless_artifact::CREDENTIAL_PROVIDER_WITH_SOURCE)
    })
}

fn named(variable: &str, finished: &'static [u8]) -> Cow<'static, [u8]> {
    match env::var_os(variable) {
        Some(file) => fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).into(),
        None => finished.into(),
    }
}
