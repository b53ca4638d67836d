//! Reading a token file that somebody else replaces at any moment.
//!
//! A kubelet writes a new directory and swaps the `..data` link by a rename; other writers truncate and write in place.
//! So the file is opened by its path for every attempt, never cached, and a reading that looks torn is repeated before
//! it counts as a failure.

use crate::error::{Code, Error};
use crate::io::{FileFault, Io};
use crate::secret::SecretBytes;
use crate::source;
use crate::subject_token::{LIMIT, SubjectToken};

/// Pauses before each reading, in milliseconds.
const READINGS: [u64; 4] = [0, 10, 50, 250];

/// The token in a file, checked.
pub(super) async fn read(io: &Io, path: &str, audience: Option<&str>) -> Result<SubjectToken, Error> {
    let mut last = None;
    for pause in READINGS {
        io.wait(pause).await;
        match read_once(io, path, audience).await {
            Err(error) if may_be_torn(error.code()) => last = Some(error),
            result => return result,
        }
    }
    Err(last.unwrap_or_else(|| missing(path)))
}

async fn read_once(io: &Io, path: &str, audience: Option<&str>) -> Result<SubjectToken, Error> {
    let bytes = content(io, path).await?;
    let origin = format!("the file `{path}`");
    source::checked(io, &bytes, audience, &origin)
}

/// What a file holds, whatever it is, as long as it is no longer than a token.
pub(super) async fn content(io: &Io, path: &str) -> Result<SecretBytes, Error> {
    let origin = format!("the file `{path}`");
    io.read_file(path, LIMIT).await.map_err(|fault| match fault {
        FileFault::Missing => missing(path),
        FileFault::Denied => Error::new(
            Code::FileDenied,
            format_args!("the host did not grant the file `{path}`; grant it, or renew the lock file if one is in force"),
        ),
        FileFault::NotAFile => Error::new(
            Code::TokenFileUnreadable,
            format_args!("`{path}` is not a regular file; name the token file itself"),
        ),
        FileFault::TooLarge => Error::new(
            Code::TokenTooLarge,
            format_args!("{origin} holds more than 16 KiB, no identity token is that long; check the path"),
        ),
        FileFault::Failed => Error::new(
            Code::TokenFileUnreadable,
            format_args!("{origin} cannot be read; check its owner and mode (kubelet: `fsGroup`)"),
        ),
    })
}

/// A swap or a writer in mid-sentence can look like any of these.
fn may_be_torn(code: Code) -> bool {
    matches!(code, Code::TokenFileMissing | Code::TokenEmpty | Code::TokenMalformed | Code::TokenExpired)
}

fn missing(path: &str) -> Error {
    Error::new(
        Code::TokenFileMissing,
        format_args!(
            "there is no file `{path}`; check that the token volume is mounted, or set `token_file_path`"
        ),
    )
}
