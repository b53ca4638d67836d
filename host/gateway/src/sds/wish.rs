//! Both forms of the discovery protocol, state of the world and incremental, as one
//! (<https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol>).

use prost::Message as _;

use crate::grpc::messages::core::{Any, Status};
use crate::grpc::messages::discovery::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse, Resource,
};
use crate::grpc::messages::secret::{DataSource, GenericSecret, Secret, TYPE_URL};

/// What a client says.
pub(super) struct Wish {
    pub(super) names: Names,
    /// Empty: about no answer.
    pub(super) nonce: String,
    /// Why it does not accept the answer.
    pub(super) refusal: Option<Status>,
    /// Empty: the type of the service.
    pub(super) type_url: String,
}

/// Which secrets it wants.
pub(super) enum Names {
    /// These and no others.
    All(Vec<String>),
    /// These too, and those no longer.
    Change { more: Vec<String>, less: Vec<String> },
}

/// What a client is told.
pub(super) struct Update {
    pub(super) generation: u64,
    pub(super) nonce: String,
    pub(super) secrets: Vec<Secret>,
}

/// A secret in Envoy's words.
pub(super) fn secret(name: String, value: &str) -> Secret {
    let source = DataSource { inline_string: value.to_owned() };
    Secret { name, generic_secret: Some(GenericSecret { secret: Some(source) }) }
}

impl From<DiscoveryRequest> for Wish {
    fn from(request: DiscoveryRequest) -> Self {
        Self {
            names: Names::All(request.resource_names),
            nonce: request.response_nonce,
            refusal: request.error_detail,
            type_url: request.type_url,
        }
    }
}

impl From<DeltaDiscoveryRequest> for Wish {
    fn from(request: DeltaDiscoveryRequest) -> Self {
        Self {
            names: Names::Change {
                more: request.resource_names_subscribe,
                less: request.resource_names_unsubscribe,
            },
            nonce: request.response_nonce,
            refusal: request.error_detail,
            type_url: request.type_url,
        }
    }
}

impl From<Update> for DiscoveryResponse {
    fn from(update: Update) -> Self {
        Self {
            version_info: update.generation.to_string(),
            resources: update.secrets.iter().map(any).collect(),
            type_url: TYPE_URL.to_owned(),
            nonce: update.nonce,
        }
    }
}

impl From<Update> for DeltaDiscoveryResponse {
    fn from(update: Update) -> Self {
        let version = update.generation.to_string();
        let resources = update.secrets.iter().map(|secret| Resource {
            version: version.clone(),
            resource: Some(any(secret)),
            name: secret.name.clone(),
        });
        Self {
            resources: resources.collect(),
            system_version_info: version,
            type_url: TYPE_URL.to_owned(),
            nonce: update.nonce,
        }
    }
}

fn any(secret: &Secret) -> Any {
    Any { type_url: TYPE_URL.to_owned(), value: secret.encode_to_vec() }
}
