//! What needs no outside: the protocol itself, `variables`, `plan`, and a replay that does not open.

use keyless::Variables;
use serde_json::{Value, json};

use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Stage, Stop};
use crate::commands::conformance::tested::cut;
use crate::commands::conformance::wire;

/// Documents of every dialect beside those of the sandbox, right and wrong ones.
const DOCUMENTS: [&str; 14] = [
    r#"{"api_key":"sk-test-key","api":{"organization":"org-1","project":"größer"}}"#,
    r#"{"api_key":{"variable":"MY_KEY"}}"#,
    "openai://:sk-test-key@",
    r#"{"conn_type":"openai","extra":"{\"auth_type\":\"api_key\"}","password":"sk-x"}"#,
    r#"{"environment":"openai"}"#,
    r#"{"environment":"anthropic"}"#,
    r#"{"source":{"type":"custom","component":"/opt/source.wasm","variables":["A"]},"exchange":{"identity_provider_id":"idp_1","service_account_id":"s"}}"#,
    r#"{"exchange":{"type":"openai-service-account","admin_key":{"file":"/run/secrets/openai-admin-key"},"project_id":"proj_1"}}"#,
    r#"{"apiVersion":"generators.external-secrets.io/v1alpha1","kind":"OpenAI","spec":{"projectId":"proj_1","openAiAdminKey":{"name":"openai-admin","key":"api-key"}}}"#,
    r#"{"source":{"type":"kubernetes"},"exchange":{"identity_provider_id":"x","service_account_id":"s","token_endpoint":"http://a.example/"}}"#,
    r#"{"source":{"type":"file"}}"#,
    r#"{"source":{"type":"nowhere"}}"#,
    "",
    "{\"\u{1}",
];

pub(super) async fn hello(stage: &mut Stage) -> Result<(), Stop> {
    introduction(stage).await.map(|_| ())
}

/// The host's name and the component's SHA-256, as the host says them.
pub(in crate::commands::conformance) async fn introduction(
    stage: &mut Stage,
) -> Result<(String, String), Stop> {
    let answer = stage.say("hello", &Value::Null).await?;
    let expected = "`{\"name\":\"...\",\"component\":\"64 hexadecimal digits\"}`";
    let value: Value = serde_json::from_str(&answer).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    match (text("name"), text("component")) {
        (Some(name), Some(component))
            if !name.is_empty()
                && component.len() == 64
                && component.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            Ok((name, component))
        }
        _ => Err(Fault::new(expected, cut(&answer)).into()),
    }
}

pub(super) async fn unknown(stage: &mut Stage) -> Result<(), Stop> {
    let expected = "`{\"unsupported\":\"juggle\"}`";
    match stage.say("juggle", &json!({"balls": 3})).await {
        Err(Stop::Unsupported) => Ok(()),
        Ok(answer) => Err(Fault::new(expected, cut(&answer)).into()),
        Err(stop) => Err(stop),
    }
}

pub(super) async fn ends(stage: &mut Stage) -> Result<(), Stop> {
    stage.say("hello", &Value::Null).await?;
    Ok(stage.tested()?.end().await?)
}

pub(super) async fn variables(stage: &mut Stage) -> Result<(), Stop> {
    for (document, _) in documents(stage) {
        let ours = wire::variables(stage.world.runtime.variables(&document).await);
        let theirs = stage.say("variables", &json!({"document": document})).await?;
        same("the variables of", &document, &ours, &theirs)?;
    }
    Ok(())
}

pub(super) async fn plan(stage: &mut Stage) -> Result<(), Stop> {
    for (document, pairs) in documents(stage) {
        let mut variables = Variables::new();
        pairs.iter().for_each(|(name, value)| variables.set(name, value));
        let ours = wire::plan(stage.world.runtime.plan(&document, &variables).await);
        let theirs = stage.say("plan", &json!({"document": document, "variables": pairs})).await?;
        same("the plan of", &document, &ours, &theirs)?;
    }
    Ok(())
}

pub(super) async fn replay(stage: &mut Stage) -> Result<(), Stop> {
    let document = r#"{"source":{"type":"file"}}"#;
    let plan = wire::plan(stage.world.runtime.plan(document, &Variables::new()).await);
    let ours = format!("{{\"open\":{plan},\"decisions\":[]}}");
    let replay = json!({"document": document, "variables": [], "steps": []});
    let theirs = stage.say("replay", &replay).await?;
    Ok(same("the replay of", document, &ours, &theirs)?)
}

/// Every document, with the variables that go with it.
fn documents(stage: &Stage) -> Vec<(String, Vec<(String, String)>)> {
    let sandbox = stage.world.sandbox.documents();
    let own = [sandbox.native, sandbox.airflow_uri, sandbox.airflow_json, sandbox.airflow_json_text_extra];
    let own = own.into_iter().chain(DOCUMENTS.map(str::to_owned));
    let own = own.map(|document| (document, vec![("MY_KEY".to_owned(), "sk-from-a-variable".to_owned())]));
    let recipes = sandbox.combinations.into_values();
    own.chain(recipes.map(|recipe| (recipe.document, recipe.variables.into_iter().collect()))).collect()
}

fn same(what: &str, document: &str, ours: &str, theirs: &str) -> Result<(), Fault> {
    if ours == theirs {
        return Ok(());
    }
    let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| {
        let start =
            (0..=at.saturating_sub(40)).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
        cut(text.get(start..).unwrap_or_default())
    };
    let expected = format!("{what} {}, which differs at byte {at}: {}", cut(document), from(ours));
    Err(Fault::new(expected, from(theirs)))
}
