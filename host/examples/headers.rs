//! Opens a connection and sets its headers on a request: all that a program needs to do.
//!
//! ```sh
//! cargo run --release -p keyless --example headers -- '{"api_key":"sk-..."}'
//! ```

use std::time::Duration;

use keyless::{Error, Grant, Runtime, Variables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // Without a document: what OpenAI's own clients would read from the environment.
    let document = std::env::args().nth(1).unwrap_or_else(|| r#"{"environment":"openai"}"#.to_owned());

    let runtime = Runtime::builder().build()?;
    let variables = Variables::from_environment(&runtime.variables(&document).await?)?;
    let plan = runtime.plan(&document, &variables).await?;
    for endpoint in &plan.requirements.endpoints {
        println!("needs {endpoint}");
    }
    let connection = runtime.open(&document, variables, Grant::for_plan(&plan)).await?;

    let credential = connection.ready(Duration::from_secs(10)).await?;
    let mut request = http::Request::new("");
    credential.apply(request.headers_mut());
    // The values are marked as sensitive: this shows the names only.
    println!("{} {:?}", credential.base_url(), request.headers());
    connection.close().await
}
