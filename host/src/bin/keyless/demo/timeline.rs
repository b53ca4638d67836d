//! The demo's output: a line per step as it happens, or one JSON document at the end.

use std::time::Instant;

use serde_json::{Value, json};

use crate::output;
use crate::output::problem::Problem;

/// What a step has to say.
pub(super) struct Told {
    text: String,
    facts: Value,
}

impl Told {
    pub(super) fn new(text: impl Into<String>, facts: Value) -> Self {
        Self { text: text.into(), facts }
    }
}

pub(super) struct Timeline {
    began: Instant,
    /// Collected for `--json`; none when lines are printed.
    steps: Option<Vec<Value>>,
}

/// Where a line of text is broken, without the columns before it.
const WIDTH: usize = 88;

impl Timeline {
    pub(super) fn begin(json: bool) -> Result<Self, Problem> {
        if !json {
            output::write("From a platform's identity to an API call, without an API key.\n\n")?;
        }
        Ok(Self { began: Instant::now(), steps: json.then(Vec::new) })
    }

    /// Records a step. One that did not hold is passed on.
    pub(super) fn step(&mut self, name: &str, told: Result<Told, Problem>) -> Result<(), Problem> {
        let Told { text, facts } = told?;
        let elapsed = self.began.elapsed();
        if let Some(steps) = &mut self.steps {
            let at_ms = u64::try_from(elapsed.as_millis()).ok();
            steps.push(json!({ "step": name, "at_ms": at_ms, "text": text, "facts": facts }));
            return Ok(());
        }
        let mut lines = wrapped(&text).into_iter();
        let first = lines.next().unwrap_or_default();
        let mut shown = format!("{:>5.1} s  ✓ {name:<8} {first}\n", elapsed.as_secs_f64());
        for line in lines {
            shown.push_str(&format!("{:20}{line}\n", ""));
        }
        output::write(&shown)
    }

    pub(super) fn end(self, problem: Option<&Problem>) -> Result<(), Problem> {
        let elapsed = self.began.elapsed();
        match self.steps {
            Some(steps) => {
                let document = json!({
                    "ok": problem.is_none(),
                    "elapsed_ms": u64::try_from(elapsed.as_millis()).ok(),
                    "steps": steps,
                    "problem": problem.map(ToString::to_string),
                });
                output::write(&output::json(&document)?)
            }
            None if problem.is_none() => {
                output::write(&format!("\nEverything held, in {:.0} s.\n", elapsed.as_secs_f64()))
            }
            None => Ok(()),
        }
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words() {
        let text = "word ".repeat(40);
        let lines = wrapped(text.trim());
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(lines.join(" "), text.trim());
        assert_eq!(wrapped(""), [""]);
    }
}
