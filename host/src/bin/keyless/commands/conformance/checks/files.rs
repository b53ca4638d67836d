//! What may be read, and how.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::commands::conformance::peer::{Manner, Peer, subject};
use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Open, Stage, Stop};

const ISSUE: Manner = Manner::Issue { lifetime: 3_600, after: Duration::ZERO };

/// The engine's limit for a token file, in bytes.
const LIMIT: usize = 16 * 1024;

pub(super) async fn not_granted(stage: &mut Stage) -> Result<(), Stop> {
    let (folder, peer) = (folder()?, Peer::start(ISSUE).await?);
    let token = folder.path().join("token");
    write(&token, stage.world.identity_token()?.as_bytes())?;
    // A name that begins alike, the folder, and another spelling are other files.
    let granted = ["token2", "", "./token", "../token"].map(|name| path(&folder.path().join(name)));
    let mut open = at(&token, &peer);
    open.grant = Some((vec![("POST".to_owned(), peer.url("/oauth/token"))], granted.to_vec()));
    let answer = stage.credential_of("a", &open).await?;
    if peer.requests() > 0 {
        return Err(
            Fault::new("no request with a token that was not to be read", "the token was sent").into()
        );
    }
    Ok(answer.failed("denied", "")?)
}

pub(super) async fn missing(stage: &mut Stage) -> Result<(), Stop> {
    let (folder, peer) = (folder()?, Peer::start(ISSUE).await?);
    for (index, name) in ["token", "nowhere/token"].into_iter().enumerate() {
        let answer = stage.credential_of(&format!("a{index}"), &at(&folder.path().join(name), &peer)).await?;
        answer.failed("identity", "token-file-missing")?;
    }
    Ok(())
}

pub(super) async fn kind(stage: &mut Stage) -> Result<(), Stop> {
    let (folder, peer) = (folder()?, Peer::start(ISSUE).await?);
    let (directory, pipe) = (folder.path().join("directory"), folder.path().join("pipe"));
    fs::create_dir(&directory).map_err(|reason| unwritable(&reason))?;
    let made = Command::new("mkfifo").arg(&pipe).status().map_err(|reason| unwritable(&reason))?;
    if !made.success() {
        return Err(Fault::new("a pipe with a name, made by `mkfifo`", made.to_string()).into());
    }
    for (name, file) in [("directory", &*directory), ("pipe", &*pipe), ("device", Path::new("/dev/zero"))] {
        let answer = stage.credential_of(name, &at(file, &peer)).await?;
        answer.failed("identity", "token-file-unreadable")?;
    }
    Ok(())
}

pub(super) async fn limit(stage: &mut Stage) -> Result<(), Stop> {
    let (folder, peer) = (folder()?, Peer::start(ISSUE).await?);
    let token = stage.world.identity_token()?;
    // What stands around a token is taken off.
    let sized = |size: usize| format!("{token}{}", "\n".repeat(size.saturating_sub(token.len())));
    let (just, over) = (folder.path().join("just"), folder.path().join("over"));
    write(&just, sized(LIMIT).as_bytes())?;
    write(&over, sized(LIMIT + 1).as_bytes())?;
    stage.credential_of("just", &at(&just, &peer)).await?.generation(1)?;
    let answer = stage.credential_of("over", &at(&over, &peer)).await?;
    Ok(answer.failed("identity", "token-too-large")?)
}

pub(super) async fn anew(stage: &mut Stage) -> Result<(), Stop> {
    let (folder, peer) = (folder()?, Peer::start(ISSUE).await?);
    let tokens = [stage.world.identity_token()?, stage.world.identity_token()?];
    let [first, second] = &tokens;
    // As the kubelet lays a projected volume out.
    let (data, next) = (folder.path().join("..data"), folder.path().join("..data_tmp"));
    for (name, token) in [("..1", first), ("..2", second)] {
        let directory = folder.path().join(name);
        fs::create_dir(&directory).map_err(|reason| unwritable(&reason))?;
        write(&directory.join("token"), token.as_bytes())?;
    }
    let link = |to: &str, at: &Path| symlink(to, at).map_err(|reason| unwritable(&reason));
    link("..1", &data)?;
    link("..data/token", &folder.path().join("token"))?;
    stage.open("a", &at(&folder.path().join("token"), &peer)).await?.ok()?;
    stage.generation("credential", "a", 1).await?;
    link("..2", &next)?;
    fs::rename(&next, &data).map_err(|reason| unwritable(&reason))?;
    stage.ask("reject", &json!({"name": "a", "generation": 1})).await?.ok()?;
    stage.generation("credential", "a", 2).await?;
    let sent: Vec<_> = peer.seen().iter().map(|seen| subject(&seen.body)).collect();
    if sent != tokens {
        let came = match &*sent {
            [a, b] if a == b => "the first token twice".to_owned(),
            other => format!("exchanges: {}", other.len()),
        };
        return Err(Fault::new("the first token, then, after `..data` was swapped, the second", came).into());
    }
    Ok(())
}

fn at(token: &Path, peer: &Peer) -> Open {
    let source = json!({"type": "file", "token_file_path": path(token)});
    Open::from_source(&source, &peer.url("/oauth/token"))
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn folder() -> Result<TempDir, Fault> {
    tempfile::tempdir().map_err(|reason| unwritable(&reason))
}

fn write(path: &Path, content: &[u8]) -> Result<(), Fault> {
    fs::write(path, content).map_err(|reason| unwritable(&reason))
}

fn unwritable(reason: &std::io::Error) -> Fault {
    Fault::new("a temporary folder that can be written to; check TMPDIR", reason.to_string())
}
