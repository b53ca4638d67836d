//! What can be done to the Admin API from Rust.

use std::io;
use std::path::Path;

use super::PROJECT_ID;
use super::call::OpenAiAdminCall;
use super::service_accounts::ServiceAccountsRecord;
use crate::faults::Fault;
use crate::sandbox::Sandbox;
use crate::service::ServiceName;

/// OpenAI's Admin API.
impl Sandbox {
    /// The file that holds the key of OpenAI's Admin API, which is played at [`Sandbox::base_url`]. Its owner alone can
    /// read it.
    #[must_use]
    pub fn openai_admin_key_path(&self) -> &Path {
        self.world.admin_key.file()
    }

    /// The project whose service accounts the Admin API looks after, `proj_...`.
    #[must_use]
    pub fn openai_project_id(&self) -> &'static str {
        PROJECT_ID
    }

    /// Puts another key of OpenAI's Admin API into its file. The old one is refused from now on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn rotate_openai_admin_key(&self) -> io::Result<()> {
        self.world.admin_key.rotate()
    }

    /// All service accounts that OpenAI's Admin API ever made, and what became of them and their keys.
    #[must_use]
    pub fn service_accounts(&self) -> ServiceAccountsRecord {
        self.world.service_accounts.record()
    }

    /// Waits until they are as wanted. Looks again whenever an account or a key is made, used or deleted.
    pub async fn wait_for_service_accounts(&self, wanted: impl Fn(&ServiceAccountsRecord) -> bool) {
        self.world.service_accounts.wait_for(wanted).await;
    }

    /// Arms a fault for the next `times` requests that are this call of OpenAI's Admin API. It is cleared with the
    /// faults of [`ServiceName::Upstream`].
    pub fn fault_on(&self, call: OpenAiAdminCall, fault: Fault, times: u64) {
        self.world.faults.arm(ServiceName::Upstream, Some(call), fault, Some(times));
    }

    /// The same, until it is cleared or until another with the same aim is armed after it.
    pub fn fault_on_until_cleared(&self, call: OpenAiAdminCall, fault: Fault) {
        self.world.faults.arm(ServiceName::Upstream, Some(call), fault, None);
    }
}
