//! What a token endpoint answers, to each exchange: the first byte says which, the rest is the answer. Its highest bit
//! has the answer given once more, with white space behind it.

#![no_main]

use std::sync::LazyLock;

use keyless_engine::Event;
use keyless_engine::io::Effect;
use keyless_fuzz::attempt::{self, Outcome};
use keyless_fuzz::connections::{self, EXCHANGES, Prepared};
use keyless_fuzz::reply;
use keyless_fuzz::shown::{self, MARK};
use libfuzzer_sys::fuzz_target;

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| connections::prepared(&EXCHANGES));

fuzz_target!(|bytes: &[u8]| {
    let Some((first, answer)) = bytes.split_first() else { return };
    let Some(connection) = PREPARED.get(usize::from(*first) % PREPARED.len()) else { return };
    let outcome = trade(connection, answer);
    let status = reply::read(answer, 64 * 1024).map(|response| (response.status, response.headers));
    match &outcome {
        Outcome::Ready(headers, ends) => {
            assert!(status.is_ok_and(|(status, _)| status == 200), "a token out of a refusal");
            let token = headers
                .first()
                .and_then(|(name, value)| value.strip_prefix("Bearer ").filter(|_| name == "authorization"));
            assert!(
                token.is_some_and(|token| token.bytes().all(|byte| byte.is_ascii_graphic())),
                "{headers:?}"
            );
            assert!(ends.is_some(), "a token that never ends");
        }
        // A request id is repeated, and what is in it is whatever the endpoint puts there.
        Outcome::Failed(error) => {
            if status.is_ok_and(|(_, headers)| !headers.iter().any(|(_, value)| value.contains(MARK))) {
                shown::holds_no_secret(error.message());
            }
        }
    }
    // White space around JSON means nothing. A line break would be a part of the headers where there is no body.
    if *first >= 0x80 && answer.windows(2).any(|pair| pair == b"\n\n") {
        let padded = [answer, b" \r\n"].concat();
        assert_eq!(outcome, trade(connection, &padded), "white space after the body");
    }
});

fn trade(Prepared { connection, needs, token }: &Prepared, answer: &[u8]) -> Outcome {
    attempt::run(&mut connection.open(), needs, |effect, _| match effect {
        Effect::ReadFile { id, .. } => Some(Event::File(id, Ok(token.clone().into_bytes().into()))),
        Effect::Send { id, request } => {
            Some(Event::Response(id, reply::read(answer, request.response_limit)))
        }
        Effect::AskSource { .. } | Effect::Cancel { .. } => None,
    })
}
