//! Keyless as a layer of tower, around hyper's client: a streamed answer, frame by frame.
//!
//! ```sh
//! SSL_CERT_FILE=... KEYLESS_CONNECTION='...' cargo run --release --bin tower
//! ```

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use keyless::tower::{AuthorizeLayer, Kept};
use keyless::{Grant, Runtime, Variables};
use tower::{ServiceBuilder, ServiceExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let document = std::env::var("KEYLESS_CONNECTION")?;
    let runtime = Runtime::builder().build()?;
    let variables = Variables::from_environment(&runtime.variables(&document).await?)?;
    let plan = runtime.plan(&document, &variables).await?;
    let connection = runtime.open(&document, variables, Grant::for_plan(&plan)).await?;
    let api = connection.ready(Duration::from_secs(10)).await?.base_url().to_owned();

    let tls = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_all_versions().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Kept<Full<Bytes>>>(tls);
    let service = ServiceBuilder::new().layer(AuthorizeLayer::new(connection.clone())).service(client);

    let question = serde_json::json!({ "model": "sandbox-1", "input": "Good morning", "stream": true });
    let request = Request::post(format!("{api}/responses"))
        .header("content-type", "application/json")
        .body(Full::from(question.to_string()))?;
    let response = service.oneshot(request).await?;
    println!("{}", response.status());

    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame?.into_data() {
            std::io::stdout().write_all(&piece)?;
        }
    }
    connection.close().await?;
    Ok(())
}
