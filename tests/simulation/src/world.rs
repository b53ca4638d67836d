//! What is outside the engine: the platform that writes the token file, and a token endpoint that checks what it gets.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_engine::io::{FileFault, Response, SendFault};
use keyless_engine::secret::SecretBytes;
use serde_json::{Value, json};

use crate::plot::{BadFile, HOUR, MINUTE, Moment, Outage, SECOND};

/// 2027-01-15, in Unix milliseconds.
pub const EPOCH: u64 = 1_800_000_000_000;

/// What a kubelet's token lives for, and when it is replaced: after four fifths.
const TOKEN_LIFETIME: u64 = HOUR;
const REPLACED_AFTER: u64 = 48 * MINUTE;

/// No date lies further ahead.
const YEAR: u64 = 365 * 24 * HOUR;

/// The world at the moment that is handed in.
pub struct World {
    pub outage: Option<(Moment, Outage)>,
    pub bad_file: Option<(Moment, BadFile)>,
    /// From sending a request to the last byte of its answer, in milliseconds.
    pub latency: u64,
    /// Of the access tokens that are issued, in milliseconds.
    pub lifetime: u64,
    /// When the platform began to sign with another key, and when the token file followed.
    pub keys: (Moment, Moment),
    /// Further fields of a granting answer: empty, or with a comma before each.
    pub beside: &'static str,
    /// How many access tokens were issued: no two are alike.
    pub issued: u64,
    /// The identity token that was read last, and when it was born: most requests bring it.
    read: (u64, Vec<u8>),
}

impl Default for World {
    fn default() -> Self {
        Self {
            outage: None,
            bad_file: None,
            latency: 20,
            lifetime: HOUR,
            keys: (0, 0),
            beside: "",
            issued: 0,
            read: (0, Vec::new()),
        }
    }
}

/// An answer of the token endpoint.
pub struct Verdict {
    pub result: Result<Response, SendFault>,
    /// What it granted.
    pub token: Option<String>,
    /// How long it wants to be left alone, in milliseconds.
    pub pause: u64,
}

impl World {
    /// What is out of order at the endpoint.
    #[must_use]
    pub fn outage(&self, time: Moment) -> Option<Outage> {
        self.outage.filter(|(until, _)| time < *until).map(|(_, how)| how)
    }

    /// The token file.
    pub fn file(&mut self, time: Moment) -> Result<SecretBytes, FileFault> {
        let bad = self.bad_file.filter(|(until, _)| time < *until).map(|(_, how)| how);
        let (_, replaced_at) = self.keys;
        let in_turn = time - time % REPLACED_AFTER;
        let born = EPOCH + if replaced_at <= time { in_turn.max(replaced_at) } else { in_turn };
        match bad {
            None => {
                if self.read.0 != born {
                    self.read = (born, identity_token(born));
                }
                Ok(self.read.1.clone().into())
            }
            Some(BadFile::Expired) => Ok(identity_token(EPOCH + time - TOKEN_LIFETIME - MINUTE).into()),
            Some(BadFile::Missing) => Err(FileFault::Missing),
            Some(BadFile::Unreadable) => Err(FileFault::Failed),
            Some(BadFile::Empty) => Ok(Vec::new().into()),
            Some(BadFile::HalfWritten) => Ok(b"eyJhbGciOiJFUzI1NiJ9.eyJpc3".to_vec().into()),
        }
    }

    /// What the endpoint makes of a request.
    pub fn answer(&mut self, time: Moment, request: &[u8]) -> Verdict {
        let refused = |error: &str| Self::response(time, 400, &[], &json!({ "error": error }).to_string());
        let page = |status, headers: &[_]| Self::response(time, status, headers, "<html>");
        let nothing = |result| Verdict { result, token: None, pause: 0 };
        match self.outage(time) {
            None => match self.refusal(time, request) {
                None => self.grant(time, self.lifetime),
                Some(error) => nothing(refused(error)),
            },
            Some(Outage::Fault(fault)) => nothing(Err(fault)),
            Some(Outage::Silent) => nothing(Err(SendFault::TimedOut)),
            Some(Outage::Status(status)) => nothing(page(status, &[])),
            Some(Outage::RetryAfter(seconds)) => Verdict {
                result: page(429, &[("retry-after", seconds.to_string())]),
                token: None,
                pause: seconds.saturating_mul(SECOND),
            },
            Some(Outage::RetryAfterDate(seconds)) => {
                let pause = seconds.saturating_mul(SECOND).min(YEAR);
                let date = http_date(EPOCH + time + pause);
                // To the second, and never earlier than it says.
                Verdict {
                    result: page(503, &[("retry-after", date)]),
                    token: None,
                    pause: pause.saturating_sub(SECOND),
                }
            }
            Some(Outage::Body(body)) => nothing(Self::response(time, 200, &[], body)),
            Some(Outage::Garbage) => nothing(page(200, &[])),
            Some(Outage::NoToken) => {
                let body = r#"{"token_type":"Bearer","expires_in":3600}"#;
                nothing(Self::response(time, 200, &[], body))
            }
            Some(Outage::NoLifetime) => {
                nothing(Self::response(time, 200, &[], r#"{"access_token":"x","expires_in":-1}"#))
            }
            Some(Outage::NearlyExpired) => {
                nothing(Self::response(time, 200, &[], r#"{"access_token":"x","expires_in":1}"#))
            }
            Some(Outage::Refused) => nothing(refused("invalid_grant")),
        }
    }

    /// Why the identity token is refused.
    fn refusal(&self, time: Moment, request: &[u8]) -> Option<&'static str> {
        let (born, token) = &self.read;
        let brings_it = !token.is_empty() && request.windows(token.len()).any(|part| part == token);
        let Some(born) = (if brings_it { Some(*born) } else { claimed(request) }) else {
            return Some("invalid_request");
        };
        let (keys_since, _) = self.keys;
        if born + TOKEN_LIFETIME <= EPOCH + time {
            Some("invalid_grant")
        } else if born < EPOCH + keys_since {
            Some("invalid_subject_token")
        } else {
            None
        }
    }

    fn grant(&mut self, time: Moment, lifetime: u64) -> Verdict {
        self.issued += 1;
        let token = format!("token-{}", self.issued);
        let seconds = lifetime / SECOND;
        let beside = self.beside;
        let body =
            format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{seconds}{beside}}}"#);
        Verdict { result: Self::response(time, 200, &[], &body), token: Some(token), pause: 0 }
    }

    fn response(
        time: Moment,
        status: u16,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Response, SendFault> {
        let date = ("date", http_date(EPOCH + time));
        let headers =
            headers.iter().chain([&date]).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Ok(Response { status, headers, body: body.as_bytes().to_vec().into() })
    }
}

/// When the identity token of a request was born, as it says itself.
fn claimed(request: &[u8]) -> Option<u64> {
    let request: Value = serde_json::from_slice(request).ok()?;
    let claims = URL_SAFE_NO_PAD.decode(request["subject_token"].as_str()?.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["born"].as_u64()
}

fn http_date(unix_ms: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(unix_ms))
}

fn identity_token(born: u64) -> Vec<u8> {
    let exp = (born + TOKEN_LIFETIME) / SECOND;
    let claims = json!({"iss": "https://cluster.example", "sub": "a", "aud": "b", "exp": exp, "born": born});
    let token = format!("eyJhbGciOiJFUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    token.into_bytes()
}
