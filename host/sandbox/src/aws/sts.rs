//! The Security Token Service of one region, two of its calls in the query protocol (STS API reference, version
//! 2011-06-15): `GetWebIdentityToken`, signed, and `AssumeRoleWithWebIdentity`, unsigned.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::refusal::{NAMESPACE, Refusal};
use super::{ACCOUNT, REGION, ROLE_ARN, STS_AUDIENCE, sigv4, timestamp};
use crate::answer;
use crate::body::Body;
use crate::exchange::provider::IdentityProvider;
use crate::exchange::refusal::Refusal as Unverified;
use crate::form::{self, Form};
use crate::platform::Platform;
use crate::random;
use crate::service::{Answering, Service};
use crate::world::World;

const VERSION: &str = "2011-06-15";

/// Audiences of one token, and the characters of each.
const MOST_AUDIENCES: usize = 10;
const LONGEST_AUDIENCE: usize = 1_000;

/// The service.
pub(crate) struct Sts {
    world: Arc<World>,
    /// The cluster, as the account knows it.
    provider: IdentityProvider,
}

impl Sts {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let provider = IdentityProvider::new(
            world.addresses.issuer(),
            STS_AUDIENCE.to_owned(),
            world.options.subject(),
            Arc::clone(&world.tls_client),
        );
        Self { world: Arc::clone(world), provider }
    }

    async fn route(&self, request: &Request<Bytes>) -> Result<String, Refusal> {
        let invalid = |message| Refusal::bad("ValidationError", message);
        if request.method() != Method::POST || request.uri().path() != "/" || request.uri().query().is_some()
        {
            return Err(invalid("The parameters belong into the body of a POST to the root."));
        }
        if !form::announced(request.headers()) {
            return Err(invalid("The Content-Type must be application/x-www-form-urlencoded."));
        }
        let form = Form::parse(request.body()).map_err(|_| invalid("The body is malformed."))?;
        if form.get("Version") != Some(VERSION) {
            return Err(Refusal::bad("InvalidAction", "Could not find the operation for this version."));
        }
        match form.get("Action") {
            None => Err(Refusal::bad("MissingAction", "The request has no Action.")),
            Some("GetWebIdentityToken") => self.web_identity_token(request, &form),
            Some("AssumeRoleWithWebIdentity") => self.assume_role(&form).await,
            Some(_) => Err(Refusal::bad("InvalidAction", "Could not find this operation.")),
        }
    }

    fn web_identity_token(&self, request: &Request<Bytes>, form: &Form) -> Result<String, Refusal> {
        let invalid = |message| Refusal::bad("ValidationError", message);
        let now_s = self.world.clock.now_s();
        let key = sigv4::verify(request, &self.world.access_keys, now_s)?;

        let audiences: Vec<&str> =
            (1..=MOST_AUDIENCES).map_while(|number| form.get(&format!("Audience.member.{number}"))).collect();
        let names: Vec<String> = (1..=audiences.len()).map(|n| format!("Audience.member.{n}")).collect();
        let known = ["Action", "Version", "SigningAlgorithm", "DurationSeconds"];
        let known: Vec<&str> = names.iter().map(String::as_str).chain(known).collect();
        if form.beyond(&known).is_some() {
            return Err(invalid("A parameter is unknown, or a list is not numbered from 1."));
        }
        let fits = |audience: &&str| (1..=LONGEST_AUDIENCE).contains(&audience.chars().count());
        if audiences.is_empty() || !audiences.iter().all(fits) {
            return Err(invalid("Audience must have 1 to 10 members of 1 to 1000 characters."));
        }
        match form.get("SigningAlgorithm") {
            Some("ES384") => {}
            Some("RS256") => return Err(invalid("SigningAlgorithm: this sandbox signs with ES384 only.")),
            _ => return Err(invalid("SigningAlgorithm must be RS256 or ES384.")),
        }
        let lifetime_s = duration(form, 60..=3_600, 300)?;
        if key.session.as_ref().is_some_and(|session| now_s + lifetime_s > session.expires_at_s) {
            return Err(Refusal::forbidden(
                "SessionDurationEscalationException",
                "The token would outlive the session that asks for it.",
            ));
        }
        let audience = match audiences.as_slice() {
            [audience] => json!(audience),
            several => json!(several),
        };
        let own = json!({"https://sts.amazonaws.com/": {
            "aws_account": ACCOUNT,
            "principal_id": ROLE_ARN,
            "source_region": REGION,
        }});
        let issued = self.world.issue_as(Platform::Aws, &audience, lifetime_s, own);
        let issued = issued.map_err(|_| Refusal::internal())?;
        Ok(format!(
            "<WebIdentityToken>{}</WebIdentityToken>\n    <Expiration>{}</Expiration>",
            issued.token,
            timestamp::written(issued.expires_at_s)
        ))
    }

    async fn assume_role(&self, form: &Form) -> Result<String, Refusal> {
        let invalid = |message| Refusal::bad("ValidationError", message);
        let known =
            ["Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"];
        if form.beyond(&known).is_some() {
            return Err(invalid("A parameter is unknown."));
        }
        let session = form.get("RoleSessionName").unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if !(2..=64).contains(&session.len()) || !session.bytes().all(plain) {
            return Err(invalid("RoleSessionName must have 2 to 64 characters of [A-Za-z0-9_+=,.@-]."));
        }
        let role = form.get("RoleArn").ok_or(invalid("RoleArn is missing."))?;
        let token = form.get("WebIdentityToken").ok_or(invalid("WebIdentityToken is missing."))?;
        let lifetime_s = duration(form, 900..=43_200, 3_600)?;

        let claims =
            self.provider.verify(token, &self.world.clock).await.map_err(|refusal| match refusal {
                Unverified::KeysUnavailable(_) => {
                    Refusal::bad("IDPCommunicationError", "The identity provider cannot be reached.")
                }
                Unverified::SubjectToken("it has expired") => {
                    Refusal::bad("ExpiredTokenException", "Token expired.")
                }
                Unverified::SubjectToken("aud is not the provider's audience") => {
                    Refusal::bad("InvalidIdentityToken", "Incorrect token audience")
                }
                _ => Refusal::bad("InvalidIdentityToken", "The token is not of a provider of this account."),
            })?;
        let subject_fits = claims.get("sub").is_some_and(|subject| *subject == self.provider.subject());
        if role != ROLE_ARN || !subject_fits {
            return Err(Refusal::forbidden(
                "AccessDenied",
                "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            ));
        }
        let expires_at_s = self.world.clock.now_s() + lifetime_s;
        let key = self.world.access_keys.issue(expires_at_s).map_err(|_| Refusal::internal())?;
        let token = key.session.as_ref().map_or("", |session| session.token.as_str());
        Ok(format!(
            "<SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken>\n    <Audience>{STS_AUDIENCE}</Audience>\n    \
             <Credentials>\n      <AccessKeyId>{}</AccessKeyId>\n      <SecretAccessKey>{}</SecretAccessKey>\n      \
             <SessionToken>{token}</SessionToken>\n      <Expiration>{}</Expiration>\n    </Credentials>",
            claims.get("sub").and_then(Value::as_str).unwrap_or_default(),
            key.id,
            key.secret.as_str(),
            timestamp::written(expires_at_s)
        ))
    }
}

impl Service for Sts {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            match self.route(&request).await {
                Ok(result) => wrapped(&request, &result),
                Err(refusal) => {
                    tracing::debug!(?refusal, "STS refused");
                    refusal.answer()
                }
            }
        })
    }
}

/// The result inside the elements that are named after the call.
fn wrapped(request: &Request<Bytes>, result: &str) -> Response<Body> {
    let form = Form::parse(request.body()).ok();
    let action = form.as_ref().and_then(|form| form.get("Action")).unwrap_or_default();
    let id = random::uuid().unwrap_or_default();
    let text = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\">\n  <{action}Result>\n    {result}\n  </{action}Result>\n  \
         <ResponseMetadata>\n    <RequestId>{id}</RequestId>\n  </ResponseMetadata>\n</{action}Response>\n"
    );
    answer::typed(StatusCode::OK, "text/xml", text)
}

/// `DurationSeconds`.
fn duration(form: &Form, allowed: std::ops::RangeInclusive<u64>, usual: u64) -> Result<u64, Refusal> {
    match form.get("DurationSeconds").map(str::parse) {
        None => Ok(usual),
        Some(Ok(seconds)) if allowed.contains(&seconds) => Ok(seconds),
        Some(_) => Err(Refusal::bad("ValidationError", "DurationSeconds is out of its range.")),
    }
}
