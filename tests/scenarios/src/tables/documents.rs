//! `bad/documents.json`: documents that must be refused, each with its code and the words that help; and documents that
//! work but deserve a warning. Every one holds a marked secret where people would have one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json::Json;
use crate::scenario::Scenario;
use crate::scenario::expect::{ErrorExpect, Expect, PlanExpect};
use crate::scenario::text::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// The document, verbatim ...
    text: Option<Text>,
    /// ... or as JSON, to be written without spaces.
    json: Option<Json>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// How it is refused ...
    error: Option<ErrorExpect>,
    /// ... or the codes of all its warnings, and what they must contain.
    warnings: Option<Vec<String>>,
    #[serde(default)]
    contains: Vec<String>,
}

pub fn load() -> Vec<Scenario> {
    let rows: Vec<Row> = super::table("documents");
    rows.into_iter().map(scenario).collect()
}

fn scenario(row: Row) -> Scenario {
    let document = match (row.text, row.json) {
        (Some(text), None) => text.text(),
        (None, Some(json)) => json.compact(),
        _ => panic!("{}: one of `text` and `json`", row.name),
    };
    assert!(row.error.is_some() != row.warnings.is_some(), "{}: one of `error` and `warnings`", row.name);
    let plan = row.warnings.map(|warnings| PlanExpect {
        warnings: Some(warnings),
        warnings_contain: row.contains,
        ..PlanExpect::default()
    });
    let expect = Expect { plan, open_error: row.error, ..super::expect(Vec::new()) };
    Scenario {
        name: format!("document `{}`", row.name),
        document,
        environment: row.env,
        files: BTreeMap::new(),
        traffic: Vec::new(),
        source: None,
        expect,
        tokens: crate::scenario::tokens::Tokens::default(),
        weather: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::NATIVE;
    use crate::scenario::expect::{CredentialExpect, Step};
    use crate::tables::assert_all_hold;

    /// A good one beside them, so that the table's own machinery cannot be what refuses everything.
    #[test]
    fn a_good_document_is_not_refused() {
        let row = Row {
            name: "good".to_owned(),
            text: Some(Text::Plain(r#"{"api_key":"sk-CANARY"}"#.to_owned())),
            json: None,
            env: BTreeMap::new(),
            error: None,
            warnings: Some(Vec::new()),
            contains: Vec::new(),
        };
        let mut scenario = scenario(row);
        let expect = CredentialExpect { generation: Some(1), ..CredentialExpect::default() };
        scenario.expect.steps.push(Step::Credential(expect));
        assert_all_hold(&[NATIVE], &[scenario]);
    }
}
