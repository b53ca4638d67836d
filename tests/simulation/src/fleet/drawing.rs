//! The figures as a drawing: one row for each policy.
//!
//! Plain SVG with a background of its own, so that it reads the same on a light page and on a dark one.

use std::fmt::Write as _;

use super::figures::{Figures, Report};
use super::policy::LIFETIME;
use crate::plot::SECOND;

const WIDTH: f64 = 1_000.0;
const TOP: f64 = 112.0;
const ROW: f64 = 62.0;
const FOOT: f64 = 80.0;

/// Where the columns begin, and how wide they are.
const NAMES: f64 = 24.0;
const RATES: Column = Column { x: 205.0, width: 330.0 };
const BRIDGE: Column = Column { x: 640.0, width: 100.0 };
const CALLS: Column = Column { x: 822.0, width: 110.0 };

/// What is drawn of the exchange rates, in seconds; and how many of them make one step, as high as its worst second.
const DRAWN: usize = 3 * 3_600;
const STEP: usize = 60;

/// Of the scale: so many pixels for so many exchanges in a second.
const HEIGHT: f64 = 42.0;
const FULL: u64 = 400;

const INK: &str = "#1f2933";
const FAINT: &str = "#66727f";
const LINE: &str = "#e3e7eb";
const OURS: &str = "#0b7a53";
const THEIRS: &str = "#7b8794";

#[derive(Clone, Copy)]
struct Column {
    x: f64,
    width: f64,
}

/// The whole of it.
#[must_use]
pub fn drawing(report: &Report) -> String {
    let rows = report.figures.len() as f64;
    let height = TOP + rows * ROW + FOOT;
    let most = report.figures.iter().map(|of| of.outage.exchanges).fold(0.0, f64::max);
    let mut svg = head(height);
    for (row, figures) in report.figures.iter().enumerate() {
        draw_row(&mut svg, TOP + row as f64 * ROW, figures, most);
    }
    foot(&mut svg, height);
    svg
}

fn head(height: f64) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title description\" \
         font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"13\">\n\
         <title id=\"title\">Ten thousand instances against one token endpoint</title>\n\
         <desc id=\"description\">For each policy: exchanges per second in the first three hours, the longest outage that \
         no caller notices, and exchanges per instance in an outage of 15 minutes. The numbers are in the tables of \
         reliability.md.</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"10\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, NAMES, 34.0, "10,000 instances, one token endpoint, tokens of an hour", &title());
    let columns = [
        (
            RATES.x,
            "Exchanges per second, first three hours",
            "a line for every 200; beside it the worst second",
        ),
        (BRIDGE.x, "Longest outage that", "no caller notices"),
        (CALLS.x, "Exchanges each", "in an outage of 15 min"),
    ];
    for (x, first, second) in columns {
        text(&mut svg, x, 68.0, first, &format!("fill=\"{INK}\" font-weight=\"600\""));
        text(&mut svg, x, 85.0, second, &format!("fill=\"{FAINT}\""));
    }
    svg
}

fn title() -> String {
    format!("fill=\"{INK}\" font-size=\"18\" font-weight=\"700\"")
}

fn draw_row(svg: &mut String, top: f64, figures: &Figures, most: f64) {
    let Figures { contender, load, outage, unnoticed } = figures;
    let ours = contender.name == super::policy::KEYLESS.name;
    let (colour, weight) = if ours { (OURS, 700) } else { (THEIRS, 500) };
    let base = top + HEIGHT + 6.0;
    let middle = top + HEIGHT / 2.0 + 10.0;
    writeln!(svg, "<path d=\"M{NAMES} {top}H{}\" stroke=\"{LINE}\"/>", WIDTH - NAMES).unwrap();
    let ink = format!("fill=\"{}\" font-weight=\"{weight}\"", if ours { OURS } else { INK });
    text(svg, NAMES, middle, contender.name, &ink);

    for rate in [0, FULL / 2, FULL] {
        let y = base - height_of(rate);
        writeln!(svg, "<path d=\"M{} {y:.1}h{}\" stroke=\"{LINE}\"/>", RATES.x, RATES.width).unwrap();
    }
    let rates = rates(&load.seconds, base);
    writeln!(svg, "<path d=\"{rates}\" fill=\"{colour}\"/>").unwrap();
    let beside = RATES.x + RATES.width + 8.0;
    text(svg, beside, middle - 8.0, &format!("{}/s", load.first_hour), &ink);
    let times = format!("{:.0} x mean", load.first_hour as f64 / load.mean);
    text(svg, beside, middle + 8.0, &times, &format!("fill=\"{FAINT}\" font-size=\"12\""));

    let seconds = *unnoticed as f64;
    let bar = seconds / (LIFETIME / SECOND / 2) as f64;
    let words =
        if *unnoticed < 120 { format!("{unnoticed} s") } else { format!("{:.0} min", seconds / 60.0) };
    draw_bar(svg, BRIDGE, middle, bar.min(1.1), colour, &words, &ink);
    let words = format!("{:.0}", outage.exchanges);
    draw_bar(svg, CALLS, middle, outage.exchanges / most, colour, &words, &ink);
}

/// Steps from left to right. A step without an exchange leaves a gap.
fn rates(seconds: &[u64], base: f64) -> String {
    let wide = RATES.width * STEP as f64 / DRAWN as f64;
    let mut path = String::new();
    for (step, span) in seconds[..DRAWN].chunks(STEP).enumerate() {
        let worst = span.iter().copied().max().unwrap_or_default();
        if worst > 0 {
            let (x, high) = (RATES.x + step as f64 * wide, height_of(worst).max(0.5));
            write!(path, "M{x:.1} {base}v-{high:.1}h{wide:.2}v{high:.1}z").unwrap();
        }
    }
    path
}

/// In pixels.
fn height_of(rate: u64) -> f64 {
    rate.min(FULL) as f64 * HEIGHT / FULL as f64
}

fn draw_bar(svg: &mut String, column: Column, middle: f64, share: f64, colour: &str, words: &str, ink: &str) {
    let (x, y, width) = (column.x, middle - 13.0, (column.width * share).max(1.5));
    writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"18\" rx=\"2\" fill=\"{colour}\"/>"
    )
    .unwrap();
    text(svg, x + width + 7.0, middle + 1.0, words, ink);
}

fn foot(svg: &mut String, height: f64) {
    for hour in 0..=3 {
        let x = RATES.x + RATES.width * f64::from(hour) / 3.0;
        let words = if hour == 0 { "start".to_owned() } else { format!("{hour} h") };
        let y = height - FOOT + 14.0;
        text(svg, x, y, &words, &format!("fill=\"{FAINT}\" font-size=\"12\" text-anchor=\"middle\""));
    }
    let small = format!("fill=\"{FAINT}\" font-size=\"12\"");
    let first = "Started within 30 s; the start itself is left out. Where callers drive the renewal, each instance is called \
                 every 5 s on average.";
    text(svg, NAMES, height - 32.0, first, &small);
    let second = "Keyless is the engine itself, the others are models of their source code.";
    text(svg, NAMES, height - 15.0, second, &small);
    svg.push_str("</svg>\n");
}

fn text(svg: &mut String, x: f64, y: f64, words: &str, attributes: &str) {
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{words}</text>").unwrap();
}
