//! What holds for each of the clients: the same promises, told once.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};
use tower::ServiceExt as _;

use crate::world::World;

/// One call of the API by one of the clients: status and body, or the error in words.
pub(crate) enum Client {
    Tower(Box<crate::world::Tower>),
    Reqwest(reqwest_middleware::ClientWithMiddleware),
    AsyncOpenai(crate::async_openai::Service),
}

impl Client {
    /// All three, on one connection.
    fn all(world: &World) -> [Self; 3] {
        [
            Self::Tower(Box::new(world.tower())),
            Self::Reqwest(world.reqwest()),
            Self::AsyncOpenai(crate::async_openai::service(world)),
        ]
    }

    /// `Err`: Keyless' own error code.
    async fn call(&self, method: Method, url: &str, body: &str) -> Result<(StatusCode, Bytes), String> {
        match self {
            Self::Tower(client) => {
                let request =
                    Request::builder().method(method).uri(url).body(Full::from(body.to_owned())).unwrap();
                let response = (**client).clone().oneshot(request).await.map_err(|error| code(&*error))?;
                let (head, body) = response.into_parts();
                Ok((head.status, body.collect().await.unwrap().to_bytes()))
            }
            Self::Reqwest(client) => {
                let sent = client.request(method, url).body(body.to_owned()).send().await;
                let response = sent.map_err(|error| match error {
                    reqwest_middleware::Error::Middleware(inner) => {
                        inner.downcast::<keyless::Error>().unwrap().code.into_owned()
                    }
                    other => panic!("{other:?}"),
                })?;
                Ok((response.status(), response.bytes().await.unwrap()))
            }
            Self::AsyncOpenai(service) => {
                let sent = service.clone().oneshot(crate::async_openai::factory(method, url, body)).await;
                let response = sent.map_err(|error| match error {
                    ::async_openai::error::OpenAIError::Boxed(inner) => code(&*inner),
                    other => panic!("{other:?}"),
                })?;
                Ok((response.status(), response.bytes().await.unwrap()))
            }
        }
    }

    async fn models(&self, world: &World) -> Result<StatusCode, String> {
        self.call(Method::GET, &world.url("/models"), "").await.map(|(status, _)| status)
    }
}

fn code(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    error.downcast_ref::<keyless::Error>().unwrap_or_else(|| panic!("{error:?}")).code.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_cold_requests_are_one_exchange() {
    for which in 0..3 {
        let world = World::new().await;
        let client = std::sync::Arc::new(Client::all(&world).into_iter().nth(which).unwrap());
        let url = world.url("/models");
        let calls: Vec<_> = (0..64)
            .map(|_| {
                let (client, url) = (client.clone(), url.clone());
                tokio::spawn(
                    async move { client.call(Method::GET, &url, "").await.map(|(status, _)| status) },
                )
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(StatusCode::OK));
        }
        assert_eq!((world.exchanges(), world.calls().len()), (1, 64));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_for_the_first_credential_through_an_outage() {
    for which in 0..3 {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.fault(ServiceName::Exchange, Fault::status(503), 2);
        let world = World::on(sandbox).await;
        assert_eq!(Client::all(&world)[which].models(&world).await, Ok(StatusCode::OK));
        assert_eq!((world.exchanges(), world.connection.status().failures), (3, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_401_the_same_request_is_sent_once_more_with_the_next_credential() {
    for which in 0..3 {
        let world = World::new().await;
        let client = &Client::all(&world)[which];
        assert_eq!(client.models(&world).await, Ok(StatusCode::OK));
        assert_eq!(world.sandbox.revoke_all(), 1);
        let question = r#"{"model":"sandbox-1","input":"What was that?"}"#;
        let (status, answer) = client.call(Method::POST, &world.url("/responses"), question).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        assert!(String::from_utf8_lossy(&answer).contains("What was that?"));

        assert_eq!(world.statuses(), [Some(200), Some(401), Some(200)]);
        let calls = world.calls();
        assert_eq!(calls[1].body, calls[2].body);
        assert_eq!(calls[1].path, calls[2].path);
        assert_eq!(calls[0].header("authorization"), calls[1].header("authorization"));
        assert_ne!(calls[1].header("authorization"), calls[2].header("authorization"));
        assert_eq!(world.exchanges(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_always_answers_401_is_asked_twice_and_then_once() {
    for which in 0..3 {
        let world = World::new().await;
        world.sandbox.fault_until_cleared(ServiceName::Upstream, Fault::status(401));
        let client = &Client::all(&world)[which];
        assert_eq!(client.models(&world).await, Ok(StatusCode::UNAUTHORIZED));
        assert_eq!((world.calls().len(), world.exchanges()), (2, 2));
        // A renewal is forced once in half a minute, and without a new credential there is nothing to try.
        assert_eq!(client.models(&world).await, Ok(StatusCode::UNAUTHORIZED));
        assert_eq!((world.calls().len(), world.exchanges()), (3, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_answers_are_not_sent_again() {
    let world = World::new().await;
    for client in Client::all(&world) {
        for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
            let before = world.calls().len();
            world.sandbox.fault(ServiceName::Upstream, Fault::status(status.as_u16()), 1);
            assert_eq!(client.models(&world).await, Ok(status));
            assert_eq!(world.calls().len(), before + 1);
        }
    }
    assert_eq!(world.exchanges(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_place_gets_neither_the_credential_nor_the_request() {
    let world = World::new().await;
    let elsewhere = Sandbox::start(Options::default()).await.unwrap();
    let base = world.sandbox.base_url();
    let plain = base.replace("https:", "http:");
    let sibling = format!("{base}0/models");
    let above = base.trim_end_matches("/v1").to_owned() + "/admin";
    for client in Client::all(&world) {
        for url in [
            format!("{}/models", elsewhere.base_url()),
            format!("{plain}/models"),
            sibling.clone(),
            above.clone(),
        ] {
            let refused = client.call(Method::GET, &url, "").await.unwrap_err();
            assert_eq!(refused, "request-elsewhere", "{url}");
        }
        assert_eq!(client.models(&world).await, Ok(StatusCode::OK));
    }
    assert_eq!(elsewhere.counters(ServiceName::Upstream).requests, 0);
    assert_eq!(world.calls().len(), 3);
    elsewhere.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_the_answer_and_carries_nothing_away() {
    let world = World::new().await;
    let elsewhere = Sandbox::start(Options::default()).await.unwrap();
    let location = format!("{}/models", elsewhere.base_url());
    world.sandbox.fault_until_cleared(ServiceName::Upstream, Fault::Redirect { location, status: 307 });
    for client in Client::all(&world) {
        assert_eq!(client.models(&world).await, Ok(StatusCode::TEMPORARY_REDIRECT));
    }
    assert_eq!(elsewhere.counters(ServiceName::Upstream).requests, 0);
    elsewhere.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_has_to_act_on_is_told_at_once() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.remove_token().unwrap();
    let world = World::on(sandbox).await;
    for client in Client::all(&world) {
        let started = std::time::Instant::now();
        assert_eq!(client.models(&world).await, Err("token-file-missing".to_owned()));
        assert!(started.elapsed().as_secs() < 8, "that took {:?}", started.elapsed());
    }
    assert!(world.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_can_be_shown_holds_the_token() {
    let world = World::new().await;
    let credential = world.generation(1).await;
    let token = credential.token().unwrap();
    let layer = keyless::tower::AuthorizeLayer::new(world.connection.clone());
    let authorize = keyless::reqwest::Authorize::new(world.connection.clone());
    let shown = format!("{layer:?} {:?} {authorize:?} {:?}", world.tower(), world.reqwest());
    assert!(!shown.contains(token) && shown.contains("AuthorizeLayer"), "{shown}");
}
