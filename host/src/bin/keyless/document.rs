//! Which connection document: what `-c` means, and where to look without it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use keyless::Variables;
use keyless_documents::{Format, is_name};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::keyring;
use crate::output::problem::{Class, Problem};

/// The component takes no longer document, and nobody writes a longer one by hand.
const LIMIT: u64 = 64 * 1024;

/// A connection document as the component reads it: JSON or a URI. May hold secrets, so it has no `Debug`.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) text: Zeroizing<String>,
    /// Where it came from, for people.
    pub(crate) origin: String,
    /// The key that it has in a keyring: handed over as a variable of this name.
    pub(crate) key: Option<(String, Zeroizing<String>)>,
}

impl Document {
    /// The one place where a document begins. What it has in a keyring is looked up here.
    ///
    /// # Errors
    /// `document-keyring`, `keyring-missing`, `keyring-unavailable`.
    pub(crate) fn new(text: Zeroizing<String>, origin: String) -> Result<Self, Problem> {
        match keyring::resolve(&text).map_err(|problem| problem.in_document(&origin))? {
            Some((text, key)) => Ok(Self { text, origin, key: Some(key) }),
            None => Ok(Self { text, origin, key: None }),
        }
    }

    /// Whether a connection that was opened with the other one need not be opened again.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.text == other.text && self.key == other.key
    }

    /// The variables of the environment with these names, and the key from a keyring.
    ///
    /// # Errors
    /// `variable-not-unicode`.
    pub(crate) fn variables(&self, names: &[String]) -> Result<Variables, keyless::Error> {
        let mut variables = Variables::from_environment(names)?;
        if let Some((name, key)) = self.key.as_ref().filter(|(name, _)| names.contains(name)) {
            variables.set(name, key.as_str());
        }
        Ok(variables)
    }

    /// Whether a variable that the document wants has a value here.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.key.as_ref().is_some_and(|(key, _)| key == name) || env::var_os(name).is_some()
    }
}

/// Finds the document: what was given; else `$KEYLESS_CONNECTION`, which has the same grammar; else Airflow's variable;
/// else the default of `keyless.toml`; else OpenAI's own variables.
///
/// # Errors
/// `connection-missing` when nobody says which, and one for each way in which the place named does not hold a document.
pub(crate) fn find(given: Option<&OsStr>, config: Option<&Path>) -> Result<Document, Problem> {
    if let Some(given) = given {
        return Given::parse(given, "-c")?.read(config);
    }
    if let Some(given) = filled("KEYLESS_CONNECTION") {
        return Given::parse(&given, "$KEYLESS_CONNECTION")?.read(config);
    }
    if let Some(text) = filled("AIRFLOW_CONN_OPENAI_DEFAULT") {
        let origin = "$AIRFLOW_CONN_OPENAI_DEFAULT";
        return Document::new(Zeroizing::new(unicode(&text, origin)?.to_owned()), origin.to_owned());
    }
    if let Some(config) = Config::find(config)?
        && let Some(document) = config.default_document()?
    {
        return Ok(document);
    }
    if ["OPENAI_API_KEY", "OPENAI_IDENTITY_PROVIDER_ID"].into_iter().any(|name| filled(name).is_some()) {
        let text = Zeroizing::new(r#"{"environment":"openai"}"#.to_owned());
        return Document::new(text, "OpenAI's environment variables".to_owned());
    }
    Err(Problem::invalid(
        "connection-missing",
        "no connection is given",
        "name one with `-c` (a document, @FILE, - for standard input, or a NAME from keyless.toml), or set \
         $KEYLESS_CONNECTION, $AIRFLOW_CONN_OPENAI_DEFAULT, `default` in keyless.toml, $OPENAI_API_KEY, or \
         $OPENAI_IDENTITY_PROVIDER_ID with $OPENAI_SERVICE_ACCOUNT_ID",
    ))
}

/// What can be given for a connection.
enum Given {
    /// The document itself, and what it was given to.
    Text(Zeroizing<String>, &'static str),
    File(PathBuf),
    StandardInput,
    Name(String),
}

impl Given {
    /// `place` is where it was given, for messages.
    fn parse(given: &OsStr, place: &'static str) -> Result<Self, Problem> {
        if let Some(path) = after_at_sign(given) {
            return if path.is_empty() {
                Err(Problem::invalid(
                    "connection-file",
                    format!("{place} has an @ without a file"),
                    "write @FILE",
                ))
            } else {
                Ok(Self::File(path.into()))
            };
        }
        let text = unicode(given, place)?;
        Ok(match text.trim() {
            "-" => Self::StandardInput,
            name if is_name(name) => Self::Name(name.to_owned()),
            _ => Self::Text(Zeroizing::new(text.to_owned()), place),
        })
    }

    fn read(self, config: Option<&Path>) -> Result<Document, Problem> {
        match self {
            Self::Text(text, place) => {
                if !text.contains(['{', ':', '=', '\n']) {
                    return Err(no_document(&text, place));
                }
                document(&text, None, place.to_owned())
            }
            Self::StandardInput => {
                let text = read_text(io::stdin().lock(), "standard input")?;
                document(&text, None, "standard input".to_owned())
            }
            Self::File(path) => {
                let origin = format!("@{}", path.display());
                let file = File::open(&path).map_err(|reason| unreadable(&origin, &reason))?;
                let text = read_text(file, &origin)?;
                document(&text, Format::of_file(&path), origin)
            }
            Self::Name(name) => match Config::find(config)? {
                Some(config) => config.document(&name),
                None => Err(Problem::invalid(
                    "connection-name",
                    format!(
                        "a connection name was given ({} characters), but there is no keyless.toml here nor in your \
                        configuration directory",
                        name.len()
                    ),
                    format!(
                        "{}write [connections.NAME] in keyless.toml, or give the document itself, @FILE, or -",
                        hint(&name)
                    ),
                )),
            },
        }
    }
}

/// What people give instead of a connection. Never quotes it: it may be a key.
pub(crate) fn hint(given: &str) -> String {
    if given.starts_with("sk-") {
        "an API key is given as {\"api_key\": \"sk-...\"}; ".to_owned()
    } else if Path::new(given).is_file() {
        format!("it is the name of a file: write @{given} to read that; ")
    } else {
        String::new()
    }
}

/// The document in the form that the component reads.
fn document(text: &str, format: Option<Format>, origin: String) -> Result<Document, Problem> {
    let text = keyless_documents::to_document(text, format).map_err(|fault| {
        Problem::invalid("document-syntax", format!("{origin} {}", fault.what), fault.next)
    })?;
    Document::new(text, origin)
}

fn no_document(text: &str, place: &str) -> Problem {
    Problem::invalid(
        "connection-form",
        format!("what {place} holds ({} characters) is neither a document nor a name", text.chars().count()),
        format!(
            "{}give JSON, `openai://...`, @FILE, - for standard input, or a NAME of letters, digits, _ and -",
            hint(text)
        ),
    )
}

fn read_text(source: impl Read, origin: &str) -> Result<Zeroizing<String>, Problem> {
    // Room for everything from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT + 1).unwrap_or_default()));
    source.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|reason| unreadable(origin, &reason))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Problem::invalid(
            "document-too-large",
            format!("{origin} holds more than 64 KiB"),
            "check that it is the right file",
        ));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(fault) => Err(Problem::invalid(
            "document-syntax",
            format!(
                "{origin} is not UTF-8 text: the first {} bytes are, what follows is not",
                fault.valid_up_to()
            ),
            "save it as UTF-8",
        )),
    }
}

fn unreadable(origin: &str, reason: &io::Error) -> Problem {
    Problem::new(
        Class::Invalid,
        "connection-file",
        format!("{origin} cannot be read: {reason}"),
        "check the path and its permissions",
    )
}

fn filled(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.as_encoded_bytes().trim_ascii().is_empty())
}

fn unicode<'a>(text: &'a OsStr, place: &str) -> Result<&'a str, Problem> {
    text.to_str().ok_or_else(|| {
        Problem::invalid(
            "document-syntax",
            format!("{place} holds {} bytes that are not UTF-8", text.len()),
            "give it as UTF-8 text, or as @FILE",
        )
    })
}

#[cfg(unix)]
fn after_at_sign(given: &OsStr) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt as _;

    given.as_bytes().strip_prefix(b"@").map(OsStr::from_bytes)
}

#[cfg(not(unix))]
fn after_at_sign(given: &OsStr) -> Option<&OsStr> {
    given.to_str()?.strip_prefix('@').map(OsStr::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_nothing_is_not_quoted() {
        let problem =
            Given::parse(OsStr::new("canary.json.bak"), "-c").ok().unwrap().read(None).err().unwrap();
        assert!(!format!("{problem:?}").contains("canary"), "{problem:?}");
    }
}
