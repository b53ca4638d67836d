//! The token endpoint misbehaves when a renewal is due. Who holds a credential does not notice.

use std::time::Duration;

use keyless_sandbox::{Fault, ServiceName};

use crate::door::Door;
use crate::outside::Outside;
use crate::stage::{LIFETIME, Stage};

/// The next request is answered badly; the renewal after it succeeds.
async fn one_bad_answer(stage: &mut Stage, fault: Fault) {
    let before = stage.connection.status();
    let requests = stage.exchanges();
    let text = format!("{fault:?}");
    let name = text.split([' ', '(']).next().unwrap();
    stage.sandbox().fault(ServiceName::Exchange, fault, 1);
    stage
        .until_or_stuck(
            |stage| stage.connection.status().generation > before.generation,
            |stage| stage.exchanges() > requests && stage.connection.status().failures == before.failures,
        )
        .await;
    let status = stage.connection.status();
    let exchanges = stage.exchanges() - requests;
    println!("{name}: {exchanges} exchanges, 1 of them bad; {}", stage.tally);
    stage.flawless();
    assert_eq!((status.failures - before.failures, exchanges), (1, 2), "{name}: {status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drip_fed_answer_is_cut_off_and_noticed_by_nobody() {
    let mut stage = Stage::new().await;
    // Longer than the 10 s of a request, were anybody to wait for it.
    one_bad_answer(&mut stage, Fault::Drip { bytes: 1, pause_ms: 100 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_redirect_carries_nothing_away_and_is_noticed_by_nobody() {
    let elsewhere = Outside::new(LIFETIME);
    let location = elsewhere.sandbox.token_endpoint();
    let mut stage = Stage::new().await;
    for status in [301, 302, 303, 307, 308] {
        one_bad_answer(&mut stage, Fault::Redirect { location: location.clone(), status }).await;
    }
    assert_eq!(elsewhere.sandbox.counters(ServiceName::Exchange).requests, 0);
}

#[tokio::test(start_paused = true)]
async fn any_other_bad_answer_is_noticed_by_nobody() {
    let mut stage = Stage::new().await;
    for fault in [
        Fault::status(429),
        Fault::status(401),
        Fault::Stall,
        Fault::StallMidway,
        Fault::CloseBefore,
        Fault::CloseMidway,
        Fault::EndlessBody,
        Fault::EmptyBody,
        Fault::Html,
        Fault::MalformedJson,
        Fault::expires_in("soon"),
    ] {
        one_bad_answer(&mut stage, fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_tls_handshake_is_given_up_and_noticed_by_nobody() {
    let outside = Outside::new(LIFETIME);
    let port = outside.sandbox.port(ServiceName::Exchange);
    let door = Door::to(&outside, port).await;
    let rule = format!("localhost:{port}:{}", door.address).parse().unwrap();
    let mut stage = Stage::with(outside, vec![rule], |builder| builder).await;

    door.shut();
    let stuck = |stage: &Stage| {
        let failures = stage.connection.status().failures;
        usize::try_from(failures).unwrap() < door.held()
    };
    stage.until_or_stuck(|stage| stage.connection.status().failures == 3, stuck).await;
    door.open();
    stage.until(|stage| stage.connection.status().generation == 2).await;

    println!("stalled handshake: {} connections stalled; {}", door.held(), stage.tally);
    stage.flawless();
    assert_eq!((door.held(), stage.exchanges()), (3, 2));
    assert!(stage.remaining() > LIFETIME - Duration::from_secs(60));
}
