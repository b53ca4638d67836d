//! A Kubernetes pod's projected service account token.
//!
//! The default path is the one that OpenAI's clients read. Its audience is the API server's, though, which a token
//! endpoint will refuse unless it was told to expect it: a volume with an audience of its own is the right setup
//! (OpenAI's guide mounts `/var/run/secrets/tokens/token` with audience `https://api.openai.com/v1`).

use alloc::boxed::Box;
use alloc::string::String;

use crate::fields::Fields;
use crate::io::Io;
use crate::plan::{Plan, Warning};
use crate::source::{Entry, Fetch, MOUNT_A_TOKEN, Parsed, Source, token_file};
use crate::variables::Variables;

/// Where a pod finds the token of its service account.
const DEFAULT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

pub(super) const ENTRY: Entry =
    Entry { name: "kubernetes", settings: &["token_file_path", "audience"], read: Kubernetes::read };

struct Kubernetes {
    path: Option<String>,
    audience: Option<String>,
}

impl Kubernetes {
    fn read(fields: &mut Fields<'_>, _: &Variables, _: Option<&'static str>) -> Parsed {
        // An empty path means the default one, as it does to OpenAI's Go client.
        let path = fields.text("token_file_path")?.filter(|path| !path.is_empty());
        Ok(Box::new(Self { path, audience: fields.filled_text("audience")? }))
    }

    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(DEFAULT_PATH)
    }
}

impl Source for Kubernetes {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn remedy(&self) -> &'static str {
        MOUNT_A_TOKEN
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_or("source.token_file_path", self.path.as_deref(), DEFAULT_PATH);
        plan.set_if("source.audience", self.audience.as_deref());
        plan.needs_file(self.path());
        if self.path() == DEFAULT_PATH {
            plan.warn(Warning::new(
                "token-for-a-control-plane",
                "the default token file is normally meant for the Kubernetes API server: whoever receives it can act as the pod there. Mount a projected token with the audience of your identity provider and set `token_file_path`",
            ));
        }
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(token_file::read(io, self.path(), self.audience.as_deref()))
    }
}
