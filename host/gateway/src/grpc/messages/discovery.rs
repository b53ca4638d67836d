//! `envoy/service/discovery/v3/discovery.proto`: resources by name, and each change of them.

use super::core::{Any, Status};

/// A client's wishes: the whole list of names in each message.
#[derive(PartialEq, prost::Message)]
pub(crate) struct DiscoveryRequest {
    /// Of the last answer that was accepted.
    #[prost(string, tag = "1")]
    pub(crate) version_info: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) resource_names: Vec<String>,
    #[prost(string, tag = "4")]
    pub(crate) type_url: String,
    /// Of the answer that this is about. Empty: the first message of a stream.
    #[prost(string, tag = "5")]
    pub(crate) response_nonce: String,
    /// Why that answer was not accepted.
    #[prost(message, optional, tag = "6")]
    pub(crate) error_detail: Option<Status>,
}

/// Resources that are new or have changed.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct DiscoveryResponse {
    #[prost(string, tag = "1")]
    pub(crate) version_info: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) resources: Vec<Any>,
    #[prost(string, tag = "4")]
    pub(crate) type_url: String,
    #[prost(string, tag = "5")]
    pub(crate) nonce: String,
}

/// A client's wishes: changes of the list of names.
#[derive(PartialEq, prost::Message)]
pub(crate) struct DeltaDiscoveryRequest {
    #[prost(string, tag = "2")]
    pub(crate) type_url: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) resource_names_subscribe: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) resource_names_unsubscribe: Vec<String>,
    /// Of the answer that this is about; empty where it is about none.
    #[prost(string, tag = "6")]
    pub(crate) response_nonce: String,
    #[prost(message, optional, tag = "7")]
    pub(crate) error_detail: Option<Status>,
}

/// Resources that are new or have changed.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct DeltaDiscoveryResponse {
    #[prost(string, tag = "1")]
    pub(crate) system_version_info: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) resources: Vec<Resource>,
    #[prost(string, tag = "4")]
    pub(crate) type_url: String,
    #[prost(string, tag = "5")]
    pub(crate) nonce: String,
}

/// A resource with its name.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct Resource {
    #[prost(string, tag = "1")]
    pub(crate) version: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) resource: Option<Any>,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
}
