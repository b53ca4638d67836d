//! The gateway inside a program of one's own: it takes a credential from wherever the program has it, and serves a proxy
//! that sets it. `tests/load` measures with it.
//!
//! ```text
//! cargo run --release -p keyless-gateway --example embedded -- 127.0.0.1:8080 http://127.0.0.1:9001/v1 1
//! ```
//!
//! listens on the first, forwards to the second, and changes the credential (`Bearer token-1`, `Bearer token-2`, ...) every
//! so many seconds; without a number, never.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Uri};
use hyper_util::rt::TokioIo;
use keyless_gateway::{
    Changes, Config, Connected, Connecting, Connection, Connections, Credential, Gateway, Network, Sockets,
    Speaking, Status, Waiting,
};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(upstream)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embedded ADDRESS:PORT UPSTREAM [SECONDS]".into());
    };
    let pause: Option<u64> = arguments.next().map(|seconds| seconds.parse()).transpose()?;

    let ours = Arc::new(Ours::new(upstream.parse()?)?);
    let config = json!({"proxy": {"example": {"listen": listen, "connection": "ours"}}});
    let config = Config::read(config.as_object().cloned().unwrap_or_default())?;
    let connections = Connections::from([("ours".to_owned(), Arc::clone(&ours) as Arc<dyn Connection>)]);
    let mut gateway = Gateway::new(Arc::new(Tcp), Sockets::new());
    gateway.apply(&config, &connections)?;

    let Some(pause) = pause else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(Duration::from_secs(pause.max(1)));
    for generation in 1.. {
        ticks.tick().await;
        ours.renew(generation)?;
    }
    Ok(())
}

/// Whoever has a credential implements this: here, one that is made up.
struct Ours {
    api: Uri,
    held: watch::Sender<Arc<Credential>>,
}

impl Ours {
    fn new(api: Uri) -> Result<Self, Box<dyn Error>> {
        let held = watch::Sender::new(Arc::new(credential(&api, 1)?));
        Ok(Self { api, held })
    }

    fn renew(&self, generation: u64) -> Result<(), Box<dyn Error>> {
        self.held.send_replace(Arc::new(credential(&self.api, generation)?));
        Ok(())
    }
}

fn credential(api: &Uri, generation: u64) -> Result<Credential, Box<dyn Error>> {
    let value = HeaderValue::try_from(format!("Bearer token-{generation}"))?;
    Ok(Credential::new(vec![(AUTHORIZATION, value)], api.clone(), generation, None, None))
}

impl Connection for Ours {
    fn credential(&self) -> Option<Arc<Credential>> {
        Some(Arc::clone(&self.held.borrow()))
    }

    fn ready(&self, _: Duration) -> Waiting<'_> {
        let held = Arc::clone(&self.held.borrow());
        Box::pin(async move { Ok(held) })
    }

    fn reject(&self, _: u64) {}

    fn status(&self) -> Status {
        let generation = self.held.borrow().generation();
        Status { phase: "fresh", usable: true, generation, ..Status::default() }
    }

    fn changes(&self) -> Changes {
        Box::pin(Unchanging)
    }
}

/// Nothing here follows the credential; what does (`[sds]`) wants each one as it comes.
struct Unchanging;

impl futures_core::Stream for Unchanging {
    type Item = Arc<Credential>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}

/// Plain TCP. A program that reaches real APIs puts TLS here, and says whether HTTP/2 was agreed on.
struct Tcp;

impl Network for Tcp {
    fn connect(&self, uri: &Uri, _: Speaking) -> Connecting {
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        Box::pin(async move {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            Ok(Connected { io: Box::new(TokioIo::new(stream)), http2: false })
        })
    }
}
