//! AWS's own test suite for signature version 4, as far as it has requests to `/` without a query; RFC 4231 for HMAC.

use super::*;

const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");
const HOST: (&str, &str) = ("host", "example.amazonaws.com");

type Headers<'a> = &'a [(&'a str, &'a str)];

fn signature(method: &str, headers: Headers<'_>, body: &str) -> String {
    let keys = Keys {
        access_key_id: Secret::new("AKIDEXAMPLE".to_owned()),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
        session_token: None,
    };
    let body = body.as_bytes();
    let signing =
        Signing { method, headers, body, timestamp: DATE.1, region: "us-east-1", service: "service" };
    signing.authorization(&keys).expose().to_owned()
}

#[test]
fn the_test_suite_s_signatures() {
    const BEFORE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ";
    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let cases: [(&str, Headers<'_>, &str, &str); 4] = [
        (
            "GET",
            &[HOST, DATE],
            "",
            "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            &[HOST, DATE],
            "",
            "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "POST",
            &[FORM, HOST, DATE],
            "Param1=value1",
            "SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "POST",
            &[HOST, DATE, ("x-amz-security-token", TOKEN)],
            "",
            "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ];
    for (method, headers, body, wanted) in cases {
        assert_eq!(signature(method, headers, body), format!("{BEFORE}{wanted}"));
    }
}

#[test]
fn the_code_is_rfc_4231_s() {
    assert_eq!(
        hex(&hmac(b"Jefe", "what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(&hmac(&[0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First")),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}
