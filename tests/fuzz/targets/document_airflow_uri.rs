//! Airflow's URI form. What stands alone as a URI means the same as the `uri` of the JSON form.

#![no_main]

use keyless_engine::document::Dialect;
use keyless_fuzz::document::Document;
use keyless_fuzz::natively;
use libfuzzer_sys::fuzz_target;

/// Longer ones may not fit into JSON's escapes.
const LONGEST: usize = 8 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let document = Document::from_input(bytes, &[]);
    let uri = document.text.trim_start_matches('\u{feff}').trim();
    let alone = document.check();
    if uri.starts_with('{') || uri.len() > LONGEST {
        return;
    }
    let text = serde_json::json!({ "uri": uri }).to_string();
    let inside = Document { text, variables: document.variables.clone(), ..document }.check();
    assert_eq!(alone.as_ref().map(|(_, plan)| plan), inside.as_ref().map(|(_, plan)| plan));
    if let Some((dialect, plan)) = alone {
        assert_eq!(dialect, Dialect::AirflowUri);
        natively::means_the_same(&document, &plan);
    }
});
