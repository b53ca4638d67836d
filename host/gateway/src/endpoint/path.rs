//! What a path asks for.

use percent_encoding::percent_decode_str;

/// What a path asks for, with the name of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `/v1/credential/NAME`
    Credential(String),
    /// `/v1/credential/NAME/rejected`
    Rejected(String),
}

impl Asked {
    /// `path`: as it came, so that a name may hold what is percent-encoded in it, slashes too.
    pub(super) fn read(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v1/credential/")?;
        match rest.split_once('/') {
            None => name(rest).map(Self::Credential),
            Some((first, "rejected")) => name(first).map(Self::Rejected),
            Some(_) => None,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Credential(name) | Self::Rejected(name) => name,
        }
    }
}

fn name(segment: &str) -> Option<String> {
    let name = percent_decode_str(segment).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_connection_or_nothing() {
        let credential = |name: &str| Some(Asked::Credential(name.to_owned()));
        for (path, expected) in [
            ("/v1/credential/openai", credential("openai")),
            ("/v1/credential/a%20b%2Fc", credential("a b/c")),
            ("/v1/credential/rejected", credential("rejected")),
            ("/v1/credential/openai/rejected", Some(Asked::Rejected("openai".to_owned()))),
            ("/v1/credential/", None),
            ("/v1/credential", None),
            ("/v1/credential//rejected", None),
            ("/v1/credential/openai/", None),
            ("/v1/credential/openai/rejected/", None),
            ("/v1/credential/%ff", None),
            ("/", None),
            ("*", None),
        ] {
            assert_eq!(Asked::read(path), expected, "{path}");
        }
    }
}
