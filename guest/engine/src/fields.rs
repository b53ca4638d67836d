//! Taking a JSON object apart, field by field, with errors that name the field and warnings for what nobody asked for.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use crate::json::{self, Map, Value};

use crate::duration;
use crate::error::{Code, Error, field};
use crate::plan::Warning;
use crate::secret::Secret;
use crate::spelling;
use crate::split;
use crate::url::WebUrl;

/// A JSON object of a document. Reading a field takes it out, so that what is left at the end is unknown.
pub struct Fields<'a> {
    /// Dotted path of the object, empty for the document itself.
    path: String,
    map: Map,
    /// What was asked for: the known names.
    asked: Vec<&'static str>,
    warnings: &'a Warnings,
}

/// Where parsers put what is doubtful.
#[derive(Default)]
pub struct Warnings(Cell<Vec<Warning>>);

impl Warnings {
    /// One more.
    pub fn push(&self, warning: Warning) {
        let mut all = self.0.take();
        all.push(warning);
        self.0.set(all);
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Warning> {
        self.0.into_inner()
    }
}

impl<'a> Fields<'a> {
    /// The object at `path`.
    pub fn new(path: impl Into<String>, map: Map, warnings: &'a Warnings) -> Self {
        Self { path: path.into(), map, asked: Vec::new(), warnings }
    }

    /// The full name of a field, for messages.
    #[must_use]
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The field as it stands; absent and null are the same.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.map.remove(key).filter(|value| !value.is_null())
    }

    /// Whether the field is there and not null. Does not take it.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    /// Whether the field is a text and empty.
    #[must_use]
    pub fn is_empty_text(&self, key: &str) -> bool {
        matches!(self.map.get(key), Some(Value::String(text)) if text.is_empty())
    }

    /// A text, possibly empty.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(key, "a string", &other)),
        }
    }

    /// A text that is not blank where it is given.
    pub fn filled_text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let text = self.text(key)?;
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Err(self.fault(Code::FieldValue, key, "is empty; fill it in, or leave it out"));
        }
        Ok(text)
    }

    /// A text that has to be there.
    pub fn required_text(&mut self, key: &'static str) -> Result<String, Error> {
        self.filled_text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A list of texts, none of them blank. One text stands for a list of one, as Airflow's URI form has it.
    pub fn texts(&mut self, key: &'static str) -> Result<Vec<String>, Error> {
        let items = match self.take(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(one @ Value::String(_)) => vec![one],
            Some(other) => return Err(self.wrong_type(key, "a list of strings", &other)),
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Value::String(text) if !text.trim().is_empty() => texts.push(text),
                _ => {
                    return Err(self.fault(
                        Code::FieldType,
                        key,
                        "has an entry that is no string, or is empty",
                    ));
                }
            }
        }
        Ok(texts)
    }

    /// A text that becomes the value of a header.
    pub fn header_text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let text = self.filled_text(key)?;
        if text.as_ref().is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(self.fault(
                Code::FieldValue,
                key,
                "has spaces or characters that cannot stand in a header",
            ));
        }
        Ok(text)
    }

    /// A secret that becomes the value of a header. Surrounding white space, as a copied line has it, is dropped.
    pub fn secret(&mut self, key: &'static str) -> Result<Option<Secret>, Error> {
        self.text(key)?.map(|text| header_secret(text, &self.name(key))).transpose()
    }

    /// A number of seconds from 0 up, as a number or as decimal text. Milliseconds here.
    pub fn seconds(&mut self, key: &'static str) -> Result<Option<u64>, Error> {
        let seconds = match self.take(key) {
            None => return Ok(None),
            Some(Value::Number(number)) => Some(number),
            // Airflow's URI form can say every value only as text.
            Some(Value::String(text)) => json::parse(text.trim().as_bytes()).ok().and_then(|n| n.as_f64()),
            Some(other) => return Err(self.wrong_type(key, "a number of seconds", &other)),
        };
        let seconds = seconds.filter(|seconds| seconds.is_finite() && (0.0..=1e9).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            self.fault(Code::FieldValue, key, "is not a number of seconds from 0 to 1000000000")
        })?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was just checked"
        )]
        Ok(Some((seconds * 1_000.0 + 0.5) as u64))
    }

    /// A duration: Go's spelling (`24h`, `1h30m`), or a number of seconds. Milliseconds here.
    pub fn duration(&mut self, key: &'static str) -> Result<Option<u64>, Error> {
        match self.map.get(key) {
            Some(Value::String(text)) => match duration::parse(text) {
                Some(ms) => {
                    self.take(key);
                    Ok(Some(ms))
                }
                None => Err(self.fault(
                    Code::FieldValue,
                    key,
                    "is no duration; write one such as `24h`, `1h30m` or `90s`",
                )),
            },
            _ => self.seconds(key),
        }
    }

    /// A whole number from 0 up.
    pub fn count(&mut self, key: &'static str) -> Result<Option<u64>, Error> {
        let number = match self.take(key) {
            None => return Ok(None),
            Some(Value::Number(number)) => Some(number),
            // As for seconds; and annotations are nothing but texts.
            Some(Value::String(text)) => json::parse(text.trim().as_bytes()).ok().and_then(|n| n.as_f64()),
            Some(other) => return Err(self.wrong_type(key, "a whole number", &other)),
        };
        let number = number.unwrap_or(-1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range and the fraction are checked first"
        )]
        let whole = (0.0..1e9).contains(&number).then_some(number as u64);
        #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "less than a billion: exact")]
        let whole = whole.filter(|whole| *whole as f64 == number);
        whole.map(Some).ok_or_else(|| self.fault(Code::FieldValue, key, "is not a whole number from 0 up"))
    }

    /// A URL to which no secret goes from here.
    pub fn url(&mut self, key: &'static str) -> Result<Option<WebUrl>, Error> {
        self.text(key)?
            .map(|text| WebUrl::parse(&text).map_err(|fault| self.url_fault(key, &fault)))
            .transpose()
    }

    /// A URL to which an identity token goes.
    pub fn private_url(&mut self, key: &'static str) -> Result<Option<WebUrl>, Error> {
        self.text(key)?
            .map(|text| WebUrl::parse_private(&text).map_err(|fault| self.url_fault(key, &fault)))
            .transpose()
    }

    /// An object.
    pub fn object(&mut self, key: &'static str) -> Result<Option<Self>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(self.inside(key, map))),
            Some(other) => Err(self.wrong_type(key, "an object", &other)),
        }
    }

    /// An object, or a text that is short for an object with that one field.
    pub fn object_or_text(
        &mut self,
        key: &'static str,
        short_for: &'static str,
    ) -> Result<Option<Self>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(self.inside(key, map))),
            Some(text @ Value::String(_)) => {
                let mut map = Map::new();
                map.insert(short_for.to_owned(), text);
                Ok(Some(self.inside(key, map)))
            }
            Some(other) => Err(self.wrong_type(key, "an object or a name", &other)),
        }
    }

    /// The object under a key of this one.
    #[must_use]
    pub fn inside(&self, key: &str, map: Map) -> Self {
        Self::new(self.name(key), map, self.warnings)
    }

    /// Everything that is left, whatever its name.
    pub fn rest(&mut self) -> impl Iterator<Item = (String, Value)> + use<> {
        core::mem::take(&mut self.map).into_iter()
    }

    /// Takes a key out that is known but has no meaning here. True when it was there.
    pub fn ignore(&mut self, key: &'static str) -> bool {
        self.take(key).is_some()
    }

    /// Whether the field is an object with that `type`, or that text itself. Does not take it.
    #[must_use]
    pub fn is_typed(&self, key: &str, name: &str) -> bool {
        let found = self.map.get(key);
        found.and_then(|value| value.get("type").or(Some(value))).and_then(Value::as_str) == Some(name)
    }

    /// Adds a warning.
    pub fn warn(&self, code: &'static str, message: impl fmt::Display) {
        self.warnings.push(Warning::new(code, message));
    }

    /// Warns of every field that nobody asked for, with the nearest known name.
    pub fn finish(self) {
        for key in self.map.keys() {
            let hint = spelling::nearest(key, &self.asked).map_or_else(
                || format!("known here: {}", split::joined(&self.asked, ", ")),
                |name| format!("did you mean `{name}`?"),
            );
            self.warn(
                "unknown-field",
                format_args!("`{}` is not a known field and has no effect; {hint}", self.name(key)),
            );
        }
    }

    /// An error about a field.
    #[must_use]
    pub fn fault(&self, code: Code, key: &str, fault: impl fmt::Display) -> Error {
        field(code, &self.name(key), fault)
    }

    /// The error for a field that has to be there.
    #[must_use]
    pub fn missing(&self, key: &str) -> Error {
        // A misspelt name is the likeliest reason.
        let near = self.map.keys().find(|other| spelling::close(key, other));
        let hint = near.map_or_else(String::new, |other| {
            format!("; `{}` looks like a misspelling of it", self.name(other))
        });
        field(Code::FieldMissing, &self.name(key), format_args!("is missing{hint}"))
    }

    fn wrong_type(&self, key: &str, wanted: &str, found: &Value) -> Error {
        field(Code::FieldType, &self.name(key), format_args!("has to be {wanted}, and is {}", type_of(found)))
    }

    fn url_fault(&self, key: &str, fault: &str) -> Error {
        self.fault(Code::FieldUrl, key, fault)
    }
}

/// A secret for a header, trimmed; `name` is the field's full name.
pub(crate) fn header_secret(text: String, name: &str) -> Result<Secret, Error> {
    let whole = Secret::new(text);
    let secret = Secret::new(whole.expose().trim().to_owned());
    if secret.expose().is_empty() {
        return Err(field(Code::FieldValue, name, "is empty; fill it in, or leave it out"));
    }
    if !secret.fits_header() {
        return Err(field(
            Code::FieldValue,
            name,
            format_args!("({}) has spaces or characters that cannot stand in a header", secret.shape()),
        ));
    }
    Ok(secret)
}

/// A JSON type, as people call it.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
