//! From the name of a source or an exchange to its parser.

use alloc::vec::Vec;

use crate::error::{Code, Error, field};
use crate::exchange;
use crate::fields::Fields;
use crate::minting;
use crate::source;
use crate::split;
use crate::variables::Variables;

/// The source of that name, its settings taken out of `fields`. `naming`: the field that holds the name.
pub(super) fn source(
    name: &str,
    naming: &str,
    fields: &mut Fields<'_>,
    variables: &Variables,
    audience: Option<&'static str>,
) -> source::Parsed {
    let entry = source::ALL.iter().find(|entry| entry.name == name);
    let known = || source::ALL.iter().map(|entry| entry.name).collect();
    let entry = entry.ok_or_else(|| unknown(naming, "source", known()))?;
    source_of(entry, fields, variables, audience)
}

/// The source of that entry, its settings taken out of `fields`.
pub(super) fn source_of(
    entry: &source::Entry,
    fields: &mut Fields<'_>,
    variables: &Variables,
    audience: Option<&'static str>,
) -> source::Parsed {
    let name = entry.name;
    let source = (entry.read)(fields, variables, audience)?;
    for other in source::ALL.iter().filter(|other| other.name != name) {
        for setting in other.settings.iter().filter(|setting| !entry.settings.contains(setting)) {
            if fields.ignore(setting) {
                let setting = fields.name(setting);
                fields.warn(
                    "setting-of-another-source",
                    format_args!(
                        "`{setting}` belongs to the source `{}` and has no effect with `{name}`",
                        other.name
                    ),
                );
            }
        }
    }
    Ok(source)
}

/// Whom an identity token is made for. When the exchange is wrong, that is the fault to report, and not an audience that
/// nobody knows for that reason.
pub(super) fn audience(exchange: &exchange::Parsed) -> Option<&'static str> {
    exchange.as_ref().map_or(Some(""), |exchange| exchange.audience())
}

/// The exchange of that name, its settings taken out of `fields`.
pub(super) fn exchange(
    name: &str,
    naming: &str,
    fields: &mut Fields<'_>,
    variables: &Variables,
) -> exchange::Parsed {
    let entry = exchange::ALL.iter().find(|entry| entry.name == name);
    let known = || exchange::ALL.iter().map(|entry| entry.name).chain([minting::NAME]).collect();
    (entry.ok_or_else(|| unknown(naming, "exchange", known()))?.read)(fields, variables)
}

/// The value is not quoted: people paste keys into the wrong field.
fn unknown(naming: &str, what: &str, known: Vec<&'static str>) -> Error {
    field(
        Code::FieldValue,
        naming,
        format_args!("names no known {what}; known are {}", split::joined(&known, ", ")),
    )
}
