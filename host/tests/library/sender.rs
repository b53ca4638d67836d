//! The network sender against everything that servers do wrong. Real time, real sockets, loopback only.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use keyless::sender::{Body, CertificateFault, Fault, Network, Patience, RESPONSE_LIMIT, Sender as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::loopback::{Authority, Front, Server, Step, write};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn network() -> Network {
    Network::new(&[], Vec::new()).unwrap()
}

fn patience(total_ms: u64) -> Patience {
    Patience { connect: Duration::from_secs(5), total: Duration::from_millis(total_ms) }
}

async fn get(network: &Network, url: &str, total_ms: u64) -> Result<http::Response<Body>, Fault> {
    let request = http::Request::get(url).body(Body::default()).unwrap();
    network.send(request, patience(total_ms)).await
}

/// The answer to a plain request.
async fn plain(steps: Vec<Step>, total_ms: u64) -> Result<http::Response<Body>, Fault> {
    let server = Server::start(Front::Plain, steps, false).await;
    get(&network(), &format!("http://{}/x", server.address), total_ms).await
}

#[tokio::test]
async fn an_answer_is_whole() {
    let response = plain(vec![write(OK)], 5_000).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_bytes()), (200, &b"ok"[..]));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nothing_more() {
    let elsewhere = Server::start(Front::Plain, vec![write(OK)], false).await;
    let redirect =
        format!("HTTP/1.1 307 X\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n", elsewhere.address);
    let response = plain(vec![write(&redirect)], 5_000).await.unwrap();
    assert_eq!(response.status().as_u16(), 307);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn compressed_stays_compressed() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd";
    assert_eq!(plain(vec![write(answer)], 5_000).await.unwrap().body().as_bytes(), b"abcd");
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let sized = |n: usize| {
        vec![write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {n}\r\n\r\n")), Step::Write(vec![b'x'; n])]
    };
    let response = plain(sized(RESPONSE_LIMIT), 5_000).await.unwrap();
    assert_eq!(response.body().as_bytes().len(), RESPONSE_LIMIT);
    assert_eq!(plain(sized(RESPONSE_LIMIT + 1), 5_000).await.unwrap_err(), Fault::TooLarge);

    let endless = vec![
        write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        Step::Flood(b"400\r\n".iter().copied().chain([b'x'; 0x400]).chain(*b"\r\n").collect()),
    ];
    assert_eq!(plain(endless, 5_000).await.unwrap_err(), Fault::TooLarge);
}

#[tokio::test]
async fn an_endless_head_is_no_answer() {
    let head = vec![write("HTTP/1.1 200 OK\r\nx: "), Step::Flood(vec![b'x'; 4096])];
    assert_eq!(plain(head, 5_000).await.unwrap_err(), Fault::Protocol);
}

#[tokio::test]
async fn one_deadline_holds_for_everything() {
    let started = Instant::now();
    let never = plain(vec![Step::Hold], 300).await.unwrap_err();
    assert_eq!(never, Fault::ResponseTimeout);

    let mut drip = vec![write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")];
    for _ in 0..1000 {
        drip.extend([write("x"), Step::Pause(Duration::from_millis(20))]);
    }
    assert_eq!(plain(drip, 300).await.unwrap_err(), Fault::BodyTimeout);

    let mut slow_head = vec![write("HTTP/1.1 200 OK\r\n")];
    for _ in 0..1000 {
        slow_head.extend([write("x: y\r\n"), Step::Pause(Duration::from_millis(20))]);
    }
    assert_eq!(plain(slow_head, 300).await.unwrap_err(), Fault::ResponseTimeout);

    let silent = Server::start(Front::Silent, Vec::new(), false).await;
    let url = format!("https://{}/x", silent.address);
    assert_eq!(get(&network(), &url, 300).await.unwrap_err(), Fault::ResponseTimeout);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_from_one_that_talks_nonsense() {
    assert_eq!(plain(Vec::new(), 5_000).await.unwrap_err(), Fault::Terminated);
    let half = vec![write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")];
    assert_eq!(plain(half, 5_000).await.unwrap_err(), Fault::Terminated);
    assert_eq!(plain(vec![write("SSH-2.0-OpenSSH_9.2\r\n\r\n")], 5_000).await.unwrap_err(), Fault::Protocol);
}

#[tokio::test]
async fn where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "https"] {
        let fault = get(&network(), &format!("{scheme}://{address}/"), 5_000).await.unwrap_err();
        assert_eq!(fault, Fault::Refused, "{scheme}");
    }
    // No name server is asked about a label of more than 63 characters.
    let fault = get(&network(), &format!("https://{}.example/", "a".repeat(64)), 5_000).await.unwrap_err();
    assert_eq!(fault, Fault::Unresolved);
}

#[tokio::test]
async fn only_a_trusted_certificate_for_the_right_name_will_do() {
    let authority = Authority::new();
    let server = |name: &str| Server::start(Front::Tls(authority.server(name, &[])), vec![write(OK)], false);
    let trusting = Network::new(&[authority.pem()], Vec::new()).unwrap();

    let right = server("localhost").await;
    let url = format!("https://localhost:{}/", right.address.port());
    assert_eq!(get(&trusting, &url, 5_000).await.unwrap().status().as_u16(), 200);
    assert_eq!(get(&network(), &url, 5_000).await.unwrap_err(), Fault::Certificate);

    let other = server("other.example").await;
    let url = format!("https://localhost:{}/", other.address.port());
    assert_eq!(get(&trusting, &url, 5_000).await.unwrap_err(), Fault::Certificate);
    assert_eq!(other.requests(), 0);

    let no_tls = Server::start(Front::Plain, vec![write(OK)], false).await;
    let fault = get(&trusting, &format!("https://{}/", no_tls.address), 1_000).await.unwrap_err();
    assert!(matches!(fault, Fault::Tls | Fault::ResponseTimeout), "{fault:?}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_without_a_request() {
    let authority = Authority::new();
    let trusting = Network::new(&[authority.pem()], Vec::new()).unwrap();
    let reach = async |network: &Network, config: Arc<rustls::ServerConfig>| {
        let server = Server::start(Front::Tls(config), vec![write(OK)], false).await;
        let url = format!("https://localhost:{}/x", server.address.port()).parse().unwrap();
        let outcome = network.reach(&url).await;
        assert_eq!(server.requests(), 0);
        outcome.map(|reached| (reached.address.port() == server.address.port(), reached.tls))
    };
    let right = authority.server("localhost", &[]);
    assert_eq!(reach(&trusting, right.clone()).await.unwrap(), (true, Some("TLS 1.3")));
    for (network, config, expected) in [
        (&network(), right, CertificateFault::UnknownIssuer),
        (&trusting, authority.server("other.example", &[]), CertificateFault::OtherName),
        (&trusting, authority.server_until("localhost", &[], 2001), CertificateFault::Expired),
    ] {
        let obstacle = reach(network, config).await.unwrap_err();
        assert_eq!((obstacle.fault, obstacle.certificate), (Fault::Certificate, Some(expected)));
    }
    let plain = Server::start(Front::Plain, Vec::new(), false).await;
    let url = format!("http://{}/x", plain.address).parse().unwrap();
    assert_eq!(trusting.reach(&url).await.unwrap().tls, None);
}

#[tokio::test]
async fn another_address_is_dialled_under_the_old_name() {
    let authority = Authority::new();
    let server =
        Server::start(Front::Tls(authority.server("auth.openai.com", &[])), vec![write(OK)], false).await;
    let rule = format!("auth.openai.com:443:127.0.0.1:{}", server.address.port()).parse().unwrap();
    let network = Network::new(&[authority.pem()], vec![rule]).unwrap();
    let response = get(&network, "https://auth.openai.com/oauth/token", 5_000).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start(Front::Plain, vec![write(OK)], true).await;
    let network = network();
    for _ in 0..5 {
        get(&network, &format!("http://{}/", server.address), 5_000).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests()), (1, 5));
}

#[tokio::test]
async fn a_kept_connection_that_the_server_has_given_up_is_no_failure() {
    // It says nothing of closing, and closes after each answer: every request meets a connection that is about to go.
    let server = Server::start(Front::Plain, vec![write(OK)], false).await;
    let network = network();
    for _ in 0..200 {
        let request = http::Request::post(format!("http://{}/", server.address))
            .header("content-length", "4")
            .body(Body::new(b"body".to_vec()))
            .unwrap();
        network.send(request, patience(5_000)).await.unwrap();
    }
    assert_eq!(server.connections(), 200);
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let address = http_2(&authority).await;
    let network = Network::new(&[authority.pem()], Vec::new()).unwrap();
    for _ in 0..3 {
        let response =
            get(&network, &format!("https://localhost:{}/x", address.port()), 5_000).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.body().as_bytes(), b"/x");
    }
}

/// Answers with the path of the request.
async fn http_2(authority: &Authority) -> SocketAddr {
    let tls = TlsAcceptor::from(authority.server("localhost", &["h2"]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let stream = TokioIo::new(tls.accept(stream).await.unwrap());
                let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
                    let path = Bytes::from(request.uri().path().to_owned());
                    Ok::<_, Infallible>(http::Response::new(Full::new(path)))
                });
                let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(stream, service)
                    .await;
            });
        }
    });
    address
}
