//! Manifests of External Secrets' OpenAI generator, as they are applied to a cluster:
//!
//! ```json
//! {"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "OpenAI",
//!  "spec": {"projectId": "proj_1", "openAiAdminKey": {"name": "openai-admin", "key": "api-key"}}}
//! ```
//!
//! The same in a `ClusterGenerator`, and several objects in a `List`: of an `ExternalSecret` among them `refreshInterval` is
//! taken. A reference to a Secret is the file that a volume of that Secret shows: `DIRECTORY/NAME/KEY`.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::api::{self, Api};
use crate::connection::{Auth, Connection, Located};
use crate::error::{Code, Error};
use crate::fields::{Fields, Warnings};
use crate::json::{Map, Value};
use crate::key::Key;
use crate::minting::{Minting, Words};
use crate::plan::Origin;
use crate::variables::Variables;

/// Where Secrets are mounted, each in a directory of its name.
const DIRECTORY: &str = "/var/run/secrets/keyless";

/// Names another place.
const DIRECTORY_VARIABLE: &str = "KEYLESS_SECRETS_DIR";

const GENERATORS: &str = "generators.external-secrets.io/";
const STORES: &str = "external-secrets.io/";

/// What the generator calls its settings, and the annotations that say what it cannot.
const WORDS: Words = Words {
    project: "projectId",
    prefix: "serviceAccountNamePrefix",
    size: "serviceAccountNameSize",
    host: "host",
    refresh: "refreshInterval",
    grace: "grace",
    instance: "instance",
    most: "maxServiceAccounts",
};

/// Annotations of the generator, and the setting that each is.
const ANNOTATIONS: [(&str, &str); 4] = [
    ("keyless/refresh-interval", WORDS.refresh),
    ("keyless/grace", WORDS.grace),
    ("keyless/instance", WORDS.instance),
    ("keyless/max-service-accounts", WORDS.most),
];

/// Whether it is an object of Kubernetes'.
pub(super) fn is_manifest(map: &Map) -> bool {
    map.contains_key("apiVersion") && map.contains_key("kind")
}

pub(super) fn read(map: Map, variables: &Variables, warnings: &Warnings) -> Result<Box<Connection>, Error> {
    let Manifests { mut generator, refresh } = Manifests::among(objects(map)?)?;
    let annotations = annotations(&generator);
    let nickname = name(&generator).map(str::to_owned);
    let mut spec = spec(&mut generator)?;
    for (setting, value) in annotations.into_iter().chain(refresh.map(|value| (WORDS.refresh, value))) {
        // An annotation is closer to the generator than an object beside it.
        if !spec.contains_key(setting) {
            spec.insert(setting.to_owned(), value);
        }
    }
    let mut fields = Fields::new("spec", spec, warnings);
    let key = admin_key(&mut fields, variables);
    let minting = Minting::read(&mut fields, &WORDS, key, variables)?;
    fields.finish();
    let base_url = match minting.base_url() {
        Some(host) => Located { value: host.clone(), origin: Origin::Document },
        None => api::OPENAI.default_base_url()?,
    };
    let refresh_buffer_ms = Some(minting.buffer_ms());
    let api = Api {
        base_url,
        flavour: &api::OPENAI,
        organization: None,
        project: None,
        default_headers: Vec::new(),
    };
    Ok(Box::new(Connection { nickname, api, auth: Auth::Minted(minting), refresh_buffer_ms, strict: false }))
}

struct Manifests {
    generator: Map,
    /// `refreshInterval` of an `ExternalSecret`.
    refresh: Option<Value>,
}

impl Manifests {
    fn among(objects: Vec<Map>) -> Result<Self, Error> {
        let (mut generator, mut refresh, mut others) = (None, None, false);
        for mut object in objects {
            let (version, kind) = (text(&object, "apiVersion"), text(&object, "kind"));
            match kind {
                "OpenAI" | "ClusterGenerator" if version.starts_with(GENERATORS) => {
                    if generator.replace(object).is_some() {
                        return Err(form("there is more than one generator; write one for each connection"));
                    }
                }
                "ExternalSecret" if version.starts_with(STORES) => {
                    refresh = match object.remove("spec") {
                        Some(Value::Object(mut spec)) => spec.remove("refreshInterval"),
                        _ => None,
                    };
                }
                _ => others = true,
            }
        }
        let generator = generator.ok_or_else(|| {
            form(if others {
                "it is another kind of object; a connection is External Secrets' generator of kind `OpenAI` (`generators.external-secrets.io/v1alpha1`)"
            } else {
                "the generator is not in it; put the object of kind `OpenAI` (`generators.external-secrets.io/v1alpha1`) beside it"
            })
        })?;
        Ok(Self { generator, refresh })
    }
}

/// One object, or those of a `List`.
fn objects(mut map: Map) -> Result<Vec<Map>, Error> {
    if text(&map, "kind") != "List" {
        return Ok(vec![map]);
    }
    let Some(Value::Array(items)) = map.remove("items") else {
        return Err(form("its `items` are no list"));
    };
    let mut objects = Vec::with_capacity(items.len());
    for item in items {
        let Value::Object(object) = item else { return Err(form("an entry of `items` is no object")) };
        objects.push(object);
    }
    Ok(objects)
}

fn spec(generator: &mut Map) -> Result<Map, Error> {
    let Some(Value::Object(mut spec)) = generator.remove("spec") else {
        return Err(form("the generator has no `spec`"));
    };
    if text(generator, "kind") != "ClusterGenerator" {
        return Ok(spec);
    }
    if text(&spec, "kind") != "OpenAI" {
        return Err(form("`spec.kind` of the ClusterGenerator is not `OpenAI`"));
    }
    let Some(Value::Object(mut generators)) = spec.remove("generator") else {
        return Err(form("the ClusterGenerator has no `spec.generator`"));
    };
    // Each kind has a field of its own there.
    let field = generators.keys().find(|name| name.eq_ignore_ascii_case("openaiSpec")).map(str::to_owned);
    match field.and_then(|field| generators.remove(&field)) {
        Some(Value::Object(spec)) => Ok(spec),
        _ => Err(form("the ClusterGenerator has no `spec.generator.openAISpec`")),
    }
}

fn annotations(generator: &Map) -> Vec<(&'static str, Value)> {
    let written = generator.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let value = |annotation: &str| written?.get(annotation).and_then(Value::as_str);
    let written = |(annotation, setting): (&str, &'static str)| {
        Some((setting, Value::String(value(annotation)?.to_owned())))
    };
    ANNOTATIONS.into_iter().filter_map(written).collect()
}

fn name(object: &Map) -> Option<&str> {
    object.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str)
}

/// A reference to a key of a Secret, plain or as a `secretRef`.
fn admin_key(fields: &mut Fields<'_>, variables: &Variables) -> Result<Option<Key>, Error> {
    let directory = variables.get(DIRECTORY_VARIABLE);
    let Some(mut reference) = fields.object("openAiAdminKey")? else {
        return Err(fields.missing("openAiAdminKey"));
    };
    if let Some(inner) = reference.object("secretRef")? {
        reference = inner;
    }
    let (name, key) = (reference.required_text("name")?, reference.required_text("key")?);
    // It says in which namespace the Secret is; a volume shows only those of its own.
    reference.ignore("namespace");
    let plain = |text: &str| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && !text.starts_with('.')
    };
    for (field, text) in [("name", &name), ("key", &key)] {
        if !plain(text) {
            let fault = "is no name that Kubernetes takes: letters, digits, `-`, `_` and `.`";
            return Err(reference.fault(Code::FieldValue, field, fault));
        }
    }
    reference.finish();
    let directory = directory.as_ref().map_or(DIRECTORY, |directory| directory.expose());
    Ok(Some(Key::File(format!("{}/{name}/{key}", directory.trim_end_matches('/')))))
}

fn text<'m>(map: &'m Map, name: &str) -> &'m str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn form(fault: &str) -> Error {
    Error::new(Code::DocumentForm, format_args!("the document is a manifest of Kubernetes, and {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    const GENERATOR: &str = r#"{"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "OpenAI", "metadata": {"name": "g"},
        "spec": {"projectId": "proj_1", "openAiAdminKey": {"name": "admin", "key": "api-key"}}}"#;

    fn setting(text: &str, name: &str) -> Option<String> {
        let (_, plan) = plan(text, &Variables::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
        plan.settings.into_iter().find(|setting| setting.name == name).map(|setting| setting.value)
    }

    #[test]
    fn the_generator_is_a_connection_as_it_stands() {
        let (dialect, plan) = plan(GENERATOR, &Variables::default()).unwrap();
        assert_eq!((dialect.as_str(), plan.warnings.len()), ("external-secrets", 0));
        assert_eq!(plan.requirements.files, ["/var/run/secrets/keyless/admin/api-key"]);
        assert_eq!(setting(GENERATOR, "nickname").as_deref(), Some("g"));
        assert_eq!(setting(GENERATOR, "exchange.refresh_interval").as_deref(), Some("24h"));
        let variables = Variables::from_iter([("KEYLESS_SECRETS_DIR".to_owned(), "/s/".to_owned())]);
        let (_, plan) = crate::plan(GENERATOR, &variables).unwrap();
        assert_eq!(plan.requirements.files, ["/s/admin/api-key"]);
    }

    #[test]
    fn a_cluster_generator_says_the_same() {
        for field in ["openAISpec", "openaiSpec", "openAiSpec"] {
            let text = format!(
                r#"{{"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "ClusterGenerator", "spec": {{"kind": "OpenAI",
                "generator": {{"{field}": {{"projectId": "proj_2", "openAiAdminKey": {{"secretRef": {{"name": "a", "key": "k", "namespace": "n"}}}}}}}}}}}}"#
            );
            assert_eq!(setting(&text, "exchange.project_id").as_deref(), Some("proj_2"));
        }
    }

    #[test]
    fn the_interval_is_that_of_the_external_secret_beside_it() {
        let list = |other: &str| {
            format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{other}, {GENERATOR}]}}"#)
        };
        let external = r#"{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "spec": {"refreshInterval": "1h0m0s"}}"#;
        assert_eq!(setting(&list(external), "exchange.refresh_interval").as_deref(), Some("1h"));
        assert_eq!(setting(&list(external), "exchange.grace").as_deref(), Some("1h"));
        let never = external.replace("1h0m0s", "0");
        let error = plan(&list(&never), &Variables::default()).unwrap_err();
        assert!(error.message().contains("`spec.refreshInterval` is 0"), "{error}");
    }

    #[test]
    fn annotations_say_what_the_generator_cannot() {
        let text = GENERATOR.replace(
            r#""name": "g""#,
            r#""name": "g", "annotations": {"keyless/refresh-interval": "2h", "keyless/grace": "5m", "keyless/instance": "a", "keyless/max-service-accounts": "7"}"#,
        );
        for (name, value) in
            [("refresh_interval", "2h"), ("grace", "5m"), ("instance", "a"), ("max_service_accounts", "7")]
        {
            assert_eq!(setting(&text, &format!("exchange.{name}")).as_deref(), Some(value));
        }
    }

    #[test]
    fn faults_speak_the_words_of_the_manifest() {
        for (from, to, fault) in [
            ("\"OpenAI\"", "\"Password\"", "another kind of object"),
            ("\"projectId\"", "\"projectID\"", "`spec.projectId` is missing; `spec.projectID` looks like"),
            ("\"key\": \"api-key\"", "\"kez\": \"api-key\"", "`spec.openAiAdminKey.key` is missing"),
            ("\"api-key\"", "\"../../x\"", "`spec.openAiAdminKey.key` is no name"),
            ("\"projectId\": \"proj_1\"", "\"projectId\": \"a/b\"", "`spec.projectId` has to be letters"),
            (
                "\"projectId\"",
                "\"serviceAccountNameSize\": 99, \"projectId\"",
                "`spec.serviceAccountNameSize` is not from 1 to",
            ),
            ("\"projectId\"", "\"host\": \"http://api.example\", \"projectId\"", "`spec.host` is plain http"),
        ] {
            let text = GENERATOR.replacen(from, to, 1);
            let error = plan(&text, &Variables::default()).unwrap_err();
            assert!(error.message().contains(fault), "{text}: {error}");
        }
    }
}
