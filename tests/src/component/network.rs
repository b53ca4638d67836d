//! `wasi:http`'s far end: the script of the scenario.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::clocks::Clocks;
use keyless_scenarios::scenario::traffic::Fault;
use keyless_scenarios::world::World;
use keyless_scenarios::world::script::{Arrived, What};

pub(super) struct Network {
    world: World,
    clocks: Clocks,
}

impl Network {
    pub(super) fn new(world: World, clocks: Clocks) -> Self {
        Self { world, clocks }
    }
}

type Sent = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Network {
    /// The client's business, and another one over HTTP/2: not part of what is compared.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sent,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Sent), Error>> + Send> {
        let world = self.world.clone();
        // Now, and not when the future is first polled: what the answer takes is counted from here.
        let (sent, elapsed) = (Instant::now(), self.clocks.elapsed_ms());
        Box::new(async move {
            let (parts, body) = request.into_parts();
            let arrived = Arrived {
                method: parts.method.to_string(),
                url: parts.uri.to_string(),
                headers: parts
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect(),
                body: body.collect().await?.to_bytes().to_vec(),
            };
            let reply = world.script().arrive(&arrived, elapsed);
            tokio::time::sleep_until(sent + Duration::from_millis(reply.after_ms)).await;
            match reply.what {
                What::Stall => std::future::pending().await,
                What::Fault(fault) => Err(wasi_error(fault)),
                What::Answer { status, headers, body } => {
                    let mut response = http::Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
                    let response = response.body(body).map_err(|_| Error::HttpProtocolError)?;
                    Ok((response, Box::new(async { Ok(()) }) as Sent))
                }
            }
        })
    }
}

fn wasi_error(fault: Fault) -> Error {
    match fault {
        Fault::Denied => Error::HttpRequestDenied,
        Fault::Unresolved => Error::DnsError { rcode: None, info_code: None },
        Fault::Unreachable => Error::ConnectionRefused,
        Fault::Untrusted => Error::TlsCertificateError,
        Fault::TimedOut => Error::HttpResponseTimeout,
        Fault::Broken => Error::ConnectionTerminated,
        Fault::NoCertificate => Error::ConfigurationError,
        Fault::TooLarge => Error::HttpResponseBodySize(None),
    }
}
