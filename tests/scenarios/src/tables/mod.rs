//! Where scenarios come from: folders ([`cases`]), and tables of what must be refused or borne ([`documents`],
//! [`answers`], [`tokens`]).

pub mod answers;
pub mod cases;
pub mod documents;
pub mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::hosts::Maker;
use crate::play;
use crate::scenario::Scenario;
use crate::scenario::expect::{Expect, Start, Step};

/// The rows of `bad/<name>.json`.
fn table<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bad").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A projected token, one exchange: what tables of answers and tokens vary.
pub fn plain_exchange() -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/kubernetes-token-file-path");
    Scenario::load(&folder).unwrap()
}

pub fn expect(steps: Vec<Step>) -> Expect {
    Expect {
        about: "a row of a table".to_owned(),
        start: Start::default(),
        withheld_files: Vec::new(),
        plan: None,
        open_error: None,
        steps,
    }
}

/// Every scenario: the cases, and all rows of the tables.
pub fn all() -> Vec<Scenario> {
    [cases::load(), documents::load(), answers::load(), tokens::load()].concat()
}

/// On each of the hosts, alike, and without a secret anywhere.
pub fn assert_all_hold(hosts: &[Maker], scenarios: &[Scenario]) {
    let names: BTreeSet<_> = scenarios.iter().map(|scenario| &scenario.name).collect();
    assert_eq!(names.len(), scenarios.len(), "two have the same name");
    let failures: Vec<_> =
        play::all(hosts, scenarios).into_iter().flat_map(|played| played.failures).collect();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}
