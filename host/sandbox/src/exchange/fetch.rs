//! One GET over TLS, as the vendor does it to the issuer: a deadline, a size limit, no redirects.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const DEADLINE: Duration = Duration::from_secs(5);
const LIMIT: usize = 256 * 1024;

/// The JSON at an https URL. The error is a clause for people.
pub(crate) async fn get_json(url: &str, tls: &Arc<ClientConfig>) -> Result<Value, String> {
    tokio::time::timeout(DEADLINE, get(url, tls))
        .await
        .map_err(|_| "the issuer did not answer in time".to_owned())?
}

async fn get(url: &str, tls: &Arc<ClientConfig>) -> Result<Value, String> {
    let uri: Uri = url.parse().map_err(|_| "the URL is malformed".to_owned())?;
    let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("the URL is not https".to_owned());
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|_| "the host name is malformed".to_owned())?;
    let tcp = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(443)))
        .await
        .map_err(|_| "the issuer cannot be reached".to_owned())?;
    let stream = TlsConnector::from(Arc::clone(tls))
        .connect(name, tcp)
        .await
        .map_err(|_| "the issuer's certificate is not trusted".to_owned())?;

    let broken = |_| "the connection to the issuer broke".to_owned();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let exchange = async {
        let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(HOST, authority.as_str())
            .header(ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|_| "the request is malformed".to_owned())?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("the issuer answered {}", status.as_u16()));
        }
        let body = Limited::new(response.into_body(), LIMIT).collect().await;
        let body = body.map_err(|_| "the issuer's answer is too large or incomplete".to_owned())?.to_bytes();
        serde_json::from_slice(&body).map_err(|_| "the issuer's answer is not JSON".to_owned())
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        answer = exchange.as_mut() => answer,
        // The connection may end before its last bytes have been read.
        _ = connection => exchange.await,
    }
}
