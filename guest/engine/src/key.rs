//! A key that somebody made: where it is, and how it gets here.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::connection::Located;
use crate::error::{Code, Error};
use crate::fields::{self, Fields};
use crate::io::{FileFault, Io};
use crate::json::Value;
use crate::plan::{Origin, Plan};
use crate::secret::{Secret, SecretBytes};
use crate::variables::Variables;

/// More than any key has.
const LIMIT: usize = 16 * 1024;

/// Pauses before each reading of a file, in milliseconds: whoever writes it may be in the middle of it.
const READINGS: [u64; 3] = [0, 50, 250];

/// A key, or where it is.
pub enum Key {
    /// In the document, or in a variable.
    Held(Located<Secret>),
    /// In a file, read anew each time: its owner may replace it.
    File(String),
}

impl Key {
    /// A text, `{"variable": NAME}` or `{"file": PATH}`. None where the field is absent.
    pub fn read(
        fields: &mut Fields<'_>,
        field: &'static str,
        variables: &Variables,
    ) -> Result<Option<Self>, Error> {
        match fields.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let value = fields::header_secret(text, &fields.name(field))?;
                Ok(Some(Self::Held(Located { value, origin: Origin::Document })))
            }
            Some(Value::Object(map)) => {
                let mut reference = fields.inside(field, map);
                let (variable, file) = (reference.filled_text("variable")?, reference.filled_text("file")?);
                let key = match (variable, file) {
                    (Some(_), Some(_)) => Err(fields.fault(
                        Code::FieldConflict,
                        field,
                        "names a variable and a file; name one of them",
                    )),
                    (Some(name), None) => in_variable(&fields.name(field), name, variables),
                    (None, Some(path)) => Ok(Self::File(path)),
                    (None, None) => Err(reference.missing("variable")),
                };
                reference.finish();
                key.map(Some)
            }
            Some(other) => Err(fields.fault(
                Code::FieldType,
                field,
                format_args!(
                    "has to be a string, {{\"variable\": NAME}} or {{\"file\": PATH}}, and is {}",
                    fields::type_of(&other)
                ),
            )),
        }
    }

    /// Where it is, under that name, and what a host has to grant.
    pub fn describe(&self, name: &str, plan: &mut Plan) {
        match self {
            Self::Held(key) => plan.set_secret(name, &key.value, key.origin.clone()),
            Self::File(path) => {
                plan.set(&format!("{name}.file"), path.as_str(), Origin::Document);
                plan.needs_file(path);
            }
        }
    }

    /// The key itself. `what` it is, for the error.
    pub(crate) async fn fetch(&self, io: &Io, what: &str) -> Result<Secret, Error> {
        match self {
            Self::Held(key) => Ok(key.value.prefixed("")),
            Self::File(path) => in_file(io, path, what).await,
        }
    }
}

fn in_variable(field: &str, name: String, variables: &Variables) -> Result<Key, Error> {
    let value = variables.get(&name).ok_or_else(|| {
        Error::new(
            Code::FieldMissing,
            format_args!("`{field}` is to come from the variable `{name}`, which is not set"),
        )
    })?;
    let value = fields::header_secret(value.expose().to_owned(), &name)?;
    Ok(Key::Held(Located { value, origin: Origin::Variable(name) }))
}

async fn in_file(io: &Io, path: &str, what: &str) -> Result<Secret, Error> {
    let mut last = None;
    for pause in READINGS {
        io.wait(pause).await;
        match io.read_file(path, LIMIT).await.map_err(|fault| unreadable(fault, path, what)) {
            Ok(bytes) => match content(&bytes) {
                Some(key) => return Ok(key),
                None => last = Some(unusable(&bytes, path, what)),
            },
            Err(error) if error.code() == Code::KeyFileMissing => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| unreadable(FileFault::Missing, path, what)))
}

/// Without the line break that editors add.
fn content(bytes: &SecretBytes) -> Option<Secret> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    let key = Secret::new(str::from_utf8(bytes).ok()?.to_owned());
    key.fits_header().then_some(key)
}

fn unusable(bytes: &[u8], path: &str, what: &str) -> Error {
    let shape = match bytes.trim_ascii() {
        [] => "is empty".to_owned(),
        [b'{', ..] => "holds a JSON object, not a key".to_owned(),
        text => format!("holds {} bytes with spaces or characters that no key has", text.len()),
    };
    Error::new(
        Code::KeyFileUnusable,
        format_args!("the file `{path}` {shape}; write {what} into it and nothing else"),
    )
}

fn unreadable(fault: FileFault, path: &str, what: &str) -> Error {
    let (code, message) = match fault {
        FileFault::Missing => (
            Code::KeyFileMissing,
            format!(
                "there is no file `{path}` for {what}; check that the secret is mounted, or name another file"
            ),
        ),
        FileFault::Denied => (
            Code::FileDenied,
            format!(
                "the host did not grant the file `{path}`; grant it, or renew the lock file if one is in force"
            ),
        ),
        FileFault::NotAFile => (
            Code::KeyFileUnusable,
            format!("`{path}` is not a regular file; name the file with {what} itself"),
        ),
        FileFault::TooLarge => (
            Code::KeyFileUnusable,
            format!("the file `{path}` holds more than 16 KiB, and no key is that long; check the path"),
        ),
        FileFault::Failed => {
            (Code::KeyFileUnusable, format!("the file `{path}` cannot be read; check its owner and mode"))
        }
    };
    Error::new(code, message)
}
