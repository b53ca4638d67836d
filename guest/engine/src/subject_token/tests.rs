use super::*;

fn token(claims: &str) -> String {
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    format!("{}.{}.{}", part(r#"{"alg":"ES256","kid":"k"}"#), part(claims), part("signature"))
}

fn code(bytes: &[u8]) -> Option<Code> {
    SubjectToken::parse(bytes, "the file `/t`").err().map(|error| error.code())
}

#[test]
fn white_space_and_a_byte_order_mark_around_a_token_are_tolerated() {
    let text = token(r#"{"iss":"https://i","sub":"s","aud":["a","b"],"exp":1700000000.5,"iat":1}"#);
    for around in [format!("\u{feff}{text}\r\n"), format!("  {text}\n\n"), text.clone()] {
        let parsed = SubjectToken::parse(around.as_bytes(), "x").unwrap();
        assert_eq!(parsed.expose(), text);
        assert_eq!(parsed.claims().expires_at_ms, Some(1_700_000_000_500));
        assert_eq!(parsed.claims().describe(), "issuer `https://i`, subject `s`, audience `a` and `b`");
    }
}

#[test]
fn what_is_no_token_is_named_without_being_quoted() {
    assert_eq!(code(b""), Some(Code::TokenEmpty));
    assert_eq!(code(b" \r\n\t"), Some(Code::TokenEmpty));
    assert_eq!(code(&vec![b'a'; LIMIT + 1]), Some(Code::TokenTooLarge));
    for bad in ["a", "a.b", "a.b.c.d", "a..c", "..", "a.b.", "a b.c.d", "eyJ.W10.c", "eyJ.!!.c", "\u{e9}.b.c"]
    {
        assert_eq!(code(bad.as_bytes()), Some(Code::TokenMalformed), "{bad}");
    }
    for (bad, shape) in [
        ("-----BEGIN CERTIFICATE-----CANARY", "a PEM block of 33 bytes"),
        ("{\"CANARY\":1}", "a JSON object of 12 bytes"),
        ("sk-CANARY", "an API key of 9 bytes"),
        ("<html>CANARY", "a markup document of 12 bytes"),
        ("a\0CANARY", "binary data of 8 bytes"),
    ] {
        let error = SubjectToken::parse(bad.as_bytes(), "x").err().unwrap();
        assert!(error.message().contains(shape) && !error.message().contains("CANARY"), "{error}");
    }
}

#[test]
fn an_expired_or_foreign_token_is_refused_before_anything_is_sent() {
    let at = |wall_ms| Now { wall_ms, monotonic_ms: 0 };
    let parse = || SubjectToken::parse(token(r#"{"aud":"k8s","exp":1000}"#).as_bytes(), "x").unwrap();
    assert!(parse().check(at(999_999), None, "x").is_ok());
    let error = parse().check(at(1_090_000), None, "x").err().unwrap();
    assert_eq!(error.code(), Code::TokenExpired);
    assert!(error.message().contains("expired 90 s ago"), "{error}");
    assert!(parse().check(at(0), Some("k8s"), "x").is_ok());
    let error = parse().check(at(0), Some("https://api.openai.com/v1"), "x").err().unwrap();
    assert_eq!(error.code(), Code::TokenForeign);
    assert!(error.message().contains("is for `k8s`"), "{error}");
}

#[test]
fn odd_claims_are_absent_claims() {
    let parsed =
        SubjectToken::parse(token(r#"{"iss":1,"aud":7,"exp":"soon","iat":-5,"sub":"a\nb"}"#).as_bytes(), "x");
    let claims = parsed.unwrap().claims().clone();
    assert_eq!(claims, Claims { subject: Some("a\u{fffd}b".into()), ..Claims::default() });
    assert_eq!(claims.audience_text(), "no audience at all");
}
