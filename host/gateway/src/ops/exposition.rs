//! Prometheus' text format, version 0.0.4.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

/// For `content-type`.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Text with one family of metrics after the other.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
}

/// One family: its head is written, samples follow.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Exposition {
    /// A value that goes up and down.
    pub(super) fn gauge(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, help, "gauge")
    }

    /// A value that only grows. `name` ends in `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, help, "counter")
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// `help`: one line without a backslash.
    fn family(&mut self, name: &'static str, help: &'static str, kind: &'static str) -> Family<'_> {
        // Writing to a String cannot fail, here and below.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { text: &mut self.text, name }
    }
}

impl Family<'_> {
    /// One sample. No two of a family have the same labels.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.text.push_str(self.name);
        for (position, (label, value)) in labels.iter().enumerate() {
            self.text.push(if position == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{label}=\"");
            for character in value.chars() {
                match character {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    other => self.text.push(other),
                }
            }
            self.text.push('"');
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_labels_and_their_escapes() {
        let mut exposition = Exposition::default();
        exposition.gauge("a", "What a is.").sample(&[], 1);
        let mut family = exposition.counter("b_total", "What b is.");
        family.sample(&[("x", "1"), ("y", "a\\b\"c\nd")], 2);
        family.sample(&[("x", "2"), ("y", "ü")], 0.5);
        assert_eq!(
            exposition.finish(),
            "# HELP a What a is.\n# TYPE a gauge\na 1\n# HELP b_total What b is.\n# TYPE b_total counter\n\
             b_total{x=\"1\",y=\"a\\\\b\\\"c\\nd\"} 2\nb_total{x=\"2\",y=\"ü\"} 0.5\n"
        );
    }
}
