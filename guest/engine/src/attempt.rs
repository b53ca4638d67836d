//! One attempt to get an access token, from the identity to the answer, as one straight function.

use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use crate::audience;
use crate::connection::{Auth, Connection};
use crate::error::{Code, Error};
use crate::exchange::{self, Issued};
use crate::io::Io;
use crate::plan::Warning;
use crate::secret::Secret;

/// What an attempt brought.
pub(crate) struct Outcome {
    pub(crate) issued: Issued,
    /// What was doubtful about the identity token.
    pub(crate) warnings: Vec<Warning>,
}

/// Fetches the identity token anew, then trades it. A static key never gets here.
pub(crate) async fn run(connection: &Connection, io: &Io) -> Result<Outcome, Error> {
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
            let issued = Issued {
                access_token: Secret::new(key.value.expose().to_owned()),
                lifetime_ms: u64::MAX,
                anchor: io.now(),
                beside: Vec::new(),
            };
            Ok(Outcome { issued, warnings: Vec::new() })
        }
    }
}
