//! A far end that answers as it usually does, or in any of the ways that far ends have: the same ones for the same seed.

use super::script::{Reply, What};
use crate::mutation::Dice;
use crate::scenario::traffic::Fault;

/// What a host may tell the engine of a request that has no answer. Not that it denied it: not every host can.
const FAULTS: [Fault; 6] = [
    Fault::Unresolved,
    Fault::Unreachable,
    Fault::Untrusted,
    Fault::TimedOut,
    Fault::Broken,
    Fault::TooLarge,
];

/// Seconds of life, in whatever form an endpoint may write them.
const LIVES: [&str; 14] =
    ["3600", "7200", "900", "300", "120", "60", "20", "5", "2", "1", "0", "-5", "1800.5", "\"600\""];

pub(super) struct Weather {
    dice: Dice,
    /// Answers so far: each gives a token of its own.
    answers: u64,
}

impl Weather {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), answers: 0 }
    }

    /// `usual`: what such a request is answered when all is well, one after the other.
    pub(super) fn reply(&mut self, usual: &[&Reply]) -> Reply {
        self.answers += 1;
        let place = usize::try_from(self.answers - 1).unwrap_or(0);
        let Some(usual) = usual.get(place).or(usual.last()) else {
            return Reply { after_ms: 0, what: What::Fault(Fault::Broken) };
        };
        let after_ms = match self.dice.below(8) {
            0 => 10 * self.dice.below(1_200),
            1..=3 => 10 * self.dice.below(40),
            _ => 0,
        };
        Reply { after_ms: u64::try_from(after_ms).unwrap_or(0), what: self.what(&usual.what) }
    }

    fn what(&mut self, usual: &What) -> What {
        match self.dice.below(20) {
            0 => What::Stall,
            1 | 2 => What::Fault(*self.dice.pick(&FAULTS)),
            3 | 4 => self.refusal(),
            5 => self.garbled(usual),
            6..=10 => self.of_another_life(usual),
            _ => self.renamed(usual),
        }
    }

    /// An error in one of the forms that endpoints have.
    fn refusal(&mut self) -> What {
        let status = *self.dice.pick(&[400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504]);
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if self.dice.one_in(3) {
            let after =
                *self.dice.pick(&["1", "0", "30", "600", "-1", "Fri, 15 Jan 2027 08:20:00 GMT", "soon"]);
            headers.push(("retry-after".to_owned(), after.to_owned()));
        }
        let body = *self.dice.pick(&[
            "",
            "{\"error\":\"invalid_grant\",\"error_description\":\"CANARY\"}",
            "{\"error\":{\"type\":\"authentication_error\",\"message\":\"CANARY\"}}",
            "<html>CANARY</html>",
        ]);
        What::Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    fn garbled(&mut self, usual: &What) -> What {
        let What::Answer { status, headers, body } = usual else { return usual.clone() };
        What::Answer { status: *status, headers: headers.clone(), body: self.dice.mutated(body) }
    }

    fn of_another_life(&mut self, usual: &What) -> What {
        let life = *self.dice.pick(&LIVES);
        let answer = self.renamed(usual);
        with_body(&answer, |body| {
            let Some((before, after)) = body.split_once("\"expires_in\":") else { return body };
            let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{before}\"expires_in\":{life}{rest}")
        })
    }

    /// A token of its own in every answer.
    fn renamed(&self, usual: &What) -> What {
        let number = self.answers;
        with_body(usual, |body| {
            body.replacen("\"access_token\":\"CANARY", &format!("\"access_token\":\"CANARY{number}"), 1)
        })
    }
}

/// Bodies that are no text stay as they are.
fn with_body(what: &What, change: impl FnOnce(String) -> String) -> What {
    let What::Answer { status, headers, body } = what else { return what.clone() };
    let body =
        String::from_utf8(body.clone()).map_or_else(|_| body.clone(), |text| change(text).into_bytes());
    What::Answer { status: *status, headers: headers.clone(), body }
}
