//! The metadata servers: what each asks for, and that vendors accept what each issues.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};
use serde_json::Value;

use crate::client::{Client, Headers};

const AUDIENCE: &str = "https://api.openai.com/v1";
const IMDS: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";
const APP_SERVICE: &str = "/msi/token?api-version=2019-08-01";
const GCP: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
const METADATA: Headers<'static> = &[("metadata", "true")];
const GOOGLE: Headers<'static> = &[("metadata-flavor", "Google")];

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A variable of one of the ready-made combinations.
pub(crate) fn variable(sandbox: &Sandbox, combination: &str, name: &str) -> String {
    sandbox.documents().combinations[combination].variables[name].clone()
}

#[tokio::test]
async fn azure_instance_metadata() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let selectors = [
        "",
        "&client_id=0c9a1b52-7d3e-4f86-8b1a-9e8d7c6b5a40",
        "&object_id=5F0D7C8E-2F5B-4A0E-9C1D-1A2B3C4D5E6F",
        "&msi_res_id=%2Fsubscriptions%2F8d1e2f3a-4b5c-4d6e-8f70-112233445566%2FresourceGroups%2Fsandbox%2Fproviders\
         %2FMicrosoft.ManagedIdentity%2FuserAssignedIdentities%2Fapp",
    ];
    for selector in selectors {
        let path = format!("{IMDS}&resource=https%3A%2F%2Fapi.openai.com%2Fv1{selector}");
        let reply = client.get_with(ServiceName::Azure, &path, METADATA).await;
        assert_eq!(reply.status, 200, "{selector}: {}", reply.text());
        let body = reply.json();
        assert_eq!((&body["expires_in"], &body["resource"]), (&"86399".into(), &AUDIENCE.into()));
        let token = body["access_token"].as_str().unwrap();
        let claims = claims(token);
        assert_eq!(claims["exp"].to_string(), body["expires_on"].as_str().unwrap());
        assert_eq!(claims["nbf"].to_string(), body["not_before"].as_str().unwrap());
        assert_eq!(claims["iss"], format!("{}/azure", sandbox.issuer_url()));
        assert_eq!(client.exchange_token(token, "_azure").await.status, 200);
    }

    let good = "&resource=api%3A%2F%2Fx";
    let refused: [(String, Headers<'_>, &str); 12] = [
        (format!("{IMDS}{good}"), &[], "metadata header"),
        (format!("{IMDS}{good}"), &[("metadata", "1")], "metadata header"),
        (
            format!("{IMDS}{good}"),
            &[("metadata", "true"), ("x-forwarded-for", "10.0.0.1")],
            "metadata header",
        ),
        (IMDS.to_owned(), METADATA, "audience parameter"),
        (format!("{IMDS}&resource="), METADATA, "audience parameter"),
        (
            format!("{}?resource=x", IMDS.split('?').next().unwrap()),
            METADATA,
            "missing the parameter api-version",
        ),
        (IMDS.replace("2018", "2017") + good, METADATA, "api-version is not supported"),
        (format!("{IMDS}{good}&client_id=other"), METADATA, "Identity not found"),
        (format!("{IMDS}{good}&client_id=a&object_id=b"), METADATA, "Only one parameter"),
        (format!("{IMDS}{good}&mi_res_id=a"), METADATA, "mi_res_id is not supported"),
        (format!("{IMDS}{good}{good}"), METADATA, "comes twice"),
        (format!("{IMDS}&resource=%zz"), METADATA, "hexadecimal"),
    ];
    for (path, headers, words) in refused {
        let reply = client.get_with(ServiceName::Azure, &path, headers).await;
        assert_eq!(reply.status, 400, "{path}");
        let text = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert!(text.contains(words), "{path}: {text}");
    }
    let post = client.send_with(ServiceName::Azure, Method::POST, IMDS, METADATA, "").await;
    assert_eq!(post.status, 405);
    assert_eq!(client.get_with(ServiceName::Azure, "/metadata", METADATA).await.status, 404);
}

#[tokio::test]
async fn azure_app_service() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let secret = variable(&sandbox, "azure-app-service-openai", "IDENTITY_HEADER");
    let endpoint = variable(&sandbox, "azure-app-service-openai", "IDENTITY_ENDPOINT");
    assert_eq!(endpoint, format!("{}/msi/token", sandbox.url(ServiceName::Azure)));
    let headers: Headers<'_> = &[("x-identity-header", &secret)];

    let path = format!("{APP_SERVICE}&resource={AUDIENCE}&principal_id=5f0d7c8e-2f5b-4a0e-9c1d-1a2b3c4d5e6f");
    let reply = client.get_with(ServiceName::Azure, &path, headers).await;
    let body = reply.json();
    assert!(body["expires_on"].is_string() && body.get("expires_in").is_none(), "{body}");
    let exchanged = client.exchange_token(body["access_token"].as_str().unwrap(), "_azure").await;
    assert_eq!(exchanged.status, 200);
    assert!(!sandbox.state()["requests"].to_string().contains(&secret));

    let refused: [(&str, Headers<'_>, u16); 5] = [
        (&path, &[], 401),
        (&path, &[("x-identity-header", "other")], 401),
        (&path, METADATA, 401),
        ("/msi/token?api-version=2017-09-01&resource=x", headers, 400),
        ("/msi/token?api-version=2019-08-01&resource=x&msi_res_id=x", headers, 400),
    ];
    for (path, headers, status) in refused {
        let reply = client.get_with(ServiceName::Azure, path, headers).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["statusCode"]), (status, &status.into()), "{path}");
    }
}

#[tokio::test]
async fn google_metadata() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let path = format!("{GCP}?audience=https%3A%2F%2Fapi.openai.com%2Fv1&format=full&licenses=TRUE");
    let reply = client.get_with(ServiceName::Gcp, &path, GOOGLE).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("metadata-flavor"), "Google");
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    let token = reply.text();
    assert_eq!(claims(&token)["aud"], AUDIENCE);
    assert_eq!(claims(&token)["google"]["compute_engine"]["license_id"][0], "1002001");
    assert_eq!(client.exchange_token(&token, "_gcp").await.status, 200);

    let plain = client.get_with(ServiceName::Gcp, &format!("{GCP}?audience=x"), GOOGLE).await.text();
    assert!(claims(&plain).get("google").is_none());
    let refusal = client.exchange_token(&plain, "_gcp").await;
    assert!(refusal.text().contains("aud is not"), "{}", refusal.text());

    let refused: [(String, Headers<'_>, u16); 8] = [
        (path.clone(), &[], 403),
        (path.clone(), &[("metadata-flavor", "google")], 403),
        (path.clone(), &[("metadata-flavor", "Google"), ("x-forwarded-for", "::1")], 403),
        (GCP.to_owned(), GOOGLE, 400),
        (format!("{GCP}?audience="), GOOGLE, 400),
        (format!("{GCP}?audience=x&format=long"), GOOGLE, 400),
        (format!("{GCP}?audience=x&licenses=1"), GOOGLE, 400),
        ("/computeMetadata/v1/".to_owned(), GOOGLE, 404),
    ];
    for (path, headers, status) in refused {
        let reply = client.get_with(ServiceName::Gcp, &path, headers).await;
        assert_eq!((reply.status.as_u16(), reply.header("metadata-flavor")), (status, "Google"), "{path}");
    }
}

#[tokio::test]
async fn github_actions() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let url = variable(&sandbox, "github-openai", "ACTIONS_ID_TOKEN_REQUEST_URL");
    let path = url.strip_prefix(&sandbox.url(ServiceName::Github)).unwrap();
    let secret = variable(&sandbox, "github-openai", "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let bearer = format!("bearer {secret}");
    let headers: Headers<'_> = &[("authorization", &bearer)];

    let with_audience = format!("{path}&audience=https%3A%2F%2Fapi.openai.com%2Fv1");
    let body = client.get_with(ServiceName::Github, &with_audience, headers).await.json();
    let token = body["value"].as_str().unwrap();
    assert_eq!(body["count"], token.len());
    let exchanged = client.exchange_token(token, "_github").await.json();
    assert!(exchanged["expires_in"].as_u64().unwrap() <= 300, "{exchanged}");
    let by_default = client.get_with(ServiceName::Github, path, headers).await.json();
    assert_eq!(claims(by_default["value"].as_str().unwrap())["aud"], "https://github.com/octo-org");
    assert!(!sandbox.state()["requests"].to_string().contains(&secret));

    let basic = format!("basic {secret}");
    let refused: [(&str, Headers<'_>, u16); 6] = [
        (&with_audience, &[], 401),
        (&with_audience, &[("authorization", "bearer other")], 401),
        (&with_audience, &[("authorization", &basic)], 401),
        ("/run/4242/idtoken?audience=x", headers, 400),
        ("/run/4242/idtoken?api-version=2.0&audience=", headers, 400),
        ("/run/1/idtoken?api-version=2.0", headers, 404),
    ];
    for (path, headers, status) in refused {
        assert_eq!(client.get_with(ServiceName::Github, path, headers).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn every_issuer_stands_for_itself() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let path = format!("{GCP}?audience={AUDIENCE}");
    let token = client.get_with(ServiceName::Gcp, &path, GOOGLE).await.text();
    for (provider, code) in [("", 401), ("_azure", 401), ("_github", 401), ("_other", 400), ("gcp", 400)] {
        assert_eq!(client.exchange_token(&token, provider).await.status, code, "{provider}");
    }
    let mut seen = Vec::new();
    for path in ["", "/azure", "/gcp", "/github", "/aws"] {
        let described =
            client.get(ServiceName::Issuer, &format!("{path}/.well-known/openid-configuration")).await.json();
        assert_eq!(described["issuer"], format!("{}{path}", sandbox.issuer_url()));
        let keys = client.get(ServiceName::Issuer, &format!("{path}/openid/v1/jwks")).await.json();
        seen.push(keys["keys"][0]["x"].clone());
    }
    seen.sort_by_key(Value::to_string);
    seen.dedup();
    assert_eq!(seen.len(), 5);
    assert_eq!(client.get(ServiceName::Issuer, "/azureish/openid/v1/jwks").await.status, 404);
}

#[tokio::test]
async fn metadata_servers_fail_on_demand() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let path = format!("{GCP}?audience=x");
    sandbox.fault(ServiceName::Gcp, Fault::status(503), 1);
    assert_eq!(client.get_with(ServiceName::Gcp, &path, GOOGLE).await.status, 503);
    assert_eq!(client.get_with(ServiceName::Gcp, &path, GOOGLE).await.status, 200);
    let records = sandbox.requests(ServiceName::Gcp);
    assert_eq!((records.len(), records[0].header("metadata-flavor")), (2, Some("Google")));
}
