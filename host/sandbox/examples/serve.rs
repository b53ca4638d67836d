//! A sandbox of its own: prints where everything is and runs until `POST /shutdown` on the admin endpoint.

use keyless_sandbox::{Options, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(Options::default()).await?;
    println!("{}", sandbox.announce());
    sandbox.shutdown_requested().await;
    sandbox.stop().await;
    Ok(())
}
