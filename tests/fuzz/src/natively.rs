//! Print, then parse: the settings of a plan, written down in our own form, are a document with the same plan. So
//! `keyless plan` shows what to write, whatever dialect it was asked about.

use std::collections::BTreeSet;

use keyless_engine::plan::{Origin, Plan, Setting};
use serde_json::{Map, Value};

use crate::document::Document;

/// What a plan shows that nobody can write into a document: it comes out of other settings.
const DERIVED: &[&str] = &["nickname", "source.credentials", "source.endpoint"];

/// Sources that take more from variables than they show, and the one whose plan keeps its component's grant elsewhere.
const APART: &[&str] = &["aws", "azure", "github", "custom"];

/// The plan of a document is the plan of what it shows.
pub fn means_the_same(document: &Document, plan: &Plan) {
    if plan.settings.iter().any(|one| one.name == "source.type" && APART.contains(&one.value.as_str())) {
        return;
    }
    let mut text = Value::Object(Map::new());
    for setting in plan.settings.iter().filter(|one| !DERIVED.contains(&one.name.as_str())) {
        if setting.origin != Origin::Default {
            write(&mut text, setting);
        }
    }
    let text = text.to_string();
    let read = keyless_engine::plan(&text, &document.set());
    let Ok((_, read)) = &read else { panic!("{text} is no document: {:?}", read.err()) };
    assert_eq!(words(plan), words(read), "{text}");
    assert_eq!(plan.requirements.endpoints, read.requirements.endpoints, "{text}");
    assert_eq!(plan.requirements.files, read.requirements.files, "{text}");
}

/// Sorted: of headers that are the author's own, the order is the author's, which an object of serde_json does not keep.
fn words(plan: &Plan) -> BTreeSet<(&str, &str)> {
    let settings = plan.settings.iter().filter(|one| !DERIVED.contains(&one.name.as_str()));
    settings.map(|one| (one.name.as_str(), one.value.as_str())).collect()
}

/// Puts a setting where its dotted name says. Of a secret only the length is known, which is all that is shown of it.
fn write(document: &mut Value, Setting { name, value, origin }: &Setting) {
    let value = match (secret(value), origin) {
        (None, _) => Value::from(value.as_str()),
        (Some(_), Origin::Variable(variable)) => serde_json::json!({ "variable": variable }),
        (Some(length), _) => Value::from("x".repeat(length)),
    };
    let mut place = document;
    for part in name.splitn(3, '.') {
        let Value::Object(map) = place else { panic!("{name} is beside and inside another setting") };
        place = map.entry(part).or_insert_with(|| Value::Object(Map::new()));
    }
    *place = value;
}

/// How long it is.
fn secret(shape: &str) -> Option<usize> {
    shape.strip_prefix("secret, ")?.split_once(" character")?.0.parse().ok()
}
