//! Airflow's URI form, and the same connection in both forms when the first byte is below 9.

#![no_main]

use keyless_engine::Variables;
use keyless_engine::document::Dialect;
use keyless_fuzz::airflow::Fields;
use keyless_fuzz::document::Document;
use keyless_fuzz::input::Input;
use keyless_fuzz::natively;
use libfuzzer_sys::fuzz_target;

/// Longer ones may not fit into JSON's escapes.
const LONGEST: usize = 8 * 1024;

fuzz_target!(|bytes: &[u8]| {
    if bytes.first().is_some_and(|byte| *byte < 9) {
        both_forms(&Fields::from_input(&mut Input::new(bytes.get(1..).unwrap_or_default())));
    } else {
        alone_and_inside(&Document::from_input(bytes, &[]));
    }
});

/// A connection is the same in JSON and as a URI.
fn both_forms(fields: &Fields) {
    let (json, uri) = (fields.as_json(), fields.as_uri());
    let plan = |text: &str| keyless_engine::plan(text, &Variables::default());
    match (plan(&json), plan(&uri)) {
        (Ok((_, from_json)), Ok((_, from_uri))) => assert_eq!(from_json, from_uri, "{json} and {uri}"),
        (from_json, from_uri) => assert_eq!(from_json.err(), from_uri.err(), "{json} and {uri}"),
    }
}

/// A URI that stands alone means the same as one that is the `uri` of the JSON form.
fn alone_and_inside(document: &Document) {
    let uri = document.text.trim_start_matches('\u{feff}').trim();
    let alone = document.check();
    if uri.starts_with('{') || uri.len() > LONGEST {
        return;
    }
    let text = serde_json::json!({ "uri": uri }).to_string();
    let inside = Document { text, variables: document.variables.clone(), ..*document }.check();
    assert_eq!(alone.as_ref().map(|(_, plan)| plan), inside.as_ref().map(|(_, plan)| plan));
    if let Some((dialect, plan)) = alone {
        assert_eq!(dialect, Dialect::AirflowUri);
        natively::means_the_same(document, &plan);
    }
}
