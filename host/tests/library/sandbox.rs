//! Everything at once: the component, the gate, real connections with TLS, and an endpoint that verifies what it gets.

use std::time::Duration;

use keyless::{Cache, Connection, Grant, Runtime, Variables};
use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};

use crate::world::cache;

const PATIENCE: Duration = Duration::from_secs(20);

async fn connect(sandbox: &Sandbox, document: &str) -> Connection {
    let runtime = Runtime::builder()
        .cache(Cache::Directory(cache()))
        .ca_certificates(sandbox.ca_pem().as_bytes())
        .build()
        .unwrap();
    let plan = runtime.plan(document, &Variables::new()).await.unwrap();
    runtime.open(document, Variables::new(), Grant::for_plan(&plan)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_dialect_gets_a_token_that_the_endpoint_vouches_for() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let documents = sandbox.documents();
    for document in [
        &documents.native,
        &documents.airflow_uri,
        &documents.airflow_json,
        &documents.airflow_json_text_extra,
    ] {
        let connection = connect(&sandbox, document).await;
        let credential = connection.ready(PATIENCE).await.unwrap();
        assert!(credential.token().is_some());
        assert_eq!(credential.base_url(), sandbox.base_url());
        connection.close().await.unwrap();
    }
    assert_eq!(sandbox.counters(ServiceName::Exchange).answered(200), 4);
    let exchanges = sandbox.exchanges();
    let request = exchanges.last().unwrap();
    assert_eq!(request.version, "HTTP/2.0");
    assert!(request.header("content-length").is_some());
    for absent in ["accept-encoding", "authorization", "host", "user-agent", "cookie"] {
        assert_eq!(request.header(absent), None, "{absent}");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_answer_of_any_kind_heals_within_the_caller_s_patience() {
    let faults = [
        Fault::status(503),
        Fault::CloseBefore,
        Fault::CloseMidway,
        Fault::EndlessBody,
        Fault::EmptyBody,
        Fault::Html,
        Fault::MalformedJson,
        Fault::expires_in("soon"),
    ];
    let trials = faults.map(|fault| {
        tokio::spawn(async move {
            let sandbox = Sandbox::start(Options::default()).await.unwrap();
            sandbox.fault(ServiceName::Exchange, fault.clone(), 1);
            let connection = connect(&sandbox, &sandbox.documents().native).await;
            let credential = connection.ready(PATIENCE).await;
            assert!(credential.is_ok(), "{fault:?}: {credential:?}");
            assert_eq!(connection.status().failures, 1, "{fault:?}");
            sandbox.stop().await;
        })
    });
    for trial in trials {
        trial.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_does_not_carry_the_identity_token_away() {
    let (sandbox, elsewhere) =
        tokio::join!(Sandbox::start(Options::default()), Sandbox::start(Options::default()));
    let (sandbox, elsewhere) = (sandbox.unwrap(), elsewhere.unwrap());
    let location = elsewhere.token_endpoint();
    sandbox.fault_until_cleared(ServiceName::Exchange, Fault::Redirect { location, status: 307 });
    let connection = connect(&sandbox, &sandbox.documents().native).await;
    connection.ready(Duration::from_secs(3)).await.unwrap_err();
    assert_eq!(elsewhere.counters(ServiceName::Exchange).requests, 0);
    sandbox.stop().await;
    elsewhere.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_an_endpoint_without_a_trusted_certificate() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let runtime = Runtime::builder().cache(Cache::Directory(cache())).build().unwrap();
    let document = sandbox.documents().native;
    let plan = runtime.plan(&document, &Variables::new()).await.unwrap();
    let connection = runtime.open(&document, Variables::new(), Grant::for_plan(&plan)).await.unwrap();
    let error = connection.ready(Duration::from_secs(3)).await.unwrap_err();
    assert!(error.code.contains("tls") || error.code.contains("trust"), "{error}");
    assert_eq!(sandbox.counters(ServiceName::Exchange).requests, 0);
    sandbox.stop().await;
}
