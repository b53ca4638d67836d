//! What can be given for a connection, checked by its form. OpenAI's identifiers begin with what they identify.

use std::ffi::OsStr;

use keyless_documents::is_name;

use crate::output::counted;
use crate::output::problem::Problem;

/// Why a key that was given as an argument is not taken.
pub(super) fn no_argument() -> Problem {
    Problem::invalid(
        "key-argument",
        "a key is not taken as an argument: other users of this machine can read the arguments of a program, and the shell \
         writes them into its history; if it is a real key, it is safer to replace it",
        "leave it out: it is asked for, or read from standard input, or named with `--key-file FILE` or \
         `--key-variable NAME`",
    )
}

/// A connection's name.
pub(super) fn name(given: &OsStr) -> Result<&str, Problem> {
    match given.to_str() {
        Some(text) if text.starts_with("sk-") => Err(no_argument()),
        Some(text) if is_name(text) && text.len() <= 64 => Ok(text),
        _ => Err(Problem::invalid(
            "connection-name",
            format!("NAME ({} bytes) is not the name of a connection", given.len()),
            "give it 1 to 64 letters, digits, _ and -, such as research-read",
        )),
    }
}

/// An organization's identifier.
pub(super) fn organization(given: &str) -> Result<&str, Problem> {
    identifier("--organization", given, "org-", ("proj_", "--project"))
}

/// A project's identifier.
pub(super) fn project(given: &str) -> Result<&str, Problem> {
    identifier("--project", given, "proj_", ("org-", "--organization"))
}

fn identifier<'a>(
    option: &str,
    given: &'a str,
    prefix: &str,
    (other, instead): (&str, &str),
) -> Result<&'a str, Problem> {
    if given.starts_with("sk-") {
        return Err(no_argument());
    }
    if given.starts_with(other) {
        return Err(Problem::invalid(
            "field-value",
            format!("`{option}` has a value that begins with {other}, so the two seem to be swapped"),
            format!("give it to `{instead}`; `{option}` takes {prefix}..."),
        ));
    }
    let rest = given.strip_prefix(prefix);
    let plain = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    if given.len() <= 128 && rest.is_some_and(plain) {
        return Ok(given);
    }
    let why = match rest {
        None => format!("does not begin with {prefix}"),
        Some("") => format!("has nothing behind {prefix}"),
        Some(rest) if plain(rest) => "is too long".to_owned(),
        Some(_) => format!("has something else than letters, digits, _ and - behind {prefix}"),
    };
    Err(Problem::invalid(
        "field-value",
        format!("`{option}` ({}) {why}", counted(given.chars().count(), "character")),
        format!(
            "copy the identifier from OpenAI's settings: {prefix}... (the name that people see is another)"
        ),
    ))
}

/// What people call a connection.
pub(super) fn nickname(given: &str) -> Result<&str, Problem> {
    let text = given.trim();
    if text.starts_with("sk-") {
        return Err(no_argument());
    }
    if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err(Problem::invalid(
            "field-value",
            format!("`--nickname` ({}) is no nickname", counted(given.chars().count(), "character")),
            "give it 1 to 100 characters on one line, or leave it out",
        ));
    }
    Ok(text)
}

/// The name of an environment variable.
pub(super) fn variable(given: &str) -> Result<&str, Problem> {
    if given.starts_with("sk-") {
        return Err(no_argument());
    }
    let first = given.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(given);
    }
    Err(Problem::invalid(
        "field-value",
        format!(
            "`--key-variable` ({}) is not the name of a variable",
            counted(given.chars().count(), "character")
        ),
        "give the name alone, without $: letters, digits and _, not a digit first",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_form() {
        for good in ["org-a", "org-AbC123", "org-a_b-c"] {
            assert_eq!(organization(good).ok(), Some(good));
        }
        assert_eq!(project("proj_a1").ok(), Some("proj_a1"));
        for (given, why) in [
            ("", "(0 characters) does not begin with org-"),
            ("Acme", "(4 characters) does not begin with org-"),
            ("org-", "has nothing behind org-"),
            ("org-canary canary", "something else than letters"),
            ("org-a\nb", "something else than letters"),
        ] {
            let problem = organization(given).err().unwrap();
            assert!(problem.what().contains(why) && !problem.what().contains("canary"), "{problem:?}");
        }
        assert!(organization(&format!("org-{}", "a".repeat(125))).is_err());
    }

    #[test]
    fn what_is_swapped_is_told() {
        let problem = organization("proj_1").err().unwrap();
        assert!(problem.what().contains("swapped") && problem.next().contains("--project"), "{problem:?}");
        let problem = project("org-1").err().unwrap();
        assert!(
            problem.what().contains("swapped") && problem.next().contains("--organization"),
            "{problem:?}"
        );
    }

    #[test]
    fn a_key_in_any_place_is_refused_and_not_quoted() {
        for problem in [
            name(OsStr::new("sk-canary")).err(),
            organization("sk-canary").err(),
            project("sk-canary").err(),
            nickname("sk-canary").err(),
            variable("sk-canary").err(),
        ] {
            let problem = problem.unwrap();
            assert_eq!(problem.code(), "key-argument");
            assert!(!format!("{problem:?}").contains("canary"));
        }
    }

    #[test]
    fn nicknames_and_variables() {
        assert_eq!(nickname(" größer, lesend ").ok(), Some("größer, lesend"));
        for wrong in ["", " ", "a\nb", "a\u{1b}[31m"] {
            assert!(nickname(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(variable("A_1").ok(), Some("A_1"));
        for wrong in ["", "1A", "$A", "A B", "A=B", "ä"] {
            assert!(variable(wrong).is_err(), "{wrong:?}");
        }
    }
}
