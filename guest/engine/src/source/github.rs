//! A job of GitHub Actions (docs.github.com, "OpenID Connect reference"): the runner names, in two variables, a URL that
//! already has a query and the token that opens it. Both are good for as long as the job runs.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::audience::Audience;
use crate::error::{Code, Error, field};
use crate::fields::{Fields, header_secret};
use crate::io::Io;
use crate::plan::{Origin, Plan};
use crate::secret::Secret;
use crate::source::metadata::{self, Service};
use crate::source::{self, Entry, Fetch, Parsed, SET_AUDIENCE, Source};
use crate::subject_token::SubjectToken;
use crate::url::WebUrl;
use crate::variables::Variables;

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

pub(super) const ENTRY: Entry = Entry { name: "github", settings: &["audience"], read: GitHub::read };

const SERVICE: Service = Service {
    name: "GitHub's token service",
    absent: "check that the runner may reach it",
    refused: "check that the job still runs: the request token ends with it",
    passing: &[],
};

struct GitHub {
    /// Without its query.
    endpoint: WebUrl,
    /// Begins with `?`, or is empty.
    query: String,
    /// `bearer ...`
    authorization: Secret,
    audience: Audience,
}

impl GitHub {
    fn read(fields: &mut Fields<'_>, variables: &Variables, expected: Option<&'static str>) -> Parsed {
        let (url, token) = (variables.get(URL), variables.get(TOKEN));
        let audience = Audience::read(fields, expected)?;
        let url = url.ok_or_else(|| missing(URL))?.expose().trim();
        let token = token.ok_or_else(|| missing(TOKEN))?.expose().to_owned();
        let at = url.find('?').unwrap_or(url.len());
        let (endpoint, query) = url.split_at(at);
        let endpoint = WebUrl::parse_private(endpoint).map_err(|fault| field(Code::FieldUrl, URL, fault))?;
        if !query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(field(Code::FieldUrl, URL, "has a query that cannot be sent"));
        }
        let authorization = header_secret(token, TOKEN)?.prefixed("bearer ");
        Ok(Box::new(Self { endpoint, query: query.to_owned(), authorization, audience }))
    }

    async fn token(&self, io: &Io) -> Result<SubjectToken, Error> {
        let mut query = self.query.clone();
        metadata::add(&mut query, "audience", self.audience.as_str());
        let header = ("authorization", &self.authorization);
        let response = metadata::get(io, &SERVICE, self.endpoint.as_str(), &query, header).await?;
        let token = SERVICE.text_field(&response.body, "value")?;
        let origin = "the answer of GitHub's token service";
        source::checked(io, token.expose().as_bytes(), Some(self.audience.as_str()), origin)
    }
}

fn missing(variable: &str) -> Error {
    field(
        Code::FieldMissing,
        variable,
        "is not set; give the job the permission `id-token: write`, and hand the variable on where the job runs in a container",
    )
}

impl Source for GitHub {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn remedy(&self) -> &'static str {
        SET_AUDIENCE
    }

    fn describe(&self, plan: &mut Plan) {
        self.audience.describe(plan);
        plan.set("source.endpoint", self.endpoint.as_str(), Origin::Variable(URL.to_owned()));
        plan.needs_endpoint("GET", self.endpoint.as_str());
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(self.token(io))
    }
}
