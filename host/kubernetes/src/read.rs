//! One key of a Secret, read.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use zeroize::Zeroizing;

use crate::cluster::{Refusal, Request};
use crate::{Cluster, Fault, ObjectName};

/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The value of a key of a Secret. Takes the verb `get` on that Secret.
///
/// # Errors
/// `secret-missing` and `secret-key-missing`, which name the keys that there are; `kubernetes-forbidden` with the rule of
/// a Role that is missing; `kubernetes-unauthorized` and `kubernetes-unreachable`, which may pass.
pub async fn secret(cluster: &Cluster, object: &ObjectName, key: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let api: Api<Secret> = Api::namespaced(cluster.client(), &object.namespace);
    let request = Request { verb: "get", resource: crate::cluster::SECRETS, object, within: PATIENCE };
    let secret = match request.send(cluster, api.get(&object.name)).await {
        Ok(secret) => secret,
        Err(Refusal::Missing(_)) => {
            return Err(Fault::invalid(
                "secret-missing",
                format!("there is no Secret {object}"),
                "create it, or correct the name",
            ));
        }
        Err(refusal) => return Err(refusal.into_fault()),
    };
    let mut data = secret.data.unwrap_or_default();
    if let Some(value) = data.remove(key) {
        return Ok(Zeroizing::new(value.0));
    }
    let known: Vec<_> = data.keys().map(String::as_str).collect();
    let known =
        if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
    Err(Fault::invalid(
        "secret-key-missing",
        format!("the Secret {object} has no key of the name asked for ({} characters)", key.chars().count()),
        format!("correct the key: {known}"),
    ))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// An API server that gives one answer, and what it was asked.
    async fn asked(status: &str, answer: &str, key: &str) -> (Result<Zeroizing<Vec<u8>>, Fault>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let cluster = Cluster::of(kube::Config::new(url.parse().unwrap())).unwrap();
        let object = ObjectName { namespace: "apps".into(), name: "admin".into() };
        let value = secret(&cluster, &object, key).await;
        (value, serving.await.unwrap())
    }

    const SECRET: &str =
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"admin"},"data":{"key":"c2stY2FuYXJ5"}}"#;

    #[tokio::test]
    async fn a_key_is_read() {
        let (value, request) = asked("200 OK", SECRET, "key").await;
        assert_eq!(&**value.unwrap(), b"sk-canary");
        assert!(request.starts_with("GET /api/v1/namespaces/apps/secrets/admin"), "{request}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_without_what_is() {
        let fault = asked("200 OK", SECRET, "kee").await.0.unwrap_err();
        assert_eq!(fault.code, "secret-key-missing");
        assert!(fault.to_string().contains("it has key") && !fault.to_string().contains("canary"), "{fault}");
        let missing =
            r#"{"kind":"Status","status":"Failure","reason":"NotFound","code":404,"message":"not found"}"#;
        let fault = asked("404 Not Found", missing, "key").await.0.unwrap_err();
        assert_eq!(fault.code, "secret-missing");
    }

    #[tokio::test]
    async fn what_is_not_allowed_names_the_rule() {
        let forbidden = r#"{"kind":"Status","status":"Failure","reason":"Forbidden","code":403,
            "message":"secrets \"admin\" is forbidden: User \"x\" cannot get resource \"secrets\" in API group \"\""}"#;
        let fault = asked("403 Forbidden", forbidden, "key").await.0.unwrap_err();
        assert!(fault.next.ends_with("resourceNames: [admin], verbs: [get]}"), "{fault}");
    }
}
