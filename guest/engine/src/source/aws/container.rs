//! The role of a container: Amazon ECS, and EKS Pod Identity ("Container credential provider", AWS SDKs reference guide).

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::error::{Code, Error, field};
use crate::io::Io;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::source::token_file;
use crate::url::WebUrl;
use crate::variables::Variables;

use super::credentials::{secret, text};
use super::keys::Keys;
use super::request;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where ECS answers; a relative URI is relative to it.
const ECS: &str = "http://169.254.170.2";

/// Hosts that may be asked without TLS, beside loopback: ECS, and EKS Pod Identity over IPv4 and IPv6.
const PLAIN_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// An endpoint on the host of the container, and what opens it.
pub(super) struct Container {
    variable: &'static str,
    url: WebUrl,
    token: Token,
}

enum Token {
    None,
    /// EKS replaces it while the pod runs.
    File(String),
    Value(Secret),
}

impl Container {
    pub(super) fn read(variables: &Variables) -> Result<Option<Self>, Error> {
        let (relative, full, file, value) = (
            text(variables, RELATIVE),
            text(variables, FULL),
            text(variables, TOKEN_FILE),
            secret(variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        );
        let (variable, url) = match (relative, full) {
            (Some(path), _) if !path.starts_with('/') => {
                return Err(field(Code::FieldUrl, RELATIVE, "is not a path; it has to begin with `/`"));
            }
            (Some(path), _) => (RELATIVE, format!("{ECS}{path}")),
            (None, Some(url)) => (FULL, url),
            (None, None) => return Ok(None),
        };
        let url = WebUrl::parse(&url).map_err(|fault| field(Code::FieldUrl, variable, fault))?;
        if !url.is_private_to_the_wire() && !PLAIN_HOSTS.contains(&url.host()) {
            return Err(field(
                Code::FieldUrl,
                variable,
                "is plain http to an address that is neither this machine nor where ECS and EKS answer; use https",
            ));
        }
        let token = match (file, value?) {
            (Some(file), _) => Token::File(file),
            (None, Some(value)) => Token::Value(value),
            (None, None) => Token::None,
        };
        Ok(Some(Self { variable, url, token }))
    }

    /// What made this the place.
    pub(super) fn variable(&self) -> &'static str {
        self.variable
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.needs_endpoint("GET", self.url.as_str());
        if let Token::File(path) = &self.token {
            plan.needs_file(path);
        }
    }

    pub(super) async fn keys(&self, io: &Io) -> Result<Keys, Error> {
        const HINT: &str = "check the task role or the pod identity association of this workload";
        let token = match &self.token {
            Token::None => None,
            Token::File(path) => Some(from_file(io, path).await?),
            Token::Value(value) => Some(value.prefixed("")),
        };
        let headers = token.map(|token| vec![("authorization", token)]).unwrap_or_default();
        let request = request::metadata("GET", self.url.as_str(), headers);
        let body = request::answer(io, request, self.url.as_str(), HINT).await?;
        Keys::from_json(&body, self.url.as_str())
    }
}

async fn from_file(io: &Io, path: &str) -> Result<Secret, Error> {
    let bytes = token_file::content(io, path).await?;
    let text = str::from_utf8(bytes.trim_ascii()).ok().map(|text| Secret::new(text.to_owned()));
    text.filter(Secret::fits_header).ok_or_else(|| {
        Error::new(
            Code::TokenMalformed,
            format_args!("the file `{path}` is empty, or holds characters that cannot stand in a header; `{TOKEN_FILE}` has to name the token itself"),
        )
    })
}
