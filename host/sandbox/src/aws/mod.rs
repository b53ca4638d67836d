//! Amazon Web Services: where a workload finds its keys, and the token service that takes them.

pub(crate) mod container;
pub(crate) mod instance;
pub(crate) mod keys;
mod refusal;
mod sigv4;
pub(crate) mod sts;
mod timestamp;

/// The only region. Signatures for another are refused.
pub(crate) const REGION: &str = "eu-central-1";

/// The role of the workload.
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/app-role";
const ROLE_NAME: &str = "app-role";
const ACCOUNT: &str = "123456789012";

/// What tokens have to be aimed at that are to be traded for keys.
pub(crate) const STS_AUDIENCE: &str = "sts.amazonaws.com";
