//! The kinds of identity that token endpoints tell apart.

/// What RFC 8693, section 3, calls a token type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Any JSON web token.
    Jwt,
    /// An OpenID Connect ID token.
    Id,
    /// No token: the client certificate of the TLS session (developers.openai.com, "X.509").
    X509,
}

impl TokenType {
    /// As a document names it, which is for tokens only.
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
            Self::X509 => "x509",
        }
    }

    /// As a request names it.
    #[must_use]
    pub fn urn(self) -> &'static str {
        match self {
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::Id => "urn:ietf:params:oauth:token-type:id_token",
            Self::X509 => "urn:openai:params:oauth:token-type:x509",
        }
    }
}
