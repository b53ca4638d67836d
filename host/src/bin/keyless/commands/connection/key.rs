//! Getting the key from whoever has it, without an argument.

use std::io::{self, IsTerminal as _};

use zeroize::Zeroizing;

use crate::key_files;
use crate::output::problem::{Class, Problem};

/// Asks for it on the terminal, without showing it; takes standard input where that is something else.
///
/// # Errors
/// `key-missing`, `key-unreadable`, `key-unusable`.
pub(super) fn ask(name: &str) -> Result<Zeroizing<String>, Problem> {
    let stdin = io::stdin();
    let key = if stdin.is_terminal() {
        rpassword::prompt_password(format!("API key for {name} (not shown): "))
            .map(|key| Zeroizing::new(key.trim().to_owned()))
    } else {
        key_files::text(stdin.lock())
    };
    let key = key.map_err(|reason| {
        Problem::new(
            Class::Failed,
            "key-unreadable",
            format!("the key cannot be read: {reason}"),
            "write it to standard input, as text and nothing else",
        )
    })?;
    if key.is_empty() {
        return Err(Problem::invalid(
            "key-missing",
            "no key came from standard input",
            "start it on a terminal to be asked for the key, or write the key to its standard input, or name where it is with \
             `--key-file FILE` or `--key-variable NAME`",
        ));
    }
    check(&key)?;
    Ok(key)
}

/// What opens no API. That it fits into a header is for the component to say.
pub(super) fn check(key: &str) -> Result<(), Problem> {
    if key.starts_with("sk-admin-") {
        return Err(Problem::invalid(
            "key-unusable",
            "this is a key of the Admin API (sk-admin-...), which opens nothing but that",
            "give the API key of a project (sk-proj-..., sk-svcacct-...)",
        ));
    }
    Ok(())
}
