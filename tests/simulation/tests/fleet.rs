//! What a fleet of ours costs and survives, and that the pages say the same.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use keyless_simulation::fleet::figures::{Figures, Report, by_chance, report};
use keyless_simulation::fleet::pages::pages;

static REPORT: LazyLock<Report> = LazyLock::new(report);

fn ours() -> &'static Figures {
    REPORT.ours()
}

/// As a multiple of the mean of the day.
fn over_mean(rate: u64) -> f64 {
    rate as f64 / ours().load.mean
}

#[test]
fn the_exchange_rate_is_flat_from_the_first_hour() {
    let load = &ours().load;
    assert!(over_mean(load.first_hour) <= 3.2, "{} of {}", load.first_hour, load.mean);
    // Of 86,400 seconds one is allowed to be unlucky.
    assert!(load.day <= by_chance(load.mean, 86_400.0) + 4, "{} of {}", load.day, load.mean);
    assert!(over_mean(load.day_tens) / 10.0 <= 2.0, "{} of {}", load.day_tens, load.mean);
}

#[test]
fn an_outage_costs_few_requests_and_is_soon_over() {
    let outage = &ours().outage;
    assert!(outage.exchanges <= 5.0, "{}", outage.exchanges);
    assert!(outage.fresh_after.is_some_and(|seconds| seconds <= 300), "{:?}", outage.fresh_after);
    assert!(over_mean(outage.rush) <= 15.0, "{}", outage.rush);
}

#[test]
fn an_outage_of_half_a_lifetime_is_not_noticed() {
    assert!(ours().unnoticed >= 1_800, "{}", ours().unnoticed);
    assert_eq!((ours().outage.failed, ours().outage.failed_in_thirty), (0.0, 0.0));
}

#[test]
fn what_came_to_all_at_once_does_not_stay() {
    let aftermath = REPORT.aftermath;
    for rate in [aftermath.outage, aftermath.revocation] {
        assert!(over_mean(rate) <= 4.0, "{aftermath:?}");
    }
}

#[test]
fn the_drawing_and_the_tables_are_those_of_this_code() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, made) in pages(&docs, &REPORT).unwrap() {
        let kept = fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(kept == made, "docs/{name} is not what this code makes: run `make figures`");
    }
}
