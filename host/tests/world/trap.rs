//! The component itself breaks in the middle of a renewal.

use keyless::Limits;
use keyless_sandbox::{Fault, ServiceName};

use crate::outside::Outside;
use crate::stage::{LIFETIME, Stage};

/// Enough for any exchange, but not for what is left of [`bomb`] once it is read: a MiB, beside all else.
const TIGHT: usize = 900 << 10;

/// Below the limit for an answer, but many times as large once it is read.
fn bomb() -> Fault {
    let body = format!("[{}0]", "0,".repeat(30 << 10));
    Fault::Body { status: 200, content_type: "application/json".to_owned(), body }
}

#[tokio::test(start_paused = true)]
async fn a_trap_in_the_guest_is_noticed_by_nobody() {
    let limits = Limits { memory: TIGHT, ..Limits::default() };
    let mut stage = Stage::with(Outside::new(LIFETIME), Vec::new(), |builder| builder.limits(limits)).await;
    stage.sandbox().fault(ServiceName::Exchange, bomb(), 3);
    stage.until(|stage| stage.connection.status().generation == 2).await;

    let status = stage.connection.status();
    println!("trap: {} instances trapped and were replaced; {}", status.replacements, stage.tally);
    stage.flawless();
    assert_eq!((status.replacements, status.failures, stage.exchanges()), (3, 3, 5), "{status:?}");
}
