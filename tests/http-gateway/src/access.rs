//! Who may use the gateway, and what it says when it is not set up.

use bytes::Bytes;
use http::Request;

use crate::client::{ask, get};
use crate::network::Network;
use crate::server::{Given, Instances, Server};
use crate::world::World;

const BEARER: &str = "0123456789abcdef";

fn with(headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::get("/v1/models");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bearer_programs_of_this_machine_are_let_in_and_web_pages_are_not() {
    let world =
        World::with(Instances::One, &[("KEYLESS_ACCESS_HOSTS", "a.internal, keyless.internal")]).await;
    for (headers, status) in [
        (&[("host", "LOCALHOST:8080")][..], 200),
        (&[("host", "[::1]:8080")], 200),
        (&[("host", "127.0.0.2")], 200),
        (&[("host", "keyless.internal:80")], 200),
        (&[("host", "10.0.0.1:8080")], 403),
        (&[("host", "attacker.example")], 403),
        (&[("host", "localhost.attacker.example")], 403),
        (&[("host", "localhost@attacker.example")], 403),
        (&[("host", "localhost:8080"), ("origin", "http://localhost:8080")], 200),
        (&[("host", "localhost:8080"), ("origin", "http://localhost:3000")], 403),
        (&[("host", "localhost:8080"), ("origin", "null")], 403),
        (&[("host", "localhost:8080"), ("sec-fetch-site", "cross-site")], 403),
        (&[("host", "localhost:8080"), ("sec-fetch-site", "same-origin")], 200),
    ] {
        assert_eq!(world.ask(with(headers)).await.status, status, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_bearer_whoever_presents_it_is_let_in() {
    let world = World::with(Instances::One, &[("KEYLESS_ACCESS_BEARER", BEARER)]).await;
    for (headers, status) in [
        (&[("host", "gateway.example")][..], 401),
        (&[("host", "gateway.example"), ("authorization", "Bearer 0123456789abcdef")], 200),
        (&[("host", "gateway.example"), ("authorization", "bearer 0123456789abcdef")], 200),
        (&[("host", "gateway.example"), ("authorization", "0123456789abcdef")], 401),
        (&[("host", "gateway.example"), ("authorization", "Bearer 0123456789abcdeF")], 401),
        (&[("host", "gateway.example"), ("x-api-key", "0123456789abcdef")], 200),
        (&[("host", "localhost"), ("api-key", "0123456789abcde")], 401),
    ] {
        assert_eq!(world.ask(with(headers)).await.status, status, "{headers:?}");
    }
    for call in world.calls() {
        assert!(!format!("{call:?}").contains(BEARER), "the bearer is for this gateway, not for the API");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_that_can_be_guessed_lets_nobody_in() {
    for bearer in ["short", "with a space in it, and long"] {
        let world = World::with(Instances::One, &[("KEYLESS_ACCESS_BEARER", bearer)]).await;
        let answer = world.ask(with(&[("x-api-key", bearer)])).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "bearer-unusable"));
        assert!(!String::from_utf8_lossy(&answer.body).contains(bearer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_set_up_says_what_is_wrong() {
    let x509 = r#"{"source": {"type": "x509", "certificate_file": "/c.pem", "private_key_file": "/k.pem"},
                   "exchange": {"identity_provider_id": "idp_x", "service_account_id": "svc_acct_x"}}"#;
    for (document, code) in [
        (None, "connection-missing"),
        (Some(""), "connection-missing"),
        (Some("{"), "document-syntax"),
        (Some(r#"{"api_key": {"variable": "NOT_SET"}}"#), "field-missing"),
        (Some(x509), "client-certificate"),
    ] {
        let environment = document
            .map(|document| ("KEYLESS_CONNECTION".to_owned(), document.to_owned()))
            .into_iter()
            .collect();
        let given = Given { environment, directory: None, network: Network::trusting(None) };
        let server = Server::start(given, Instances::OnePerRequest).await;
        let answer = ask(server.address, get("/v1/models")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, code), "{document:?}");
    }
}
