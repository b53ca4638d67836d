//! The component of the source `custom`, played.

use std::collections::VecDeque;

use anyhow::{Context as _, Result};

use crate::scenario::Scenario;
use crate::scenario::source::Answer;

/// The answers that are left.
#[derive(Default)]
pub struct Source {
    answers: VecDeque<Answer>,
    failures: Vec<String>,
    /// The answers go round, and nothing is demanded: see [`Scenario::weather`].
    endless: bool,
}

impl Source {
    pub fn new(scenario: &Scenario) -> Result<Self> {
        let mut answers: VecDeque<_> = scenario.source.iter().flatten().cloned().collect();
        for answer in &mut answers {
            for text in [&mut answer.token].into_iter().chain(&mut answer.error) {
                *text = scenario.tokens.fill(text).context("source.json")?;
            }
        }
        Ok(Self { answers, failures: Vec::new(), endless: scenario.weather.is_some() })
    }

    /// As the contract's `token`.
    pub fn token(&mut self, audience: Option<&str>) -> Result<String, String> {
        let Some(answer) = self.answers.pop_front() else {
            if !self.endless {
                self.failures.push("the source is asked once too often".to_owned());
            }
            return Err("not in the script".to_owned());
        };
        if self.endless {
            self.answers.push_back(answer.clone());
        } else if answer.audience.as_deref() != audience {
            self.failures.push(format!("the source is asked for {audience:?}, not {:?}", answer.audience));
        }
        answer.error.map_or(Ok(answer.token), Err)
    }

    /// What did not happen as it must.
    pub fn finish(&mut self) -> Vec<String> {
        let mut failures = std::mem::take(&mut self.failures);
        if !self.answers.is_empty() && !self.endless {
            failures.push(format!("the source is asked {} times too few", self.answers.len()));
        }
        failures
    }
}
