//! How much work the finished artefacts do: counts that are exact where time is not. `tests/counts/record.json` holds them,
//! and who makes one grow writes that down in the same commit.

pub(crate) mod fuel;
mod in_wasi;
mod record;
mod stepwise;

use std::collections::BTreeMap;

use record::Record;

/// By name. `BTreeMap`: in the order of the names, so that two records can be laid side by side.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Everything that is recorded, counted anew.
fn all() -> Counts {
    let mut counts = Counts::new();
    counts.extend(stepwise::counts());
    counts.extend(in_wasi::counts());
    counts.extend(crate::filter::counts());
    counts
}

#[test]
fn nothing_costs_more_or_less_than_the_record_says() {
    let counts = all();
    if record::is_to_be_written() {
        Record::new(&counts).write();
    }
    let differences = Record::read().differences(&counts);
    assert!(differences.is_empty(), "{}\n{}", differences.join("\n"), record::WAY_OUT);
}

/// Else the record would say something about a day, and not about the code.
#[test]
fn two_runs_count_alike() {
    assert_eq!(all(), all());
}
