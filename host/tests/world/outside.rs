//! The sandbox on threads of its own, so that it goes on whatever becomes of the time of a test.

use std::future::Future;
use std::thread;
use std::time::Duration;

use keyless_sandbox::{Options, Sandbox};
use tokio::runtime;
use tokio::task::JoinHandle;

/// The outside world. Ends with the test.
pub(crate) struct Outside {
    pub(crate) sandbox: Sandbox,
    // Last, because the sandbox's tasks live on it.
    tokio: Option<runtime::Runtime>,
}

impl Outside {
    /// With identity tokens that outlive every test.
    pub(crate) fn new(access_token_lifetime: Duration) -> Self {
        let options = Options {
            access_token_lifetime,
            subject_lifetime: Duration::from_secs(7 * 24 * 3600),
            ..Options::default()
        };
        // On another thread, because a test may itself run in an event loop, which must not be blocked.
        let start = move || {
            let tokio = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let sandbox = tokio.block_on(Sandbox::start(options)).unwrap();
            Self { sandbox, tokio: Some(tokio) }
        };
        thread::spawn(start).join().unwrap()
    }

    /// Something more that goes on outside.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tokio.as_ref().expect("it goes at the end only").spawn(work)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(tokio) = self.tokio.take() {
            tokio.shutdown_background();
        }
    }
}
