//! Why the platform gave no identity token, or one that cannot be used.

use keyless::sender::Fault;

use crate::commands::doctor::code::Code;
use crate::commands::doctor::identity_token::IdentityToken;
use crate::commands::doctor::platform::Platform;
use crate::commands::doctor::report::Diagnosis;
use crate::commands::doctor::token_file::TokenFile;
use crate::commands::doctor::watch::Sighting;

/// What is known about the source when it fails.
pub(in crate::commands::doctor) struct Evidence<'a> {
    pub(in crate::commands::doctor) platform: Platform,
    /// The token file, if the source reads one.
    pub(in crate::commands::doctor) file: Option<&'a TokenFile>,
    /// The last request to a service of the platform.
    pub(in crate::commands::doctor) asked: Option<&'a Sighting>,
    /// What the token says, if there was one.
    pub(in crate::commands::doctor) token: Option<&'a IdentityToken>,
}

/// Sees further than `met`, the component's error.
pub(in crate::commands::doctor) fn diagnose(met: Diagnosis, evidence: &Evidence<'_>) -> Diagnosis {
    let platform = evidence.platform;
    match met.error.as_deref().unwrap_or_default() {
        "token-file-missing" => missing(met, platform, evidence.file),
        "token-file-unreadable" => unreadable(met, evidence.file),
        "token-empty" => met.because(
            Code::TokenEmpty,
            "whoever gives the token has not written it yet, or empties the place before writing",
            look_at_origin(evidence),
        ),
        "token-malformed" if evidence.file.is_some_and(|file| file.begins_as_token) => met.because(
            Code::TokenCutShort,
            "the file begins like a token and ends in the middle: it was half written when it was read",
            "write a new file beside it and rename it over the old one",
        ),
        "token-malformed" => met.because(
            Code::TokenNotAJwt,
            "something else stands where the identity token should: an API key, an opaque token, an error page",
            look_at_origin(evidence),
        ),
        "token-expired" => expired(met, platform, evidence.file),
        "token-foreign" if platform == Platform::Spiffe && !is_spiffe(evidence.token) => met.because(
            Code::TokenWrongSubject,
            "the token is not a JWT-SVID: its subject is no SPIFFE ID",
            "point `token_file_path` to the file that spiffe-helper writes",
        ),
        "token-foreign" => {
            met.because(Code::TokenWrongAudience, "the token was issued for somebody else", platform.set_audience())
        }
        "token-for-a-control-plane" => met.because(
            Code::AudienceControlPlane,
            "the token was issued for a control plane, and strictness forbids to send it to anybody else",
            platform.set_audience(),
        ),
        "client-certificate" => met.because(
            Code::ClientCertificateUnusable,
            "the certificate or its private key is not there, cannot be read, or they do not belong together",
            "check both files, their owners and modes, and what renews them (cert-manager, a SPIFFE agent)",
        ),
        _ => match evidence.asked {
            Some(asked) => service(met, platform, asked),
            None => met,
        },
    }
}

/// Who to ask about a token that is none.
fn look_at_origin(evidence: &Evidence<'_>) -> String {
    match (evidence.file, evidence.asked) {
        (_, Some(asked)) => format!("check what stands behind {}", asked.url),
        (Some(file), None) => format!(
            "check what writes {}; it should write a new file beside it and rename it over the old one",
            file.path
        ),
        (None, None) => "check what sets the variable".to_owned(),
    }
}

fn missing(met: Diagnosis, platform: Platform, file: Option<&TokenFile>) -> Diagnosis {
    match file {
        Some(file) if !file.in_directory => met.because(
            Code::TokenVolumeMissing,
            "not even its directory is there: the volume is not mounted in this container",
            platform.provide_file(),
        ),
        Some(file) if file.link => met.because(
            Code::TokenLinkBroken,
            "the path is a symbolic link to nothing: the volume was taken away, or only the link was copied",
            "mount the whole volume, not the single file (no `subPath`)",
        ),
        _ => met.because(
            Code::TokenFileMissing,
            "its directory is there, but no file of this name: `path` of the volume and `token_file_path` differ, or \
             nothing has been written yet",
            platform.provide_file(),
        ),
    }
}

fn unreadable(met: Diagnosis, file: Option<&TokenFile>) -> Diagnosis {
    match file {
        Some(file) if file.exists && !file.regular => met.because(
            Code::TokenFileNotAFile,
            "the path leads to a directory or a device",
            "set `token_file_path` to the token file itself, such as DIRECTORY/token",
        ),
        Some(file) if file.forbidden => met.because(
            Code::TokenFileForbidden,
            format!("this process may not read it ({})", file.owned()),
            "run as its owner, or set `securityContext.fsGroup` of the pod to a group of this process",
        ),
        _ => met,
    }
}

fn expired(met: Diagnosis, platform: Platform, file: Option<&TokenFile>) -> Diagnosis {
    let kubelet = matches!(platform, Platform::Kubernetes | Platform::Aks | Platform::Eks);
    match file {
        Some(file) if kubelet && !file.projected => met.because(
            Code::TokenExpiredCopy,
            "the file is not in a volume that a kubelet renews: it is a copy, or mounted with `subPath`",
            "mount the projected volume as a directory, without `subPath`, and read the token there",
        ),
        _ => met.because(
            Code::TokenExpired,
            "whoever should renew the token does not, or this clock is wrong",
            platform.renew(),
        ),
    }
}

fn is_spiffe(token: Option<&IdentityToken>) -> bool {
    token.and_then(|token| token.subject.as_deref()).is_some_and(|subject| subject.starts_with("spiffe://"))
}

/// A metadata server, a CI system's token service, AWS STS.
fn service(met: Diagnosis, platform: Platform, asked: &Sighting) -> Diagnosis {
    let Some(answer) = asked.answer() else { return silent(met, platform, asked) };
    match (answer.status, answer.said.as_deref()) {
        (300..=399, _) => met.because(
            Code::TokenServiceImpostor,
            "something else answers in the place of the platform's token service: a proxy, a captive portal",
            "let the workload reach the service directly",
        ),
        (429 | 500..=599, _) => met.because(
            Code::TokenServiceFailed,
            "the platform's token service is out of order for the moment",
            "wait and try again; if it lasts, look at the platform's status page",
        ),
        (400..=499, Some(code)) if platform == Platform::Aws => aws(met, code),
        (400..=499, _) => {
            let (cause, next) = platform.token_service_refuses();
            met.because(Code::TokenServiceRefused, cause, next)
        }
        _ => met.because(
            Code::TokenServiceImpostor,
            "the answer is not one that the platform's token service gives: something else answers in its place",
            "check what stands behind that address",
        ),
    }
}

fn silent(met: Diagnosis, platform: Platform, asked: &Sighting) -> Diagnosis {
    if matches!(asked.fault(), Some(Fault::Certificate | Fault::Tls)) {
        return met.because(
            Code::TokenServiceUntrusted,
            "the certificate of the platform's token service is not trusted: a proxy that opens TLS stands between, or the \
             image has no CA certificates",
            "give the authority's certificate with `--ca-cert FILE`, or install the image's `ca-certificates`",
        );
    }
    if platform == Platform::Aws && asked.secure {
        return met.because(
            Code::TokenServiceUnreachable,
            format!("{} cannot be reached from here", asked.url),
            "allow egress to AWS STS, or make a VPC endpoint for it; check `region`",
        );
    }
    let (cause, next) = platform.token_service_silent();
    met.because(Code::TokenServiceUnreachable, cause, next)
}

/// The codes of AWS STS ("Common errors", `GetWebIdentityToken`).
fn aws(met: Diagnosis, code: &str) -> Diagnosis {
    match code.strip_suffix("Exception").unwrap_or(code) {
        "OutboundWebIdentityFederationDisabled" => met.because(
            Code::AwsFederationDisabled,
            "outbound identity federation is switched off for this AWS account",
            "an administrator runs `aws iam enable-outbound-web-identity-federation`",
        ),
        "AccessDenied" => met.because(
            Code::AwsAccessDenied,
            "the role may not do this",
            "allow `sts:GetWebIdentityToken` in the role's policy, and with IRSA check its trust policy",
        ),
        "SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "RequestExpired" => met.because(
            Code::AwsSignature,
            "AWS does not accept the signature: this machine's clock is wrong, or the secret key is not the one of the \
             access key",
            "look at the step `clock`; then check `AWS_SECRET_ACCESS_KEY`",
        ),
        "InvalidClientTokenId" | "UnrecognizedClient" | "ExpiredToken" => met.because(
            Code::AwsKeysRefused,
            "the AWS keys are unknown, or their session has ended",
            "renew `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, or run with a role",
        ),
        _ => met,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::problem::{Class, Problem};

    fn told(code: &'static str, platform: Platform, file: Option<&TokenFile>) -> Diagnosis {
        let met = Diagnosis::of(&Problem::new(Class::Identity, code, "what", "next"));
        diagnose(met, &Evidence { platform, file, asked: None, token: None })
    }

    #[test]
    fn a_file_that_must_not_be_read_is_told_with_its_owner() {
        let file = TokenFile {
            exists: true,
            regular: true,
            forbidden: true,
            mode: Some(0o100_600),
            owner: Some((0, 7)),
            ..TokenFile::default()
        };
        let diagnosis = told("token-file-unreadable", Platform::Kubernetes, Some(&file));
        assert_eq!(diagnosis.code, "token-file-forbidden");
        assert!(diagnosis.cause.contains("mode 0600, user 0, group 7"), "{diagnosis:?}");
        assert!(diagnosis.next.contains("fsGroup"), "{diagnosis:?}");
    }

    #[test]
    fn only_a_file_that_a_kubelet_should_renew_can_be_a_stale_copy() {
        let file = TokenFile { exists: true, ..TokenFile::default() };
        assert_eq!(told("token-expired", Platform::Kubernetes, Some(&file)).code, "token-expired-copy");
        assert_eq!(told("token-expired", Platform::File, Some(&file)).code, "token-expired");
        let projected = TokenFile { projected: true, ..file };
        assert_eq!(told("token-expired", Platform::Eks, Some(&projected)).code, "token-expired");
    }

    #[test]
    fn the_codes_of_sts_are_known_with_and_without_their_suffix() {
        let met = || Diagnosis::of(&Problem::new(Class::Identity, "token-not-given", "what", "next"));
        for code in
            ["OutboundWebIdentityFederationDisabled", "OutboundWebIdentityFederationDisabledException"]
        {
            assert_eq!(aws(met(), code).code, "aws-federation-disabled");
        }
        assert_eq!(aws(met(), "Unheard").code, "token-not-given");
    }
}
