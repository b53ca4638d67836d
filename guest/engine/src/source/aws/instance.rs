//! The role of an EC2 instance, from its metadata service in version 2: a session token first, then the name of the
//! role, then its keys (EC2 user guide, "Use the Instance Metadata Service to access instance metadata").

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::error::{Code, Error, field};
use crate::io::Io;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::url::WebUrl;
use crate::variables::Variables;

use super::credentials::text;
use super::keys::Keys;
use super::request;

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// The same address on every instance.
const DEFAULT_ENDPOINT: &str = "http://169.254.169.254";

/// Hosts that may be asked without TLS, beside loopback.
const PLAIN_HOSTS: [&str; 2] = ["169.254.169.254", "[fd00:ec2::254]"];

const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// Six hours, the longest there is and what the SDKs ask for. It is used for a moment and forgotten.
const TOKEN_LIFETIME: &str = "21600";

/// The metadata service of this machine.
pub(super) struct Instance {
    /// Without a slash at its end.
    endpoint: String,
}

impl Instance {
    /// What is left when nothing is configured, unless the variables forbid it.
    pub(super) fn read(variables: &Variables) -> Result<Self, Error> {
        const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
        let (disabled, endpoint) = (text(variables, DISABLED), text(variables, ENDPOINT));
        if disabled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Err(Error::new(
                Code::FieldMissing,
                format_args!(
                    "no AWS credentials are configured, and `{DISABLED}` forbids to ask the instance for them; set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or run with a role"
                ),
            ));
        }
        let url = WebUrl::parse(endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT))
            .map_err(|fault| field(Code::FieldUrl, ENDPOINT, fault))?;
        if !url.is_private_to_the_wire() && !PLAIN_HOSTS.contains(&url.host()) {
            return Err(field(
                Code::FieldUrl,
                ENDPOINT,
                "is plain http to an address that is neither this machine nor the metadata service's; use https",
            ));
        }
        Ok(Self { endpoint: url.as_str().trim_end_matches('/').to_owned() })
    }

    /// The name of the role is known only once the service has told it.
    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.needs_endpoint("PUT", &self.url(TOKEN, ""));
        plan.needs_endpoint("GET", &self.url(ROLES, ""));
        plan.needs_endpoint("GET", &self.url(ROLES, "*"));
    }

    pub(super) async fn keys(&self, io: &Io) -> Result<Keys, Error> {
        const HINT: &str = "check that this is an EC2 instance with a role (instance profile), that its metadata service is on, and that its hop limit is 2 where this runs in a container";
        let lifetime = Secret::new(TOKEN_LIFETIME.to_owned());
        let headers = vec![("x-aws-ec2-metadata-token-ttl-seconds", lifetime)];
        let url = self.url(TOKEN, "");
        let token = request::answer(io, request::metadata("PUT", &url, headers), &url, HINT).await?;
        let token = str::from_utf8(token.trim_ascii()).ok().map(|text| Secret::new(text.to_owned()));
        let token = token.filter(Secret::fits_header).ok_or_else(|| self.unexpected("session token"))?;
        let headers = |token: &Secret| vec![("x-aws-ec2-metadata-token", token.prefixed(""))];

        let url = self.url(ROLES, "");
        let roles = request::answer(io, request::metadata("GET", &url, headers(&token)), &url, HINT).await?;
        let role = str::from_utf8(&roles).ok().and_then(|roles| roles.lines().next()).map(str::trim);
        let role = role.filter(|role| is_role(role)).ok_or_else(|| self.unexpected("name of a role"))?;

        // Whatever stands behind that address named the role: errors repeat no part of an answer.
        let shown = self.url(ROLES, "*");
        let request = request::metadata("GET", &self.url(ROLES, role), headers(&token));
        let body = request::answer(io, request, &shown, HINT).await?;
        Keys::from_json(&body, &shown)
    }

    fn url(&self, path: &str, role: &str) -> String {
        format!("{}{path}{role}", self.endpoint)
    }

    fn unexpected(&self, wanted: &str) -> Error {
        Error::new(
            Code::ResponseUnexpected,
            format_args!(
                "{} answered without a {wanted}; check that it is the metadata service of an EC2 instance",
                self.endpoint
            ),
        )
    }
}

/// IAM's alphabet for the names of roles; none of it means anything in a path.
fn is_role(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(plain) && !matches!(name, "." | "..")
}
