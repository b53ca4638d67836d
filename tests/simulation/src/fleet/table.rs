//! The figures as tables: for a terminal and for Markdown alike.

use super::figures::{Figures, Report, by_chance};
use super::play::BETWEEN_CALLS;
use super::policy::LIFETIME;
use crate::plot::SECOND;

/// All tables, with a sentence before each.
#[must_use]
pub fn tables(report: &Report) -> String {
    let Report { figures, aftermath } = report;
    let load = figures.iter().map(load).collect();
    let outage = figures.iter().map(outage).collect();
    let policies = figures.iter().map(|of| vec![of.contender.name.into(), of.contender.how.into()]).collect();
    let mean = report.ours().load.mean;
    let (chance_hour, chance_day) = (by_chance(mean, 3_600.0), by_chance(mean, 86_400.0));
    let times = |rate: u64| format!("{rate}/s, {:.1} times the mean", rate as f64 / mean);
    [
        "What each does:".to_owned(),
        table(&["policy", "renewal"], policies),
        "A day after a start within 30 s, without trouble:".to_owned(),
        table(&LOAD, load),
        format!(
            "Chance alone, with {mean:.1} renewals a second at independent moments, makes {chance_hour}/s the worst second of an \
             hour\nand {chance_day}/s that of a day: instances that know nothing of each other do no better."
        ),
format!(
            "An outage (503), met in steady state. An instance is called every {} s on average, and who tries again with every \
             call\ntries as often:",
            BETWEEN_CALLS / SECOND
        ),
        table(&OUTAGE, outage),
        format!(
            "What comes to a whole fleet at once must not stay with it. The worst second of the three hours after an outage of\n\
             15 minutes: {}; after a revocation of all credentials at once: {}.\nBoth without the first five \
             minutes, in which it is answered.",
            times(aftermath.outage),
            times(aftermath.revocation)
        ),
    ]
    .join("\n\n")
        + "\n"
}

const LOAD: [&str; 6] = [
    "policy",
    "exchanges per instance",
    "mean",
    "worst second, first hour",
    "worst second, day",
    "worst ten seconds, day",
];

fn load(Figures { contender, load, .. }: &Figures) -> Vec<String> {
    let over = |rate: u64| format!("{rate}/s, {:.1} x mean", rate as f64 / load.mean);
    vec![
        contender.name.into(),
        format!("{:.0}", load.exchanges),
        format!("{:.1}/s", load.mean),
        over(load.first_hour),
        over(load.day),
        format!(
            "{:.1}/s, {:.1} x mean",
            load.day_tens as f64 / 10.0,
            load.day_tens as f64 / 10.0 / load.mean
        ),
    ]
}

const OUTAGE: [&str; 7] = [
    "policy",
    "longest that no caller notices",
    "calls that fail in 15 min",
    "in 30 min",
    "exchanges per instance in 15 min",
    "worst second of the minute after",
    "99 % fresh after",
];

fn outage(Figures { contender, load, outage, unnoticed }: &Figures) -> Vec<String> {
    let share = *unnoticed as f64 * 100.0 / (LIFETIME / SECOND) as f64;
    vec![
        contender.name.into(),
        format!("{unnoticed} s, {share:.1} % of the lifetime"),
        format!("{:.1} %", outage.failed / 10.0),
        format!("{:.1} %", outage.failed_in_thirty / 10.0),
        format!("{:.1}, at most {}", outage.exchanges, outage.most),
        format!("{}/s, {:.0} x mean", outage.rush, outage.rush as f64 / load.mean),
        outage.fresh_after.map_or_else(|| "not in 30 min".into(), |seconds| format!("{seconds} s")),
    ]
}

/// Markdown whose columns stand below each other.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            row.iter().zip(&widths).map(|(cell, width)| format!("| {cell:width$} ")).collect::<String>() + "|"
        })
        .collect();
    let rule = widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))).collect::<String>() + "|";
    lines.insert(1, rule);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = vec![vec!["long name".into(), "1".into()], vec!["b".into(), "20".into()]];
        let expected = "| a         | b  |\n|-----------|----|\n| long name | 1  |\n| b         | 20 |";
        assert_eq!(table(&["a", "b"], rows), expected);
    }
}
