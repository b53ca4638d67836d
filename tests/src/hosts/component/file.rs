//! Which component is tested: [`bytes`] is the one place that says so.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::{env, fs};

/// The finished one, as it is embedded and shipped; or the file that `$KEYLESS_COMPONENT` names.
pub(crate) fn bytes() -> &'static [u8] {
    static BYTES: OnceLock<Cow<'static, [u8]>> = OnceLock::new();
    BYTES.get_or_init(|| match env::var_os("KEYLESS_COMPONENT") {
        Some(file) => fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).into(),
        None => keyless_artifact::CREDENTIAL_PROVIDER.into(),
    })
}
