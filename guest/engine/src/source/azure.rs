//! An Azure managed identity: the instance metadata service of a virtual machine, or the endpoint that App Service,
//! Functions and Container Apps put into two variables (learn.microsoft.com, "How to use managed identities ... to
//! acquire an access token" and "Managed identities for App Service").
//!
//! The defaults are those of OpenAI's clients, whose token Azure Resource Manager accepts: the guide sets `resource` to the
//! identifier of an app registration of one's own.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::error::{Code, Error, field};
use crate::fields::{Fields, header_secret};
use crate::io::Io;
use crate::plan::{Origin, Plan, Warning};
use crate::secret::Secret;
use crate::source::metadata::{self, Service};
use crate::source::{self, Entry, Fetch, Parsed, Source};
use crate::subject_token::SubjectToken;
use crate::url::WebUrl;
use crate::variables::Variables;

const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const IMDS_VERSION: &str = "2018-02-01";
const APP_SERVICE_VERSION: &str = "2019-08-01";
const DEFAULT_RESOURCE: &str = "https://management.azure.com/";

const ENDPOINT: &str = "IDENTITY_ENDPOINT";
const HEADER: &str = "IDENTITY_HEADER";

pub(super) const ENTRY: Entry = Entry {
    name: "azure",
    settings: &["resource", "object_id", "client_id", "msi_res_id", "api_version"],
    read: Azure::read,
};

/// Right after an assignment the metadata service does not know the identity (404), and while it is updated it is gone
/// (410): both pass.
const SERVICE: Service = Service {
    name: "Azure's managed identity endpoint",
    absent: "check that this runs on Azure, and that nothing keeps the workload from the metadata address (network policies, a proxy)",
    refused: "check that a managed identity is assigned here, that `client_id`, `object_id` or `msi_res_id` names it where there are several, and that `resource` exists in the tenant",
    passing: &[404, 410],
};

struct Azure {
    resource: Option<String>,
    /// As the identity is named: by an id of the directory, of the application, or of the resource.
    object_id: Option<String>,
    client_id: Option<String>,
    msi_res_id: Option<String>,
    api_version: Option<String>,
    app_service: Option<AppService>,
}

/// Where the platform has an endpoint of its own.
struct AppService {
    endpoint: WebUrl,
    header: Secret,
}

impl Azure {
    fn read(fields: &mut Fields<'_>, variables: &Variables, _: Option<&'static str>) -> Parsed {
        let app_service = AppService::read(fields, variables);
        Ok(Box::new(Self {
            resource: fields.filled_text("resource")?,
            object_id: fields.filled_text("object_id")?,
            client_id: fields.filled_text("client_id")?,
            msi_res_id: fields.filled_text("msi_res_id")?,
            api_version: fields.filled_text("api_version")?,
            app_service: app_service?,
        }))
    }

    fn resource(&self) -> &str {
        self.resource.as_deref().unwrap_or(DEFAULT_RESOURCE)
    }

    fn default_version(&self) -> &'static str {
        if self.app_service.is_some() { APP_SERVICE_VERSION } else { IMDS_VERSION }
    }

    fn endpoint(&self) -> &str {
        self.app_service.as_ref().map_or(IMDS, |app_service| app_service.endpoint.as_str())
    }

    /// In the order of OpenAI's clients.
    fn query(&self) -> String {
        let [object_id, msi_res_id] = if self.app_service.is_some() {
            ["principal_id", "mi_res_id"]
        } else {
            ["object_id", "msi_res_id"]
        };
        let mut query = String::new();
        metadata::add(
            &mut query,
            "api-version",
            self.api_version.as_deref().unwrap_or(self.default_version()),
        );
        metadata::add(&mut query, "resource", self.resource());
        for (name, value) in
            [(object_id, &self.object_id), ("client_id", &self.client_id), (msi_res_id, &self.msi_res_id)]
        {
            if let Some(value) = value {
                metadata::add(&mut query, name, value);
            }
        }
        query
    }

    async fn token(&self, io: &Io) -> Result<SubjectToken, Error> {
        let yes = Secret::new("true".to_owned());
        let header = match &self.app_service {
            Some(app_service) => ("x-identity-header", &app_service.header),
            None => ("metadata", &yes),
        };
        let response = metadata::get(io, &SERVICE, self.endpoint(), &self.query(), header).await?;
        let token = SERVICE.text_field(&response.body, "access_token")?;
        let origin = format!("the answer of {}", self.endpoint());
        source::checked(io, token.expose().as_bytes(), None, &origin)
    }
}

impl AppService {
    fn read(fields: &Fields<'_>, variables: &Variables) -> Result<Option<Self>, Error> {
        let (endpoint, header) = match (variables.get(ENDPOINT), variables.get(HEADER)) {
            (Some(endpoint), Some(header)) => (endpoint.expose(), header.expose().to_owned()),
            (Some(_), None) => {
                fields.warn(
                    "identity-endpoint-not-used",
                    format_args!("`{ENDPOINT}` is set but `{HEADER}` is not, as on Azure Arc, which is not supported; the metadata service of a virtual machine is asked instead"),
                );
                return Ok(None);
            }
            (None, _) => return Ok(None),
        };
        let endpoint =
            WebUrl::parse_nearby(endpoint).map_err(|fault| field(Code::FieldUrl, ENDPOINT, fault))?;
        Ok(Some(Self { endpoint, header: header_secret(header, HEADER)? }))
    }
}

impl Source for Azure {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn remedy(&self) -> &'static str {
        "Set `resource` to the identifier of an app registration made for the API"
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_or("source.resource", self.resource.as_deref(), DEFAULT_RESOURCE);
        plan.set_if("source.object_id", self.object_id.as_deref());
        plan.set_if("source.client_id", self.client_id.as_deref());
        plan.set_if("source.msi_res_id", self.msi_res_id.as_deref());
        plan.set_or("source.api_version", self.api_version.as_deref(), self.default_version());
        let origin =
            self.app_service.as_ref().map_or(Origin::Default, |_| Origin::Variable(ENDPOINT.to_owned()));
        plan.set("source.endpoint", self.endpoint(), origin);
        plan.needs_endpoint("GET", self.endpoint());
        if let Some(plane) = crate::audience::plane(self.resource()) {
            plan.warn(Warning::new(
                "token-for-a-control-plane",
                format_args!(
                    "`resource` is `{}`: {plane} accepts the identity token, and so can whoever receives it from here. {}",
                    self.resource(),
                    self.remedy()
                ),
            ));
        }
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(self.token(io))
    }
}
