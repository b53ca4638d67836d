//! The two kinds of identity token that token endpoints tell apart.

/// RFC 8693, section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Any JSON web token.
    Jwt,
    /// An OpenID Connect ID token.
    Id,
}

impl TokenType {
    /// As a document names it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "jwt" => Some(Self::Jwt),
            "id" => Some(Self::Id),
            _ => None,
        }
    }

    /// As a document names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Id => "id",
        }
    }

    /// As a request names it.
    #[must_use]
    pub fn urn(self) -> &'static str {
        match self {
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::Id => "urn:ietf:params:oauth:token-type:id_token",
        }
    }
}
