//! What was not granted does not happen, and says whose it is to grant.

use std::collections::BTreeSet;
use std::fs;

use keyless_sandbox::{Options, Sandbox};

use crate::bindings::{Error, Problem};
use crate::clocks::Clocks;
use crate::gate::Endpoints;
use crate::grant::Grant;
use crate::host::Host;

#[tokio::test]
async fn the_plan_names_what_the_connection_then_uses() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut host = Host::for_sandbox(&sandbox, &Clocks::new()).await;
    let document = sandbox.documents().native;
    host.run(async |calls| {
        assert_eq!(calls.variables(&document).await.unwrap(), Vec::<String>::new());
        let plan = calls.plan(&document, &Vec::new()).await.unwrap();
        let endpoints: Vec<_> = plan.requirements.endpoints.iter().map(|e| (&*e.method, &*e.url)).collect();
        assert_eq!(endpoints, [("POST", &*sandbox.token_endpoint())]);
        assert_eq!(plan.requirements.files, [sandbox.token_path().to_str().unwrap()]);
        let Err(Error::Invalid(problem)) = calls.open("{", &Vec::new()).await.map(|_| ()) else {
            panic!("not invalid")
        };
        assert_eq!(problem.code, "document-syntax");
    })
    .await;
}

#[tokio::test]
async fn without_an_endpoint_nothing_leaves() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let grant = Grant { endpoints: Endpoints::new(), ..Grant::for_sandbox(&sandbox) };
    assert_eq!(denied(&sandbox, grant).await.code, "endpoint-denied");
    assert!(sandbox.exchanges().is_empty());
}

#[tokio::test]
async fn without_a_directory_nothing_is_read() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let grant = Grant { directories: BTreeSet::new(), ..Grant::for_sandbox(&sandbox) };
    assert_eq!(denied(&sandbox, grant).await.code, "file-denied");
    assert!(sandbox.exchanges().is_empty());
}

#[tokio::test]
async fn a_token_file_that_is_none_is_named_as_what_it_is() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = sandbox.directory().join("odd");
    fs::create_dir_all(folder.join("directory")).unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("large"), vec![b'x'; 100_000]).unwrap();
    std::os::unix::fs::symlink(sandbox.token_path(), folder.join("outside")).unwrap();
    let grant = || Grant { directories: BTreeSet::from([folder.clone()]), ..Grant::for_sandbox(&sandbox) };
    for (file, expected) in [
        ("absent", "token-file-missing"),
        ("directory", "token-file-unreadable"),
        ("empty", "token-empty"),
        ("large", "token-too-large"),
    ] {
        let document = document(&sandbox, folder.join(file).to_str().unwrap());
        let mut host = Host::with(grant(), &sandbox, &Clocks::new()).await;
        host.run(async |calls| {
            let connection = calls.open(&document, &Vec::new()).await.unwrap();
            let Err(Error::Identity(problem)) = connection.credential().await else { panic!("{file}") };
            assert_eq!(problem.code, expected, "{file}");
            calls.idle().await;
            assert_eq!(calls.handles(), 0, "{file}");
        })
        .await;
    }
    let document = document(&sandbox, folder.join("outside").to_str().unwrap());
    let mut host = Host::with(grant(), &sandbox, &Clocks::new()).await;
    let problem = host
        .run(async |calls| {
            let Err(Error::Denied(problem)) =
                calls.open(&document, &Vec::new()).await.unwrap().credential().await
            else {
                panic!("a link led out of the directory")
            };
            problem
        })
        .await;
    assert_eq!(problem.code, "file-denied");
    assert!(sandbox.exchanges().is_empty());
}

async fn denied(sandbox: &Sandbox, grant: Grant) -> Problem {
    let document = sandbox.documents().native;
    let mut host = Host::with(grant, sandbox, &Clocks::new()).await;
    host.run(async |calls| {
        let connection = calls.open(&document, &Vec::new()).await.unwrap();
        let Err(Error::Denied(problem)) = connection.credential().await else { panic!("not denied") };
        problem
    })
    .await
}

/// The sandbox's, with another token file.
fn document(sandbox: &Sandbox, file: &str) -> String {
    let mut document: serde_json::Value = serde_json::from_str(&sandbox.documents().native).unwrap();
    document["source"]["token_file_path"] = file.into();
    document.to_string()
}
