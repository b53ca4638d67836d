//! Who may use the gateway. A component does not know where its host listens, so it is closed until its host says more: to
//! whoever calls it by another name than this machine's, and to web pages.

use subtle::ConstantTimeEq as _;
use wasi::cli::environment;

use crate::refusal::Refusal;

/// A secret that clients have to present, where they would put a key. With it, whoever presents it may come.
const BEARER: &str = "KEYLESS_ACCESS_BEARER";

/// Names by which the gateway is called, beside those of this machine, separated by commas.
const HOSTS: &str = "KEYLESS_ACCESS_HOSTS";

/// The shortest bearer that is taken, in characters: 64 bits, if they are drawn in hexadecimal.
const SHORTEST: usize = 16;

/// Where a client may put the bearer: where the SDKs of these APIs put a key.
const BEARERS: [&str; 3] = ["authorization", "x-api-key", "api-key"];

/// Lets the request in, or says why not. `headers` have lower-case names.
pub(crate) fn admit(authority: Option<&str>, headers: &[(String, Vec<u8>)]) -> Result<(), Refusal> {
    let environment = environment::get_environment();
    let value = |wanted: &str| {
        environment.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str())
    };
    match value(BEARER) {
        "" => from_this_machine(authority, headers, value(HOSTS)),
        bearer if bearer.len() < SHORTEST || !bearer.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Refusal::Access(
                503,
                "bearer-unusable",
                "KEYLESS_ACCESS_BEARER cannot be used: give it at least 16 visible ASCII characters",
            ))
        }
        bearer if presented(headers).any(|one| one.ct_eq(bearer.as_bytes()).into()) => Ok(()),
        _ => Err(Refusal::Access(
            401,
            "access-bearer",
            "this gateway wants its own bearer; send the value of KEYLESS_ACCESS_BEARER as `authorization: Bearer ...`",
        )),
    }
}

/// Whatever a client presents, without its scheme.
fn presented(headers: &[(String, Vec<u8>)]) -> impl Iterator<Item = &[u8]> {
    headers.iter().filter(|(name, _)| BEARERS.contains(&name.as_str())).filter_map(
        |(name, value)| match value.split_at_checked(7) {
            _ if name != "authorization" => Some(value.as_slice()),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer ") => Some(rest),
            _ => None,
        },
    )
}

/// A web page can make a browser send requests to loopback, under any name that its author lets point there. Browsers say
/// so: by `Host`, by `Origin` and by `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C).
fn from_this_machine(
    authority: Option<&str>,
    headers: &[(String, Vec<u8>)],
    others: &str,
) -> Result<(), Refusal> {
    let Some(authority) = authority.filter(|authority| !authority.is_empty()) else {
        return Err(Refusal::Access(400, "host-missing", "the request names no host"));
    };
    let host = host_of(authority);
    if !is_loopback(host) && !others.split(',').any(|other| other.trim().eq_ignore_ascii_case(host)) {
        return Err(Refusal::Access(
            403,
            "host-unexpected",
            "this gateway is called `localhost` or by a loopback address; for any other, set KEYLESS_ACCESS_BEARER, \
             or name the host in KEYLESS_ACCESS_HOSTS where another fence is there",
        ));
    }
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice());
    let same_origin = header("origin").is_none_or(|origin| {
        std::str::from_utf8(origin)
            .ok()
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, of_page)| of_page.eq_ignore_ascii_case(authority))
    });
    if !same_origin || matches!(header("sec-fetch-site"), Some(b"cross-site" | b"same-site")) {
        return Err(Refusal::Access(
            403,
            "web-page",
            "a web page of another origin made this request; programs alone may use this gateway",
        ));
    }
    Ok(())
}

/// Without the port, and an IPv6 address without its brackets.
fn host_of(authority: &str) -> &str {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
