//! What an instance may reach: as a rule what its plan asks for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyless_sandbox::Sandbox;

use crate::bindings::ConnectionPlan;
use crate::gate::{Elsewhere, Endpoints};

#[derive(Default)]
pub(crate) struct Grant {
    pub(crate) endpoints: Endpoints,
    /// Opened read-only, under their own names.
    pub(crate) directories: BTreeSet<PathBuf>,
    pub(crate) elsewhere: Elsewhere,
}

impl Grant {
    /// All that a plan requires.
    pub(crate) fn for_plan(plan: &ConnectionPlan) -> Self {
        let requirements = &plan.requirements;
        let parent = |file: &String| Path::new(file).parent().unwrap().to_owned();
        Self {
            endpoints: requirements.endpoints.iter().map(|e| (e.method.clone(), e.url.clone())).collect(),
            directories: requirements.files.iter().map(parent).collect(),
            elsewhere: Elsewhere::new(),
        }
    }

    /// Where the sandbox's own documents lead.
    pub(crate) fn for_sandbox(sandbox: &Sandbox) -> Self {
        Self {
            endpoints: Endpoints::from([("POST".to_owned(), sandbox.token_endpoint())]),
            directories: BTreeSet::from([sandbox.volume_path().to_owned()]),
            elsewhere: Elsewhere::new(),
        }
    }
}
