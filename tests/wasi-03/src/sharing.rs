//! Any number of callers, one exchange.

use futures::future::join_all;
use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};

use crate::clocks::Clocks;
use crate::host::Host;

#[tokio::test]
async fn sixty_four_cold_callers_share_one_exchange() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
    let document = sandbox.documents().native;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let credentials = join_all((0..64).map(|_| connection.credential())).await;
        let first = credentials[0].as_ref().unwrap();
        assert_eq!((first.generation, first.headers[0].name.as_str()), (1, "authorization"));
        for credential in &credentials {
            assert_eq!(credential.as_ref().unwrap().headers[0].value, first.headers[0].value);
        }
        calls.idle().await;
        assert_eq!(sandbox.exchanges().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn those_who_come_while_others_wait_share_it_too() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
    let document = sandbox.documents().native;
    sandbox.fault(ServiceName::Exchange, Fault::Delay { ms: 200, then: None }, 1);
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let late = async {
            sandbox.wait_for_requests(ServiceName::Exchange, 1).await;
            // Looking at a connection that is busy waits for nothing.
            assert_eq!(connection.status().await.generation, 0);
            futures::join!(connection.credential(), connection.renew())
        };
        let (early, late) = futures::join!(connection.credential(), late);
        assert_eq!(early.unwrap().generation, 1);
        assert_eq!((late.0.unwrap().generation, late.1.unwrap().generation), (1, 1));
        assert_eq!(sandbox.exchanges().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn connections_of_one_instance_have_nothing_in_common() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
    let documents = sandbox.documents();
    host.run(async |calls| {
        let one = calls.open(&documents.native, &Vec::new()).await.unwrap();
        let other = calls.open(&documents.airflow_json, &Vec::new()).await.unwrap();
        let (one, other) = futures::join!(one.credential(), other.credential());
        assert_ne!(one.unwrap().headers[0].value, other.unwrap().headers[0].value);
        assert_eq!(sandbox.exchanges().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_static_key_needs_nobody() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
    let document = sandbox.documents().native_static;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let credential = connection.credential().await.unwrap();
        assert_eq!(credential.headers[0].value, format!("Bearer {}", sandbox.api_key()));
        assert_eq!((credential.renew_at, credential.expires_at), (None, None));
        calls.idle().await;
        assert!(sandbox.exchanges().is_empty());
    })
    .await;
}
