//! AWS: where keys come from, and that the token service takes signatures to the byte.

use std::time::{Duration, UNIX_EPOCH};

use http::Method;
use keyless_sandbox::{Options, Sandbox, ServiceName};
use ring::{digest, hmac};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::client::{Client, Headers, Reply};
use crate::platforms::{claims, variable};

const AUDIENCE: &str = "https://api.openai.com/v1";
const ROLE: &str = "arn:aws:iam::123456789012:role/app-role";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const GET_TOKEN: &str = "Action=GetWebIdentityToken&Version=2011-06-15&SigningAlgorithm=ES384\
    &Audience.member.1=https%3A%2F%2Fapi.openai.com%2Fv1";

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

/// A request to be signed. Tests change one thing at a time.
#[derive(Clone)]
struct Signer {
    key_id: String,
    secret: String,
    token: Option<String>,
    moment: String,
    scope_date: Option<String>,
    region: &'static str,
    service: &'static str,
    host: String,
    signed: Vec<&'static str>,
    body: String,
}

impl Signer {
    fn new(sandbox: &Sandbox) -> Self {
        Self {
            key_id: variable(sandbox, "aws-openai", "AWS_ACCESS_KEY_ID"),
            secret: variable(sandbox, "aws-openai", "AWS_SECRET_ACCESS_KEY"),
            token: None,
            moment: moment(sandbox.now_ms() / 1_000),
            scope_date: None,
            region: "eu-central-1",
            service: "sts",
            host: format!("localhost:{}", sandbox.port(ServiceName::AwsSts)),
            signed: vec!["content-type", "host", "x-amz-date"],
            body: GET_TOKEN.to_owned(),
        }
    }

    fn with_keys(sandbox: &Sandbox, keys: &Value) -> Self {
        let text = |name: &str| keys[name].as_str().unwrap().to_owned();
        Self {
            key_id: text("AccessKeyId"),
            secret: text("SecretAccessKey"),
            token: Some(text("Token")),
            signed: vec!["content-type", "host", "x-amz-date", "x-amz-security-token"],
            ..Self::new(sandbox)
        }
    }

    fn authorization(&self) -> String {
        let date =
            self.scope_date.clone().unwrap_or_else(|| self.moment.split('T').next().unwrap().to_owned());
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let lines: String = self
            .signed
            .iter()
            .map(|name| {
                let value = match *name {
                    "content-type" => FORM,
                    "host" => &self.host,
                    "x-amz-date" => &self.moment,
                    _ => self.token.as_deref().unwrap_or_default(),
                };
                format!("{name}:{value}\n")
            })
            .collect();
        let signed = self.signed.join(";");
        let canonical = format!("POST\n/\n\n{lines}\n{signed}\n{}", sha256(&self.body));
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.moment, sha256(&canonical));
        let mac = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        };
        let key = [date.as_str(), self.region, self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| mac(&key, part));
        let signature = hex(&mac(&key, &to_sign));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.key_id
        )
    }

    async fn send(&self, client: &Client<'_>) -> Reply {
        self.send_as(client, &self.authorization()).await
    }

    async fn send_as(&self, client: &Client<'_>, authorization: &str) -> Reply {
        let mut headers =
            vec![("content-type", FORM), ("x-amz-date", &self.moment), ("authorization", authorization)];
        headers.extend(self.token.as_deref().map(|token| ("x-amz-security-token", token)));
        client.send_with(ServiceName::AwsSts, Method::POST, "/", &headers, &self.body).await
    }
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20261121T140509Z`.
fn moment(unix_s: u64) -> String {
    let at = OffsetDateTime::from(UNIX_EPOCH + Duration::from_secs(unix_s));
    let (month, day) = (u8::from(at.month()), at.day());
    let time = format!("{:02}{:02}{:02}", at.hour(), at.minute(), at.second());
    format!("{}{month:02}{day:02}T{time}Z", at.year())
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once(&format!("</{name}>")).unwrap().0
}

fn refused(reply: &Reply, status: u16, code: &str) {
    let text = reply.text();
    assert_eq!((reply.status.as_u16(), element(&text, "Code")), (status, code), "{text}");
    assert_eq!(reply.header("content-type"), "text/xml");
}

#[tokio::test]
async fn a_signed_request_gets_a_token() {
    let sandbox = start().await;
    for client in [Client::new(&sandbox), Client::http2(&sandbox)] {
        let reply = Signer::new(&sandbox).send(&client).await;
        let text = reply.text();
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "text/xml"), "{text}");
        assert!(text.starts_with(
            "<GetWebIdentityTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
        ));
        assert!(element(&text, "Expiration").ends_with('Z'), "{text}");
        let token = element(&text, "WebIdentityToken");
        let claims = claims(token);
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!(AUDIENCE), &json!(ROLE)));
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
        assert_eq!(claims["iss"], format!("{}/aws", sandbox.issuer_url()));
        let exchanged = Client::new(&sandbox).exchange_token(token, "_aws").await;
        assert_eq!(exchanged.status, 200, "{}", exchanged.text());
        assert!(exchanged.json()["expires_in"].as_u64().unwrap() <= 300);
    }
    let several = format!("{GET_TOKEN}&Audience.member.2=b&DurationSeconds=3600");
    let reply = Signer { body: several, ..Signer::new(&sandbox) }.send(&Client::new(&sandbox)).await.text();
    assert_eq!(claims(element(&reply, "WebIdentityToken"))["aud"], json!([AUDIENCE, "b"]));
    let keys = Client::new(&sandbox).get(ServiceName::Issuer, "/aws/openid/v1/jwks").await.json();
    assert_eq!((&keys["keys"][0]["crv"], &keys["keys"][0]["alg"]), (&json!("P-384"), &json!("ES384")));
}

#[tokio::test]
async fn a_signature_is_right_to_the_byte() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let good = Signer::new(&sandbox);
    let now_s = sandbox.now_ms() / 1_000;
    let changed = |change: &dyn Fn(&mut Signer)| {
        let mut signer = good.clone();
        change(&mut signer);
        signer
    };
    for allowed in [now_s - 890, now_s + 890] {
        let signer = changed(&|signer| signer.moment = moment(allowed));
        assert_eq!(signer.send(&client).await.status, 200);
    }
    let mismatch = "SignatureDoesNotMatch";
    let cases = [
        (changed(&|signer| signer.secret.push('x')), mismatch),
        (changed(&|signer| signer.host = "sts.amazonaws.com".to_owned()), mismatch),
        (changed(&|signer| signer.region = "us-east-1"), mismatch),
        (changed(&|signer| signer.service = "iam"), mismatch),
        (changed(&|signer| signer.scope_date = Some("20200101".to_owned())), mismatch),
        (changed(&|signer| signer.moment = moment(now_s - 910)), mismatch),
        (changed(&|signer| signer.moment = moment(now_s + 910)), mismatch),
        (changed(&|signer| signer.moment = moment(now_s).replace('T', " ")), "IncompleteSignature"),
        (changed(&|signer| signer.signed = vec!["content-type", "x-amz-date"]), mismatch),
        (changed(&|signer| signer.signed = vec!["content-type", "host"]), mismatch),
        (changed(&|signer| signer.signed = vec!["host", "x-amz-date"]), mismatch),
        (changed(&|signer| signer.signed = vec!["host", "content-type", "x-amz-date"]), mismatch),
        (changed(&|signer| signer.signed.push("x-amz-none")), mismatch),
        (changed(&|signer| signer.key_id = "AKIAUNKNOWN".to_owned()), "InvalidClientTokenId"),
        (changed(&|signer| signer.token = Some("x".to_owned())), mismatch),
        (
            changed(&|signer| {
                signer.token = Some("x".to_owned());
                signer.signed.push("x-amz-security-token");
            }),
            "InvalidClientTokenId",
        ),
    ];
    for (number, (signer, code)) in cases.iter().enumerate() {
        println!("case {number}");
        refused(&signer.send(&client).await, 403, code);
    }

    let authorization = good.authorization();
    let upper = authorization.rsplit_once('=').map(|(start, end)| format!("{start}={}", end.to_uppercase()));
    refused(&good.send_as(&client, &upper.unwrap()).await, 403, mismatch);
    let of_another_body = changed(&|signer| signer.body.push_str("&DurationSeconds=60")).authorization();
    refused(&good.send_as(&client, &of_another_body).await, 403, mismatch);
    for malformed in ["Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request"] {
        refused(&good.send_as(&client, malformed).await, 403, "IncompleteSignature");
    }
    let unsigned: Headers<'_> = &[("content-type", FORM)];
    let reply = client.send_with(ServiceName::AwsSts, Method::POST, "/", unsigned, GET_TOKEN).await;
    refused(&reply, 403, "MissingAuthenticationToken");
    assert!(!sandbox.state()["requests"].to_string().contains(authorization.rsplit('=').next().unwrap()));
}

#[tokio::test]
async fn parameters_of_the_token_service() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let long = "a".repeat(1_001);
    let cases = [
        (GET_TOKEN.replace("ES384", "RS256"), "ValidationError"),
        (GET_TOKEN.replace("SigningAlgorithm=ES384&", ""), "ValidationError"),
        (GET_TOKEN.replace("Audience.member.1", "Audience"), "ValidationError"),
        (GET_TOKEN.replace("member.1", "member.2"), "ValidationError"),
        (GET_TOKEN.replace("=https%3A%2F%2Fapi.openai.com%2Fv1", "="), "ValidationError"),
        (format!("{GET_TOKEN}&Audience.member.2={long}"), "ValidationError"),
        (format!("{GET_TOKEN}&DurationSeconds=59"), "ValidationError"),
        (format!("{GET_TOKEN}&DurationSeconds=3601"), "ValidationError"),
        (format!("{GET_TOKEN}&Other=1"), "ValidationError"),
        (format!("{GET_TOKEN}&Action=GetWebIdentityToken"), "ValidationError"),
        (GET_TOKEN.replace("2011-06-15", "2012-01-01"), "InvalidAction"),
        (GET_TOKEN.replace("GetWeb", "GotWeb"), "InvalidAction"),
        (GET_TOKEN.replace("Action=GetWebIdentityToken&", ""), "MissingAction"),
    ];
    for (body, code) in cases {
        println!("{body}");
        refused(&Signer { body, ..Signer::new(&sandbox) }.send(&client).await, 400, code);
    }
    let json: Headers<'_> = &[("content-type", "application/json")];
    let reply = client.send_with(ServiceName::AwsSts, Method::POST, "/", json, "{}").await;
    refused(&reply, 400, "ValidationError");
}

#[tokio::test]
async fn keys_of_an_instance() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let put = async |headers: Headers<'_>| {
        client.send_with(ServiceName::AwsInstance, Method::PUT, "/latest/api/token", headers, "").await
    };
    let get = async |path: &str, token: &str| {
        client.get_with(ServiceName::AwsInstance, path, &[("x-aws-ec2-metadata-token", token)]).await
    };
    const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
    let session = put(&[(TTL, "60")]).await;
    assert_eq!((session.status.as_u16(), session.header(TTL)), (200, "60"));
    let session = session.text();
    assert_eq!(get(ROLES, &session).await.text(), "app-role");
    let keys = get(&format!("{ROLES}app-role"), &session).await.json();
    assert_eq!((&keys["Code"], &keys["Type"]), (&json!("Success"), &json!("AWS-HMAC")));
    let signer = Signer::with_keys(&sandbox, &keys);
    assert_eq!(signer.send(&client).await.status, 200);
    refused(
        &Signer { token: Some("other".to_owned()), ..signer.clone() }.send(&client).await,
        403,
        "InvalidClientTokenId",
    );
    assert!(!sandbox.state()["requests"].to_string().contains(&session));

    assert_eq!(get(&format!("{ROLES}other"), &session).await.status, 404);
    assert_eq!(get(ROLES, "other").await.status, 401);
    assert_eq!(client.get(ServiceName::AwsInstance, ROLES).await.status, 401);
    let refusals: [(Headers<'_>, u16); 5] = [
        (&[], 400),
        (&[(TTL, "0")], 400),
        (&[(TTL, "21601")], 400),
        (&[(TTL, "x")], 400),
        (&[(TTL, "60"), ("x-forwarded-for", "10.0.0.1")], 403),
    ];
    for (headers, status) in refusals {
        assert_eq!(put(headers).await.status, status, "{headers:?}");
    }
    assert_eq!(client.get(ServiceName::AwsInstance, "/latest/api/token").await.status, 405);

    sandbox.advance_clock(Duration::from_secs(61));
    assert_eq!(get(ROLES, &session).await.status, 401);
    sandbox.advance_clock(Duration::from_secs(21_400));
    let near_the_end = Signer { moment: moment(sandbox.now_ms() / 1_000), ..signer.clone() };
    refused(&near_the_end.send(&client).await, 403, "SessionDurationEscalationException");
    sandbox.advance_clock(Duration::from_secs(200));
    let too_late = Signer { moment: moment(sandbox.now_ms() / 1_000), ..signer };
    refused(&too_late.send(&client).await, 403, "ExpiredToken");
}

#[tokio::test]
async fn keys_of_a_container() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let relative = variable(&sandbox, "aws-ecs-openai", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let token = variable(&sandbox, "aws-eks-openai", "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    for (path, headers) in
        [(relative.as_str(), vec![]), ("/v1/credentials", vec![("authorization", token.as_str())])]
    {
        let keys = client.get_with(ServiceName::AwsContainer, path, &headers).await.json();
        assert_eq!(keys["RoleArn"], ROLE);
        assert_eq!(Signer::with_keys(&sandbox, &keys).send(&client).await.status, 200, "{path}");
    }
    let bearer = format!("Bearer {token}");
    for headers in [vec![], vec![("authorization", "other")], vec![("authorization", bearer.as_str())]] {
        let reply = client.get_with(ServiceName::AwsContainer, "/v1/credentials", &headers).await;
        assert_eq!(reply.status, 401, "{headers:?}");
    }
    assert_eq!(client.get(ServiceName::AwsContainer, "/v2/credentials/other").await.status, 404);
    assert!(!sandbox.state()["requests"].to_string().contains(&token));
}

#[tokio::test]
async fn a_projected_token_for_keys() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let file = variable(&sandbox, "aws-web-identity-openai", "AWS_WEB_IDENTITY_TOKEN_FILE");
    let read = || std::fs::read_to_string(&file).unwrap();
    let assume = async |role: &str, session: &str, token: &str, more: &str| {
        let role = role.replace(':', "%3A").replace('/', "%2F");
        let body = format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName={session}\
             &WebIdentityToken={token}{more}"
        );
        client.send_with(ServiceName::AwsSts, Method::POST, "/", &[("content-type", FORM)], &body).await
    };
    let reply = assume(ROLE, "app", &read(), "").await;
    let text = reply.text();
    assert_eq!(reply.status, 200, "{text}");
    let keys = json!({
        "AccessKeyId": element(&text, "AccessKeyId"),
        "SecretAccessKey": element(&text, "SecretAccessKey"),
        "Token": element(&text, "SessionToken"),
    });
    assert_eq!(Signer::with_keys(&sandbox, &keys).send(&client).await.status, 200);
    let recorded = &sandbox.requests(ServiceName::AwsSts)[0].body;
    assert_eq!(recorded["WebIdentityToken"]["claims"]["aud"], json!(["sts.amazonaws.com"]));
    assert_eq!(recorded["RoleArn"], ROLE);

    let for_openai = std::fs::read_to_string(sandbox.token_path()).unwrap();
    refused(&assume(ROLE, "app", &for_openai, "").await, 400, "InvalidIdentityToken");
    refused(&assume(ROLE, "app", "x", "").await, 400, "InvalidIdentityToken");
    refused(&assume(&format!("{ROLE}2"), "app", &read(), "").await, 403, "AccessDenied");
    refused(&assume(ROLE, "a", &read(), "").await, 400, "ValidationError");
    refused(&assume(ROLE, "a%20b", &read(), "").await, 400, "ValidationError");
    refused(&assume(ROLE, "app", &read(), "&DurationSeconds=899").await, 400, "ValidationError");
    refused(&assume(ROLE, "app", &read(), "&Other=1").await, 400, "ValidationError");
    let mut other = sandbox.claims();
    other.service_account = "other".to_owned();
    sandbox.write_token(&other).unwrap();
    refused(&assume(ROLE, "app", &read(), "").await, 403, "AccessDenied");
    sandbox.rotate_token().unwrap();
    sandbox.advance_clock(Duration::from_secs(3_600));
    refused(&assume(ROLE, "app", &read(), "").await, 400, "ExpiredTokenException");
}
