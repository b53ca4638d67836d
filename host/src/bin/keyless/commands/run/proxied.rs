//! A proxy on loopback for as long as the program runs: it sets the credential and keeps it fresh, and the program holds
//! nothing but a bearer for this proxy, which is of no use to anybody when the program has ended.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Uri;
use keyless::CredentialRef;
use keyless_gateway::config::{Access, Address, Bearer, Proxy};
use keyless_gateway::{Config, Connection, Gateway, Sockets};
use zeroize::Zeroizing;

use super::{Vendor, clear};
use crate::child;
use crate::cli::{Cli, RunArgs};
use crate::output::problem::{Class, Problem};
use crate::serve::{Served, Upstreams};
use crate::session::{self, Session};

/// The name of the proxy and of its connection, in log lines.
const NAME: &str = "run";

pub(super) fn run(
    cli: &Cli,
    args: &RunArgs,
    tokio: tokio::runtime::Runtime,
    mut command: Command,
) -> Result<ExitCode, Problem> {
    let (gateway, connection) = tokio.block_on(async {
        let session = Session::prepare(cli).await?;
        let vendor = Vendor::of(&session.plan);
        clear(&mut command, &session, vendor);
        let upstreams = Arc::new(Upstreams::new(session::network(&cli.runtime)?));
        upstreams.present(session.presents().into_iter().collect());
        let (connection, credential) = session.connect(args.patience.timeout).await?;
        let path = path(&credential)?;
        drop(credential);

        let bearer = bearer()?;
        let mut gateway = Gateway::new(upstreams, Sockets::new());
        let served: Arc<dyn Connection> = Arc::new(Served::new(connection.clone()));
        gateway.apply(&config(&bearer)?, &[(NAME.to_owned(), served)].into())?;
        for (_, address) in gateway.addresses() {
            for (name, value) in vendor.proxied(&format!("http://{address}{path}"), &bearer) {
                command.env(name, value);
            }
        }
        Ok::<_, Problem>((gateway, connection))
    })?;
    let ended = child::supervise(command);
    // Nobody is left who could wait for an answer.
    drop(gateway);
    // Or who could use a key that was made for the program. What is left is deleted by whoever mints next.
    if let Err(error) = tokio.block_on(connection.close()) {
        tracing::warn!(code = %error.code, "{}", error.message);
    }
    tokio.shutdown_background();
    ended
}

fn config(bearer: &str) -> Result<Config, Problem> {
    let bearer = Bearer::new(bearer)?;
    let proxy = Proxy {
        listen: Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        connection: Some(NAME.to_owned()),
        routes: Vec::new(),
        access: Access { bearer: Some(bearer), ..Access::default() },
    };
    Ok(Config { proxy: BTreeMap::from([(NAME.to_owned(), proxy)]), ..Config::default() })
}

/// The path of the API's base URL, without a slash at its end.
fn path(credential: &CredentialRef) -> Result<String, Problem> {
    let uri: Uri = credential.base_url().parse().map_err(|_| {
        Problem::invalid(
            "base-url-unusable",
            "the API's base URL is not one that requests can be sent to",
            "correct api.base_url; `keyless plan` shows it",
        )
    })?;
    Ok(uri.path().trim_end_matches('/').to_owned())
}

/// 256 random bits, in a form that programs take for a key.
fn bearer() -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new([0; 32]);
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(bytes.as_mut_slice()).map_err(|_| {
        Problem::new(
            Class::Failed,
            "random-failed",
            "the system gives no random bytes for the proxy's bearer",
            "start it with `--direct` to do without the proxy",
        )
    })?;
    let mut bearer = Zeroizing::new(String::with_capacity(64));
    bearer.push_str("sk-keyless-");
    BASE64_URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut bearer);
    Ok(bearer)
}
