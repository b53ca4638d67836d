//! Where requests may go.

use std::time::Duration;

use serde_json::json;

use crate::commands::conformance::peer::{Manner, Peer, ROLE};
use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Open, Stage, Stop};
use crate::commands::conformance::tested::Surroundings;

const ISSUE: Manner = Manner::Issue { lifetime: 3_600, after: Duration::ZERO };

pub(super) async fn not_granted(stage: &mut Stage) -> Result<(), Stop> {
    let peer = Peer::start(ISSUE).await?;
    let open = Open::to(&stage.world, &peer)?.granted([]);
    refused(stage, "a", &open, &peer, "nothing is granted").await
}

pub(super) async fn exact(stage: &mut Stage) -> Result<(), Stop> {
    let peer = Peer::start(ISSUE).await?;
    let url = peer.url("/oauth/token");
    let other_port = Peer::start(ISSUE).await?;
    let near = [
        ("GET", url.clone()),
        ("PUT", url.clone()),
        ("POST", peer.url("/oauth")),
        ("POST", peer.url("/oauth/")),
        ("POST", peer.url("/oauth/token/")),
        ("POST", peer.url("/oauth/tokens")),
        ("POST", peer.url("/oauth/Token")),
        ("POST", peer.url("/")),
        ("POST", url.replace("http://", "https://")),
        ("POST", other_port.url("/oauth/token")),
        ("POST", url.replace("127.0.0.1", "localhost")),
    ];
    for (index, (method, granted)) in near.into_iter().enumerate() {
        let what = format!("`{method} {granted}` is granted and `POST {url}` is asked for");
        let open = Open::to(&stage.world, &peer)?.granted([(method, granted)]);
        refused(stage, &format!("near-{index}"), &open, &peer, &what).await?;
    }
    let open = Open::to(&stage.world, &peer)?.granted([("POST", url)]);
    stage.open("exact", &open).await?.ok()?;
    stage.generation("credential", "exact", 1).await?;
    Ok(())
}

pub(super) async fn star(stage: &mut Stage) -> Result<(), Stop> {
    // The name of the role is known to the metadata service alone: the plan has a `*` in its place.
    let peer = Peer::start(Manner::Instance).await?;
    let source = json!({"type": "aws", "region": "eu-central-1"});
    let open = Open::from_source(&source, &peer.url("/oauth/token"))
        .with_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", &peer.url(""));
    stage.credential_of("one", &open).await?;
    let wanted = format!("/security-credentials/{ROLE} ");
    let seen = peer.seen();
    if !seen.iter().any(|seen| seen.line.contains(&wanted)) {
        let lines: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
        return Err(
            Fault::new(format!("a request for the keys of the role `{ROLE}`"), lines.join("; ")).into()
        );
    }
    let quiet = Peer::start(ISSUE).await?;
    let cases = [
        ("/*", "/oauth/token"),
        ("/oauth/*", "/oauth/"),
        ("/oauth/*", "/oauth/a/token"),
        ("/oauth/*", "/oauth"),
        ("/oauth/*", "/oauth/to%6ben"),
        ("/oauth/*", "/oauth/a;b"),
        ("/oauth/*", "/oauth/a~b"),
        ("/o*", "/oauth"),
        ("/oauth/t*", "/oauth/token"),
        ("/*/token", "/oauth/token"),
    ];
    for (index, (granted, path)) in cases.into_iter().enumerate() {
        let what = format!("`POST {granted}` is granted and `POST {path}` is asked for");
        let open = Open::at(&stage.world, &quiet.url(path))?.granted([("POST", quiet.url(granted))]);
        refused(stage, &format!("other-{index}"), &open, &quiet, &what).await?;
    }
    Ok(())
}

pub(super) async fn apart(stage: &mut Stage) -> Result<(), Stop> {
    let (one, other) = (Peer::start(ISSUE).await?, Peer::start(ISSUE).await?);
    let all = [("POST", one.url("/oauth/token"))];
    let open = Open::to(&stage.world, &one)?.granted(all.clone());
    stage.open("one", &open).await?.ok()?;
    stage.generation("credential", "one", 1).await?;
    let open = Open::to(&stage.world, &other)?.granted(all);
    refused(stage, "other", &open, &other, "it is granted what another connection needs").await?;
    let before = one.connections();
    let open = Open::to(&stage.world, &one)?.granted([]);
    let answer = stage.credential_of("third", &open).await?;
    answer.failed("denied", "")?;
    no_more(&one, before, "another connection is granted it, this one is not")
}

pub(super) async fn redirect(stage: &mut Stage) -> Result<(), Stop> {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Peer::start(ISSUE).await?;
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            elsewhere.url("/oauth/token")
        );
        let peer = Peer::start(Manner::Say(answer)).await?;
        // Granted, too: that the grant is asked again would not be enough.
        let open = Open::to(&stage.world, &peer)?
            .granted([&peer, &elsewhere].into_iter().map(|peer| ("POST", peer.url("/oauth/token"))));
        let answer = stage.credential_of(&format!("redirect-{status}"), &open).await?;
        no_more(&elsewhere, 0, &format!("the answer is a redirect with the status {status}"))?;
        answer.failed("unavailable", "endpoint-redirect")?;
    }
    Ok(())
}

pub(super) async fn proxy(stage: &mut Stage) -> Result<(), Stop> {
    let (trap, peer) = (Peer::start(ISSUE).await?, Peer::start(ISSUE).await?);
    let address = trap.url("");
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let variables =
        names.map(|name| (name, address.clone())).into_iter().chain([("NODE_USE_ENV_PROXY", "1".to_owned())]);
    stage.surround(Surroundings { variables: variables.collect() });
    let open = Open::to(&stage.world, &peer)?;
    let plain = stage.credential_of("plain", &open).await?;
    no_more(&trap, 0, "HTTP_PROXY and its like point to it")?;
    plain.generation(1)?;
    let sandbox = &stage.world.sandbox;
    let ca = sandbox.ca_path().to_string_lossy().into_owned();
    let open = Open::at(&stage.world, &sandbox.token_endpoint())?.trusting(ca);
    // Whether the sandbox grants it does not matter here.
    stage.credential_of("secure", &open).await?;
    no_more(&trap, 0, "HTTPS_PROXY and its like point to it")
}

/// The connection fails as denied, and nobody was called.
async fn refused(stage: &mut Stage, name: &str, open: &Open, peer: &Peer, what: &str) -> Result<(), Stop> {
    let before = peer.connections();
    let answer = stage.credential_of(name, open).await?;
    no_more(peer, before, what)?;
    answer
        .failed("denied", "")
        .map_err(|fault| Fault::new(format!("{}, because {what}", fault.expected), fault.came))?;
    stage.ask("close", &json!({"name": name})).await.map(|_| ())
}

fn no_more(peer: &Peer, before: u64, what: &str) -> Result<(), Stop> {
    match peer.connections() - before {
        0 => Ok(()),
        more => Err(Fault::new(
            format!("no connection to {}: {what}", peer.url("")),
            format!("connections: {more}"),
        )
        .into()),
    }
}
