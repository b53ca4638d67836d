//! What anybody may read. The answers and the standard error of all checks are searched for tokens; here the token endpoint does
//! what it can to get one there.

use std::time::Duration;

use serde_json::json;

use crate::commands::conformance::peer::{Manner, Peer};
use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Answer, Open, Stage, Stop};

pub(super) async fn none(stage: &mut Stage) -> Result<(), Stop> {
    let echoes = [
        r#"{"error":"invalid_grant","error_description":"{subject} is not accepted"}"#,
        r#"{"error":"{subject}"}"#,
        "{subject}",
    ];
    let mut opens = Vec::new();
    for (name, echo) in ["described", "named", "bare"].into_iter().zip(echoes) {
        opens.push((name, Open::to(&stage.world, &Peer::start(Manner::Echo(echo)).await?)?));
    }
    for answer in stage.credentials_of(&opens).await? {
        if let Answer::Ok(_) = answer {
            return Err(Fault::new("an error, because the token endpoint refused", answer.shown()).into());
        }
    }
    for (name, _) in opens {
        stage.ask("status", &json!({"name": name})).await?.ok()?;
    }
    let peer = Peer::start(Manner::Issue { lifetime: 3_600, after: Duration::ZERO }).await?;
    stage.open("a", &Open::to(&stage.world, &peer)?).await?.ok()?;
    stage.generation("credential", "a", 1).await?;
    stage.ask("status", &json!({"name": "a"})).await?.ok()?;
    stage.ask("close", &json!({"name": "a"})).await?.ok()?;
    // A name that is not open any more, and a line that is no request: neither is a reason to show what was held.
    stage.ask("credential", &json!({"name": "a"})).await?;
    Ok(())
}
