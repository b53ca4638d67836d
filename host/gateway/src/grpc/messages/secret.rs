//! `envoy/extensions/transport_sockets/tls/v3/secret.proto`.

/// The type of a [`Secret`] in an [`Any`](super::core::Any).
pub(crate) const TYPE_URL: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/// A secret by name. `generic_secret` is one case of its `oneof type`; no other is sent from here.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct Secret {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "5")]
    pub(crate) generic_secret: Option<GenericSecret>,
}

/// A secret of any kind.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct GenericSecret {
    #[prost(message, optional, tag = "1")]
    pub(crate) secret: Option<DataSource>,
}

/// `envoy/config/core/v3/base.proto`: `inline_string` is one case of its `oneof specifier`; no other is sent from here.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct DataSource {
    #[prost(string, tag = "3")]
    pub(crate) inline_string: String,
}
