//! What the doctor can find beyond the error that is met: stable codes, each with its most likely cause in one sentence.
//! `docs/doctor.md` holds the same list.

macro_rules! codes {
    ($( #[doc = $meaning:literal] $variant:ident = $text:literal ),+ $(,)?) => {
        /// A diagnosis. The text form is part of the contract: scripts match on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $( #[doc = $meaning] $variant ),+ }

        impl Code {
            /// Kebab-case.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }
        }

        /// Every code and its meaning, in the order of the documentation.
        #[cfg(test)]
        const MEANINGS: &[(&str, &str)] = &[ $( ($text, $meaning) ),+ ];
    };
}

codes! {
    // Document
    /// A variable that the document counts on is not set: GitHub without `id-token: write`, a pod that a webhook left alone.
    VariableMissing = "variable-missing",
    // Source
    /// The volume is not mounted in this container.
    TokenVolumeMissing = "token-volume-missing",
    /// The token file is a link to nothing.
    TokenLinkBroken = "token-link-broken",
    /// The directory is there, but no file of this name.
    TokenFileMissing = "token-file-missing",
    /// The path leads to a directory or a device.
    TokenFileNotAFile = "token-file-not-a-file",
    /// This process may not read the file.
    TokenFileForbidden = "token-file-forbidden",
    /// The token has not been written yet, or the file is emptied before it is written.
    TokenEmpty = "token-empty",
    /// The file was half written when it was read.
    TokenCutShort = "token-cut-short",
    /// Something else stands there: an API key, an opaque token, an error page.
    TokenNotAJwt = "token-not-a-jwt",
    /// Whoever should renew the token does not, or the clock is wrong.
    TokenExpired = "token-expired",
    /// The file is a copy, or mounted with `subPath`: no kubelet renews it.
    TokenExpiredCopy = "token-expired-copy",
    /// The token is for somebody else than the document says.
    TokenWrongAudience = "token-wrong-audience",
    /// The token is no JWT-SVID.
    TokenWrongSubject = "token-wrong-subject",
    /// Warning: less than a minute is left of the identity token.
    TokenEndsSoon = "token-ends-soon",
    /// This is not that platform, or something keeps the workload from its metadata service.
    TokenServiceUnreachable = "token-service-unreachable",
    /// A proxy opens TLS before the platform's token service, or there are no CA certificates.
    TokenServiceUntrusted = "token-service-untrusted",
    /// The platform has no identity for this workload.
    TokenServiceRefused = "token-service-refused",
    /// The platform's token service is out of order, or asks for fewer requests.
    TokenServiceFailed = "token-service-failed",
    /// Something else answers in the place of the platform's token service.
    TokenServiceImpostor = "token-service-impostor",
    /// The client certificate or its key is not there, cannot be read, or they do not belong together.
    ClientCertificateUnusable = "client-certificate-unusable",
    /// Outbound identity federation is switched off for the AWS account.
    AwsFederationDisabled = "aws-federation-disabled",
    /// The role may not ask for tokens, or may not be assumed.
    AwsAccessDenied = "aws-access-denied",
    /// The clock is wrong, or the secret key is another access key's.
    AwsSignature = "aws-signature",
    /// The AWS keys are unknown, or their session has ended.
    AwsKeysRefused = "aws-keys-refused",
    // Endpoint
    /// The name is misspelt, or the name server does not know it.
    EndpointUnresolved = "endpoint-unresolved",
    /// Nothing listens on this port.
    EndpointRefused = "endpoint-refused",
    /// There is no route.
    EndpointUnreachable = "endpoint-unreachable",
    /// A firewall or a network policy drops the connection.
    EndpointConnectTimeout = "endpoint-connect-timeout",
    /// Something between cuts the connection.
    EndpointBroken = "endpoint-broken",
    /// Plain http would leave the machine.
    EndpointDenied = "endpoint-denied",
    /// The certificate has expired, or this machine's clock is ahead.
    CertificateExpired = "certificate-expired",
    /// This machine's clock is behind.
    CertificateNotYetValid = "certificate-not-yet-valid",
    /// Another server answers.
    CertificateWrongName = "certificate-wrong-name",
    /// A private CA, a proxy that opens TLS, or an image without CA certificates.
    CertificateUnknownIssuer = "certificate-unknown-issuer",
    /// The certificate is revoked, malformed or not made for servers.
    CertificateRefused = "certificate-refused",
    /// What answers speaks no TLS.
    TlsFailed = "tls-failed",
    // Exchange
    /// No entry at the API leads from the token's subject to what is asked for.
    MappingMissing = "mapping-missing",
    /// Issuer, audience or keys of the entry at the API do not fit the token.
    IdentityNotAccepted = "identity-not-accepted",
    /// The token is meant for the API server, AWS STS, Entra ID or Azure Resource Manager.
    AudienceControlPlane = "audience-control-plane",
    /// The identity provider does not exist or is disabled.
    ProviderUnknown = "provider-unknown",
    /// The endpoint does not know the identifiers or the settings.
    RequestNotAccepted = "request-not-accepted",
    /// A rule of the API forbids this identity.
    AccessDenied = "access-denied",
    /// By the endpoint's clock the identity token has expired or is not valid yet. In the step `clock`, a warning: the clocks differ by more than 60 s.
    ClockSkew = "clock-skew",
    /// There is no token endpoint at this URL.
    EndpointNotFound = "endpoint-not-found",
    /// The URL has moved, or a proxy sends to its login page.
    EndpointRedirect = "endpoint-redirect",
    /// A web page came back.
    EndpointHtml = "endpoint-html",
    /// The answer is far too long.
    EndpointNotATokenEndpoint = "endpoint-not-a-token-endpoint",
    /// Too many exchanges in a short time.
    EndpointThrottled = "endpoint-throttled",
    /// The token endpoint is out of order.
    EndpointFailed = "endpoint-failed",
    /// The endpoint does not answer in time.
    EndpointSilent = "endpoint-silent",
    /// A proxy between wants a login.
    ProxyAuthentication = "proxy-authentication",
    /// The answer is cut off, empty or no JSON object.
    AnswerMalformed = "answer-malformed",
    /// The answer holds no access token that can be used.
    AnswerWithoutToken = "answer-without-token",
    /// `expires_in` of the answer is no positive number, or less than two seconds.
    AnswerLifetime = "answer-lifetime",
    /// Warning: the credential lives for less than a minute.
    CredentialEndsSoon = "credential-ends-soon",
    // API
    /// Base URL and token endpoint belong to different APIs, or the token was revoked.
    ApiUnauthorized = "api-unauthorized",
    /// The static key was revoked or mistyped.
    ApiKeyRefused = "api-key-refused",
    /// The service account may not list models.
    ApiForbidden = "api-forbidden",
    /// A rate limit or a budget is used up.
    ApiThrottled = "api-throttled",
    /// The base URL lacks its version, such as `/v1`.
    ApiNotFound = "api-not-found",
    /// The API has moved, or a proxy sends to its login page.
    ApiRedirect = "api-redirect",
    /// The base URL is a website's.
    ApiHtml = "api-html",
    /// The API is out of order.
    ApiFailed = "api-failed",
    /// The connection is made, but no answer comes.
    ApiSilent = "api-silent",
    /// The API does not understand the call.
    ApiUnexpected = "api-unexpected",
    /// Warning: the list is longer than 64 KiB, and was not read.
    ApiAnswerTooLarge = "api-answer-too-large",
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_diagnosis_and_no_other() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/doctor.md"));
        let (_, tables) = page.split_once("## Diagnoses").unwrap();
        let rows: Vec<_> = tables.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<_> =
            MEANINGS.iter().map(|(code, meaning)| format!("| `{code}` | {} |", meaning.trim())).collect();
        assert_eq!(rows, expected);
    }
}
