//! HTTP answers as a fuzzer can write them: a status, headers and a body, in the lines of HTTP itself.
//!
//! ```text
//! 429 whatever
//! retry-after: 5
//!
//! {"error":"slow_down"}
//! ```

use keyless_engine::io::{Response, SendFault};

/// Why there is no answer, for a status from 0 up.
const FAULTS: [SendFault; 8] = [
    SendFault::Denied,
    SendFault::Unresolved,
    SendFault::Unreachable,
    SendFault::Untrusted,
    SendFault::NoCertificate,
    SendFault::TimedOut,
    SendFault::Broken,
    SendFault::TooLarge,
];

/// What the bytes say. A status that is none is 200; one below 8 is a fault; a line without a colon ends the headers.
pub fn read(bytes: &[u8], limit: usize) -> Result<Response, SendFault> {
    let (first, mut rest) = line(bytes);
    let digits = first.iter().take_while(|byte| byte.is_ascii_digit()).take(4);
    let status = digits.fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
    if let Some(fault) =
        FAULTS.get(usize::from(status)).filter(|_| first.first().is_some_and(u8::is_ascii_digit))
    {
        return Err(*fault);
    }
    let mut headers = Vec::new();
    loop {
        let (header, after) = line(rest);
        rest = after;
        let text = String::from_utf8_lossy(header);
        let Some((name, value)) = text.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if rest.len() > limit {
        return Err(SendFault::TooLarge);
    }
    let status = if status == 0 { 200 } else { status };
    Ok(Response { status, headers, body: rest.to_vec().into() })
}

fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    (line, rest.get(1..).unwrap_or_default())
}
