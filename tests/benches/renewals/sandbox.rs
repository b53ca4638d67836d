//! The sandbox on a thread of its own.

use std::time::Duration;

use keyless_sandbox::{Options, Sandbox};

/// Goes with the process.
pub(crate) struct Outside {
    pub(crate) sandbox: Sandbox,
    _tokio: tokio::runtime::Runtime,
}

/// With identity tokens that outlive every bench.
pub(crate) fn start() -> Outside {
    let options = Options { subject_lifetime: Duration::from_secs(7 * 24 * 3600), ..Options::default() };
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime of tokio");
    let sandbox = tokio.block_on(Sandbox::start(options)).expect("a sandbox");
    Outside { sandbox, _tokio: tokio }
}
