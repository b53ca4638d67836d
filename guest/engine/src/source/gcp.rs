//! The identity of a Google Cloud workload, from its metadata server (cloud.google.com, "Verify the identity of a
//! Compute Engine instance"). It answers on Compute Engine, GKE, Cloud Run and their like.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::audience::Audience;
use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::io::{Io, Response};
use crate::plan::Plan;
use crate::secret::Secret;
use crate::source::metadata::{self, Service};
use crate::source::{self, Entry, Fetch, Parsed, SET_AUDIENCE, Source};
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

const ENDPOINT: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity";

/// On the request, so that a page in a browser cannot send it; on the answer, so that it is known whose it is.
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");

pub(super) const ENTRY: Entry = Entry { name: "gcp", settings: &["audience", "format"], read: Gcp::read };

const SERVICE: Service = Service {
    name: "Google Cloud's metadata server",
    absent: "check that this runs on Google Cloud, and that nothing keeps the workload from the metadata server (network policies, a proxy)",
    refused: "check that a service account is attached here (on GKE: that the Kubernetes service account is bound to one)",
    passing: &[],
};

struct Gcp {
    audience: Audience,
    /// `full`: with the claims about the machine.
    format: Option<String>,
}

impl Gcp {
    fn read(fields: &mut Fields<'_>, _: &Variables, expected: Option<&'static str>) -> Parsed {
        let audience = Audience::read(fields, expected)?;
        let format = fields.filled_text("format")?;
        if format.as_ref().is_some_and(|format| !matches!(format.as_str(), "full" | "standard")) {
            return Err(fields.fault(Code::FieldValue, "format", "is neither `full` nor `standard`"));
        }
        Ok(Box::new(Self { audience, format }))
    }

    async fn token(&self, io: &Io) -> Result<SubjectToken, Error> {
        let mut query = String::new();
        metadata::add(&mut query, "audience", self.audience.as_str());
        if let Some(format) = &self.format {
            metadata::add(&mut query, "format", format);
        }
        let flavor = Secret::new(FLAVOR.1.to_owned());
        let response = metadata::get(io, &SERVICE, ENDPOINT, &query, (FLAVOR.0, &flavor)).await?;
        if !is_genuine(&response) {
            return Err(SERVICE.fault(&format!(
                "answered without `Metadata-Flavor: Google`: something else answers in its place; {}",
                SERVICE.absent
            )));
        }
        let origin = format!("the answer of {ENDPOINT}");
        source::checked(io, &response.body, Some(self.audience.as_str()), &origin)
    }
}

/// Exactly one header of that name, as Google's own libraries insist.
fn is_genuine(response: &Response) -> bool {
    let mut flavors = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(FLAVOR.0));
    matches!((flavors.next(), flavors.next()), (Some((_, value)), None) if value == FLAVOR.1)
}

impl Source for Gcp {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn token_type(&self) -> TokenType {
        TokenType::Id
    }

    fn remedy(&self) -> &'static str {
        SET_AUDIENCE
    }

    fn describe(&self, plan: &mut Plan) {
        self.audience.describe(plan);
        plan.set_if("source.format", self.format.as_deref());
        plan.needs_endpoint("GET", ENDPOINT);
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(self.token(io))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_genuine_with_exactly_one_flavor() {
        let genuine = |headers: &[(&str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            is_genuine(&Response { status: 200, headers, body: Vec::new().into() })
        };
        assert!(genuine(&[("server", "x"), ("Metadata-Flavor", "Google")]));
        assert!(!genuine(&[("server", "Google")]));
        assert!(!genuine(&[("metadata-flavor", "google")]));
        assert!(!genuine(&[("Metadata-Flavor", "Google"), ("metadata-flavor", "Google")]));
    }
}
