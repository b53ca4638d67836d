//! What clients of a listener present.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Fault;

/// The shortest bearer that is taken, in characters: 64 bits, if they are drawn in hexadecimal.
const SHORTEST: usize = 16;

/// A secret of visible ASCII characters. `Debug` shows its length alone; it is compared in constant time, and wiped.
#[derive(Clone)]
pub struct Bearer(Zeroizing<String>);

impl Bearer {
    /// # Errors
    /// `bearer-unusable` for one that is too short, or that no header can carry.
    pub fn new(text: impl Into<String>) -> Result<Self, Fault> {
        let text = Zeroizing::new(text.into());
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::new(
                "bearer-unusable",
                format!("the bearer ({} characters) cannot be used", text.chars().count()),
                format!(
                    "choose at least {SHORTEST} visible ASCII characters, such as `openssl rand -hex 32`"
                ),
            ));
        }
        Ok(Self(text))
    }

    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        presented.ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer({} characters)", self.0.len())
    }
}

impl PartialEq for Bearer {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.0.as_bytes())
    }
}

impl Eq for Bearer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_or_no_header_is_refused_without_being_shown() {
        for text in ["", "canary", "canary with a space in it", "canary-with-an-é-in-it"] {
            let fault = Bearer::new(text).unwrap_err();
            assert_eq!(fault.code, "bearer-unusable");
            assert!(!fault.to_string().contains("canary"));
        }
        assert!(!format!("{:?}", Bearer::new("canary-0123456789").unwrap()).contains("canary"));
    }
}
