//! A command line that cannot be understood.
//!
//! clap quotes what it did not understand. Here that may be a connection document, or a key given without `-c`: so the
//! words are ours, and an argument is only named when it looks like the name of an option.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::output::problem::Problem;

/// Two lines, without any value that was typed.
pub(crate) fn problem(error: &clap::Error) -> Problem {
    Problem::invalid("usage", what(error), next(error))
}

fn what(error: &clap::Error) -> String {
    let argument =
        text(error, ContextKind::InvalidArg).map_or_else(|| "an argument".to_owned(), |a| shown(&a));
    match error.kind() {
        ErrorKind::UnknownArgument => format!("{argument} is not understood here"),
        ErrorKind::InvalidSubcommand => {
            let given = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("there is no such command ({})", shape(&given))
        }
        ErrorKind::InvalidValue
            if text(error, ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) =>
        {
            format!("{argument} needs a value")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => format!("{argument} cannot have this value"),
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg)
                .map_or_else(|| "another argument".to_owned(), |a| shown(&a));
            if other == argument {
                format!("{argument} is given more than once")
            } else {
                format!("{argument} cannot be combined with {other}")
            }
        }
        ErrorKind::MissingRequiredArgument => format!("{argument} is missing"),
        ErrorKind::MissingSubcommand => "it is not said what to do".to_owned(),
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} has the wrong number of values")
        }
        ErrorKind::NoEquals => format!("{argument} needs its value after `=`"),
        _ => "the command line is not understood".to_owned(),
    }
}

fn next(error: &clap::Error) -> String {
    let suggested = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
        .into_iter()
        .find_map(|kind| text(error, kind))
        .map(|name| format!("did you mean `{name}`? "));
    let choices = match error.kind() {
        ErrorKind::InvalidValue
            if text(error, ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) =>
        {
            text(error, ContextKind::InvalidArg).map(|argument| empty(&shown(&argument)))
        }
        ErrorKind::InvalidValue => {
            text(error, ContextKind::ValidValue).map(|names| format!("choose one of {names}; "))
        }
        // Only parsers of this crate and of numbers get here, and they do not quote.
        ErrorKind::ValueValidation => std::error::Error::source(error).map(|reason| format!("{reason}; ")),
        ErrorKind::MissingRequiredArgument
            if text(error, ContextKind::InvalidArg).is_some_and(|a| a.contains("PROGRAM")) =>
        {
            Some("write the program after `--`, as in `keyless run -- python app.py`; ".to_owned())
        }
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand if suggested.is_none() => {
            Some("a connection is given with `-c DOC`, a program after `--`; ".to_owned())
        }
        _ => None,
    };
    format!("{}{}see `keyless --help`", suggested.unwrap_or_default(), choices.unwrap_or_default())
}

/// An empty value mostly comes from a variable that was meant to be unset.
fn empty(argument: &str) -> String {
    let variable = argument.trim_matches(['`', '-']).replace('-', "_").to_uppercase();
    format!("give one, or unset $KEYLESS_{variable} if that is set and empty; ")
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        _ => None,
    }
}

/// The name of an option as it is; anything else as its shape.
fn shown(argument: &str) -> String {
    let name = argument.split(['=', ' ']).next().unwrap_or_default();
    let long = |rest: &str| rest.len() <= 20 && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let is_option = match name.strip_prefix("--") {
        Some(rest) => long(rest),
        None => name.len() == 2 && name.starts_with('-'),
    };
    match argument {
        _ if is_option => format!("`{name}`"),
        placeholder if placeholder.contains("<PROGRAM>") => "the program to run".to_owned(),
        "<NAME>" => "the name of the connection".to_owned(),
        other => format!("an argument ({})", shape(other)),
    }
}

fn shape(text: &str) -> String {
    crate::output::counted(text.chars().count(), "character")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn words(line: &[&str]) -> (String, String) {
        let line = std::iter::once(&"keyless").chain(line);
        let error = Cli::try_parse_from(line).err().expect("this line must not parse");
        (what(&error), next(&error))
    }

    #[test]
    fn an_option_is_named_and_the_nearest_one_offered() {
        let (what, next) = words(&["token", "--fromat", "json"]);
        assert_eq!(what, "`--fromat` is not understood here");
        assert!(next.starts_with("did you mean `--format`?"), "{next}");
    }

    #[test]
    fn a_document_without_its_option_is_not_quoted() {
        for line in [
            &["token", "openai://:sk-canary@host"][..],
            &["openai://:sk-canary@host"],
            &["token", "--format", "sk-canary"],
            &["token", "--timeout", "sk-canary"],
            &["token", "--sk-canary-0123456789-0123456789"],
            &["token", "--json=sk-canary"],
            &["--verbose=sk-canary", "token"],
            &["run", "sk-canary"],
            &["connection", "sk-canary"],
            &["connection", "add", "a", "--store", "sk-canary"],
            &["connection", "add", "a", "--permissions=sk-canary"],
            &["connection", "list", "sk-canary"],
        ] {
            let (what, next) = words(line);
            assert!(!what.contains("canary") && !next.contains("canary"), "{what} / {next}");
        }
    }

    #[test]
    fn the_way_out_is_told() {
        assert!(words(&["token", "--format", "xml"]).1.contains("token, headers, json, env"));
        assert!(words(&["run"]).1.contains("after `--`"));
        assert_eq!(words(&["run"]).0, "the program to run is missing");
        assert!(words(&["token", "--timeout", "soon"]).1.contains("30 or 2.5"));
        assert_eq!(words(&["plan", "--lock"]).0, "`--lock` needs a value");
    }
}
