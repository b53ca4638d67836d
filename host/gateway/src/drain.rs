//! Bodies that nobody wants any more.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::runtime::Handle;

/// How long a client may go on sending what is not wanted, and how much of it.
const PATIENCE: Duration = Duration::from_secs(10);
const BYTES: usize = 64 * 1024 * 1024;

/// Reads the rest of a body and forgets it. A client that is answered early, such as by 403, is often still sending; were the
/// connection closed on it, the system would take back what it was told, and all that its user would see is a reset.
pub(crate) fn drain(mut incoming: Incoming) {
    if incoming.is_end_stream() {
        return;
    }
    // Without a runtime, everything is about to end.
    let Ok(runtime) = Handle::try_current() else { return };
    runtime.spawn(async move {
        let mut left = BYTES;
        let reading = async {
            while let Some(Ok(frame)) = incoming.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
                if left == 0 {
                    break;
                }
            }
        };
        let _what_came = tokio::time::timeout(PATIENCE, reading).await;
    });
}
