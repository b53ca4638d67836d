//! `bad/tokens.json`: what may stand in a token file, and what is made of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::json::Json;
use crate::scenario::Scenario;
use crate::scenario::expect::{CredentialExpect, ErrorExpect, StatusExpect, Step, Time};
use crate::scenario::text::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// The file's content: a text, in which `{token:pod}` stands for a good token, or with `claims` for one with those ...
    text: Option<Text>,
    /// ... or bytes that are no text, in base64.
    base64: Option<String>,
    /// As JSON, or verbatim where they are not JSON.
    claims: Option<Json>,
    verbatim_claims: Option<Text>,
    /// The document's `audience`.
    audience: Option<String>,
    /// What comes of it: an error before anything is sent ...
    error: Option<ErrorExpect>,
    /// ... or it is sent, and these are the codes of the status' warnings.
    warnings: Option<Vec<String>>,
}

pub fn load() -> Vec<Scenario> {
    let base = super::plain_exchange();
    let rows: Vec<Row> = super::table("tokens");
    rows.into_iter().map(|row| scenario(row, base.clone())).collect()
}

fn scenario(row: Row, mut scenario: Scenario) -> Scenario {
    let name = &row.name;
    assert!(row.error.is_some() != row.warnings.is_some(), "{name}: one of `error` and `warnings`");
    scenario.name = format!("token `{name}`");
    match (row.claims, row.verbatim_claims) {
        (Some(claims), None) => scenario.tokens.add("pod", &claims.compact()),
        (None, Some(claims)) => scenario.tokens.add("pod", &claims.text()),
        (None, None) => {}
        _ => panic!("{name}: `claims` or `verbatim_claims`"),
    }
    let content = match (row.text, row.base64) {
        (Some(text), None) => scenario.tokens.fill(&text.text()).unwrap().into_bytes(),
        (None, Some(bytes)) => STANDARD.decode(bytes).unwrap(),
        _ => panic!("{name}: one of `text` and `base64`"),
    };
    let [file] = scenario.files.values_mut().collect::<Vec<_>>().try_into().expect("one file");
    *file = content;
    if let Some(audience) = row.audience {
        let with =
            format!("\"token_file_path\": \"/var/run/secrets/tokens/token\", \"audience\": \"{audience}\"");
        let before = scenario.document.clone();
        scenario.document = before.replace("\"token_file_path\": \"/var/run/secrets/tokens/token\"", &with);
        assert_ne!(scenario.document, before, "{name}: the document takes an audience");
    }
    let refused = row.error.is_some();
    if refused {
        scenario.traffic.clear();
    }
    let credential = CredentialExpect {
        generation: (!refused).then_some(1),
        error: row.error,
        // A reading that looks torn is repeated for 310 ms.
        took: Some(Time::Between([0.0, 0.31])),
        exchanges: Some(usize::from(!refused)),
        ..CredentialExpect::default()
    };
    let status = StatusExpect {
        phase: if refused { "failed" } else { "fresh" }.to_owned(),
        warnings: row.warnings,
        ..StatusExpect::default()
    };
    scenario.expect = super::expect(vec![Step::Credential(credential), Step::Status(status)]);
    scenario
}
