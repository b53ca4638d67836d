//! Which keys sign, found in the order of AWS's SDKs ("Standardized credential providers"): keys in the environment, a
//! role for a Kubernetes service account (IRSA), a container's role (ECS, EKS Pod Identity), an instance's role (EC2).

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::error::{Code, Error, field};
use crate::plan::{Origin, Plan};
use crate::secret::Secret;
use crate::variables::Variables;

use super::container::Container;
use super::instance::Instance;
use super::keys::Keys;
use super::web_identity::WebIdentity;

/// One place, chosen by what is configured.
pub(super) enum Credentials {
    Environment(Keys),
    WebIdentity(WebIdentity),
    Container(Container),
    Instance(Instance),
}

impl Credentials {
    /// Every place reads its variables, so that all are asked for, and the first that is configured wins.
    pub(super) fn choose(variables: &Variables) -> Result<Self, Error> {
        let (environment, web_identity) = (environment(variables), WebIdentity::read(variables));
        let (container, instance) = (Container::read(variables), Instance::read(variables));
        if let Some(keys) = environment? {
            return Ok(Self::Environment(keys));
        }
        if let Some(role) = web_identity? {
            return Ok(Self::WebIdentity(role));
        }
        if let Some(container) = container? {
            return Ok(Self::Container(container));
        }
        instance.map(Self::Instance)
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        let (name, variable) = match self {
            Self::Environment(_) => ("environment", Some("AWS_ACCESS_KEY_ID")),
            Self::WebIdentity(_) => ("web identity", Some(super::web_identity::TOKEN_FILE)),
            Self::Container(container) => ("container", Some(container.variable())),
            Self::Instance(_) => ("instance", None),
        };
        let origin = variable.map_or(Origin::Default, |name| Origin::Variable(name.to_owned()));
        plan.set("source.credentials", name, origin);
        match self {
            // Signing needs no traffic.
            Self::Environment(_) => {}
            Self::WebIdentity(role) => role.describe(plan),
            Self::Container(container) => container.describe(plan),
            Self::Instance(instance) => instance.describe(plan),
        }
    }
}

fn environment(variables: &Variables) -> Result<Option<Keys>, Error> {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
    let (id, secret, session) =
        (secret(variables, ID), secret(variables, SECRET), secret(variables, "AWS_SESSION_TOKEN"));
    match (id?, secret?) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Ok(Some(Keys { access_key_id, secret_access_key, session_token: session? }))
        }
        (Some(_), None) => Err(half(ID, SECRET)),
        (None, Some(_)) => Err(half(SECRET, ID)),
        (None, None) => Ok(None),
    }
}

/// A variable that is sent or signs; surrounding white space, as a copied line has it, is dropped.
pub(super) fn secret(variables: &Variables, name: &str) -> Result<Option<Secret>, Error> {
    let Some(value) = variables.get(name) else { return Ok(None) };
    let value = Secret::new(value.expose().trim().to_owned());
    if value.fits_header() {
        return Ok(Some(value));
    }
    Err(field(
        Code::FieldValue,
        name,
        format_args!("({}) has spaces or characters that cannot stand in a header", value.shape()),
    ))
}

/// A variable that is no secret.
pub(super) fn text(variables: &Variables, name: &str) -> Option<String> {
    variables.get(name).map(|value| value.expose().trim().to_owned())
}

/// One of two variables that need each other.
pub(super) fn half(set: &str, unset: &str) -> Error {
    Error::new(Code::FieldMissing, format_args!("`{set}` is set but `{unset}` is not; set both, or neither"))
}
