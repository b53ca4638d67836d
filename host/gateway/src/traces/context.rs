//! Which trace a request belongs to: W3C Trace Context, <https://www.w3.org/TR/trace-context/>.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// Never 0.
    pub(super) trace: u128,
    /// Never 0.
    pub(super) span: u64,
}

/// What a request says of the trace that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Nothing that can be understood: a trace begins here.
    Untraced,
    /// Its caller's place.
    Traced(Context),
    /// Its caller has decided that this one is not recorded.
    NotSampled,
}

impl Caller {
    /// By `traceparent` (section 3.2 of the recommendation).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Self::Untraced };
        value.to_str().ok().and_then(read).unwrap_or(Self::Untraced)
    }
}

/// `version-trace_id-parent_id-flags`. A later version may have more behind it.
fn read(text: &str) -> Option<Caller> {
    let mut parts = text.split('-');
    let mut hexadecimal = |length: usize| {
        let part = parts.next()?;
        let lower = part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (part.len() == length && lower).then(|| u128::from_str_radix(part, 16).ok())?
    };
    let version = hexadecimal(2)?;
    let trace = hexadecimal(32)?;
    let span = u64::try_from(hexadecimal(16)?).ok()?;
    let flags = hexadecimal(2)?;
    let whole = version != 0xff && (version != 0 || parts.next().is_none());
    if !whole || trace == 0 || span == 0 {
        return None;
    }
    Some(if flags & 1 == 1 { Caller::Traced(Context { trace, span }) } else { Caller::NotSampled })
}

impl Context {
    /// The first span of a trace.
    pub(super) fn new() -> Self {
        Self { trace: u128::from(id()) << 64 | u128::from(id()), span: id() }
    }

    /// A span below this one.
    pub(super) fn below(self) -> Self {
        Self { span: id(), ..self }
    }

    /// Tells whoever is called where it belongs.
    pub(super) fn pass_on(self, headers: &mut HeaderMap) {
        let text = format!("00-{:032x}-{:016x}-01", self.trace, self.span);
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

/// Other than all others, not unguessable: a counter under a keyed hash. Never 0.
fn id() -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    KEY.hash_one(COUNTER.fetch_add(1, Ordering::Relaxed)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(values: &[&str]) -> Caller {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
        }
        Caller::of(&headers)
    }

    #[test]
    fn a_caller_is_read_as_the_recommendation_says() {
        let traced = Caller::Traced(Context {
            trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
            span: 0xb7ad_6b71_6920_3331,
        });
        let whole = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for (value, expected) in [
            (whole, traced),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", Caller::NotSampled),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", traced),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be", traced),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", Caller::Untraced),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Caller::Untraced),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", Caller::Untraced),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", Caller::Untraced),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", Caller::Untraced),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", Caller::Untraced),
            ("00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Caller::Untraced),
            ("", Caller::Untraced),
        ] {
            assert_eq!(caller(&[value]), expected, "{value}");
        }
        assert_eq!(caller(&[]), Caller::Untraced);
        assert_eq!(caller(&[whole, whole]), Caller::Untraced);
    }

    #[test]
    fn what_is_passed_on_is_what_is_read() {
        let context = Context::new();
        let below = context.below();
        assert_eq!(below.trace, context.trace);
        assert_ne!(below.span, context.span);
        let mut headers = HeaderMap::new();
        below.pass_on(&mut headers);
        assert_eq!(Caller::of(&headers), Caller::Traced(below));
    }
}
