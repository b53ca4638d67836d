//! The lock file: a grant on paper, to be reviewed and committed beside the document that needs it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::sender::AllowList;
use crate::{ClientCertificate, ComponentInfo, Endpoint, Error, Grant, SourceGrant};

/// The version that this crate writes, and the only one that it reads.
const VERSION: u32 = 1;

/// A grant as a file: JSON, versioned, sorted, one line per entry, so that two of them can be compared by `diff`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    grant: Grant,
    component: String,
}

impl Lock {
    /// Locks a grant; records which component it was computed with. Pin a component of the source `custom` first, with
    /// [`Runtime::pin`](crate::Runtime::pin): a lock file that does not name its digest lets anything stand in that file.
    #[must_use]
    pub fn new(grant: Grant, component: &ComponentInfo) -> Self {
        Self { grant, component: component.sha256.clone() }
    }

    /// What the file allows.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// SHA-256 (lower-case hex) of the component that computed the grant. A record, not a condition: the grant binds
    /// whatever component runs, so a newer one gains nothing, and updating Keyless does not break every lock file.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.component
    }

    /// The file's text, ending in a newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = Text {
            version: VERSION,
            component: Component { sha256: self.component.clone() },
            endpoints: self.grant.endpoints().cloned().collect(),
            files: self.grant.files().map(str::to_owned).collect(),
            variables: self.grant.variables().map(str::to_owned).collect(),
            client_certificate: self.grant.client_certificate().cloned(),
            source: self.grant.source_component().map(SourceText::of),
        };
        // Strings and numbers only: there is nothing in it that JSON cannot hold.
        let mut json = serde_json::to_string_pretty(&text).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// `lock-invalid` ([`ErrorKind::Invalid`](crate::ErrorKind::Invalid)) with line and column;
    /// `lock-version` when another version of Keyless wrote it; `grant-endpoint-invalid` or `grant-endpoint-insecure` for
    /// an endpoint that can never be allowed.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let invalid = |e: serde_json::Error| {
            Error::invalid("lock-invalid", format!("the lock file is not valid: {e}; write it anew"))
        };
        let AnyVersion { version } = serde_json::from_str(json).map_err(invalid)?;
        if version != VERSION {
            return Err(Error::invalid(
                "lock-version",
                format!(
                    "the lock file has version {version}, this program reads version {VERSION}; write it anew with \
                     this program"
                ),
            ));
        }
        let text: Text = serde_json::from_str(json).map_err(invalid)?;
        let mut grant = grant(text.endpoints, text.files, text.variables);
        if let Some(source) = text.source {
            let source = source.into_grant();
            AllowList::new(source.grant())?;
            grant = grant.source(source);
        }
        if let Some(certificate) = text.client_certificate {
            grant = grant.present(certificate);
        }
        AllowList::new(&grant)?;
        Ok(Self { grant, component: text.component.sha256 })
    }
}

fn grant(endpoints: BTreeSet<Endpoint>, files: BTreeSet<String>, variables: BTreeSet<String>) -> Grant {
    let granted = endpoints.into_iter().fold(Grant::none(), Grant::endpoint);
    let granted = files.into_iter().fold(granted, Grant::file);
    variables.into_iter().fold(granted, Grant::variable)
}

#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    component: Component,
    endpoints: BTreeSet<Endpoint>,
    files: BTreeSet<String>,
    variables: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_certificate: Option<ClientCertificate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<SourceText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    sha256: String,
}

/// The component of the source `custom`. Its digest is a condition.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceText {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    endpoints: BTreeSet<Endpoint>,
    files: BTreeSet<String>,
    variables: BTreeSet<String>,
}

impl SourceText {
    fn of(source: &SourceGrant) -> Self {
        let grant = source.grant();
        Self {
            path: source.path().to_owned(),
            sha256: source.sha256().map(str::to_owned),
            endpoints: grant.endpoints().cloned().collect(),
            files: grant.files().map(str::to_owned).collect(),
            variables: grant.variables().map(str::to_owned).collect(),
        }
    }

    fn into_grant(self) -> SourceGrant {
        let source = SourceGrant::new(self.path, grant(self.endpoints, self.files, self.variables));
        match self.sha256 {
            Some(sha256) => source.pinned(sha256),
            None => source,
        }
    }
}
