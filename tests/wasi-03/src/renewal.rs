//! A credential in time, and what a 401 does.

use std::time::Duration;

use keyless_sandbox::{Fault, ServiceName};

use crate::bindings::Phase;
use crate::clocks::{pass, until_due};
use crate::stage::Stage;

#[tokio::test]
async fn a_due_renewal_makes_nobody_wait_and_goes_on_after_the_call() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let first = connection.credential().await.unwrap();
        pass(&sandbox, &clocks, until_due(&sandbox, &first));
        sandbox.fault(ServiceName::Exchange, Fault::Delay { ms: 200, then: None }, 1);
        // The answer is 200 ms away, and this does not wait for it.
        assert_eq!(connection.credential().await.unwrap().generation, 1);
        let status = connection.status().await;
        assert_eq!((status.phase, status.renewals), (Phase::Renewing, 1));
        // No call is waiting now.
        calls.idle().await;
        assert_eq!(connection.status().await.renewals, 2);
        assert_eq!(connection.credential().await.unwrap().generation, 2);
        assert_eq!(sandbox.exchanges().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn renew_waits_for_what_is_due_and_does_nothing_when_nothing_is() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let first = connection.renew().await.unwrap();
        for _ in 0..20 {
            assert_eq!(connection.renew().await.unwrap().generation, 1);
        }
        pass(&sandbox, &clocks, until_due(&sandbox, &first));
        let second = connection.renew().await.unwrap();
        assert_eq!(second.generation, 2);
        assert_ne!(second.headers[0].value, first.headers[0].value);
        assert_eq!(sandbox.exchanges().len(), 2);
    })
    .await;
}

/// A host may stop turning the event loop whenever no call waits.
#[tokio::test]
async fn a_renewal_stands_still_with_the_event_loop_and_goes_on_with_it() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    let resource = host
        .run(async |calls| {
            let connection = calls.open(&document, &Vec::new()).await.unwrap();
            let first = connection.credential().await.unwrap();
            calls.idle().await;
            pass(&sandbox, &clocks, until_due(&sandbox, &first));
            assert_eq!(connection.credential().await.unwrap().generation, 1);
            connection.resource
        })
        .await;
    host.run(async |calls| {
        let connection = calls.connection(resource);
        assert_eq!(connection.renew().await.unwrap().generation, 2);
        calls.idle().await;
        assert_eq!(sandbox.exchanges().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_refused_credential_is_replaced_once() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let first = connection.credential().await.unwrap();
        // Sixty-four requests got a 401 to it.
        futures::future::join_all((0..64).map(|_| connection.reject(first.generation))).await;
        let second = connection.credential().await.unwrap();
        assert_eq!(second.generation, 2);
        assert_ne!(second.headers[0].value, first.headers[0].value);
        // A word that comes late, about the one that is gone.
        connection.reject(first.generation).await;
        assert_eq!(connection.renew().await.unwrap().generation, 2);
        // At most every 30 seconds.
        connection.reject(second.generation).await;
        calls.idle().await;
        assert_eq!(sandbox.exchanges().len(), 2);
        pass(&sandbox, &clocks, Duration::from_secs(31));
        connection.reject(second.generation).await;
        assert_eq!(connection.renew().await.unwrap().generation, 3);
        assert_eq!(sandbox.exchanges().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_renewals_leave_nothing_behind() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        for generation in 1..=100 {
            let credential = connection.renew().await.unwrap();
            assert_eq!(credential.generation, generation);
            calls.idle().await;
            assert_eq!(calls.handles(), 0, "after generation {generation}");
            pass(&sandbox, &clocks, until_due(&sandbox, &credential));
        }
    })
    .await;
    // The table of the connection, and what every instance has.
    let tables = host.store.concurrent_state_table_size();
    assert!(tables < 20, "{tables}");
}
