//! The credential goes to the API that it opens, and the identity to the token endpoint: whatever is asked, nobody else is
//! called.

use bytes::Bytes;
use http::Request;
use keyless_sandbox::{Fault, ServiceName};

use crate::api::Api;
use crate::client::{ask, get};
use crate::server::Instances;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_called() {
    let world = World::start(Instances::One).await;
    let elsewhere = Api::listen().await;
    for (uri, host, status) in [
        ("/v1/models".to_owned(), "localhost", 200),
        // A request to a proxy.
        (format!("http://{}/v1/models", elsewhere.address), "localhost", 200),
        ("/v1/models".to_owned(), "127.0.0.1", 200),
        ("/v1/models".to_owned(), "evil.example", 403),
        ("//evil.example/v1/models".to_owned(), "localhost", 404),
        ("/v1@evil.example/".to_owned(), "localhost", 404),
        ("/v1.evil.example/".to_owned(), "localhost", 404),
        ("/v1/../../x".to_owned(), "localhost", 400),
        ("/v1/%2e%2e/x".to_owned(), "localhost", 400),
        ("/v1/x%2f..%2fy".to_owned(), "localhost", 400),
        ("/v1/x%0d%0ahost:evil".to_owned(), "localhost", 400),
        ("/v2/models".to_owned(), "localhost", 404),
        ("/".to_owned(), "localhost", 404),
    ] {
        let request = Request::get(&uri).header("host", host).body(Bytes::new()).unwrap();
        let answer = world.ask(request).await;
        assert_eq!(answer.status, status, "{uri} {host}: {answer:?}");
    }
    let redirect =
        Fault::Redirect { location: format!("http://{}/v1/models", elsewhere.address), status: 307 };
    world.sandbox.fault(ServiceName::Upstream, redirect, 1);
    let answer = world.ask(get("/v1/models")).await;
    assert_eq!(answer.status, 307, "it is the client's to follow");

    let expected = [world.sandbox.url(ServiceName::Exchange), world.sandbox.url(ServiceName::Upstream)];
    for called in world.network.called() {
        assert!(expected.contains(&called), "{called} was called; expected: {expected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_would_show_the_credential_or_make_a_tunnel_go_nowhere() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    for method in ["TRACE", "trace"] {
        let request = Request::builder().method(method).uri("/v1/x").body(Bytes::new()).unwrap();
        let answer = ask(server.address, request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (405, "method-not-allowed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_not_there_is_told_apart() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    let asking = tokio::spawn(ask(server.address, get("/v1/x")));
    // Read, and closed without an answer.
    drop(api.next().await);
    let answer = asking.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "upstream-failed"));
    drop(api);
    let answer = ask(server.address, get("/v1/x")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "upstream-unreachable"));
}
