//! Starting, stopping, and several at once.

use std::collections::BTreeMap;

use keyless_sandbox::{Error, Fault, Options, Sandbox, ServiceName};

use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, in_time};

#[tokio::test]
async fn several_sandboxes_do_not_mix() {
    let one = Sandbox::start(Options::default()).await.unwrap();
    let two = Sandbox::start(Options::default()).await.unwrap();
    let token = Client::new(&one).access_token().await;
    assert_eq!(Client::new(&one).call(&token, "/v1/models", None).await.status, 200);
    assert_eq!(Client::new(&two).call(&token, "/v1/models", None).await.status, 401);
    assert_ne!(one.ca_pem(), two.ca_pem());
    two.write_raw(std::fs::read(one.token_path()).unwrap().as_slice()).unwrap();
    assert_eq!(Client::new(&two).exchange().await.status, 401);
}

#[tokio::test]
async fn it_answers_under_the_names_that_it_plays() {
    let options = Options { extra_names: vec!["api.example".to_owned()], ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    for server_name in ["localhost", "127.0.0.1", "::1", "auth.openai.com", "api.openai.com", "api.example"] {
        let client = Client { server_name, ..Client::new(&sandbox) };
        assert_eq!(client.get(ServiceName::Issuer, "/openid/v1/jwks").await.status, 200, "{server_name}");
    }
}

#[tokio::test]
async fn stopping_frees_ports_and_directory() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let directory = sandbox.directory().to_owned();
    let ports = ServiceName::ALL.map(|name| sandbox.port(name));
    assert!(directory.exists());

    // Requests that would stall for ever do not keep it.
    sandbox.fault(ServiceName::Exchange, Fault::Stall, 1);
    sandbox.fault(ServiceName::Upstream, Fault::EndlessBody, 1);
    {
        let (client, endless) = (Client::new(&sandbox), Client { limit: 1, ..Client::new(&sandbox) });
        let mut stalled = std::pin::pin!(client.exchange());
        tokio::select! {
            _ = &mut stalled => unreachable!("a stalled request was answered"),
            () = sandbox.wait_for_requests(ServiceName::Exchange, 1) => {}
        }
        endless.get(ServiceName::Upstream, "/v1/models").await;
    }
    in_time(sandbox.stop()).await;
    assert!(!directory.exists());

    for port in ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "port {port} still answers");
    }
}

#[tokio::test]
async fn dropping_ends_it() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (directory, port) = (sandbox.directory().to_owned(), sandbox.port(ServiceName::Issuer));
    drop(sandbox);
    assert!(!directory.exists());
    in_time(async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_bad_name_is_an_error() {
    let options = Options { extra_names: vec!["näme".to_owned()], ..Options::default() };
    let error = Sandbox::start(options).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("extra names"), "{error}");
}

#[tokio::test]
async fn ports_can_be_chosen_if_they_are_free() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let number = taken.local_addr().unwrap().port();
    let options = Options { ports: BTreeMap::from([(ServiceName::Exchange, number)]), ..Options::default() };
    let refused = Sandbox::start(options.clone()).await.map(drop).unwrap_err();
    assert!(matches!(refused, Error::Port { service: "exchange", port, .. } if port == number), "{refused}");
    drop(taken);

    // Somebody else on this machine may be quicker with a port that has just become free.
    for _ in 0..10 {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let options = Options { admin_port: free, ..Options::default() };
        if let Ok(sandbox) = Sandbox::start(options).await {
            assert!(sandbox.admin_url().ends_with(&format!(":{free}")));
            return;
        }
    }
    unreachable!("ten free ports in a row were taken");
}

#[tokio::test]
async fn localhost_may_mean_either_family() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let has_v6 = TcpListener::bind("[::1]:0").await.is_ok();
    for name in ServiceName::ALL {
        assert!(TcpStream::connect(("127.0.0.1", sandbox.port(name))).await.is_ok(), "{name}");
        assert_eq!(TcpStream::connect(("::1", sandbox.port(name))).await.is_ok(), has_v6, "{name}");
    }
}
