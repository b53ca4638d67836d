//! The token endpoint is away for longer than half a lifetime, and callers go on.

use keyless_sandbox::{Fault, ServiceName};
use tokio::time::Instant;

use crate::stage::{LIFETIME, STEP, Stage};

#[tokio::test(start_paused = true)]
async fn an_outage_of_more_than_half_a_lifetime_is_noticed_by_nobody() {
    let mut stage = Stage::new().await;
    stage.sandbox().fault_until_cleared(ServiceName::Exchange, Fault::status(503));
    let began = Instant::now();
    // The last attempt before the end comes half a minute before it.
    stage.until(|stage| stage.remaining() < 4 * STEP).await;
    let outage = began.elapsed();
    let failures = stage.connection.status().failures;
    stage.sandbox().clear_faults(None);
    stage.until(|stage| stage.connection.status().generation == 2).await;
    let renewed = began.elapsed();

    println!(
        "outage: endpoint down for {outage:.0?} of {LIFETIME:.0?}, {failures} attempts failed, renewed {:.0?} after it; {}",
        renewed - outage,
        stage.tally
    );
    stage.flawless();
    assert!(outage > LIFETIME / 2 && failures > 0);
}
