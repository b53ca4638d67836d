//! How long a request may take.
//!
//! WASI knows three time-outs and no deadline, so that an endpoint that drips a byte now and then could hold a request
//! for ever. Here the longest of the three is also the deadline for the whole, and none exceeds ours.

use std::time::Duration;

use wasmtime_wasi_http::RequestOptions;

use super::Patience;
use super::allow::is_link_local;

/// For a whole request: connection, TLS, headers and body.
const TOTAL: Duration = Duration::from_secs(10);
/// For a TCP connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For a TCP connection to the next hop: a metadata server answers at once or does not exist.
const CONNECT_LINK_LOCAL: Duration = Duration::from_secs(1);

/// What the component asks for, as far as the host allows it. `host` without brackets.
pub(super) fn patience(options: Option<RequestOptions>, host: &str) -> Patience {
    let options = options.unwrap_or_default();
    let connect_limit = if is_link_local(host) { CONNECT_LINK_LOCAL } else { CONNECT };
    let connect = options.connect_timeout.map_or(connect_limit, |asked| asked.min(connect_limit));
    let asked = [options.connect_timeout, options.first_byte_timeout, options.between_bytes_timeout];
    let total = if asked.iter().all(Option::is_some) {
        asked.into_iter().flatten().max().map_or(TOTAL, |asked| asked.min(TOTAL))
    } else {
        TOTAL
    };
    Patience { connect, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(connect: Option<u64>, first: Option<u64>, between: Option<u64>) -> Option<RequestOptions> {
        Some(RequestOptions {
            connect_timeout: connect.map(Duration::from_secs),
            first_byte_timeout: first.map(Duration::from_secs),
            between_bytes_timeout: between.map(Duration::from_secs),
        })
    }

    #[test]
    fn the_component_may_ask_for_less_but_not_for_more() {
        let seconds = |options, host| {
            let Patience { connect, total } = patience(options, host);
            (connect.as_secs(), total.as_secs())
        };
        assert_eq!(seconds(None, "a.example"), (5, 10));
        assert_eq!(seconds(options(Some(3), Some(3), Some(3)), "a.example"), (3, 3));
        assert_eq!(seconds(options(Some(600), Some(600), Some(600)), "a.example"), (5, 10));
        assert_eq!(seconds(options(Some(2), Some(4), Some(3)), "a.example"), (2, 4));
        assert_eq!(seconds(options(Some(2), None, None), "a.example"), (2, 10));
        assert_eq!(seconds(None, "169.254.169.254"), (1, 10));
        assert_eq!(seconds(None, "fd00:ec2::254"), (1, 10));
        assert_eq!(seconds(None, "metadata.google.internal"), (1, 10));
        assert_eq!(seconds(None, "127.0.0.1"), (5, 10));
    }
}
