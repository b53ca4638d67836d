//! Allow-lists: of paths, and of names of models.

/// Paths that are allowed behind a prefix.
#[derive(Debug)]
pub(crate) struct Paths(Vec<String>);

impl Paths {
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether one of them allows the path.
    pub(crate) fn allow(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| path_matches(pattern, path))
    }
}

/// Names of models that are allowed.
#[derive(Debug)]
pub(crate) struct Models(Vec<String>);

impl Models {
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether one of them allows the model.
    pub(crate) fn allow(&self, model: &str) -> bool {
        self.0.iter().any(|pattern| starts_or_equals(pattern, model))
    }
}

/// Segment by segment. `*` at the end of a segment stands for the rest of it, alone for any that is not empty; `**` as the
/// last segment for one or more segments, whatever they are.
fn path_matches(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/');
    let mut pattern = pattern.split('/').peekable();
    while let Some(expected) = pattern.next() {
        let Some(segment) = path.next() else { return false };
        if expected == "**" && pattern.peek().is_none() {
            return true;
        }
        if !starts_or_equals(expected, segment) || (expected == "*" && segment.is_empty()) {
            return false;
        }
    }
    path.next().is_none()
}

/// `claude-*` allows every text that begins with `claude-`, `claude-3` itself alone.
fn starts_or_equals(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_by_whole_segments() {
        for (pattern, path, expected) in [
            ("/v1/messages", "/v1/messages", true),
            ("/v1/messages", "/v1/messages/", false),
            ("/v1/messages", "/v1/messages/batches", false),
            ("/v1/messages", "/v1/message", false),
            ("/v1/models/*", "/v1/models/claude", true),
            ("/v1/models/*", "/v1/models/", false),
            ("/v1/models/*", "/v1/models", false),
            ("/v1/models/*", "/v1/models/a/b", false),
            ("/v1/models/gpt-*", "/v1/models/gpt-4", true),
            ("/v1/models/gpt-*", "/v1/models/o3", false),
            ("/v1/files/*/content", "/v1/files/x/content", true),
            ("/v1/files/*/content", "/v1/files//content", false),
            ("/v1/files/**", "/v1/files/x/content", true),
            ("/v1/files/**", "/v1/files/x", true),
            ("/v1/files/**", "/v1/files", false),
            ("/**", "/anything/at/all", true),
            ("/v1/messages", "/v1//messages", false),
        ] {
            assert_eq!(Paths::new(&[pattern.to_owned()]).allow(path), expected, "{pattern} {path}");
        }
    }
    #[test]
    fn models_match_by_their_beginning() {
        let models = Models::new(&["claude-*".to_owned(), "gpt-4.1".to_owned()]);
        for (model, expected) in [
            ("claude-x", true),
            ("gpt-4.1", true),
            ("gpt-4.1-mini", false),
            ("my-claude-x", false),
            ("", false),
        ] {
            assert_eq!(models.allow(model), expected, "{model}");
        }
    }
}
