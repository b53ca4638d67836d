//! Keys in the keyring of the system: `api_key = { keyring = "NAME" }`.
//!
//! The component knows no keyrings. Before it sees a document the reference becomes that of a variable, `keyring:NAME`, a name
//! that no shell can set; its value is handed over with the others and wiped with them.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::output::problem::{Class, Problem};

/// The fields that can be such a reference.
const FIELDS: [&str; 2] = ["api_key", "apiKey"];

/// A document, and the variable that it names now.
type Resolved = (Zeroizing<String>, (String, Zeroizing<String>));

/// The document with the reference to a keyring replaced, and what it stands for. `None` without such a reference.
///
/// # Errors
/// `document-keyring` for a reference that is none, `keyring-missing`, `keyring-unavailable`.
pub(crate) fn resolve(text: &str) -> Result<Option<Resolved>, Problem> {
    resolve_by(text, get)
}

fn resolve_by(
    text: &str,
    get: impl FnOnce(&str) -> Result<Option<Zeroizing<String>>, Problem>,
) -> Result<Option<Resolved>, Problem> {
    // Most documents have none and need not be read twice.
    if !text.contains("\"keyring\"") {
        return Ok(None);
    }
    let Ok(Value::Object(mut document)) = serde_json::from_str::<Value>(text) else { return Ok(None) };
    let Some(field) = FIELDS.iter().find(|field| document.contains_key(**field)) else { return Ok(None) };
    let Some(reference) = document.get_mut(*field) else { return Ok(None) };
    let Some(name) = reference.get("keyring") else { return Ok(None) };
    let alone = reference.as_object().is_some_and(|reference| reference.len() == 1);
    let name = name.as_str().filter(|name| alone && is_name(name)).ok_or_else(|| {
        Problem::invalid(
            "document-keyring",
            "`api_key.keyring` has to be the name of an entry in the keyring, and to stand alone",
            "write api_key = { keyring = \"NAME\" }, as `keyless connection add --store keyring` does",
        )
    })?;
    let key = get(name)?.ok_or_else(|| {
        Problem::invalid(
            "keyring-missing",
            format!("`api_key` is to come from the keyring, which has no entry `{name}` of keyless"),
            "store the key again with `keyless connection add NAME --store keyring --replace`",
        )
    })?;
    let variable = format!("keyring:{name}");
    *reference = json!({ "variable": variable });
    Ok(Some((Zeroizing::new(Value::Object(document).to_string()), (variable, key))))
}

/// Keeps a key under that name, or under the name and a number where that is taken. Returns the entry's name.
///
/// # Errors
/// `keyring-unavailable`.
pub(crate) fn store(name: &str, key: &str) -> Result<String, Problem> {
    for number in 1.. {
        let entry = if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
        if get(&entry)?.is_none() {
            store::set(&entry, key)?;
            return Ok(entry);
        }
    }
    Err(unavailable("it has no room for another entry"))
}

pub(crate) use store::{delete, get};

fn is_name(name: &str) -> bool {
    keyless_documents::is_name(name)
}

fn unavailable(why: &str) -> Problem {
    Problem::new(
        Class::Failed,
        "keyring-unavailable",
        format!("the keyring of the system cannot be used: {why}"),
        "unlock it, or start it (on Linux a Secret Service such as GNOME Keyring, on the session's D-Bus), or keep the key \
         in a file with `--store file`",
    )
}

/// The keyring itself. Its libraries wait for answers by blocking, which a thread of the event loop must not; so each call has a
/// thread to itself.
#[cfg(feature = "keyring")]
mod store {
    use std::thread;

    use ::keyring::{Entry, Error};
    use zeroize::Zeroizing;

    use super::unavailable;
    use crate::output::problem::Problem;

    /// Under which all of ours stand.
    const SERVICE: &str = "keyless";

    /// The key in an entry. `None` without it.
    pub(crate) fn get(name: &str) -> Result<Option<Zeroizing<String>>, Problem> {
        match with(name, |entry| entry.get_password()) {
            Ok(key) => Ok(Some(Zeroizing::new(key))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    pub(super) fn set(name: &str, key: &str) -> Result<(), Problem> {
        with(name, |entry| entry.set_password(key)).map_err(|error| told(&error))
    }

    /// Takes an entry away. One that is gone already is no error.
    pub(crate) fn delete(name: &str) -> Result<(), Problem> {
        match with(name, |entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }

    fn with<T: Send>(name: &str, act: impl FnOnce(&Entry) -> Result<T, Error> + Send) -> Result<T, Error> {
        thread::scope(|scope| {
            let acting = scope.spawn(|| act(&Entry::new(SERVICE, name)?));
            acting.join().unwrap_or(Err(Error::NoDefaultStore))
        })
    }

    /// Some errors quote what the keyring holds; of those the kind is told alone.
    fn told(error: &Error) -> Problem {
        match error {
            Error::NoDefaultStore => match Entry::store_status() {
                Err(Error::PlatformFailure(reason) | Error::NoStorageAccess(reason)) => {
                    unavailable(&reason.to_string())
                }
                _ => unavailable("there is none"),
            },
            Error::NoStorageAccess(reason) | Error::PlatformFailure(reason) => {
                unavailable(&reason.to_string())
            }
            Error::BadEncoding(_) => unavailable("the entry is not text"),
            Error::Ambiguous(_) => unavailable("it has several entries of this name"),
            _ => unavailable("it does not take such an entry"),
        }
    }
}

/// What this build says of keyrings.
#[cfg(not(feature = "keyring"))]
mod store {
    use zeroize::Zeroizing;

    use crate::output::problem::{Class, Problem};

    pub(crate) fn get(_: &str) -> Result<Option<Zeroizing<String>>, Problem> {
        Err(absent())
    }

    pub(super) fn set(_: &str, _: &str) -> Result<(), Problem> {
        Err(absent())
    }

    pub(crate) fn delete(_: &str) -> Result<(), Problem> {
        Err(absent())
    }

    fn absent() -> Problem {
        Problem::new(
            Class::Failed,
            "keyring-unavailable",
            "this keyless was built without the keyring of the system",
            "build it with `cargo build --release -p keyless --features keyring`, or keep the key in a file with `--store file`",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reference_is_looked_up() {
        for text in [
            "openai://:x@",
            r#"{"api_key":"keyring"}"#,
            r#"{"api_key":"k","nickname":"\"keyring\""}"#,
            r#"{"source":{"keyring":"a"},"keyring":"b"}"#,
            r#"{"api_key":{"variable":"keyring"}}"#,
            r#"{"api_key":{"keyring":"#,
        ] {
            assert!(resolve(text).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn a_reference_becomes_that_of_a_variable() {
        let text = r#"{"nickname":"n","api_key":{"keyring":"a-1"}}"#;
        let get = |name: &str| Ok((name == "a-1").then(|| Zeroizing::new("sk-canary".to_owned())));
        let (document, (variable, key)) = resolve_by(text, get).unwrap().unwrap();
        assert_eq!(*document, r#"{"api_key":{"variable":"keyring:a-1"},"nickname":"n"}"#);
        assert_eq!((variable.as_str(), key.as_str()), ("keyring:a-1", "sk-canary"));
        assert_eq!(resolve_by(text, |_| Ok(None)).err().unwrap().code(), "keyring-missing");
    }

    #[test]
    fn what_is_no_reference_is_not_quoted() {
        for text in [
            r#"{"api_key":{"keyring":["canary"]}}"#,
            r#"{"api_key":{"keyring":"canary canary"}}"#,
            r#"{"apiKey":{"keyring":"a","variable":"canary"}}"#,
        ] {
            let problem = resolve(text).err().unwrap();
            assert_eq!(problem.code(), "document-keyring");
            assert!(!format!("{problem:?}").contains("canary"), "{problem:?}");
        }
    }
}
