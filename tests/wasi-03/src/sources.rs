//! Every source does its own requests, several of them with several: each has to work at WASI 0.3, too.

use keyless_sandbox::{Options, Sandbox, ServiceName};

use crate::clocks::Clocks;
use crate::gate::Elsewhere;
use crate::grant::Grant;
use crate::host::Host;

#[tokio::test]
async fn every_source_gets_a_credential_for_what_its_plan_requires() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let combinations = sandbox.documents().combinations;
    // `x509` asks nothing of the component: its certificate is the host's to present.
    let mut tried = 0;
    for (name, recipe) in
        combinations.iter().filter(|(name, _)| name.ends_with("-openai") && !name.starts_with("x509"))
    {
        let variables = recipe.variables.clone().into_iter().collect();
        let mut planner = Host::with(Grant::default(), &sandbox, &Clocks::new()).await;
        let plan = planner.run(async |calls| calls.plan(&recipe.document, &variables).await).await.unwrap();
        let elsewhere = elsewhere(&recipe.connect_to);
        let grant = Grant { elsewhere, ..Grant::for_plan(&plan) };
        let mut host = Host::with(grant, &sandbox, &Clocks::new()).await;
        host.run(async |calls| {
            let connection = calls.open(&recipe.document, &variables).await.unwrap();
            let credential =
                connection.credential().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(credential.generation, 1, "{name}");
            calls.idle().await;
            assert_eq!(calls.handles(), 0, "{name}");
        })
        .await;
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
    // What has no body is sent without one, not as a body of no chunks: metadata services refuse that.
    for service in [ServiceName::Azure, ServiceName::Gcp, ServiceName::Github] {
        let requests = sandbox.requests(service);
        assert!(!requests.is_empty(), "{service}");
        for request in requests {
            assert_eq!(request.header("transfer-encoding"), None, "{service}: {}", request.path);
        }
    }
}

/// From `HOST:PORT:ADDRESS:PORT`.
fn elsewhere(rules: &[String]) -> Elsewhere {
    let rule = |rule: &String| {
        let middle = rule.match_indices(':').nth(1).unwrap().0;
        (rule[..middle].to_owned(), rule[middle + 1..].to_owned())
    };
    rules.iter().map(rule).collect()
}
