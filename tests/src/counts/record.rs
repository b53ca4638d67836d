//! The record and how far the counts may be from it.

use std::path::PathBuf;
use std::{env, fs};

use super::Counts;

/// Says that the record is to be written anew.
const WRITE: &str = "KEYLESS_WRITE_COUNTS";

pub(super) const WAY_OUT: &str = "Find out why, and make it less. If it has to be, or is a gain, write it down with\n\
    KEYLESS_WRITE_COUNTS=1 cargo test --release -p keyless-tests counts\n\
    and commit tests/counts/record.json together with what caused it.";

/// In percent, both ways: a gain that nobody writes down is room for a loss that nobody sees.
const TOLERANCE: u64 = 5;

pub(super) struct Record(Counts);

pub(super) fn is_to_be_written() -> bool {
    env::var_os(WRITE).is_some_and(|value| !value.is_empty())
}

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "counts", "record.json"].iter().collect()
}

impl Record {
    pub(super) fn new(counts: &Counts) -> Self {
        Self(counts.clone())
    }

    pub(super) fn read() -> Self {
        let path = path();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).expect("an object of numbers"))
    }

    pub(super) fn write(&self) {
        let text = serde_json::to_string_pretty(&self.0).expect("numbers") + "\n";
        fs::write(path(), text).expect("a record that can be written");
    }

    /// What is not within the tolerance, for people.
    pub(super) fn differences(&self, counts: &Counts) -> Vec<String> {
        let Self(recorded) = self;
        let gone = recorded.keys().filter(|name| !counts.contains_key(*name));
        let gone = gone.map(|name| format!("`{name}` is recorded, and no longer counted"));
        let other = counts.iter().filter_map(|(name, count)| match recorded.get(name) {
            None => Some(format!("`{name}` takes {count} instructions, and is not recorded")),
            Some(before) if is_near(*before, *count) => None,
            Some(before) => Some(format!(
                "`{name}` takes {count} instructions, {} than the {before} that are recorded",
                if count > before { "more" } else { "less" }
            )),
        });
        gone.chain(other).collect()
    }
}

fn is_near(before: u64, count: u64) -> bool {
    before.abs_diff(count) * 100 <= before * TOLERANCE
}

#[test]
fn five_percent_pass_and_no_more_either_way() {
    let record = Record(Counts::from([("a".to_owned(), 1_000)]));
    let differences = |count: u64| record.differences(&Counts::from([("a".to_owned(), count)]));
    for within in [950, 1_000, 1_050] {
        assert_eq!(differences(within), Vec::<String>::new());
    }
    assert!(differences(1_051)[0].contains("1051 instructions, more than the 1000"));
    assert!(differences(949)[0].contains("949 instructions, less than the 1000"));
    let other = record.differences(&Counts::from([("b".to_owned(), 1)]));
    assert!(other[0].contains("no longer counted") && other[1].contains("not recorded"), "{other:?}");
}
