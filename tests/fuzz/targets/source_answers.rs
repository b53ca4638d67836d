//! What platforms answer, to each source: the first byte says which; then one record for each effect, up to a zero byte.
//! `$TOKEN` in a record stands for a good identity token.

#![no_main]

use std::sync::LazyLock;

use keyless_engine::Event;
use keyless_engine::io::{Effect, FileFault, SourceFault};
use keyless_engine::secret::Secret;
use keyless_fuzz::attempt::{self, Outcome};
use keyless_fuzz::connections::{self, Prepared, SOURCES};
use keyless_fuzz::input::Input;
use keyless_fuzz::reply;
use keyless_fuzz::shown::{self, MARK};
use libfuzzer_sys::fuzz_target;

/// What the token endpoint answers.
const GRANTED: &[u8] =
    b"200\n\n{\"access_token\":\"CANARY-access\",\"chatgpt_account_id\":\"a\",\"expires_in\":3600}";

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| connections::prepared(&SOURCES));

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Some(prepared) = PREPARED.get(usize::from(*first) % PREPARED.len()) else { return };
    let Prepared { connection, needs, token } = prepared;
    let mut answers = Input::new(rest);
    let mut next = |default: &[u8]| {
        let record = if answers.is_empty() { default } else { answers.record() };
        let filled = String::from_utf8_lossy(record).contains("$TOKEN");
        if filled { replace(record, b"$TOKEN", token.as_bytes()) } else { record.to_vec() }
    };
    let outcome = attempt::run(&mut connection.open(), needs, |effect, _| match effect {
        Effect::ReadFile { id, limit, .. } => {
            let content = next(b"$TOKEN");
            let fault = match content.as_slice() {
                b"\x01" => Some(FileFault::Missing),
                b"\x02" => Some(FileFault::Denied),
                b"\x03" => Some(FileFault::NotAFile),
                b"\x04" => Some(FileFault::Failed),
                long if long.len() > limit => Some(FileFault::TooLarge),
                _ => None,
            };
            Some(Event::File(id, fault.map_or(Ok(content.into()), Err)))
        }
        Effect::Send { id, request } if request.method == "POST" && !request.url.contains("amazonaws") => {
            Some(Event::Response(id, reply::read(GRANTED, request.response_limit)))
        }
        Effect::Send { id, request } => {
            Some(Event::Response(id, reply::read(&next(b"404\n\n"), request.response_limit)))
        }
        Effect::AskSource { id, .. } => {
            let said = String::from_utf8_lossy(&next(b"$TOKEN")).into_owned();
            Some(Event::Source(
                id,
                match said.strip_prefix('\u{1}') {
                    Some(words) => Err(SourceFault::Failed(words.replace(MARK, ""))),
                    None => Ok(Secret::new(said)),
                },
            ))
        }
        Effect::Cancel { .. } => None,
    });
    match outcome {
        Outcome::Ready(headers, _) => {
            assert!(
                headers
                    .iter()
                    .any(|(name, value)| name == "authorization" && value == "Bearer CANARY-access")
            );
        }
        Outcome::Failed(error) => {
            // Of a token only the claims for people are shown, and a mark in them is the issuer's.
            if !subject_claims_are_marked(rest) {
                shown::holds_no_secret(&without_code(error.message()));
            }
        }
    }
});

/// Without the code of AWS's that an error repeats: it is made of letters, as no secret of theirs is, and as the mark is.
fn without_code(message: &str) -> String {
    let parts =
        message.split_once(" with `").and_then(|(before, rest)| Some((before, rest.split_once('`')?)));
    match parts {
        Some((before, (code, after))) if code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("{before}{after}")
        }
        _ => message.to_owned(),
    }
}

fn replace(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + with.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(what) {
            out.extend_from_slice(with);
            rest = after;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

/// `CANARY` in base64url, at each of its three places in a group.
fn subject_claims_are_marked(bytes: &[u8]) -> bool {
    [&b"Q0FOQVJ"[..], b"NBTkFSW", b"DQU5BUl"]
        .into_iter()
        .any(|mark| bytes.windows(mark.len()).any(|part| part == mark))
}
