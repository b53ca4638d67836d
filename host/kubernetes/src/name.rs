//! `[NAMESPACE/]NAME`, as people write the name of an object.

use std::fmt;

use crate::Fault;

/// A namespaced object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// A DNS label.
    pub namespace: String,
    /// A DNS subdomain.
    pub name: String,
}

impl ObjectName {
    /// Reads `[NAMESPACE/]NAME`; `of` says whose name it is, for the error.
    ///
    /// # Errors
    /// `kubernetes-name` when it is not what Kubernetes takes for a name (RFC 1123: lower-case letters, digits, `-`, and in
    /// a name `.`).
    pub fn parse(text: &str, default_namespace: &str, of: &str) -> Result<Self, Fault> {
        let (namespace, name) = text.split_once('/').unwrap_or((default_namespace, text));
        let labels = name.split('.').all(|label| is_label(label, 253));
        if is_label(namespace, 63) && labels && name.len() <= 253 {
            return Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() });
        }
        Err(Fault::invalid(
            "kubernetes-name",
            format!("{of} is not the name of an object ({} characters)", text.chars().count()),
            "write NAME or NAMESPACE/NAME, in lower-case letters, digits and hyphens",
        ))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn is_label(text: &str, longest: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=longest).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_namespace() {
        let name = |text| ObjectName::parse(text, "apps", "--secret").map(|name| name.to_string()).ok();
        assert_eq!(name("openai").as_deref(), Some("apps/openai"));
        assert_eq!(name("team-1/open.ai").as_deref(), Some("team-1/open.ai"));
        for wrong in ["", "/", "a/", "/a", "a/b/c", "Openai", "a_b", "-a", "a-", "a..b", "a.b/c", " a"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }
}
