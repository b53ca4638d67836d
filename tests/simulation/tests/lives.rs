//! A million simulated hours in which no promise may be broken.

use keyless_simulation::life::live;
use keyless_simulation::lives::{Enough, LIFE, live_all};
use keyless_simulation::plot::{Happening, draw, shrink};

const HOURS: u64 = 1_000_000;

#[test]
fn no_promise_is_broken_in_simulated_years() {
    let summary = live_all(0, Enough::hours(HOURS)).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{summary}");
    assert!(summary.served > summary.calls / 2, "callers got next to nothing: {summary:?}");
}

#[test]
fn a_seed_is_one_life() {
    let summary = |seed| format!("{:?}", live(&draw(seed, LIFE), LIFE));
    assert_eq!(summary(7), summary(7));
    assert_ne!(summary(7), summary(8));
}

#[test]
fn a_plot_is_shrunk_to_what_matters() {
    let plot = draw(3, LIFE);
    let (early, late) = (plot[5].at, plot[plot.len() - 5].at);
    let fails =
        |plot: &[Happening]| plot.iter().any(|one| one.at == early) && plot.iter().any(|one| one.at == late);
    let short = shrink(plot, &fails);
    assert_eq!(short.iter().map(|one| one.at).collect::<Vec<_>>(), [early, late]);
}
