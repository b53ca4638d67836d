//! What is out of order outside, and what the component makes of it.

use std::time::Duration;

use futures::future::join_all;
use keyless_sandbox::{Fault, Options, RetryAfter, Sandbox, ServiceName};

use crate::bindings::{Error, Phase, Problem};
use crate::clocks::{Clocks, pass, until_due};
use crate::host::Host;
use crate::stage::Stage;

#[tokio::test]
async fn an_outage_is_told_to_all_at_once_and_paced() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    sandbox.fault_until_cleared(
        ServiceName::Exchange,
        Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(60)) },
    );
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let refused = join_all((0..64).map(|_| connection.credential())).await;
        let mut pause = Duration::ZERO;
        for refused in refused {
            let problem = unavailable(refused);
            assert_eq!(problem.code, "endpoint-failed");
            pause = Duration::from_millis(problem.retry_after_ms.unwrap());
            assert!(pause > Duration::from_secs(59), "{pause:?}");
        }
        let asked = sandbox.exchanges().len();
        assert_eq!(unavailable(connection.credential().await).code, "endpoint-failed");
        calls.idle().await;
        assert_eq!(sandbox.exchanges().len(), asked, "asked again before its time");

        sandbox.clear_faults(None);
        clocks.advance(pause);
        assert_eq!(connection.credential().await.unwrap().generation, 1);
    })
    .await;
}

#[tokio::test]
async fn an_outage_hides_no_credential_that_is_held() {
    let Stage { sandbox, clocks, mut host, document } = Stage::new().await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let held = connection.credential().await.unwrap();
        sandbox.fault_until_cleared(ServiceName::Exchange, Fault::Status { status: 503, retry_after: None });
        pass(&sandbox, &clocks, until_due(&sandbox, &held));
        for _ in 0..3 {
            assert_eq!(connection.renew().await.unwrap().headers[0].value, held.headers[0].value);
        }
        let status = connection.status().await;
        assert_eq!((status.phase, status.generation), (Phase::Waiting, 1));
        // Past its end it is given to nobody.
        pass(&sandbox, &clocks, Duration::from_secs(3_600));
        unavailable(connection.credential().await);
    })
    .await;
}

/// Each attempt is told apart: what the engine says of it shows that the fault came through WASI 0.3 as it was.
#[tokio::test]
async fn every_way_to_answer_badly_is_named() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let document = sandbox.documents().native;
    for (fault, code) in [
        (Fault::Html, "response-malformed"),
        (Fault::EmptyBody, "response-malformed"),
        (Fault::MalformedJson, "response-malformed"),
        (Fault::EndlessBody, "response-too-large"),
        (Fault::CloseBefore, "endpoint-unreachable"),
        (Fault::CloseMidway, "endpoint-unreachable"),
        (Fault::Redirect { location: sandbox.token_endpoint(), status: 307 }, "endpoint-redirect"),
    ] {
        let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
        let shown = format!("{fault:?}");
        sandbox.fault_until_cleared(ServiceName::Exchange, fault);
        host.run(async |calls| {
            let connection = calls.open(&document, &Vec::new()).await.unwrap();
            assert_eq!(unavailable(connection.credential().await).code, code, "{shown}");
            calls.idle().await;
            assert_eq!(calls.handles(), 0, "{shown}");
        })
        .await;
        sandbox.clear_faults(None);
    }
}

/// One that never answers, and one that stops in the middle: the deadline is for the whole.
#[tokio::test]
async fn a_deadline_ends_what_does_not_end() {
    let never = deadline(Fault::Stall);
    let midway = deadline(Fault::StallMidway);
    futures::join!(never, midway);
}

async fn deadline(fault: Fault) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
    let document = sandbox.documents().native;
    sandbox.fault(ServiceName::Exchange, fault, 1);
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        assert_eq!(unavailable(connection.credential().await).code, "endpoint-timeout");
        calls.idle().await;
        assert_eq!(calls.handles(), 0);
    })
    .await;
}

fn unavailable<T>(result: Result<T, Error>) -> Problem {
    match result {
        Err(Error::Unavailable(problem)) => problem,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("a credential"),
    }
}
