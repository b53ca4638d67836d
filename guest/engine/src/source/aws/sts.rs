//! AWS Security Token Service, two of its calls in the query protocol (STS API reference, version 2011-06-15).

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::string::ToString as _;

use crate::error::{Code, Error, field};
use crate::fields::Fields;
use crate::io::{Io, Request, Response};
use crate::plan::{Origin, Plan};
use crate::secret::{Secret, SecretBytes};
use crate::split;
use crate::variables::Variables;

use super::credentials::text;
use super::keys::Keys;
use super::sigv4::Signing;
use super::{region, request, timestamp, xml};

const TIMEOUT_MS: u64 = 10_000;

/// A token of at most 16 KiB, and some markup.
const LIMIT: usize = 64 * 1024;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The regional endpoint.
pub(super) struct Sts {
    region: String,
    origin: Origin,
    /// Scheme and authority, in lower case, without a port that goes without saying.
    endpoint: String,
    overridden: bool,
}

impl Sts {
    pub(super) fn read(fields: &mut Fields<'_>, variables: &Variables) -> Result<Self, Error> {
        const NAMES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let [first, second] = NAMES.map(|name| text(variables, name));
        let (region, variable) = match (fields.filled_text("region")?, first, second) {
            (Some(written), _, _) => (written.trim().to_owned(), None),
            (None, Some(first), _) => (first, Some(NAMES[0])),
            (None, None, Some(second)) => (second, Some(NAMES[1])),
            (None, None, None) => {
                return Err(fields.fault(
                    Code::FieldMissing,
                    "region",
                    "is missing, and neither `AWS_REGION` nor `AWS_DEFAULT_REGION` is set; the tokens are issued by regional endpoints only",
                ));
            }
        };
        let origin = variable.map_or(Origin::Document, |name| Origin::Variable(name.to_owned()));
        if !region::is_region(&region) {
            let name = variable.map_or_else(|| fields.name("region"), str::to_owned);
            return Err(field(
                Code::FieldValue,
                &name,
                "is not an AWS region; write it as `us-east-1` (the global endpoint does not issue these tokens)",
            ));
        }
        let own = fields.private_url("sts_endpoint")?.map(|url| url.as_str().to_ascii_lowercase());
        let overridden = own.is_some();
        let endpoint = own.unwrap_or_else(|| region::sts_endpoint(&region));
        let endpoint = endpoint.strip_suffix('/').unwrap_or(&endpoint);
        // Left out on the wire, so left out of the signature.
        let usual = if endpoint.starts_with("https:") { ":443" } else { ":80" };
        let endpoint = endpoint.strip_suffix(usual).unwrap_or(endpoint).trim_end_matches(':').to_owned();
        if authority(&endpoint).contains('/') {
            return Err(fields.fault(
                Code::FieldUrl,
                "sts_endpoint",
                "has a path; STS answers at the root, end the URL after the host",
            ));
        }
        Ok(Self { region, origin, endpoint, overridden })
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.set("source.region", &self.region, self.origin.clone());
        let origin = if self.overridden { Origin::Document } else { Origin::Default };
        plan.set("source.sts_endpoint", &self.endpoint, origin);
        plan.needs_endpoint("POST", &self.url());
    }

    /// `GetWebIdentityToken`: a token that says who the owner of the keys is.
    pub(super) async fn web_identity_token(
        &self,
        io: &Io,
        keys: &Keys,
        audience: &str,
        algorithm: &str,
        duration: &str,
    ) -> Result<Secret, Error> {
        let body = form(&[
            ("Action", "GetWebIdentityToken"),
            ("Version", "2011-06-15"),
            ("Audience.member.1", audience),
            ("DurationSeconds", duration),
            ("SigningAlgorithm", algorithm),
        ]);
        let mut request = self.request(body);
        self.sign(&mut request, keys, io.now().wall_ms);
        let response = self.answer(io, request, Call::WebIdentityToken).await?;
        xml::element(&response.body, "WebIdentityToken").ok_or_else(|| self.without("WebIdentityToken"))
    }

    /// `AssumeRoleWithWebIdentity`: the keys of a role, for an hour, for a token of the cluster's.
    pub(super) async fn assume_role_with_web_identity(
        &self,
        io: &Io,
        role: &str,
        session: &str,
        token: &str,
    ) -> Result<Keys, Error> {
        let body = form(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token),
        ]);
        let response = self.answer(io, self.request(body), Call::AssumeRole).await?;
        Keys::from_answer(&mut |name| xml::element(&response.body, name), "SessionToken", &self.endpoint)
    }

    fn url(&self) -> String {
        format!("{}/", self.endpoint)
    }

    fn request(&self, body: SecretBytes) -> Request {
        Request {
            method: "POST",
            url: self.url(),
            headers: vec![
                ("content-type", Secret::new(CONTENT_TYPE.to_owned())),
                ("content-length", Secret::new(body.len().to_string())),
            ],
            body,
            timeout_ms: TIMEOUT_MS,
            response_limit: LIMIT,
        }
    }

    fn sign(&self, request: &mut Request, keys: &Keys, wall_ms: u64) {
        let timestamp = timestamp::basic(wall_ms);
        let mut headers = vec![
            ("content-type", CONTENT_TYPE),
            ("host", authority(&self.endpoint)),
            ("x-amz-date", timestamp.as_str()),
        ];
        headers.extend(keys.session_token.as_ref().map(|token| ("x-amz-security-token", token.expose())));
        let signing = Signing {
            method: request.method,
            headers: &headers,
            body: &request.body,
            timestamp: &timestamp,
            region: &self.region,
            service: "sts",
        };
        request.headers.push(("authorization", signing.authorization(keys)));
        request.headers.push(("x-amz-date", Secret::new(timestamp)));
        let token = keys.session_token.as_ref().map(|token| ("x-amz-security-token", token.prefixed("")));
        request.headers.extend(token);
    }

    async fn answer(&self, io: &Io, request: Request, call: Call) -> Result<Response, Error> {
        let response =
            request::send(io, request, &self.url(), "check region, egress rules and VPC endpoints").await?;
        if response.status == 200 {
            return Ok(response);
        }
        let place = format!("POST {}", self.url());
        Err(request::passing(io, &response, &place).unwrap_or_else(|| refusal(&response, &place, call)))
    }

    fn without(&self, element: &str) -> Error {
        Error::new(
            Code::ResponseUnexpected,
            format_args!(
                "{} answered without a usable `{element}`; check that it is an STS endpoint",
                self.endpoint
            ),
        )
    }
}

/// Which call failed decides who has to allow it.
#[derive(Clone, Copy)]
enum Call {
    WebIdentityToken,
    AssumeRole,
}

/// Of an error answer only the code is repeated, and only when it is made of letters, as all of AWS's are: the message
/// may echo the request.
fn refusal(response: &Response, place: &str, call: Call) -> Error {
    let status = response.status;
    let code = xml::element(&response.body, "Code");
    let code = code.as_ref().map(Secret::expose);
    let code = code.filter(|code| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let Some(code) = code else {
        return Error::new(
            Code::ResponseUnexpected,
            format_args!(
                "`{place}` answered with status {status}, which is no answer of STS; check `sts_endpoint` and what stands between"
            ),
        );
    };
    match code {
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" => {
            Error::new(
                Code::EndpointThrottled,
                format_args!(
                    "`{place}` asks for fewer requests (status {status} with `{code}`); it is asked again later"
                ),
            )
        }
        "IDPCommunicationError" | "InternalFailure" | "ServiceUnavailable" => Error::new(
            Code::EndpointFailed,
            format_args!("`{place}` is out of order (status {status} with `{code}`); it is asked again"),
        ),
        _ => Error::new(
            Code::TokenNotGiven,
            format_args!("AWS STS refused (status {status} with `{code}`). {}", advice(code, call)),
        ),
    }
}

/// What most often lies behind a code. Some answers carry the name of the exception instead of the code.
fn advice(code: &str, call: Call) -> &'static str {
    match (code.strip_suffix("Exception").unwrap_or(code), call) {
        ("OutboundWebIdentityFederationDisabled", _) => {
            "Enable outbound identity federation for the account: `aws iam enable-outbound-web-identity-federation`."
        }
        ("AccessDenied", Call::WebIdentityToken) => {
            "Allow `sts:GetWebIdentityToken` to the role, with this audience, algorithm and duration."
        }
        ("AccessDenied", Call::AssumeRole) => {
            "Let the role's trust policy allow `sts:AssumeRoleWithWebIdentity` to this service account."
        }
        ("ExpiredToken", Call::WebIdentityToken) => {
            "The keys have expired: whatever provides them has to renew them; keys in variables cannot be renewed."
        }
        ("InvalidClientTokenId" | "UnrecognizedClient", _) => {
            "The keys are unknown to this region: check `AWS_ACCESS_KEY_ID` and `AWS_SESSION_TOKEN`, the region's partition, and that the region is enabled."
        }
        ("SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "RequestExpired", _) => {
            "Check this machine's clock, and that the secret key belongs to the access key."
        }
        ("JWTPayloadSizeExceeded", _) => {
            "The token would be too large: shorten `audience`, or the session's tags."
        }
        ("SessionDurationEscalation", _) => {
            "The token would outlive the role's session: lower `duration_seconds`."
        }
        ("RegionDisabled", _) => {
            "Enable STS for the region in the account's settings, or choose another `region`."
        }
        ("ExpiredToken" | "InvalidIdentityToken" | "IDPRejectedClaim", _) => {
            "Check that the cluster's issuer is an identity provider of the account, and that the token's audience is `sts.amazonaws.com`."
        }
        ("ValidationError" | "InvalidParameterValue" | "InvalidAction", _) => {
            "Check `audience`, `signing_algorithm`, `duration_seconds` and `AWS_ROLE_ARN`."
        }
        _ => "Look the code up in the STS API reference.",
    }
}

fn authority(endpoint: &str) -> &str {
    split::once(endpoint, "://").map_or(endpoint, |(_, authority)| authority)
}

fn form(pairs: &[(&str, &str)]) -> SecretBytes {
    let room = pairs.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    // Room for all of it beforehand: a string that grows leaves pieces of the token behind.
    let mut text = form_urlencoded::Serializer::new(String::with_capacity(room));
    text.extend_pairs(pairs);
    SecretBytes::from(text.finish().into_bytes())
}
