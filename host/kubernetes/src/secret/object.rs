//! The Secret as it is applied: our fields and nothing else.

use std::collections::BTreeMap;
use std::time::SystemTime;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::{Content, OWNED, Target, annotation};
use crate::election::Lead;
use crate::sync::Origin;

/// With the values. Keys that we have set before and do not name any more are taken away by the API server.
pub(super) fn applied(target: &Target, origin: &Origin, lead: &Lead, content: &Content) -> Secret {
    let value = |text: &String| ByteString(text.as_bytes().to_vec());
    let data = content.values.iter().map(|(key, text)| (key.clone(), value(text))).collect();
    let annotations = BTreeMap::from(
        [
            (annotation::CONNECTION, origin.connection.clone()),
            (annotation::SETTINGS, origin.settings.clone()),
            (annotation::GENERATION, content.generation.to_string()),
            (annotation::RENEW_AT, moment(content.renew_at)),
            (annotation::EXPIRES_AT, moment(content.expires_at)),
            (annotation::TERM, term(lead)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    with(target, data, annotations)
}

/// The same request without the values, to learn whether it would be taken: nothing of it is stored.
pub(super) fn rehearsed(target: &Target, origin: &Origin, lead: &Lead) -> Secret {
    let values = target.keys.iter().map(|key| (key.clone(), String::new().into())).collect();
    applied(target, origin, lead, &Content { values, generation: 0, renew_at: None, expires_at: None })
}

/// Which leader this is.
pub(super) fn term(lead: &Lead) -> String {
    format!("{}/{}", lead.lease, lead.term)
}

/// RFC 3339, in whole seconds that have passed by then. Empty: never.
fn moment(time: Option<SystemTime>) -> String {
    let stamp = time.and_then(|time| Timestamp::try_from(time).ok());
    let seconds = stamp.and_then(|stamp| Timestamp::from_second(stamp.as_second()).ok());
    seconds.map(|stamp| stamp.to_string()).unwrap_or_default()
}

fn with(
    target: &Target,
    data: BTreeMap<String, ByteString>,
    annotations: BTreeMap<String, String>,
) -> Secret {
    let mut labels = target.labels.clone();
    labels.insert(OWNED.0.to_owned(), OWNED.1.to_owned());
    Secret {
        metadata: ObjectMeta {
            name: Some(target.secret.name.clone()),
            namespace: Some(target.secret.namespace.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        data: Some(data),
        ..Secret::default()
    }
}
