//! The JSON form of `AIRFLOW_CONN_...`.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::json::{self, Map, Value};

use super::{Parts, uri};
use crate::error::{Code, Error, field};
use crate::fields::{self, Fields, Warnings};
use crate::secret::Secret;
use crate::spelling;

/// The connection's own keys. Anything else is a `TypeError` in Airflow.
const KEYS: &[&str] =
    &["conn_type", "description", "host", "login", "password", "schema", "port", "extra", "uri"];

pub(super) fn parse(map: Map, warnings: &Warnings) -> Result<Parts, Error> {
    if !map.keys().any(|key| KEYS.contains(&key)) {
        // Only what stands in `extra`, as people paste it from Airflow's form.
        return Ok(Parts { extra: map, ..Parts::default() });
    }
    for key in map.keys() {
        if !KEYS.contains(&key) {
            let hint = spelling::nearest(key, KEYS).map_or_else(
                || "settings of the OpenAI connection belong into `extra`".to_owned(),
                |name| format!("did you mean `{name}`?"),
            );
            return Err(field(
                Code::FieldValue,
                key,
                format_args!("is no field of an Airflow connection; {hint}"),
            ));
        }
    }
    let alone = map.len() == 1;
    let mut connection = Fields::new("", map, warnings);
    if let Some(text) = connection.filled_text("uri")? {
        return if alone {
            uri::parse(text.trim())
        } else {
            Err(Error::new(Code::FieldConflict, "`uri` has to stand alone: everything else is part of it"))
        };
    }
    let conn_type =
        connection.text("conn_type")?.filter(|text| !text.is_empty()).map(|text| uri::conn_type(&text));
    connection.text("description")?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Parts {
        conn_type,
        host: filled(connection.text("host")?),
        login: filled(connection.text("login")?),
        password: connection.text("password")?.map(Secret::new),
        schema: filled(connection.text("schema")?),
        port: port(connection.take("port"))?,
        extra: extra(connection.take("extra"))?,
    })
}

fn port(value: Option<Value>) -> Result<Option<u16>, Error> {
    let number = match &value {
        None => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was just checked"
        )]
        Some(Value::Number(number)) if (0.0..=65_535.0).contains(number) && number % 1.0 == 0.0 => {
            Some(*number as u16)
        }
        Some(_) => None,
    };
    number.map(Some).ok_or_else(|| field(Code::FieldValue, "port", "is not a number from 0 to 65535"))
}

/// An object, or a string that holds one.
pub(super) fn extra(value: Option<Value>) -> Result<Map, Error> {
    let wrong = |what: &str| {
        field(
            Code::FieldType,
            "extra",
            format_args!("has to be a JSON object, or a string that holds one, and is {what}"),
        )
    };
    match value {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(Value::String(text)) if text.is_empty() => Ok(Map::new()),
        Some(Value::String(text)) => match json::parse(text.as_bytes()) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(other) => Err(wrong(&format!("a string that holds {}", fields::type_of(&other)))),
            Err(fault) => Err(field(
                Code::DocumentSyntax,
                "extra",
                format_args!(
                    "is a string that does not hold valid JSON: see its line {}, column {}",
                    fault.line(),
                    fault.column()
                ),
            )),
        },
        Some(other) => Err(wrong(fields::type_of(&other))),
    }
}
