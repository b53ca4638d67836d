//! OpenAI's Admin API: service accounts, and the keys that open the API.

mod checks;
mod keys;
mod lists;
mod switches;

use http::{Method, Request};
use keyless_sandbox::{Options, Sandbox, ServiceName};
use serde_json::{Value, json};

use crate::client::{Client, Reply, SentBody, full};

const PROJECT: &str = "/v1/organization/projects/proj_sandbox";

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

/// Calls with the Admin key.
struct Admin<'a> {
    client: Client<'a>,
    key: String,
}

impl<'a> Admin<'a> {
    fn of(sandbox: &'a Sandbox) -> Self {
        Self::over(Client::new(sandbox))
    }

    fn over(client: Client<'a>) -> Self {
        let key = std::fs::read_to_string(client.sandbox.openai_admin_key_path()).unwrap();
        Self { client, key }
    }

    /// A call under the project; with a body, its headers too.
    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<SentBody> {
        let request = self
            .client
            .request(ServiceName::Upstream, method, &format!("{PROJECT}/{path}"))
            .header("authorization", format!("Bearer {}", self.key))
            .header("accept", "application/json");
        match body {
            None => request.body(full("")),
            Some(body) => request.header("content-type", "application/json").body(full(body.to_string())),
        }
        .unwrap()
    }

    async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, hyper::Error> {
        self.client.send(ServiceName::Upstream, self.request(method, path, body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        self.try_call(method, path, body).await.unwrap()
    }

    async fn try_create(&self, name: &str) -> Result<Reply, hyper::Error> {
        self.try_call(Method::POST, "service_accounts", Some(&json!({"name": name}))).await
    }

    /// The answer to a creation that works.
    async fn create(&self, name: &str) -> Value {
        granted(&self.try_create(name).await.unwrap())
    }

    async fn list(&self, query: &str) -> Reply {
        self.call(Method::GET, &format!("service_accounts{query}"), None).await
    }

    /// The ids that the first hundred of the list have.
    async fn listed(&self) -> Vec<String> {
        ids(&granted(&self.list("?limit=100").await))
    }

    async fn delete(&self, id: &str) -> Reply {
        self.call(Method::DELETE, &format!("service_accounts/{id}"), None).await
    }
}

/// The JSON of an answer with status 200.
#[track_caller]
fn granted(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// An error of OpenAI's shape with this status, and these words in it.
#[track_caller]
fn refused(reply: &Reply, status: u16, words: &str) {
    let body = reply.json();
    assert_eq!(reply.status, status, "{body}");
    assert_eq!(body["error"]["type"], "invalid_request_error", "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains(words), "{body} lacks: {words}");
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
