//! Keyless under reqwest: a call and a streamed answer. The same client goes on working through renewals and a 401.
//!
//! ```sh
//! SSL_CERT_FILE=... KEYLESS_CONNECTION='...' cargo run --release --bin reqwest
//! ```

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use keyless::reqwest::Authorize;
use keyless::{Grant, Runtime, Variables};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // reqwest's TLS, as Keyless has it; not needed with reqwest's default features.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let document = std::env::var("KEYLESS_CONNECTION")?;
    let runtime = Runtime::builder().build()?;
    let variables = Variables::from_environment(&runtime.variables(&document).await?)?;
    let plan = runtime.plan(&document, &variables).await?;
    let connection = runtime.open(&document, variables, Grant::for_plan(&plan)).await?;
    let api = connection.ready(Duration::from_secs(10)).await?.base_url().to_owned();

    let client = Authorize::new(connection.clone()).client(reqwest::Client::builder())?;

    let models = client.get(format!("{api}/models")).send().await?.error_for_status()?;
    println!("models: {}", models.text().await?);

    let question = serde_json::json!({ "model": "sandbox-1", "input": "Good morning", "stream": true });
    let answer = client
        .post(format!("{api}/responses"))
        .header("content-type", "application/json")
        .body(question.to_string())
        .send()
        .await?
        .error_for_status()?;
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        std::io::stdout().write_all(&piece?)?;
    }
    connection.close().await?;
    Ok(())
}
