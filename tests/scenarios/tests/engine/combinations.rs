//! Every source with every exchange has a case, `SOURCE-EXCHANGE`, that ends in a credential, or is refused because it
//! cannot be. The cases' documents are what `docs/combinations.md` hands to people.

use std::fs;
use std::path::{Path, PathBuf};

use keyless_engine::{exchange, source};
use serde_json::{Value, json};

use keyless_scenarios::hosts::NATIVE;
use keyless_scenarios::play;
use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::tables;
use keyless_scenarios::trace::{Outcome, Trace};

/// Source and exchange, row by row.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    source::ALL.iter().flat_map(|source| exchange::ALL.iter().map(|exchange| (source.name, exchange.name)))
}

fn folder(source: &str, exchange: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases").join(format!("{source}-{exchange}"))
}

fn load(source: &str, exchange: &str) -> Scenario {
    Scenario::load(&folder(source, exchange)).unwrap_or_else(|error| panic!("{error:#}"))
}

/// That cases hold is for `cases.rs` to show, on every host. Here: that they are what their names say.
#[test]
fn every_source_with_every_exchange_has_a_case_that_ends_in_a_credential() {
    let scenarios: Vec<_> = all()
        .map(|(source, exchange)| {
            if folder(source, exchange).exists() {
                load(source, exchange)
            } else {
                put_together(source, exchange)
            }
        })
        .collect();
    let played = play::all(&[NATIVE], &scenarios);
    for ((source, exchange), played) in all().zip(played) {
        let name = format!("{source}-{exchange}");
        if folder(source, exchange).exists() {
            ends_in_a_credential(&played.trace, source, exchange);
        } else {
            let Some(Err(problem)) = played.trace.plan else { panic!("{name} can be had: it needs a case") };
            assert_eq!(
                (problem.kind.as_str(), problem.code.as_str()),
                ("invalid", "field-conflict"),
                "{name}"
            );
        }
    }
}

/// The source of one case with the exchange of another, to see whether the two go together.
fn put_together(source: &str, exchange: &str) -> Scenario {
    let part = |scenario: &Scenario, key: &str| {
        serde_json::from_str::<Value>(&scenario.document).unwrap().get(key).cloned().unwrap_or(json!({}))
    };
    let (of_source, of_exchange) = (load(source, exchange::ALL[0].name), load(source::ALL[0].name, exchange));
    let document = json!({
        "source": part(&of_source, "source"),
        "exchange": part(&of_exchange, "exchange"),
        "api": part(&of_exchange, "api"),
    });
    Scenario {
        name: format!("{source} with {exchange}"),
        document: document.to_string(),
        expect: tables::expect(Vec::new()),
        traffic: Vec::new(),
        ..of_source
    }
}

fn ends_in_a_credential(trace: &Trace, source: &str, exchange: &str) {
    let Some(Ok(plan)) = &trace.plan else { panic!("{source}-{exchange}: no plan") };
    for (name, wanted) in [("source.type", source), ("exchange.type", exchange)] {
        let found =
            plan.settings.iter().find(|(setting, ..)| setting == name).map(|(_, value, _)| value.as_str());
        assert_eq!(found, Some(wanted), "{source}-{exchange}: {name}");
    }
    let last = trace.steps.iter().rev().find_map(|step| match &step.outcome {
        Outcome::Credential(credential) => Some(credential),
        _ => None,
    });
    assert!(last.is_some_and(Result::is_ok), "{source}-{exchange}: {last:?}");
}

#[test]
fn the_documentation_links_every_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (file, table) in [
        ("README.md", table(|case| format!("[case](tests/cases/{case})"))),
        ("docs/combinations.md", table(|case| format!("[document](../tests/cases/{case}/document.json)"))),
    ] {
        let documentation = fs::read_to_string(root.join(file)).unwrap();
        assert!(documentation.contains(&table), "{file} lacks this table:\n{table}");
    }
}

/// Sources down, exchanges across.
fn table(link: fn(&str) -> String) -> String {
    let mut table = String::from("| |");
    for exchange in exchange::ALL {
        table.push_str(&format!(" `{}` |", exchange.name));
    }
    table.push_str(&format!("\n|---|{}\n", "---|".repeat(exchange::ALL.len())));
    for source in source::ALL {
        table.push_str(&format!("| `{}` |", source.name));
        for exchange in exchange::ALL {
            let case = format!("{}-{}", source.name, exchange.name);
            table.push_str(&if folder(source.name, exchange.name).exists() {
                format!(" {} |", link(&case))
            } else {
                " - |".to_owned()
            });
        }
        table.push('\n');
    }
    table
}
