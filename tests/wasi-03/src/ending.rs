//! The end of a connection is the end of what it has under way.

use std::time::Duration;

use keyless_sandbox::{Fault, ServiceName};
use tokio::time::timeout;

use crate::clocks::{pass, until_due};
use crate::stage::Stage;

/// The component itself would leave a stalled endpoint after ten seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Closed by a call, which is async.
#[tokio::test]
async fn closing_gives_up_a_renewal_under_way() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let first = connection.credential().await.unwrap();
        pass(&sandbox, &clocks, until_due(&sandbox, &first));
        sandbox.fault(ServiceName::Exchange, Fault::Stall, 1);
        connection.credential().await.unwrap();
        sandbox.wait_for_requests(ServiceName::Exchange, 2).await;
        connection.close().await.unwrap();
        timeout(PATIENCE, calls.idle()).await.unwrap();
        assert_eq!(calls.handles(), 0);
    })
    .await;
}

/// Dropped: its destructor is no async function, and must not wait.
#[tokio::test]
async fn dropping_gives_up_a_renewal_under_way() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    let resource = host
        .run(async |calls| {
            let connection = calls.open(&document, &Vec::new()).await.unwrap();
            let first = connection.credential().await.unwrap();
            pass(&sandbox, &clocks, until_due(&sandbox, &first));
            sandbox.fault(ServiceName::Exchange, Fault::Stall, 1);
            connection.credential().await.unwrap();
            sandbox.wait_for_requests(ServiceName::Exchange, 2).await;
            connection.resource
        })
        .await;
    resource.resource_drop_async(&mut host.store).await.unwrap();
    host.run(async |calls| {
        timeout(PATIENCE, calls.idle()).await.unwrap();
        assert_eq!(calls.handles(), 0);
        // The instance is as good as before.
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        assert_eq!(connection.credential().await.unwrap().generation, 1);
    })
    .await;
}
