//! How requests are sent and answers are taken.

use std::time::Duration;

use keyless::{Grant, Variables};
use serde_json::{Value, json};

use crate::commands::conformance::peer::{Manner, Peer, Seen, json as answer_json};
use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Answer, Open, Stage, Stop};

const ISSUE: Manner = Manner::Issue { lifetime: 3_600, after: Duration::ZERO };

/// The engine's limit for an answer of a token endpoint, in bytes.
const LIMIT: usize = 64 * 1024;

/// The machine gives the platform's own services so long, the least of all its deadlines.
const DEADLINE: Duration = Duration::from_secs(3);
/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(3);

pub(super) async fn exact(stage: &mut Stage) -> Result<(), Stop> {
    for form in [false, true] {
        let peer = Peer::start(ISSUE).await?;
        let mut open = Open::to(&stage.world, &peer)?;
        if form {
            open = open.with_variable("SECRET", "größer & kleiner");
            open.document = json!({
                "source": {"type": "variable", "variable": "IDENTITY"},
                "exchange": {
                    "type": "rfc8693",
                    "token_endpoint": peer.url("/oauth/token"),
                    "client_id": "a client",
                    "client_secret": {"variable": "SECRET"},
                },
                "api": {"base_url": "https://api.example/v1"},
            })
            .to_string();
        }
        stage.credential_of(if form { "form" } else { "json" }, &open).await?.generation(1)?;
        ours(stage, &open).await?;
        let seen = peer.seen();
        let [theirs, ours] = &*seen else {
            let expected = "one request of the host, and one of ours to compare it with";
            return Err(Fault::new(expected, format!("requests: {}", seen.len())).into());
        };
        same(ours, theirs)?;
    }
    Ok(())
}

/// Our own host's request to the same peer.
async fn ours(stage: &Stage, open: &Open) -> Result<(), Fault> {
    let failed = |error: keyless::Error| Fault::new("our own host opens it", error.to_string());
    let mut variables = Variables::new();
    open.variables.iter().for_each(|(name, value)| variables.set(name, value));
    let runtime = &stage.world.runtime;
    let plan = runtime.plan(&open.document, &variables).await.map_err(failed)?;
    let connection = runtime.open(&open.document, variables, Grant::for_plan(&plan)).await.map_err(failed)?;
    connection.attempt(Duration::from_secs(20)).await.map_err(failed).map(|_| ())
}

fn same(ours: &Seen, theirs: &Seen) -> Result<(), Fault> {
    if ours.line != theirs.line {
        return Err(Fault::new(format!("the request line `{}`", ours.line), format!("`{}`", theirs.line)));
    }
    if let Some(coding) = theirs.header("transfer-encoding") {
        return Err(Fault::new("a body with a length", format!("`transfer-encoding: {coding}`")));
    }
    // Of the connection and not of the request. Names of headers are compared without regard to case, their order as a set.
    let own = |seen: &Seen| {
        let mut headers = seen.headers.clone();
        headers.retain(|(name, _)| name != "connection" && name != "keep-alive");
        headers.sort();
        headers
    };
    let (our_headers, their_headers) = (own(ours), own(theirs));
    let name = |headers: &[(String, String)]| {
        headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if our_headers != their_headers {
        // Some values are secrets: only the names are shown, and which of them differ.
        let differ: Vec<_> =
            their_headers.iter().filter(|header| !our_headers.contains(header)).cloned().collect();
        let differ = if differ.is_empty() {
            "one is missing".to_owned()
        } else {
            format!("new or other: {}", name(&differ))
        };
        return Err(Fault::new(
            format!("the headers {}", name(&our_headers)),
            format!("{}; {differ}", name(&their_headers)),
        ));
    }
    if ours.body != theirs.body {
        let at = ours.body.iter().zip(&theirs.body).take_while(|(a, b)| a == b).count();
        let expected = format!("the body of our own host's request, {} bytes", ours.body.len());
        return Err(Fault::new(expected, format!("{} bytes that differ at byte {at}", theirs.body.len())));
    }
    Ok(())
}

pub(super) async fn whole(stage: &mut Stage) -> Result<(), Stop> {
    let throttled = answer_json(429, "Retry-After: 7\r\n", "{}");
    let peer = Peer::start(Manner::Say(throttled)).await?;
    let answer = stage.credential_of("throttled", &Open::to(&stage.world, &peer)?).await?;
    answer.failed("unavailable", "endpoint-throttled")?;
    match answer {
        Answer::Err { retry_after_ms: Some(4_000..=10_000), .. } => {}
        other => {
            let came = match other {
                Answer::Err { retry_after_ms: Some(ms), .. } => format!("{ms} ms"),
                _ => "no time".to_owned(),
            };
            return Err(Fault::new(
                "what is left of the 7 s of the answer's `Retry-After`, or little more, in `retry-after-ms`",
                came,
            )
            .into());
        }
    }
    let refusal = answer_json(400, "", r#"{"error":"invalid_grant"}"#);
    let peer = Peer::start(Manner::Say(refusal)).await?;
    let answer = stage.credential_of("refused", &Open::to(&stage.world, &peer)?).await?;
    Ok(answer.failed("rejected", "exchange-refused")?)
}

pub(super) async fn silence(stage: &mut Stage) -> Result<(), Stop> {
    in_time(stage, Manner::Stall).await
}

pub(super) async fn drip(stage: &mut Stage) -> Result<(), Stop> {
    in_time(stage, Manner::DripHead).await?;
    in_time(stage, Manner::Drip).await
}

/// Azure's App Service on loopback, because its deadline is short.
async fn in_time(stage: &mut Stage, manner: Manner) -> Result<(), Stop> {
    let what = format!("{manner:?}");
    let peer = Peer::start(manner).await?;
    let source = json!({"type": "azure", "resource": "api://conformance"});
    let open = Open::from_source(&source, &peer.url("/oauth/token"))
        .with_variable("IDENTITY_ENDPOINT", &peer.url("/msi/token"))
        .with_variable("IDENTITY_HEADER", "header");
    let answer = stage.credential_of(&what, &open).await?;
    // From when the request was there: how long a host takes to start does not matter.
    let took = peer.seen().first().map_or(Duration::ZERO, |seen| seen.at.elapsed());
    let message = match &answer {
        Answer::Err { kind, message, .. } if kind == "identity" => message.as_str(),
        _ => "",
    };
    let expected = format!("`timed-out` after {} s", DEADLINE.as_secs());
    if !message.contains("did not answer within 3 s") {
        return Err(Fault::new(expected, answer.shown()).into());
    }
    if took < DEADLINE / 2 || took > DEADLINE + SLACK {
        return Err(Fault::new(expected, format!("after {} ms", took.as_millis())).into());
    }
    Ok(())
}

pub(super) async fn limit(stage: &mut Stage) -> Result<(), Stop> {
    // As large as allowed is an answer, if not one that a token endpoint gives.
    let cases = [
        ("just", Manner::Sized(LIMIT), "response-malformed"),
        ("over", Manner::Sized(LIMIT + 1), "response-too-large"),
        ("far", Manner::Sized(64 << 20), "response-too-large"),
        ("endless", Manner::Endless, "response-too-large"),
    ];
    let mut opens = Vec::new();
    for (name, manner, _) in &cases {
        opens.push((*name, Open::to(&stage.world, &Peer::start(manner.clone()).await?)?));
    }
    for (answer, (name, _, code)) in stage.credentials_of(&opens).await?.iter().zip(&cases) {
        answer.failed("unavailable", code).map_err(|fault| fault.with(name))?;
    }
    Ok(())
}

pub(super) async fn broken(stage: &mut Stage) -> Result<(), Stop> {
    let (close, midway) = (Peer::start(Manner::Close).await?, Peer::start(Manner::CloseMidway).await?);
    let opens = [
        ("close", Open::to(&stage.world, &close)?),
        ("midway", Open::to(&stage.world, &midway)?),
        ("nobody", Open::at(&stage.world, &nobody().await?)?),
        // Never to be found (RFC 6761, section 6.4).
        ("nowhere", Open::at(&stage.world, "https://token.invalid/oauth/token")?),
    ];
    for (answer, (name, _)) in stage.credentials_of(&opens).await?.iter().zip(&opens) {
        let code = if *name == "nowhere" { "endpoint-unresolved" } else { "endpoint-unreachable" };
        answer.failed("unavailable", code).map_err(|fault| fault.with(name))?;
    }
    Ok(())
}

/// A URL at which nobody listens any more.
async fn nobody() -> Result<String, Fault> {
    let failed = |reason: std::io::Error| Fault::new("a free port on loopback", reason.to_string());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(format!("http://{address}/oauth/token"))
}

pub(super) async fn untrusted(stage: &mut Stage) -> Result<(), Stop> {
    let open = Open::at(&stage.world, &stage.world.sandbox.token_endpoint())?;
    let answer = stage.credential_of("a", &open).await?;
    Ok(answer.failed("unavailable", "endpoint-untrusted")?)
}

pub(super) async fn trusted(stage: &mut Stage) -> Result<(), Stop> {
    let sandbox = &stage.world.sandbox;
    let ca = sandbox.ca_path().to_string_lossy().into_owned();
    let open =
        Open { document: sandbox.documents().native, variables: Vec::new(), grant: None, ca_file: Some(ca) };
    stage.open("a", &open).await?.ok()?;
    let credential = stage.generation("credential", "a", 1).await?;
    let opens = stage.world.sandbox.base_url();
    if credential.get("base-url").and_then(Value::as_str) != Some(&*opens) {
        return Err(Fault::new(format!("a credential for {opens}"), "one for another place").into());
    }
    opens_the_api(stage, &credential).await
}

/// The sandbox knows which tokens it issued.
async fn opens_the_api(stage: &Stage, credential: &Value) -> Result<(), Stop> {
    use keyless::sender::{Body, Network, Patience, Sender as _};

    let expected = "headers that open the sandbox's API";
    let sandbox = &stage.world.sandbox;
    let network = Network::new(&[sandbox.ca_pem().as_bytes().to_vec()], Vec::new());
    let network = network.map_err(|error| Fault::new(expected, error.to_string()))?;
    let mut request = http::Request::get(format!("{}/models", sandbox.base_url()));
    for header in credential.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
        request = request.header(text("name"), text("value"));
    }
    let request =
        request.body(Body::default()).map_err(|_| Fault::new(expected, "headers that cannot be sent"))?;
    let patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(10) };
    let answer = network.send(request, patience).await;
    match answer {
        Ok(answer) if answer.status() == 200 => Ok(()),
        Ok(answer) => {
            Err(Fault::new(expected, format!("the API answers {}", answer.status().as_u16())).into())
        }
        Err(fault) => Err(Fault::new(expected, fault.to_string()).into()),
    }
}

/// Linux has more than one address of its own: the certificate names one of them.
#[cfg(target_os = "linux")]
pub(super) async fn name(stage: &mut Stage) -> Result<(), Stop> {
    let failed = |reason: std::io::Error| Fault::new("a port on 127.0.0.2", reason.to_string());
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let port = stage.world.sandbox.port(keyless_sandbox::ServiceName::Exchange);
    let relay = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut far) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
                    let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    let ca = stage.world.sandbox.ca_path().to_string_lossy().into_owned();
    let open = Open::at(&stage.world, &format!("https://{address}/oauth/token"))?.trusting(ca);
    let answer = stage.credential_of("a", &open).await;
    relay.abort();
    Ok(answer?.failed("unavailable", "endpoint-untrusted")?)
}
