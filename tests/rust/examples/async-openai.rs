//! Keyless under async-openai: its requests pass a service of tower, which is where the credential gets in. What it sends is
//! made anew for the second try after a 401, uploads too.
//!
//! ```sh
//! SSL_CERT_FILE=... KEYLESS_CONNECTION='...' cargo run --release --bin async-openai
//! ```

use std::error::Error;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::types::chat::{ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs};
use futures_util::StreamExt as _;
use keyless::reqwest::Authorize;
use keyless::{Grant, Runtime, Variables};
use reqwest::redirect::Policy;
use tower::{ServiceBuilder, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // reqwest's TLS, as Keyless has it; not needed with async-openai's default features.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let document = std::env::var("KEYLESS_CONNECTION")?;
    let runtime = Runtime::builder().build()?;
    let variables = Variables::from_environment(&runtime.variables(&document).await?)?;
    let plan = runtime.plan(&document, &variables).await?;
    let connection = runtime.open(&document, variables, Grant::for_plan(&plan)).await?;
    let api = connection.ready(Duration::from_secs(10)).await?.base_url().to_owned();

    let authorize = Authorize::new(connection.clone());
    let http = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let service = service_fn(move |make: HttpRequestFactory| {
        let (authorize, http) = (authorize.clone(), http.clone());
        async move { authorize.send::<OpenAIError, _, _>(&http, || make.build()).await }
    });
    // Its own retries, after 429 and 5xx, are a layer. The key is replaced on every request.
    let service = ServiceBuilder::new().layer(OpenAIRetryLayer::default()).service(service);
    let config = OpenAIConfig::new().with_api_base(api).with_api_key("set by Keyless");
    let client = Client::with_config(config).with_http_service(service);

    let question = CreateChatCompletionRequestArgs::default()
        .model("sandbox-1")
        .messages([ChatCompletionRequestUserMessage::from("Good morning").into()])
        .build()?;
    let mut answer = client.chat().create_stream(question).await?;
    while let Some(piece) = answer.next().await {
        for choice in piece?.choices {
            print!("{}", choice.delta.content.unwrap_or_default());
        }
    }
    println!();
    connection.close().await?;
    Ok(())
}
