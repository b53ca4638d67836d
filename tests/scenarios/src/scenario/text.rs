//! A text, or how to make a long one: `"abc"`, or `{"before": "a", "repeat": "b", "times": 70000, "after": "c"}`.

use serde::Deserialize;

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Text {
    Plain(String),
    Long(Long),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Long {
    #[serde(default)]
    before: String,
    repeat: String,
    times: usize,
    #[serde(default)]
    after: String,
}

impl Text {
    pub fn text(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Long(long) => format!("{}{}{}", long.before, long.repeat.repeat(long.times), long.after),
        }
    }
}
