//! An Airflow connection in both of its forms.

use serde_json::{Map, Value};

use crate::input::Input;
use crate::written;

/// The fields of a connection.
pub struct Fields {
    login: Option<String>,
    password: Option<String>,
    host: Option<String>,
    schema: Option<String>,
    port: Option<u8>,
    extra: Map<String, Value>,
}

impl Fields {
    /// As the input says: each of them may be missing, none is empty, and all of `extra` is text, which is all that a URI
    /// can say.
    #[must_use]
    pub fn from_input(input: &mut Input<'_>) -> Self {
        let (login, password) = (text(input), text(input));
        let (host, schema) = (host(input), text(input));
        let port = Some(input.byte()).filter(|port| port & 1 == 1);
        let mut extra = Map::new();
        for _ in 0..input.below(8) {
            let (name, value) = written::text_setting(input);
            extra.insert(name, Value::from(value));
        }
        extra.remove("__extra__");
        Self { login, password, host, schema, port, extra }
    }

    /// `{"conn_type": "openai", ...}`
    #[must_use]
    pub fn as_json(&self) -> String {
        let mut map = Map::new();
        map.insert("conn_type".to_owned(), Value::from("openai"));
        let texts = [
            ("login", &self.login),
            ("password", &self.password),
            ("host", &self.host),
            ("schema", &self.schema),
        ];
        for (name, value) in texts {
            map.extend(value.as_ref().map(|value| (name.to_owned(), Value::from(value.as_str()))));
        }
        map.extend(self.port.map(|port| ("port".to_owned(), Value::from(port))));
        map.insert("extra".to_owned(), Value::Object(self.extra.clone()));
        Value::Object(map).to_string()
    }

    /// `openai://login:password@host:port/schema?extra`
    #[must_use]
    pub fn as_uri(&self) -> String {
        let encoded = |text: &Option<String>| text.as_deref().map_or(String::new(), percent_encoded);
        let mut uri = format!("openai://{}", encoded(&self.login));
        if self.password.is_some() {
            uri.push_str(&format!(":{}", encoded(&self.password)));
        }
        uri.push_str(&format!("@{}", encoded(&self.host)));
        if let Some(port) = self.port {
            uri.push_str(&format!(":{port}"));
        }
        uri.push_str(&format!("/{}?", encoded(&self.schema)));
        let pairs = self.extra.iter().map(|(name, value)| {
            format!("{}={}", percent_encoded(name), percent_encoded(value.as_str().unwrap_or_default()))
        });
        uri + &pairs.collect::<Vec<_>>().join("&")
    }
}

/// In lower case, as a URI has it.
fn host(input: &mut Input<'_>) -> Option<String> {
    match input.below(4) {
        0 => None,
        1 => Some("https://a.example/v1".to_owned()),
        2 => Some("http://[::1]:1".to_owned()),
        _ => text(input).map(|host| host.to_ascii_lowercase()),
    }
}

fn text(input: &mut Input<'_>) -> Option<String> {
    Some(String::from_utf8_lossy(input.piece()).into_owned()).filter(|text| !text.is_empty())
}

/// All but RFC 3986's unreserved characters.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
