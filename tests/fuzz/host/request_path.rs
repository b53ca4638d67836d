//! Paths that the proxy forwards: nobody further on reads one as another path, however often it decodes.

#![no_main]

use keyless_gateway::path;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Err(path::Ambiguous(what)) = path::check(&text) {
        return assert!(!what.is_empty());
    }
    // Another reader of URLs takes no segment away and adds none.
    let url = url::Url::parse(&format!("https://api.example{text}"));
    assert!(url.is_ok(), "{text}: {url:?}");
    let Ok(url) = url else { return };
    assert!(url.query().is_none() && url.fragment().is_none(), "{text}");
    assert_eq!(segments(url.path()), segments(&text), "{text}");
    // Nor does whoever decodes it, once or twice.
    let once = percent_decode_str(&text).decode_utf8_lossy();
    let twice = percent_decode_str(&once).decode_utf8_lossy();
    for decoded in [&*once, &*twice] {
        assert_eq!(segments(decoded), segments(&text), "{text}");
        assert!(!decoded.split('/').any(|segment| matches!(segment, "." | "..")), "{text}");
        assert!(!once.contains(char::is_control), "{text}");
    }
});

fn segments(path: &str) -> usize {
    path.split(['/', '\\']).count()
}
