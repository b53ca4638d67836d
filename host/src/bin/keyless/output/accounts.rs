//! Service accounts, for people and for programs.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyless::{Account, Standing};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{counted, printable};

/// What `--json` shows of an account.
#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    created_at: String,
    lapses_at: String,
    standing: &'static str,
    of_this_connection: bool,
    deleted: bool,
}

/// For `--json`.
pub(crate) fn listed(accounts: &[Account]) -> Vec<Listed<'_>> {
    accounts.iter().map(Listed::of).collect()
}

impl<'a> Listed<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            id: &account.id,
            name: &account.name,
            created_at: moment(account.created_at),
            lapses_at: moment(account.lapses_at),
            standing: standing(account),
            of_this_connection: account.alike,
            deleted: account.deleted,
        }
    }
}

/// All of them.
pub(crate) fn table(accounts: &[Account]) -> String {
    if accounts.is_empty() {
        return "no service accounts of Keyless in this project\n".to_owned();
    }
    let mut out = format!("{} of Keyless in this project\n\n", counted(accounts.len(), "service account"));
    rows(&mut out, accounts.iter());
    out.push_str("\nin use: maybe, by somebody; done: by nobody, `keyless accounts prune` deletes it\n");
    out
}

/// What was deleted, or would be.
pub(crate) fn pruned(accounts: &[Account], dry_run: bool, all: bool) -> String {
    let goes = |account: &&Account| {
        account.deleted || dry_run && (account.standing == Standing::Done || all && account.alike)
    };
    let going: Vec<_> = accounts.iter().filter(goes).collect();
    let verb = if dry_run { "would be deleted" } else { "deleted" };
    let mut out = format!(
        "{} {verb}, {} left\n",
        counted(going.len(), "service account"),
        accounts.len() - going.len()
    );
    if !going.is_empty() {
        out.push('\n');
        rows(&mut out, going.into_iter());
    }
    out
}

fn rows<'a>(out: &mut String, accounts: impl Iterator<Item = &'a Account> + Clone) {
    let width = accounts.clone().map(|account| printable(&account.name).chars().count()).max().unwrap_or(0);
    for account in accounts {
        let (name, id) = (printable(&account.name), printable(&account.id));
        let other = if account.alike { "" } else { ", of another connection" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "  {name:<width$}  {id}  made {}, lapses {}, {}{other}",
            moment(account.created_at),
            moment(account.lapses_at),
            standing(account)
        );
    }
}

fn standing(account: &Account) -> &'static str {
    match account.standing {
        Standing::Current | Standing::InUse => "in use",
        Standing::Done => "done",
    }
}

/// RFC 3339.
pub(crate) fn moment_of(time: SystemTime) -> String {
    moment(time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0)))
}

fn moment(unix_ms: u64) -> String {
    let time = OffsetDateTime::from(UNIX_EPOCH + Duration::from_secs(unix_ms / 1_000));
    time.format(&Rfc3339).unwrap_or_else(|_| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_to_the_second() {
        assert_eq!(moment(1_800_000_000_999), "2027-01-15T08:00:00Z");
    }
}
