//! A Kubernetes pod on a cloud whose webhook mounts a token file and puts its path into a variable: Azure's workload
//! identity on AKS, AWS's IAM roles for service accounts on EKS.
//!
//! The token that the webhook mounts is meant for the cloud's own token service, which is warned about.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::error::{Code, field};
use crate::fields::Fields;
use crate::io::Io;
use crate::plan::{Origin, Plan, Warning};
use crate::source::{Entry, Fetch, MOUNT_A_TOKEN, Parsed, Source, token_file};
use crate::variables::Variables;

const SETTINGS: &[&str] = &["token_file_path", "audience"];

pub(super) const AKS: Entry =
    Entry { name: "aks", settings: SETTINGS, read: |fields, variables, _| read(&ON_AKS, fields, variables) };

pub(super) const EKS: Entry =
    Entry { name: "eks", settings: SETTINGS, read: |fields, variables, _| read(&ON_EKS, fields, variables) };

/// What differs between the two.
struct Cloud {
    name: &'static str,
    variable: &'static str,
    audience: &'static str,
    set_up: &'static str,
}

const ON_AKS: Cloud = Cloud {
    name: AKS.name,
    variable: "AZURE_FEDERATED_TOKEN_FILE",
    audience: "api://AzureADTokenExchange",
    set_up: "label the pod `azure.workload.identity/use: \"true\"`",
};

const ON_EKS: Cloud = Cloud {
    name: EKS.name,
    variable: "AWS_WEB_IDENTITY_TOKEN_FILE",
    audience: "sts.amazonaws.com",
    set_up: "annotate the service account with `eks.amazonaws.com/role-arn`",
};

struct Injected {
    cloud: &'static Cloud,
    path: String,
    origin: Origin,
    audience: Option<String>,
}

fn read(cloud: &'static Cloud, fields: &mut Fields<'_>, variables: &Variables) -> Parsed {
    let (path, origin) = match fields.filled_text("token_file_path")? {
        Some(path) => (path, Origin::Document),
        None => {
            let path = variables.get(cloud.variable).ok_or_else(|| {
                field(
                    Code::FieldMissing,
                    cloud.variable,
                    format_args!("is not set; {}, or set `{}`", cloud.set_up, fields.name("token_file_path")),
                )
            })?;
            (path.expose().trim().to_owned(), Origin::Variable(cloud.variable.to_owned()))
        }
    };
    Ok(Box::new(Injected { cloud, path, origin, audience: fields.filled_text("audience")? }))
}

impl Source for Injected {
    fn name(&self) -> &'static str {
        self.cloud.name
    }

    fn remedy(&self) -> &'static str {
        MOUNT_A_TOKEN
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set("source.token_file_path", self.path.as_str(), self.origin.clone());
        plan.set_if("source.audience", self.audience.as_deref());
        plan.needs_file(&self.path);
        let expected = self.audience.as_deref().unwrap_or(self.cloud.audience);
        if self.origin != Origin::Document && expected == self.cloud.audience {
            plan.warn(Warning::new(
                "token-for-a-control-plane",
                format_args!(
                    "the token in the file that `{}` names is normally meant for `{}`: whoever receives it can act as the pod's role there. Mount a projected token with the audience of your identity provider and set `token_file_path`",
                    self.cloud.variable, self.cloud.audience
                ),
            ));
        }
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(token_file::read(io, &self.path, self.audience.as_deref()))
    }
}
