//! `bad/answers.json`: what a token endpoint may answer, and what is made of it. Bodies echo marked secrets.

use serde::Deserialize;

use crate::scenario::Scenario;
use crate::scenario::expect::{CredentialExpect, ErrorExpect, Step, Time};
use crate::scenario::traffic::{Fault, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// One of these two.
    response: Option<Response>,
    fault: Option<Fault>,
    /// What comes of it: an error ...
    error: Option<ErrorExpect>,
    /// ... or a credential that ends so many seconds after the start, whose `authorization` has this value.
    expires_at: Option<Time>,
    authorization: Option<String>,
}

pub fn load() -> Vec<Scenario> {
    let base = super::plain_exchange();
    let rows: Vec<Row> = super::table("answers");
    rows.into_iter().map(|row| scenario(row, base.clone())).collect()
}

fn scenario(row: Row, mut scenario: Scenario) -> Scenario {
    assert!(
        row.error.is_some() != (row.expires_at.is_some() && row.authorization.is_some()),
        "{}: `error`, or `expires_at` and `authorization`",
        row.name
    );
    scenario.name = format!("answer `{}`", row.name);
    let [entry] = scenario.traffic.as_mut_slice() else { panic!("one exchange") };
    (entry.response, entry.fault) = (row.response, row.fault);
    let generation = row.error.is_none().then_some(1);
    let expect = CredentialExpect {
        generation,
        error: row.error,
        authorization: row.authorization,
        expires_at: row.expires_at,
        exchanges: Some(1),
        ..CredentialExpect::default()
    };
    scenario.expect = super::expect(vec![Step::Credential(expect)]);
    scenario
}
