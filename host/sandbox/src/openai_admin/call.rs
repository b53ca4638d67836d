//! The calls of the Admin API that are played, told from one another by method and path.

use http::Method;
use serde::{Deserialize, Serialize};

/// What every path begins with.
pub(crate) const ROOT: &str = "/v1/organization/";

/// A call of OpenAI's Admin API. Faults can be aimed at one of them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenAiAdminCall {
    /// `POST .../service_accounts`
    CreateServiceAccount,
    /// `GET .../service_accounts`
    ListServiceAccounts,
    /// `GET .../service_accounts/{id}`
    RetrieveServiceAccount,
    /// `DELETE .../service_accounts/{id}`
    DeleteServiceAccount,
    /// `POST .../service_accounts/{id}/api_keys`
    CreateApiKey,
    /// `GET .../api_keys`
    ListApiKeys,
    /// `DELETE .../api_keys/{id}`
    DeleteApiKey,
}

impl OpenAiAdminCall {
    /// None: there is no such call.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        Asked::of(method, path).map(|asked| asked.call)
    }

    /// Whether it only looks.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::ListServiceAccounts | Self::RetrieveServiceAccount | Self::ListApiKeys)
    }
}

/// A call with what its path names.
pub(super) struct Asked<'a> {
    pub(super) call: OpenAiAdminCall,
    pub(super) project: &'a str,
    /// The service account or the key; empty where the path names none.
    pub(super) id: &'a str,
}

impl<'a> Asked<'a> {
    pub(super) fn of(method: &Method, path: &'a str) -> Option<Self> {
        use OpenAiAdminCall as Call;

        let parts: Vec<&str> = path.strip_prefix(ROOT)?.strip_prefix("projects/")?.split('/').collect();
        if parts.contains(&"") {
            return None;
        }
        let (call, project, id) = match (method.as_str(), parts.as_slice()) {
            ("POST", [project, "service_accounts"]) => (Call::CreateServiceAccount, *project, ""),
            ("GET", [project, "service_accounts"]) => (Call::ListServiceAccounts, *project, ""),
            ("GET", [project, "service_accounts", id]) => (Call::RetrieveServiceAccount, *project, *id),
            ("DELETE", [project, "service_accounts", id]) => (Call::DeleteServiceAccount, *project, *id),
            ("POST", [project, "service_accounts", id, "api_keys"]) => (Call::CreateApiKey, *project, *id),
            ("GET", [project, "api_keys"]) => (Call::ListApiKeys, *project, ""),
            ("DELETE", [project, "api_keys", id]) => (Call::DeleteApiKey, *project, *id),
            _ => return None,
        };
        Some(Self { call, project, id })
    }
}
