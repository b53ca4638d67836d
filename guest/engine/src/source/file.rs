//! A token that something on the platform keeps fresh in a file: a sidecar, an agent, a CSI driver.

use alloc::boxed::Box;
use alloc::string::String;

use crate::fields::Fields;
use crate::io::Io;
use crate::plan::Plan;
use crate::source::{Entry, Fetch, Parsed, Source, token_file};
use crate::variables::Variables;

pub(super) const ENTRY: Entry =
    Entry { name: "file", settings: &["token_file_path", "audience"], read: File::read };

struct File {
    path: String,
    audience: Option<String>,
}

impl File {
    fn read(fields: &mut Fields<'_>, _: &Variables, _: Option<&'static str>) -> Parsed {
        let path = fields.required_text("token_file_path")?;
        Ok(Box::new(Self { path, audience: fields.filled_text("audience")? }))
    }
}

impl Source for File {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("source.token_file_path", Some(&self.path));
        plan.set_if("source.audience", self.audience.as_deref());
        plan.needs_file(&self.path);
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(token_file::read(io, &self.path, self.audience.as_deref()))
    }
}
