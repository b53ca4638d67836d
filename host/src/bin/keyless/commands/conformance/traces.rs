//! Recorded runs of the machine, replayed by the host: the answer has to be the recorded one, byte for byte.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::mpsc;

use serde::de::IgnoredAny;

use super::report::{Difference, Fault, Traces};
use super::tested::{Surroundings, Tested, cut};
use crate::output::problem::Problem;

/// Replays that may be under way at once: enough that nobody waits for a round trip.
const AHEAD: usize = 64;
/// So many differences are shown.
const SHOWN: usize = 5;

/// One line of the file, `{"name":...,"replay":...,"answer":...}` without whitespace. Its parts are taken as they stand: in which
/// order the fields come is part of what is compared. No text can hold these separators, because it would escape the quotes.
struct Trace<'a> {
    name: &'a str,
    replay: &'a str,
    answer: &'a str,
}

impl<'a> Trace<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(line).ok()?;
        let (name, rest) = line.strip_prefix("{\"name\":")?.split_once(",\"replay\":")?;
        let (replay, answer) = rest.strip_suffix('}')?.split_once(",\"answer\":")?;
        Some(Self { name: name.trim_matches('"'), replay, answer })
    }
}

/// Replays all of them. `Ok(None)`: the host does not load the machine.
pub(super) async fn replay(program: &[OsString], path: &Path) -> Result<Option<Traces>, Problem> {
    let unreadable = |reason: &dyn std::fmt::Display| {
        Problem::invalid(
            "traces-unreadable",
            format!("the traces in {} cannot be read: {reason}", path.display()),
            "give a file with a trace in each line, as docs/write-a-host.md describes",
        )
    };
    let file = File::open(path).map_err(|reason| unreadable(&reason))?;
    let mut traces = Traces { replayed: 0, alike: 0, differences: Vec::new(), fault: None };
    let mut tested = match Tested::start(program, &Surroundings::default()) {
        Ok(tested) => tested,
        Err(fault) => return Ok(Some(Traces { fault: Some(fault), ..traces })),
    };
    let (send, requests) = mpsc::sync_channel(AHEAD);
    tested.pour(requests);
    let mut expected = VecDeque::new();
    let mut lines = BufReader::new(file).lines().enumerate();
    loop {
        while expected.len() < AHEAD {
            let Some((number, line)) = lines.next() else { break };
            let line = line.map_err(|reason| unreadable(&reason))?;
            if line.trim().is_empty() {
                continue;
            }
            let trace =
                Trace::parse(&line).ok_or_else(|| unreadable(&format!("line {} is no trace", number + 1)))?;
            if send.send(format!("{{\"replay\":{}}}", trace.replay)).is_err() {
                break;
            }
            expected.push_back((trace.name.to_owned(), trace.answer.to_owned()));
        }
        let Some((name, answer)) = expected.pop_front() else { break };
        match tested.answer().await {
            Ok(came) if came == "{\"unsupported\":\"replay\"}" => return Ok(None),
            Ok(came) => {
                traces.replayed += 1;
                if came == answer {
                    traces.alike += 1;
                } else if traces.differences.len() < SHOWN {
                    traces.differences.push(difference(name, &answer, &came));
                }
            }
            Err(fault) => {
                let expected = format!("{} to `{name}`", fault.expected);
                traces.fault = Some(Fault { expected, came: fault.came });
                break;
            }
        }
    }
    Ok(Some(traces))
}

/// The first decision that differs. Traces hold test data only: both texts may be shown.
fn difference(name: String, expected: &str, came: &str) -> Difference {
    let (open, ours) = taken_apart(expected);
    let (their_open, theirs) = taken_apart(came);
    let (place, ours, theirs) = if open == their_open {
        let different =
            (0..ours.len().max(theirs.len())).find(|index| ours.get(*index) != theirs.get(*index));
        let at = |decisions: &[&str], index: usize| (*decisions.get(index).unwrap_or(&"none")).to_owned();
        match different {
            Some(index) => (format!("decision {index}"), at(&ours, index), at(&theirs, index)),
            None => ("the whole answer".to_owned(), expected.to_owned(), came.to_owned()),
        }
    } else {
        ("open".to_owned(), open.to_owned(), their_open.to_owned())
    };
    let shown = |text: &str, other: &str| from_difference(text, other);
    Difference { name, place, expected: shown(&ours, &theirs), came: shown(&theirs, &ours) }
}

/// What came of opening, and the decisions.
fn taken_apart(answer: &str) -> (&str, Vec<&str>) {
    let Some((open, decisions)) = answer.split_once(",\"decisions\":[") else { return (answer, Vec::new()) };
    (open, members(decisions.strip_suffix("]}").unwrap_or(decisions)))
}

/// The objects of a list, as they stand.
fn members(list: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut start) = (0_usize, false, false, 0);
    let mut members = Vec::new();
    for (index, byte) in list.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                members.extend(list.get(start..index));
                start = index + 1;
            }
            _ => {}
        }
    }
    members.extend(list.get(start..).filter(|last| !last.is_empty()));
    members
}

/// A text from shortly before the place at which it differs from another.
fn from_difference(text: &str, other: &str) -> String {
    let at = text.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let start = (0..=at.saturating_sub(60)).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
    let before = if start > 0 { "…" } else { "" };
    format!("{before}{}", cut(text.get(start..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_taken_as_it_stands() {
        let line = r#"{"name":"a","replay":{"document":",\"answer\":"},"answer":{"open":{"ok":null},"decisions":[]}}"#;
        let trace = Trace::parse(line).unwrap();
        assert_eq!((trace.name, trace.replay), ("a", r#"{"document":",\"answer\":"}"#));
        assert_eq!(trace.answer, r#"{"open":{"ok":null},"decisions":[]}"#);
        for wrong in
            ["", "{}", "null", r#"{"name":"a","replay":{}}"#, r#"{"name":"a","replay":{},"answer":{}"#]
        {
            assert!(Trace::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_first_decision_that_differs_is_shown() {
        let ours = r#"{"open":{"ok":null},"decisions":[{"a":"},{"},{"b":[1,2]},{"c":3}]}"#;
        let found = |theirs: &str| {
            let Difference { place, expected, came, .. } = difference("x".to_owned(), ours, theirs);
            (place, expected, came)
        };
        let other = ours.replace("[1,2]", "[1,3]");
        assert_eq!(found(&other), ("decision 1".into(), r#"{"b":[1,2]}"#.into(), r#"{"b":[1,3]}"#.into()));
        let shorter = ours.replace(r#",{"c":3}"#, "");
        assert_eq!(found(&shorter), ("decision 2".into(), r#"{"c":3}"#.into(), "none".into()));
        assert_eq!(found(&ours.replace("null", "1")).0, "open");
        assert_eq!(found("nonsense").0, "open");
    }
}
