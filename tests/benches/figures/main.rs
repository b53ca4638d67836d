//! `cargo bench -p keyless-tests`: what each thing costs, each figure beside a peer of the same run.
//!
//! Absolute times belong to the machine; the ratios are what to quote. Every figure is the median of many batches.

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark may fail loudly")]

mod component;
mod engine;
mod host;
mod instances;
mod measure;
mod python;
mod reading;

use std::sync::Arc;

use measure::{Figure, median};

/// As long as the tokens of OpenAI's endpoint.
const TOKEN_LENGTH: usize = 1_200;

fn main() {
    let shared = Arc::new(vec![0_u8; TOKEN_LENGTH]);
    let arc = median(|| Arc::clone(&shared));

    println!("reading a credential that is held\n");
    let held = host::Held::open();
    let snapshot = median(|| held.connection.credential().expect("a credential is held"));
    let native = engine::cached_credential();
    let component = component::cached_credential();
    let python = python::cached_get_token();
    for figure in [
        Figure::new("an Arc cloned and dropped", arc),
        Figure::new("host library: Connection::credential()", snapshot),
        Figure::new("native engine: headers copied out", native),
        Figure::new("component: credential()", component),
        Figure::new("official Python SDK: get_token()", python),
    ] {
        figure.print(snapshot, "the host library");
    }

    reading::print();

    println!("\nopening a connection from a document of {} bytes\n", engine::DOCUMENT.len());
    let json = engine::json_alone();
    for figure in [
        Figure::new("serde_json alone", json),
        Figure::new("native engine: parsed and opened", engine::open()),
        Figure::new("component: parsed, opened, dropped", component::open()),
    ] {
        figure.print(json, "serde_json");
    }
    println!("\nan instance of a prepared component, made and dropped\n");
    let empty = instances::empty();
    for figure in [
        Figure::new("a component of one empty memory", empty),
        Figure::new("credential-provider.wasm", instances::ours()),
    ] {
        figure.print(empty, "the empty one");
    }
}
