//! The small host with one flaw, to show that the check for it can fail.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _, stdin, stdout};

use keyless_small_host::driver::Driver;
use keyless_small_host::grant::Grant;
use keyless_small_host::outside::Outside;
use serde_json::{Value, json};

use crate::effects;

/// Each flaw, and the checks that it breaks.
pub(crate) const FLAWS: &[(&str, &[&str])] = &[
    // In what it says.
    ("says-no-component", &["hello"]),
    ("knows-everything", &["unknown-request"]),
    ("never-ends", &["ends"]),
    ("sorts-variables", &["variables"]),
    ("loses-an-origin", &["plan"]),
    ("opens-anything", &["replay"]),
    ("invents-status", &["status"]),
    ("forgets-rejections", &["file-anew", "reject"]),
    ("keeps-for-good", &["end-of-life"]),
    ("gives-after-close", &["close", "close-deletes", "close-tells"]),
    ("closes-everything", &["close-deletes"]),
    ("hides-what-is-left", &["close-tells"]),
    ("closes-at-its-end", &["drop-deletes-nothing"]),
    ("hides-while-renewing", &["outage"]),
    ("never-renews", &["renewal"]),
    ("asks-again", &["cached"]),
    ("asks-for-each-caller", &["single-flight"]),
    ("logs-tokens", &["no-secrets"]),
    // In what it does.
    ("grants-everything", &["grant-endpoint", "grant-exact", "grant-star", "grant-apart"]),
    ("grants-hosts", &["grant-exact", "grant-star"]),
    ("grants-any-method", &["grant-exact"]),
    ("star-is-many", &["grant-star"]),
    ("star-is-unknown", &["grant-star"]),
    ("grants-to-all", &["grant-star", "grant-apart"]),
    ("reads-everything", &["grant-file", "file-kind"]),
    ("reads-empty-when-missing", &["file-missing"]),
    ("reads-devices", &["grant-file", "file-kind"]),
    ("reads-one-less", &["file-limit"]),
    ("reads-once", &["file-anew"]),
    ("adds-a-header", &["request-exact"]),
    ("sends-chunks", &["file-anew", "request-exact"]),
    ("deletes-nothing", &["close-deletes", "close-tells"]),
    ("follows-redirects", &["no-redirect"]),
    ("uses-proxy", &["no-proxy"]),
    ("drops-headers", &["answer-whole"]),
    ("waits-for-ever", &["deadline-silence", "deadline-drip"]),
    ("waits-for-each-byte", &["deadline-drip"]),
    ("takes-one-more", &["answer-limit"]),
    ("takes-one-less", &["answer-limit"]),
    ("breaks-are-time-outs", &["broken"]),
    ("trusts-anybody", &["tls-untrusted"]),
    ("ignores-ca-file", &["tls-trusted"]),
    #[cfg(target_os = "linux")]
    ("trusts-any-name", &["tls-name"]),
];

/// Speaks the protocol until standard input ends.
pub(crate) fn serve(flaw: Option<&str>) {
    let flaw = flaw.unwrap_or_default().to_owned();
    let outside = flaw.clone();
    let make = move |grant: Grant, ca: Option<&str>| -> wasmtime::Result<Box<dyn Outside>> {
        Ok(Box::new(effects::Flawed::new(&outside, grant, ca)?))
    };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut host = Host {
        driver: Driver::new(Box::new(make)).unwrap(),
        flaw,
        opened: HashMap::new(),
        given: HashMap::new(),
    };
    for request in stdin().lock().lines() {
        let answer = tokio.block_on(host.answer(&request.unwrap()));
        let mut out = stdout().lock();
        writeln!(out, "{answer}").unwrap();
        out.flush().unwrap();
    }
    if host.flaw == "closes-at-its-end" {
        tokio.block_on(host.close_all());
    }
    if host.flaw == "never-ends" {
        loop {
            std::thread::park();
        }
    }
}

/// The driver, with a flaw in what it says.
struct Host {
    driver: Driver,
    flaw: String,
    /// The request with which each connection was opened.
    opened: HashMap<String, Value>,
    /// How often each was asked for its credential, and the first that it gave.
    given: HashMap<String, (u32, String)>,
}

impl Host {
    async fn answer(&mut self, line: &str) -> String {
        let request: Value = serde_json::from_str(line).unwrap();
        let (key, request) = request.as_object().unwrap().iter().next().unwrap();
        let name = request["name"].as_str().unwrap_or_default().to_owned();
        let flaw = self.flaw.clone();
        match (key.as_str(), &*flaw) {
            ("open", _) => drop(self.opened.insert(name.clone(), request.clone())),
            ("hello", "says-no-component") => return json!({"name": "a host"}).to_string(),
            ("replay", "opens-anything") => return r#"{"open":{"ok":null},"decisions":[]}"#.to_owned(),
            ("reject", "forgets-rejections") | ("close", "gives-after-close") => {
                return r#"{"ok":null}"#.to_owned();
            }
            ("close", "closes-everything") => {
                self.close_all().await;
                return r#"{"ok":null}"#.to_owned();
            }
            ("close", "hides-what-is-left") => {
                self.driver.answer(line).await;
                return r#"{"ok":null}"#.to_owned();
            }
            ("reject" | "close", _) => drop(self.given.remove(&name)),
            ("together", "asks-for-each-caller") => {
                let mut another = self.opened[&name].clone();
                another["name"] = "another".into();
                self.driver.answer(&json!({"open": another}).to_string()).await;
                self.driver.answer(&json!({"credential": {"name": "another"}}).to_string()).await;
            }
            ("credential" | "renew", "hides-while-renewing") => {
                let status = self.driver.answer(&json!({"status": {"name": name}}).to_string()).await;
                if status.contains("\"phase\":\"waiting\"") || status.contains("\"phase\":\"renewing\"") {
                    return r#"{"err":{"unavailable":{"code":"not-yet","message":"later","retry-after-ms":1}}}"#.to_owned();
                }
            }
            ("credential", "asks-again") if self.given.get(&name).is_some_and(|(times, _)| *times == 3) => {
                let mut another = self.opened[&name].clone();
                another["name"] = "another".into();
                self.driver.answer(&json!({"open": another}).to_string()).await;
                self.driver.answer(&json!({"credential": {"name": "another"}}).to_string()).await;
            }
            _ => {}
        }
        let answer = self.driver.answer(line).await;
        match (key.as_str(), &*flaw) {
            ("juggle", "knows-everything") => r#"{"ok":null}"#.to_owned(),
            ("variables", "sorts-variables") => {
                let mut value: Value = serde_json::from_str(&answer).unwrap();
                if let Some(names) = value["ok"].as_array_mut() {
                    names.reverse();
                    names.sort_by_key(|name| name.as_str().map(str::len));
                }
                value.to_string()
            }
            ("plan", "loses-an-origin") => {
                answer.replace("\"origin\":\"default\"", "\"origin\":\"document\"")
            }
            ("status", "invents-status") => answer.replace("\"renewals\":1", "\"renewals\":2"),
            ("credential" | "renew", _) => self.credential(&name, answer),
            _ => answer,
        }
    }

    async fn close_all(&mut self) {
        for name in self.opened.keys() {
            self.driver.answer(&json!({"close": {"name": name}}).to_string()).await;
        }
    }

    fn credential(&mut self, name: &str, answer: String) -> String {
        let (times, first) = self.given.entry(name.to_owned()).or_insert_with(|| (0, answer.clone()));
        *times += 1;
        let value: Value = serde_json::from_str(first).unwrap();
        let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        let alive = value["ok"]["expires-at"].as_u64().is_some_and(|end| now < end);
        match &*self.flaw {
            "keeps-for-good" if first.starts_with("{\"ok\"") && !answer.starts_with("{\"ok\"") => {
                first.clone()
            }
            "never-renews" if alive => first.clone(),
            _ => answer,
        }
    }
}
