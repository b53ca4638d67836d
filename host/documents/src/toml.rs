//! TOML to JSON. Dates and numbers that JSON does not have are refused, with their place.

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};
use serde_json::{Map, Number, Value};

use super::{Fault, Tree};

/// Reads a TOML document.
///
/// # Errors
/// Says the place and what is wrong there, and quotes nothing.
pub(super) fn read(text: &str) -> Result<Tree, Fault> {
    let table = parse(text)?;
    object(text, table.get_ref()).map(Tree)
}

/// Values by their keys, each with what is wrong with it: that is no fault of the others.
pub(super) type Each = Vec<(String, Result<Value, Fault>)>;

/// Everything in the table named `inner`, and everything beside it.
///
/// # Errors
/// As [`read`], when the text as a whole cannot be read.
pub(super) fn read_each(text: &str, inner: &str) -> Result<(Each, Each), Fault> {
    let table = parse(text)?;
    let (mut inside, mut beside) = (Each::new(), Each::new());
    for (key, spanned) in table.get_ref().iter() {
        match spanned.get_ref() {
            DeValue::Table(table) if key.get_ref() == inner => {
                inside.extend(table.iter().map(|(key, v)| (key.get_ref().to_string(), value(text, v))));
            }
            _ => beside.push((key.get_ref().to_string(), value(text, spanned))),
        }
    }
    Ok((inside, beside))
}

fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Fault> {
    DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        // Only the words: the error's full form shows the line, which may hold a secret.
        fault(
            text,
            offset,
            format!("is not valid TOML ({})", error.message()),
            "check the quotes and brackets there",
        )
    })
}

fn object(text: &str, table: &DeTable<'_>) -> Result<Map<String, Value>, Fault> {
    table.iter().map(|(key, spanned)| Ok((key.get_ref().to_string(), value(text, spanned)?))).collect()
}

fn value(text: &str, spanned: &Spanned<DeValue<'_>>) -> Result<Value, Fault> {
    let refuse = |what: &str| Err(fault(text, spanned.span().start, what, "write it in quotes"));
    match spanned.get_ref() {
        DeValue::String(string) => Ok(Value::String(string.to_string())),
        DeValue::Boolean(truth) => Ok(Value::Bool(*truth)),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Ok(Value::from(integer)),
            Err(_) => refuse("has a number that is too large"),
        },
        DeValue::Float(float) => match float.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Ok(Value::Number(number)),
            None => refuse("has a number that JSON cannot express"),
        },
        DeValue::Datetime(_) => refuse("has a date or time, which JSON cannot express,"),
        DeValue::Array(items) => {
            items.iter().map(|item| value(text, item)).collect::<Result<_, _>>().map(Value::Array)
        }
        DeValue::Table(table) => object(text, table).map(Value::Object),
    }
}

fn fault(text: &str, offset: usize, what: impl std::fmt::Display, next: &str) -> Fault {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    Fault::at(line, column, what, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        read(text).unwrap_or_else(|_| panic!("valid")).to_json().to_string()
    }

    fn what(text: &str) -> String {
        read(text).err().expect("a fault").what
    }

    #[test]
    fn values_keep_their_types() {
        assert_eq!(
            json("a = 'x'\nb = 1_000\nc = 0xff\nd = 1.5\ne = true\nf = [1, 'y']\n[g.h]\ni = -7"),
            r#"{"a":"x","b":1000,"c":255,"d":1.5,"e":true,"f":[1,"y"],"g":{"h":{"i":-7}}}"#
        );
    }

    #[test]
    fn what_json_lacks_is_refused_with_its_place() {
        assert_eq!(
            what("a = 1\nb = 2026-11-21"),
            "has a date or time, which JSON cannot express, at line 2, column 5"
        );
        assert_eq!(what("ä = 'ö'"), what("ä = 'ö'"));
        assert_eq!(what("a = nan"), "has a number that JSON cannot express at line 1, column 5");
    }

    #[test]
    fn a_fault_quotes_nothing() {
        for text in [
            "a = 'canary",
            "a = canary",
            "canary",
            "[canary",
            "'canary' = 1\n'canary' = 2",
            "a = \"\\canary\"",
        ] {
            let fault = what(text);
            assert!(fault.contains(" at line ") && !fault.contains("canary"), "{fault}");
        }
    }
}
