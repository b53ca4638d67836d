//! What most tests begin with: a sandbox, clocks that can be set, an instance that may reach the sandbox, and a document.

use keyless_sandbox::{Options, Sandbox};

use crate::clocks::Clocks;
use crate::host::Host;

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) clocks: Clocks,
    pub(crate) host: Host,
    pub(crate) document: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let clocks = Clocks::new();
        let host = Host::for_sandbox(&sandbox, &clocks).await;
        let document = sandbox.documents().native;
        Self { sandbox, clocks, host, document }
    }
}
