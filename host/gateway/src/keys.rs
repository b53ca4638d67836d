//! Where clients bring keys of their own, none of which may reach an API.

/// Headers that open one of the APIs, or say on whose account.
pub(crate) const HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "openai-organization",
    "openai-project",
];
