//! The issuer's documents, and how the token endpoint follows its keys.

use std::time::Duration;

use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};
use serde_json::json;

use crate::client::Client;

/// How often the token endpoint fetched the key set.
fn key_fetches(sandbox: &Sandbox) -> usize {
    sandbox.requests(ServiceName::Issuer).iter().filter(|request| request.path == "/openid/v1/jwks").count()
}

#[tokio::test]
async fn discovery_leads_to_the_keys() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let discovery = client.get(ServiceName::Issuer, "/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["issuer"], sandbox.issuer_url());
    assert_eq!(discovery["jwks_uri"], format!("{}/openid/v1/jwks", sandbox.issuer_url()));
    let keys = client.get(ServiceName::Issuer, "/openid/v1/jwks").await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(keys["keys"][0]["kid"], sandbox.key_ids()[0]);
    assert!(keys["keys"][0].get("d").is_none(), "a private key is published");
    assert_eq!(client.get(ServiceName::Issuer, "/other").await.status, 404);
    let posted = client.post_json(ServiceName::Issuer, "/openid/v1/jwks", &json!({})).await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn keys_are_cached_and_refetched_for_an_unknown_kid() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    client.access_token().await;
    client.access_token().await;
    assert_eq!(key_fetches(&sandbox), 1);

    // A new key that the token in the volume does not use yet changes nothing.
    sandbox.rotate_keys(true).unwrap();
    assert_eq!(sandbox.key_ids().len(), 2);
    client.access_token().await;
    assert_eq!(key_fetches(&sandbox), 1);
    sandbox.rotate_token().unwrap();
    client.access_token().await;
    assert_eq!(key_fetches(&sandbox), 2);

    // The old keys are gone: a token that they signed is refused once the endpoint looks again.
    let old = sandbox.issue(&sandbox.claims()).unwrap();
    sandbox.rotate_keys(false).unwrap();
    sandbox.rotate_token().unwrap();
    client.access_token().await;
    assert_eq!(key_fetches(&sandbox), 3);
    sandbox.write_raw(old.as_bytes()).unwrap();
    let refused = client.exchange().await;
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("kid is unknown"));
}

#[tokio::test]
async fn the_cache_grows_stale_and_bridges_an_outage_until_then() {
    let sandbox =
        Sandbox::start(Options { subject_lifetime: Duration::from_secs(7_200), ..Options::default() })
            .await
            .unwrap();
    let client = Client::new(&sandbox);
    client.access_token().await;
    sandbox.fault_until_cleared(ServiceName::Issuer, Fault::status(500));
    client.access_token().await;
    sandbox.advance_clock(Duration::from_secs(600));
    let outage = client.exchange().await;
    assert_eq!((outage.status.as_u16(), &outage.json()["error"]), (503, &json!("temporarily_unavailable")));
    assert!(outage.text().contains("the issuer answered 500"));
    sandbox.clear_faults(Some(ServiceName::Issuer));
    client.access_token().await;
}

#[tokio::test]
async fn an_unusable_issuer_is_named() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let set = |name: &str, value: &str| Fault::SetField { name: name.to_owned(), value: value.into() };
    let cases = [
        (set("issuer", "https://elsewhere.example"), "names another issuer"),
        (Fault::DropField { name: "jwks_uri".to_owned() }, "has no jwks_uri"),
        (set("jwks_uri", "http://localhost/"), "not https"),
        (Fault::MalformedJson, "not JSON"),
        (Fault::EndlessBody, "too large or incomplete"),
        (Fault::CloseBefore, "broke"),
        (Fault::Redirect { location: "https://elsewhere.example".to_owned(), status: 302 }, "answered 302"),
    ];
    for (fault, words) in cases {
        sandbox.fault(ServiceName::Issuer, fault, 1);
        let reply = client.exchange().await;
        assert_eq!(reply.status, 503, "{words}");
        assert!(reply.text().contains(words), "{} lacks: {words}", reply.text());
    }
    client.access_token().await;
}
