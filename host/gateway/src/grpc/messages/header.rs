//! `envoy/config/core/v3/base.proto`: headers, and what is to be done with them.

/// A header of a request. Newer Envoys fill `raw_value`, older ones `value`.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HeaderValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) raw_value: Vec<u8>,
}

impl HeaderValue {
    /// Whichever of both is filled.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.raw_value.is_empty() { self.value.as_bytes() } else { &self.raw_value }
    }
}

/// Headers in their order.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(crate) headers: Vec<HeaderValue>,
}

/// A header to set.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    pub(crate) header: Option<HeaderValue>,
    #[prost(enumeration = "AppendAction", tag = "3")]
    pub(crate) append_action: i32,
}

/// `HeaderValueOption.HeaderAppendAction`: the two that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum AppendAction {
    /// Adds a further one.
    AppendIfExistsOrAdd = 0,
    /// Replaces those that are there.
    OverwriteIfExistsOrAdd = 2,
}
