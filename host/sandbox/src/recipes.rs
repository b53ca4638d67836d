//! A connection document for every source with every exchange, and what a client needs beside it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::anthropic;
use crate::aws::{self, container};
use crate::exchange::x509::provider_id;
use crate::exchange::{TOKEN_PATH, codex};
use crate::issuer::claims::Claims;
use crate::oauth::{ACCESS_TOKEN, entra, google, openrouter};
use crate::openai_admin::PROJECT_ID;
use crate::platform::{Platform, azure, github};
use crate::service::ServiceName;
use crate::world::World;

/// One connection to this sandbox. No `Debug`: some variables hold secrets, if only the sandbox's.
#[derive(Clone, Serialize)]
pub struct Recipe {
    /// In Keyless's own form.
    pub document: String,
    /// What the platform puts into the workload's environment.
    pub variables: BTreeMap<String, String>,
    /// Where an address that is fixed in the document's meaning is to be found instead, as curl's `--connect-to` has it:
    /// `HOST:PORT:ADDRESS:PORT`.
    pub connect_to: Vec<String>,
    /// What to try the credential on: a `GET` of this URL answers 200 to its headers, and 401 without them.
    pub try_on: String,
}

/// By name, `SOURCE-EXCHANGE`, such as `azure-openai`.
pub(crate) fn all(world: &World) -> BTreeMap<String, Recipe> {
    let mut recipes = BTreeMap::new();
    for source in sources(world) {
        for exchange in exchanges(world, &source) {
            let document = json!({
                "auth_type": "workload_identity",
                "source": source.settings,
                "exchange": exchange.settings,
                "api": {"base_url": exchange.base_url},
            });
            let recipe = Recipe {
                document: document.to_string(),
                variables: source.variables.clone(),
                connect_to: source.connect_to.clone(),
                try_on: format!("{}{}", exchange.base_url, exchange.resource),
            };
            recipes.insert(format!("{}-{}", source.name, exchange.name), recipe);
        }
    }
    recipes.insert("x509-openai".to_owned(), x509(world));
    recipes
}

/// The one exchange that takes a certificate.
fn x509(world: &World) -> Recipe {
    let token_endpoint = format!("{}{TOKEN_PATH}", world.addresses.url(ServiceName::MutualTls));
    let document = json!({
        "auth_type": "workload_identity",
        "source": {
            "type": "x509",
            "certificate_file": world.client_certificates.certificate_file(),
            "private_key_file": world.client_certificates.private_key_file(),
        },
        "exchange": {
            "type": "openai",
            "identity_provider_id": provider_id(world),
            "service_account_id": world.options.service_account_id,
            "token_endpoint": token_endpoint,
        },
        "api": {"base_url": world.addresses.base_url()},
    });
    Recipe {
        document: document.to_string(),
        variables: BTreeMap::new(),
        connect_to: Vec::new(),
        try_on: format!("{}/models", world.addresses.base_url()),
    }
}

/// Where there is no source: the connection makes a service account by OpenAI's Admin API, and lives on its key. The
/// intervals are short enough to watch it change keys.
pub(crate) fn openai_service_account(world: &World) -> Recipe {
    let base_url = world.addresses.base_url();
    let document = json!({
        "exchange": {
            "type": "openai-service-account",
            "admin_key": {"file": world.admin_key.file()},
            "project_id": PROJECT_ID,
            "service_account_name_prefix": "sandbox",
            "host": base_url,
            "refresh_interval": "30s",
            "grace": "20s",
        },
    });
    Recipe {
        document: document.to_string(),
        variables: BTreeMap::new(),
        connect_to: Vec::new(),
        try_on: format!("{base_url}/models"),
    }
}

struct Source {
    name: &'static str,
    /// What its provider is called beside the cluster's: empty, or `_azure` and so on.
    suffix: String,
    settings: Value,
    variables: BTreeMap<String, String>,
    connect_to: Vec<String>,
}

struct Exchange {
    name: &'static str,
    settings: Value,
    base_url: String,
    /// Something behind the API's base URL.
    resource: &'static str,
}

fn sources(world: &World) -> Vec<Source> {
    let audience = &world.options.audience;
    let secrets = &world.platforms.secrets;
    let addresses = &world.addresses;
    let of = |name, platform: Option<Platform>, settings| Source {
        name,
        suffix: platform.map(|platform| format!("_{}", platform.as_str())).unwrap_or_default(),
        settings,
        variables: BTreeMap::new(),
        connect_to: Vec::new(),
    };
    let variables = |pairs: &[(&str, String)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let token_file = world.volume.token_path().to_string_lossy().into_owned();
    let instead_of = |host: &str, service| vec![format!("{host}:80:127.0.0.1:{}", addresses.port(service))];

    let azure = json!({"type": "azure", "resource": audience, "client_id": azure::CLIENT_ID});
    let aws = json!({
        "type": "aws",
        "audience": audience,
        "region": aws::REGION,
        "sts_endpoint": addresses.url(ServiceName::AwsSts),
    });
    vec![
        of("kubernetes", None, json!({"type": "kubernetes", "token_file_path": world.volume.token_path()})),
        of("file", None, json!({"type": "file", "token_file_path": world.volume.token_path()})),
        Source {
            variables: variables(&[(
                "KEYLESS_ID_TOKEN",
                world.issue(&Claims::of_workload(&world.options)).unwrap_or_default(),
            )]),
            ..of("variable", None, json!({"type": "variable", "variable": "KEYLESS_ID_TOKEN"}))
        },
        of(
            "spiffe",
            Some(Platform::Spiffe),
            json!({"type": "spiffe", "token_file_path": world.svid_volume.token_path()}),
        ),
        Source {
            variables: variables(&[("AZURE_FEDERATED_TOKEN_FILE", token_file.clone())]),
            ..of("aks", None, json!({"type": "aks", "audience": audience}))
        },
        Source {
            variables: variables(&[("AWS_WEB_IDENTITY_TOKEN_FILE", token_file)]),
            ..of("eks", None, json!({"type": "eks", "audience": audience}))
        },
        Source {
            connect_to: instead_of("169.254.169.254", ServiceName::Azure),
            ..of("azure", Some(Platform::Azure), azure.clone())
        },
        Source {
            variables: variables(&[
                (
                    "IDENTITY_ENDPOINT",
                    format!("{}{}", addresses.url(ServiceName::Azure), azure::APP_SERVICE_PATH),
                ),
                ("IDENTITY_HEADER", secrets.identity_header.clone()),
            ]),
            ..of("azure-app-service", Some(Platform::Azure), azure)
        },
        Source {
            connect_to: instead_of("metadata.google.internal", ServiceName::Gcp),
            ..of("gcp", Some(Platform::Gcp), json!({"type": "gcp", "audience": audience}))
        },
        Source {
            variables: variables(&[
                (
                    "ACTIONS_ID_TOKEN_REQUEST_URL",
                    format!("{}{}", addresses.url(ServiceName::Github), github::REQUEST_TARGET),
                ),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", secrets.github_request_token.clone()),
            ]),
            ..of("github", Some(Platform::Github), json!({"type": "github", "audience": audience}))
        },
        Source {
            variables: variables(&[
                ("AWS_ACCESS_KEY_ID", world.access_keys.lasting.id.clone()),
                ("AWS_SECRET_ACCESS_KEY", world.access_keys.lasting.secret.to_string()),
            ]),
            ..of("aws", Some(Platform::Aws), aws.clone())
        },
        Source {
            variables: variables(&[
                ("AWS_ROLE_ARN", aws::ROLE_ARN.to_owned()),
                ("AWS_WEB_IDENTITY_TOKEN_FILE", world.aws_volume.token_path().to_string_lossy().into_owned()),
            ]),
            ..of("aws-web-identity", Some(Platform::Aws), aws.clone())
        },
        Source {
            variables: variables(&[(
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                container::TASK_PATH.to_owned(),
            )]),
            connect_to: instead_of("169.254.170.2", ServiceName::AwsContainer),
            ..of("aws-ecs", Some(Platform::Aws), aws.clone())
        },
        Source {
            variables: variables(&[
                (
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    format!("{}{}", addresses.url(ServiceName::AwsContainer), container::POD_PATH),
                ),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", secrets.pod_token.clone()),
            ]),
            ..of("aws-eks", Some(Platform::Aws), aws.clone())
        },
        Source {
            connect_to: instead_of("169.254.169.254", ServiceName::AwsInstance),
            ..of("aws-ec2", Some(Platform::Aws), aws)
        },
    ]
}

fn exchanges(world: &World, source: &Source) -> Vec<Exchange> {
    let options = &world.options;
    let suffix = &source.suffix;
    let addresses = &world.addresses;
    vec![
        Exchange {
            name: "openai",
            settings: json!({
                "type": "openai",
                "identity_provider_id": format!("{}{suffix}", options.identity_provider_id),
                "service_account_id": options.service_account_id,
                "token_endpoint": addresses.token_endpoint(),
            }),
            base_url: addresses.base_url(),
            resource: "/models",
        },
        Exchange {
            name: "codex",
            settings: json!({
                "type": "codex",
                "federation_rule_id": format!("{}{suffix}", codex::FEDERATION_RULE_ID),
                "token_endpoint": addresses.token_endpoint(),
            }),
            base_url: addresses.base_url(),
            resource: "/models",
        },
        Exchange {
            name: "openrouter",
            settings: json!({
                "type": "openrouter",
                "federation_policy_id": format!("{}{suffix}", openrouter::POLICY_ID),
                "token_endpoint": format!("{}{}", addresses.url(ServiceName::OpenRouter), openrouter::TOKEN_PATH),
            }),
            base_url: format!("{}/api/v1", addresses.url(ServiceName::OpenRouter)),
            resource: "/key",
        },
        Exchange {
            name: "rfc8693",
            settings: json!({
                "type": "rfc8693",
                "token_endpoint": format!("{}{}", addresses.url(ServiceName::GoogleSts), google::TOKEN_PATH),
                "audience": format!("{}{suffix}", google::AUDIENCE),
                "scope": google::SCOPE,
                "requested_token_type": ACCESS_TOKEN,
            }),
            base_url: format!("{}/v1", addresses.url(ServiceName::GoogleSts)),
            resource: "/projects",
        },
        Exchange {
            name: "rfc7523",
            settings: json!({
                "type": "rfc7523",
                "grant": "client_credentials",
                "token_endpoint": format!("{}{}", addresses.url(ServiceName::Entra), entra::TOKEN_PATH),
                "client_id": format!("{}{suffix}", entra::CLIENT_ID),
                "scope": entra::SCOPE,
            }),
            base_url: format!("{}/v1.0", addresses.url(ServiceName::Entra)),
            resource: "/organization",
        },
        Exchange {
            name: "anthropic",
            settings: json!({
                "type": "anthropic",
                "federation_rule_id": format!("{}{suffix}", anthropic::FEDERATION_RULE_ID),
                "organization_id": anthropic::ORGANIZATION_ID,
                "service_account_id": anthropic::SERVICE_ACCOUNT_ID,
                "workspace_id": anthropic::WORKSPACE_ID,
                "token_endpoint": format!("{}{}", addresses.url(ServiceName::Anthropic), anthropic::TOKEN_PATH),
            }),
            base_url: addresses.url(ServiceName::Anthropic),
            resource: "/v1/models",
        },
    ]
}
