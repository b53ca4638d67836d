//! Requests that two programs could read differently. The cases are in `smuggling.json`, each with where it comes from.
//!
//! What holds for all: the upstream never sees the request that hides in another one.

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::upstream::Api;
use crate::world::{World, get, within};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[expect(dead_code, reason = "for the reader")]
    source: String,
    /// As it goes over the wire, each character a byte.
    request: String,
    /// The upstream sees nothing of it.
    #[serde(default)]
    refused: bool,
    /// The upstream may see its head, and its body does not end.
    #[serde(default)]
    cut: bool,
    /// The upstream sees this request alone, whose end is where it has to be.
    #[serde(default)]
    framed: Option<String>,
}

#[tokio::test]
async fn nothing_hides_in_a_request() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("smuggling.json")).unwrap();
    assert!(cases.len() > 40);
    let api = Api::start().await;
    let world = World::new(api.address);
    for Case { name, request, refused, cut, framed, .. } in cases {
        api.seen.lock().unwrap().clear();
        let mut client = world.client().await;
        let bytes: Vec<u8> = request.chars().map(|one| u8::try_from(u32::from(one)).unwrap()).collect();
        client.send(&bytes).await;
        let mut answers = Vec::new();
        if framed.is_some() {
            answers.extend(client.head().await.into_bytes());
        }
        client.0.shutdown().await.unwrap();
        let _reset = within(client.0.read_to_end(&mut answers)).await;
        let answers = String::from_utf8_lossy(&answers);
        let seen = api.seen();
        assert!(!seen.iter().any(|request| request.contains("smuggled")), "{name}: {seen:?}");
        match (refused, cut, &framed) {
            (true, false, None) => {
                assert!(seen.is_empty(), "{name}: {seen:?}");
                assert!(answers.is_empty() || answers.starts_with("HTTP/1.1 4"), "{name}: {answers}");
            }
            (false, true, None) => assert!(!answers.contains(" 200 OK"), "{name}: {answers}"),
            (false, false, Some(request)) => {
                assert_eq!(seen, [request.as_str()], "{name}");
                assert!(answers.starts_with("HTTP/1.1 200"), "{name}: {answers}");
            }
            _ => panic!("{name}: one of refused, cut and framed"),
        }
        assert_eq!(world.ask(&get("/after")).await.status, 200, "{name}");
    }
}
