//! `keyless inspect`: what the component is.

use std::process::ExitCode;

use crate::cli::{Cli, InspectArgs};
use crate::output::problem::Problem;
use crate::output::{self, component};
use crate::session;

pub(super) fn run(cli: &Cli, args: &InspectArgs) -> Result<ExitCode, Problem> {
    let runtime = session::runtime(&cli.runtime)?;
    let info = runtime.component_info();
    let text = if args.json {
        output::json(info)?
    } else {
        let source = cli.runtime.component.as_ref().map_or("built in".into(), |path| path.to_string_lossy());
        component::text(info, &source)
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}
