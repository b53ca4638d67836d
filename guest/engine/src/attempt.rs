//! One attempt to get an access token, from the identity to the answer, as one straight function.

use alloc::vec::Vec;
use core::cell::RefCell;

use crate::audience;
use crate::connection::{Auth, Connection};
use crate::error::{Code, Error};
use crate::exchange::{self, Issued};
use crate::io::Io;
use crate::minting::{self, Ledger};
use crate::plan::Warning;

/// What an attempt brought.
pub(crate) struct Outcome {
    pub(crate) issued: Issued,
    /// What was doubtful about the identity token.
    pub(crate) warnings: Vec<Warning>,
}

/// A key in a file is read again after half of this at the latest: whoever replaces it need not tell anybody.
const KEY_FILE_LIFETIME_MS: u64 = 600_000;

/// Fetches the identity token anew, then trades it; or makes a key, or reads one. `seed`: a number that is particular to this
/// machine and this moment.
pub(crate) async fn run(
    connection: &Connection,
    io: &Io,
    ledger: &RefCell<Ledger>,
    seed: u64,
) -> Result<Outcome, Error> {
    match &connection.auth {
        Auth::WorkloadIdentity { source, exchange } => {
            let subject = source.token(io).await?;
            let doubt = audience::control_plane(subject.claims(), source.remedy());
            if let Some(doubt) = doubt.as_ref().filter(|_| connection.strict) {
                let message = format!("not sent, as strictness demands: {}", doubt.message);
                return Err(Error::new(Code::TokenForAControlPlane, message));
            }
            let warnings = doubt.into_iter().collect();
            let issued = exchange::trade(&**exchange, io, &subject).await?;
            Ok(Outcome { issued, warnings })
        }
        Auth::ApiKey(key) => {
            let anchor = io.now();
            let access_token = key.fetch(io, "the API key").await?;
            let lifetime_ms = KEY_FILE_LIFETIME_MS;
            let issued = Issued { access_token, lifetime_ms, anchor, beside: Vec::new() };
            Ok(Outcome { issued, warnings: Vec::new() })
        }
        Auth::Minted(minting) => {
            let issued = minting::mint(minting, io, ledger, seed).await?;
            Ok(Outcome { issued, warnings: Vec::new() })
        }
    }
}
