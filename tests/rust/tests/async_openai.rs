//! async-openai itself, through its service of tower.

use ::async_openai::Client;
use ::async_openai::config::OpenAIConfig;
use ::async_openai::error::OpenAIError;
use ::async_openai::middleware::HttpRequestFactory;
use ::async_openai::types::InputSource;
use ::async_openai::types::chat::{ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs};
use ::async_openai::types::files::{CreateFileRequestArgs, FileInput, FilePurpose};
use ::async_openai::types::responses::CreateResponseArgs;
use futures_util::StreamExt as _;
use http::Method;
use keyless::reqwest::Authorize;
use keyless_sandbox::{Fault, Options, ServiceName};
use reqwest::redirect::Policy;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use crate::world::{PATIENCE, World, trusting};

pub(crate) type Service = BoxCloneSyncService<HttpRequestFactory, reqwest::Response, OpenAIError>;

/// As in the example, without retries.
pub(crate) fn service(world: &World) -> Service {
    let authorize = Authorize::new(world.connection.clone());
    let http = trusting(&world.sandbox).redirect(Policy::none()).build().unwrap();
    BoxCloneSyncService::new(service_fn(move |make: HttpRequestFactory| {
        let (authorize, http) = (authorize.clone(), http.clone());
        async move { authorize.send::<OpenAIError, _, _>(&http, || make.build()).await }
    }))
}

/// What async-openai hands to its service.
pub(crate) fn factory(method: Method, url: &str, body: &str) -> HttpRequestFactory {
    let (url, body) = (url.parse::<reqwest::Url>().unwrap(), body.to_owned());
    HttpRequestFactory::new(move || {
        let mut request = reqwest::Request::new(method.clone(), url.clone());
        *request.body_mut() = Some(body.clone().into());
        async move { Ok(request) }
    })
}

fn client(world: &World) -> Client<OpenAIConfig> {
    let config = OpenAIConfig::new().with_api_base(world.sandbox.base_url()).with_api_key("set by Keyless");
    Client::with_config(config).with_http_service(service(world))
}

fn question(text: &str) -> ::async_openai::types::chat::CreateChatCompletionRequest {
    CreateChatCompletionRequestArgs::default()
        .model("sandbox-1")
        .messages([ChatCompletionRequestUserMessage::from(text).into()])
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_calls_are_answered_and_the_key_of_its_configuration_is_never_sent() {
    let world = World::new().await;
    let client = client(&world);
    assert!(!client.models().list().await.unwrap().data.is_empty());
    let answer = client.chat().create(question("Who are you?")).await.unwrap();
    assert!(answer.choices[0].message.content.as_ref().unwrap().contains("Who are you?"));
    let question = CreateResponseArgs::default().model("sandbox-1").input("And now?").build().unwrap();
    let answer = client.responses().create(question).await.unwrap();
    assert!(answer.output_text().unwrap().contains("And now?"));
    let used: Vec<_> =
        world.calls().iter().map(|call| call.header("authorization").unwrap().to_owned()).collect();
    assert_eq!((used.len(), world.exchanges()), (3, 1));
    assert!(used.iter().all(|header| *header == used[0]), "{used:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_answer_comes_piece_by_piece_after_a_401_too() {
    let world = World::new().await;
    let client = client(&world);
    client.models().list().await.unwrap();
    world.sandbox.revoke_all();
    let mut answer = client.chat().create_stream(question("One piece at a time")).await.unwrap();
    let (mut text, mut pieces) = (String::new(), 0);
    while let Some(piece) = answer.next().await {
        for choice in piece.unwrap().choices {
            text += &choice.delta.content.unwrap_or_default();
            pieces += 1;
        }
    }
    assert!(text.contains("One piece at a time") && pieces > 3, "{pieces} pieces: {text}");
    assert_eq!(world.statuses(), [Some(200), Some(401), Some(200)]);
}

/// The pause after the first event is longer than the test: an answer that is collected somewhere never comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_event_is_there_before_the_second_is_sent() {
    let stream_pause = std::time::Duration::from_secs(3_600);
    let world = World::with(Options { stream_pause, ..Options::default() }).await;
    let mut answer = client(&world).chat().create_stream(question("Wait")).await.unwrap();
    let first = tokio::time::timeout(PATIENCE, answer.next()).await.expect("nothing came");
    assert_eq!(first.unwrap().unwrap().choices.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_made_anew_for_the_second_request() {
    let world = World::new().await;
    world.sandbox.fault(ServiceName::Upstream, Fault::status(401), 1);
    let content = InputSource::VecU8 { filename: "lines.jsonl".to_owned(), vec: vec![b'x'; 100_000] };
    let upload = CreateFileRequestArgs::default()
        .file(FileInput { source: content })
        .purpose(FilePurpose::Batch)
        .build()
        .unwrap();
    // The sandbox's API takes no files, but it says what came.
    client(&world).files().create(upload).await.unwrap_err();
    assert_eq!(world.statuses(), [Some(401), Some(404)]);
    let lengths: Vec<_> =
        world.calls().iter().map(|call| call.body["not_json"]["length"].as_u64().unwrap()).collect();
    assert!(lengths[0] > 100_000 && lengths[0] == lengths[1], "{lengths:?}");
}
