//! Every source with every exchange, as the sandbox has them ready: through the command, from the plan to a call of the
//! API that accepts the credential.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use keyless_sandbox::{Recipe, Sandbox, ServiceName};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use url::Url;

use crate::harness::{Keyless, World};

/// The plan is the whole truth: with it as a lock everything works, all of it is needed, and nothing else is asked.
#[test]
fn every_combination_works_within_its_plan() {
    let names: Vec<_> = World::new().sandbox.documents().combinations.into_keys().collect();
    assert!(names.len() >= 60, "{} combinations", names.len());
    for name in names {
        // A sandbox of its own, so that its records hold nothing of another.
        let world = World::new();
        let recipe = world.sandbox.documents().combinations.remove(&name).unwrap();
        let planned =
            keyless(&world, &recipe, &["plan", "--json", "--lock", "keyless.lock"]).outcome().json();
        assert_eq!(planned["warnings"], Value::Array(Vec::new()), "{name}");
        assert_eq!(asked(&world.sandbox), Vec::<String>::new(), "{name}: a plan does nothing");

        let outcome =
            keyless(&world, &recipe, &["token", "--format", "headers", "--locked", "keyless.lock"]).outcome();
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{name}: {}", outcome.err);
        let (needed, asked) = (needed(&planned, &recipe), asked(&world.sandbox));
        let all_fit = needed.iter().zip(&asked).all(|(needed, asked)| fits(needed, asked));
        assert!(needed.len() == asked.len() && all_fit, "{name}: planned {needed:?}, asked {asked:?}");

        let ca = world.sandbox.ca_path();
        assert_eq!(status(&ca, &recipe.try_on, &outcome.out), 200, "{name}");
        assert_eq!(status(&ca, &recipe.try_on, ""), 401, "{name}: the API tells credentials from none");
    }
}

/// The command where the recipe is at home.
fn keyless(world: &World, recipe: &Recipe, arguments: &[&str]) -> Keyless {
    let keyless = world.keyless(arguments).env("KEYLESS_CONNECTION", &recipe.document);
    let keyless = recipe.variables.iter().fold(keyless, |keyless, (name, value)| keyless.env(name, value));
    if recipe.connect_to.is_empty() {
        keyless
    } else {
        keyless.env("KEYLESS_CONNECT_TO", recipe.connect_to.join(","))
    }
}

/// What the plan says, as the sandbox sees it: with the addresses at which it plays the fixed ones. Sorted.
fn needed(plan: &Value, recipe: &Recipe) -> Vec<String> {
    let endpoints = plan["requirements"]["endpoints"].as_array().unwrap();
    let mut needed: Vec<_> = endpoints
        .iter()
        .map(|endpoint| {
            let mut url = Url::parse(endpoint["url"].as_str().unwrap()).unwrap();
            for rule in &recipe.connect_to {
                let [host, port, _, there] = rule.split(':').collect::<Vec<_>>()[..] else {
                    panic!("{rule}")
                };
                if url.host_str() == Some(host) && url.port_or_known_default() == port.parse().ok() {
                    url.set_host(Some("localhost")).unwrap();
                    url.set_port(there.parse().ok()).unwrap();
                }
            }
            format!("{} {url}", endpoint["method"].as_str().unwrap())
        })
        .collect();
    needed.sort();
    needed
}

/// A plan leaves open what only a party can tell: a `*` at the end stands for the last segment of the path.
fn fits(needed: &str, asked: &str) -> bool {
    match needed.strip_suffix('*') {
        Some(start) => asked.strip_prefix(start).is_some_and(|end| !end.is_empty() && !end.contains('/')),
        None => needed == asked,
    }
}

/// What the parties were asked, each once, without queries. Sorted.
fn asked(sandbox: &Sandbox) -> Vec<String> {
    let mut asked = Vec::new();
    // The issuer is asked for its keys, by the parties that have to verify its tokens.
    for service in ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Issuer) {
        for request in sandbox.requests(service) {
            let path = request.path.split('?').next().unwrap();
            asked.push(format!("{} {}{path}", request.method, sandbox.url(service)));
        }
    }
    asked.sort();
    asked.dedup();
    asked
}

/// The answer to a `GET` with these header lines.
fn status(ca: &Path, url: &str, headers: &str) -> u16 {
    let url = Url::parse(url).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect((host, port)).unwrap());
    let headers = headers.replace('\n', "\r\n");
    // The version is what every client of Anthropic's API sends.
    write!(
        stream,
        "GET {} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\nanthropic-version: 2023-06-01\r\n{headers}\r\n",
        url.path()
    )
    .unwrap();
    let mut line = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut line).unwrap();
    str::from_utf8(&line[9..]).unwrap().parse().unwrap()
}
