//! Values of environment variables on their way into the component.
//!
//! A component reads no environment. It names what it wants, the host hands over exactly that, and because any value may
//! be an API key, all of them are treated as secrets.

use std::{env, fmt};

use zeroize::Zeroize as _;

use crate::Error;

/// Names and values of environment variables. `Debug` shows the names only; the values are wiped on drop.
#[derive(Clone, Default)]
pub struct Variables {
    own: Vec<(String, String)>,
    /// For the component of the source `custom`, which the provider does not see.
    source: Option<Box<Self>>,
}

impl Variables {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of `names` that are set in this process. `names` is what [`Runtime::variables`](crate::Runtime::variables)
    /// returned: nothing else of the environment is looked at.
    ///
    /// # Errors
    /// `variable-not-unicode` ([`ErrorKind::Invalid`](crate::ErrorKind::Invalid)) when a value is not Unicode.
    pub fn from_environment(names: &[impl AsRef<str>]) -> Result<Self, Error> {
        let mut variables = Self::new();
        for name in names.iter().map(AsRef::as_ref) {
            match env::var(name) {
                Ok(value) => variables.set(name, value),
                Err(env::VarError::NotPresent) => {}
                Err(env::VarError::NotUnicode(value)) => {
                    return Err(Error::invalid(
                        "variable-not-unicode",
                        format!(
                            "the environment variable {name} holds {} bytes that are not UTF-8; set it again as text",
                            value.len()
                        ),
                    ));
                }
            }
        }
        Ok(variables)
    }

    /// Sets one variable, replacing an earlier value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.own.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => {
                old.zeroize();
                *old = value;
            }
            None => self.own.push((name, value)),
        }
    }

    /// Also hands these to the component that gives identity tokens (the source `custom`). They are its alone, as the others
    /// are the provider's; it sees those that its grant names.
    #[must_use]
    pub fn with_source(mut self, variables: Self) -> Self {
        self.source = Some(Box::new(variables));
        self
    }

    /// What [`with_source`](Self::with_source) was given.
    #[must_use]
    pub fn of_source(&self) -> Option<&Self> {
        self.source.as_deref()
    }

    /// Has identity tokens refused that are meant for a control plane (the Kubernetes API server, a cloud's own API):
    /// whoever receives such a token can act as the workload there. Without it they are warned about, because the
    /// official clients' defaults send them.
    pub fn set_strict(&mut self) {
        self.set("KEYLESS_STRICT", "1");
    }

    /// Says who this is, for a document that makes its keys and names no instance: what earlier processes by this name left
    /// is then known to be its own. No two may go by one name at a time.
    pub fn set_instance(&mut self, name: impl Into<String>) {
        self.set("KEYLESS_INSTANCE", name);
    }

    /// The names, in the order in which they were set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|(name, _)| name.as_str())
    }

    /// The value of one variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.own.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether there are none for the provider.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// In the shape in which the component's functions take them.
    pub(crate) fn as_pairs(&self) -> &[(String, String)] {
        &self.own
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut variables = Self::new();
        for (name, value) in pairs {
            variables.set(name, value);
        }
        variables
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Drop for Variables {
    fn drop(&mut self) {
        for (_, value) in &mut self.own {
            value.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_only() {
        let variables: Variables = [("OPENAI_API_KEY", "sk-canary")].into_iter().collect();
        assert_eq!(format!("{variables:?}"), r#"{"OPENAI_API_KEY"}"#);
        assert_eq!(variables.get("OPENAI_API_KEY"), Some("sk-canary"));
    }

    #[test]
    fn the_last_value_wins() {
        let variables: Variables = [("A", "1"), ("B", "2"), ("A", "3")].into_iter().collect();
        assert_eq!(variables.names().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(variables.get("A"), Some("3"));
    }

    #[test]
    fn only_what_is_asked_for_and_set_is_taken() {
        let variables = Variables::from_environment(&["PATH", "KEYLESS_TEST_NOT_SET"]).unwrap();
        assert_eq!(variables.names().collect::<Vec<_>>(), ["PATH"]);
    }
}
