//! `cargo run --release -p keyless-scenarios --bin traces -- FILE COUNT` writes what the engine was told and decided in every
//! scenario, and in so many generated ones, for hosts that are not of this workspace. docs/conformance.md says what for.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a part of the tests")]

use std::env;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use keyless_scenarios::generated;
use keyless_scenarios::hosts::recorded;
use keyless_scenarios::play;
use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::tables;
use keyless_scenarios::world::World;

fn main() {
    let mut arguments = env::args().skip(1);
    let (file, count) = (arguments.next().expect("FILE"), arguments.next().expect("COUNT"));
    let count = count.parse().expect("COUNT is a number");
    let mut file = BufWriter::new(File::create(file).expect("FILE can be written"));
    let (mut traces, mut steps) = (0, 0);
    for scenario in tables::all().into_iter().chain(generated::scenarios(0, count)) {
        steps += write(&scenario, &mut file);
        traces += 1;
    }
    file.flush().unwrap();
    println!("{traces} traces, {count} of them generated; {steps} events");
}

/// How many times the engine was told something.
fn write(scenario: &Scenario, file: &mut impl std::io::Write) -> usize {
    let world = World::new(scenario).unwrap();
    let (host, tape) = recorded::host(world.clone());
    let played = play::on(host, &world, scenario).unwrap();
    assert!(played.failures.is_empty(), "{}: {:?}", scenario.name, played.failures);
    let tape = tape.borrow();
    let tape = tape.as_ref().expect("every scenario opens its document, or tries to");
    writeln!(file, "{}", tape.line(&scenario.name)).unwrap();
    tape.len()
}
