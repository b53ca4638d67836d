//! What is to be served: a `keyless.toml`, or one connection behind one proxy by `--listen`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use keyless_gateway::Config as Served;
use keyless_gateway::config::{Access, Proxy};

use crate::cli::{Cli, ServeArgs};
use crate::config::Config;
use crate::document::{self, Document};
use crate::output::problem::Problem;

/// The connection's name, and the proxy's, where `--listen` is all that is said.
const ONLY: &str = "default";

/// What is to be served.
pub(crate) struct Setup {
    pub(crate) config: Served,
    from: From,
}

enum From {
    File(Config),
    CommandLine(Document),
}

impl Setup {
    /// Reads the file, or the command line.
    pub(crate) fn read(cli: &Cli, args: &ServeArgs) -> Result<Self, Problem> {
        if let Some(listen) = &args.listen {
            let document =
                document::find(cli.connection.connection.as_deref(), cli.connection.config.as_deref())?;
            let proxy = Proxy {
                listen: listen.clone(),
                connection: Some(ONLY.to_owned()),
                routes: Vec::new(),
                access: Access::default(),
            };
            let config = Served { proxy: [(ONLY.to_owned(), proxy)].into(), ..Served::default() };
            return Ok(Self { config, from: From::CommandLine(document) });
        }
        let named = args.file.as_deref().or(cli.connection.config.as_deref());
        let Some(file) = Config::find(named)? else {
            return Err(Problem::invalid(
                "serve-missing",
                "there is no keyless.toml here nor in your configuration directory",
                "name one with `-f FILE`, or serve one connection with `-c DOC --listen 127.0.0.1:8080`",
            ));
        };
        let in_file = |fault| Problem::from(fault).in_file(file.path());
        let config = Served::read(file.served()).map_err(in_file)?;
        let names = file.names().map(str::to_owned).collect();
        config.check(&names).map_err(in_file)?;
        Ok(Self { config, from: From::File(file) })
    }

    /// Where it was read, unless from the command line.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.from {
            From::File(file) => Some(file.path()),
            From::CommandLine(_) => None,
        }
    }

    /// The documents of the connections that are in use, by their name.
    pub(crate) fn documents(&self) -> Result<BTreeMap<String, Document>, Problem> {
        match &self.from {
            From::File(file) => {
                let all: BTreeSet<_> = file.names().map(str::to_owned).collect();
                let used = self.config.connections(&all);
                used.into_iter().map(|name| Ok((name.to_owned(), file.document(name)?))).collect()
            }
            From::CommandLine(document) => Ok([(ONLY.to_owned(), document.clone())].into()),
        }
    }
}
