//! OpenRouter, Google and Microsoft: one form each, with what each insists on.

use http::Method;
use keyless_sandbox::{Options, Sandbox, ServiceName};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::client::{Client, Reply};

type Fields = Vec<(&'static str, String)>;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// Good requests: service, token path, resource path, the longest life in seconds, and the form.
fn vendors(token: &str) -> Vec<(ServiceName, &'static str, &'static str, u64, Fields)> {
    let openrouter = fields(&[
        ("grant_type", EXCHANGE),
        ("federation_policy_id", "fp_sandbox"),
        ("subject_token", token),
        ("subject_token_type", JWT),
    ]);
    let google = fields(&[
        ("grant_type", EXCHANGE),
        (
            "audience",
            "//iam.googleapis.com/projects/100000000001/locations/global/workloadIdentityPools/pool/providers/sandbox",
        ),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token", token),
        ("subject_token_type", JWT),
    ]);
    let entra = fields(&[
        ("client_id", "b7e6d5c4-a392-4817-8605-f4e3d2c1b0a9"),
        ("scope", "api://sandbox/.default"),
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token),
    ]);
    let tenant = "/c0ffee00-1234-4abc-8def-001122334455/oauth2/v2.0/token";
    vec![
        (ServiceName::OpenRouter, "/api/v1/oauth/token", "/api/v1/key", 900, openrouter),
        (ServiceName::GoogleSts, "/v1/token", "/v1/projects", 3_600, google),
        (ServiceName::Entra, tenant, "/v1.0/organization", 3_599, entra),
    ]
}

async fn post(client: &Client<'_>, service: ServiceName, path: &str, form: &Fields) -> Reply {
    let pair =
        |(name, value): &(&str, String)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    let body = form.iter().map(pair).collect::<Vec<_>>().join("&");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    client.send_with(service, Method::POST, path, &headers, &body).await
}

#[tokio::test]
async fn each_grants_and_each_refuses() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let client = Client::new(&sandbox);
    let token = std::fs::read_to_string(sandbox.token_path()).unwrap();
    for (service, path, resource, longest_s, form) in vendors(&token) {
        let reply = post(&client, service, path, &form).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("cache-control")),
            (200, "no-store"),
            "{}",
            reply.text()
        );
        let granted = reply.json();
        assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(longest_s)));
        let bearer = format!("Bearer {}", granted["access_token"].as_str().unwrap());
        let opened = client.get_with(service, resource, &[("authorization", &bearer)]).await;
        assert_eq!((opened.status.as_u16(), &opened.json()["data"]["token_number"]), (200, &json!(1)));
        assert_eq!(client.get(service, resource).await.status, 401);
        assert_eq!(client.get(service, path).await.status, 405);

        // Every parameter is looked at, and nothing else is let through.
        for (at, (name, _)) in form.iter().enumerate() {
            for wrong in ["", "wrong"] {
                let mut form = form.clone();
                form[at].1 = wrong.to_owned();
                let reply = post(&client, service, path, &form).await;
                assert!(
                    matches!(reply.status.as_u16(), 400 | 401),
                    "{service} {name}={wrong}: {}",
                    reply.status
                );
                assert!(reply.json()["error"].is_string(), "{service} {name}");
            }
        }
        let mut more = form.clone();
        more.push(("other", "x".to_owned()));
        assert_eq!(post(&client, service, path, &more).await.json()["error"], "invalid_request");
        let json_body = client.post_json(service, path, &json!({"grant_type": EXCHANGE})).await;
        assert_eq!(json_body.json()["error"], "invalid_request");
        assert!(!sandbox.state()["requests"].to_string().contains(&token), "{service}");
    }
    sandbox.advance_clock(std::time::Duration::from_secs(3_600));
    let refusals = [("invalid_grant", 400), ("invalid_grant", 400), ("invalid_client", 401)];
    for ((service, path, _, _, form), (code, status)) in vendors(&token).into_iter().zip(refusals) {
        let reply = post(&client, service, path, &form).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (status, &json!(code)), "{service}");
    }
    let (service, path, _, _, form) = vendors(&token).pop().unwrap();
    assert_eq!(post(&client, service, path, &form).await.json()["error_codes"], json!([700_024]));
}
