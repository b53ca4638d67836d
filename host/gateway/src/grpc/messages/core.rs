//! What several services share.

/// `google/protobuf/any.proto`: a message with its type.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// `google/rpc/status.proto`: `code` is one of `google/rpc/code.proto`, 0 is success.
#[derive(PartialEq, prost::Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}
