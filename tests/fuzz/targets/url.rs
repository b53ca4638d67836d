//! URLs: what is taken here, a host's parser (WHATWG's) takes as well, and it sees the same host behind it.

#![no_main]

use std::net::IpAddr;

use keyless_engine::url::WebUrl;
use keyless_fuzz::shown;
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (plain, private, nearby) =
        (WebUrl::parse(&text), WebUrl::parse_private(&text), WebUrl::parse_nearby(&text));
    for fault in [&plain, &private, &nearby].into_iter().filter_map(|read| read.as_ref().err()) {
        assert!(!fault.contains(char::is_control), "{fault:?}");
        shown::holds_no_secret(fault);
    }
    let Ok(ours) = plain else {
        assert!(private.is_err() && nearby.is_err(), "{text} is no URL, and a special one");
        return;
    };
    assert!(private.is_err() || nearby.is_ok(), "{text} is private, and not near");
    assert_eq!(WebUrl::parse(&format!(" {}\n", ours.as_str())), Ok(ours.clone()), "white space around it");
    let Ok(theirs) = Url::parse(ours.as_str()) else {
        // WHATWG refuses hosts that RFC 3986 allows: a request there fails, and goes nowhere else.
        return;
    };
    assert!(theirs.username().is_empty() && theirs.password().is_none(), "{theirs} has a user");
    assert!(theirs.query().is_none() && theirs.fragment().is_none(), "{theirs} has a query");
    let address = match theirs.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    if theirs.scheme() == "http" {
        let name = theirs.host_str().unwrap_or_default();
        let this_machine = address.map_or(name == "localhost", |address| address.is_loopback());
        assert_eq!(private.is_ok(), this_machine, "{theirs} to {name}");
    } else {
        assert!(theirs.scheme() == "https" && private.is_ok(), "{theirs}");
    }
    if address.is_some() {
        // As an address is written: letter case and zeros aside, the host in our eyes is the host in theirs.
        let host = ours.host().trim_matches(['[', ']']).parse::<IpAddr>();
        assert_eq!(host.ok(), address, "{theirs}");
    } else {
        let host = ours.host().to_ascii_lowercase();
        assert_eq!(theirs.host_str(), Some(host.as_str()), "{theirs}");
    }
});
