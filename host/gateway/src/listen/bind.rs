//! From an address to a socket that listens.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};

use crate::Fault;
use crate::config::{Access, Address};

/// Mode of a Unix socket where nothing else is said: for the user that `keyless` runs as.
const PRIVATE: u32 = 0o600;

/// Sockets that somebody else has bound, by the name of `systemd:NAME`.
pub type Sockets = BTreeMap<String, Socket>;

/// A socket that somebody else has bound.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(std::net::TcpListener),
    /// A Unix socket.
    Unix(std::os::unix::net::UnixListener),
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) enum Bound {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _file: Option<SocketFile> },
}

impl Bound {
    /// Where it really listens: port 0 has become a port.
    pub(crate) fn address(&self, asked: &Address) -> Address {
        match (self, asked) {
            (Self::Tcp(listener), Address::Tcp(_)) => {
                listener.local_addr().map_or_else(|_| asked.clone(), Address::Tcp)
            }
            _ => asked.clone(),
        }
    }
}

/// Listens there.
///
/// # Errors
/// `listen-failed`, `listen-in-use`, `listen-systemd`.
pub(crate) fn bind(address: &Address, access: &Access, sockets: &Sockets) -> Result<Bound, Fault> {
    match address {
        Address::Tcp(address) => tcp(*address),
        Address::Unix(path) => unix(path, access.mode.unwrap_or(PRIVATE)),
        Address::Systemd(name) => handed_over(name, sockets),
    }
}

/// Gives a Unix socket that stays open the mode that it has to have now.
pub(crate) fn set_mode(address: &Address, access: &Access) {
    let Address::Unix(path) = address else { return };
    let mode = access.mode.unwrap_or(PRIVATE);
    if let Err(reason) = fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
        tracing::warn!(socket = %path.display(), %reason, "the socket's mode cannot be changed");
    }
}

fn tcp(address: SocketAddr) -> Result<Bound, Fault> {
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    bound.map(Bound::Tcp).map_err(|reason| match reason.kind() {
        io::ErrorKind::AddrInUse => in_use(&address),
        _ => Fault::new(
            "listen-failed",
            format!("it cannot listen on {address}: {reason}"),
            "choose an address of this machine and a port that this user may open",
        ),
    })
}

/// Bound under another name, given its mode and then its name: so nobody can connect before the mode is set, and a socket
/// that a dead process left behind is replaced at once.
fn unix(path: &Path, mode: u32) -> Result<Bound, Fault> {
    let failed = |reason: io::Error| {
        Fault::new(
            "listen-failed",
            format!("it cannot listen on the socket {}: {reason}", path.display()),
            "check that its directory exists and that this user may write to it",
        )
    };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(Fault::new(
                "listen-failed",
                format!("{} is there and is no socket", path.display()),
                "choose another path, or remove the file",
            ));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(in_use(&path.display()));
        }
        Ok(_) | Err(_) => {}
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    let _nothing_there = fs::remove_file(&unfinished);
    let listener = UnixListener::bind(&unfinished).map_err(failed)?;
    let named = fs::set_permissions(&unfinished, fs::Permissions::from_mode(mode))
        .and_then(|()| fs::rename(&unfinished, path));
    if let Err(reason) = named {
        let _best_effort = fs::remove_file(&unfinished);
        return Err(failed(reason));
    }
    Ok(Bound::Unix { listener, _file: SocketFile::of(path) })
}

fn handed_over(name: &str, sockets: &Sockets) -> Result<Bound, Fault> {
    let Some(socket) = sockets.get(name) else {
        let names: Vec<_> = sockets.keys().map(String::as_str).collect();
        let what = match names.join(", ") {
            none if none.is_empty() => "systemd handed over no sockets".to_owned(),
            names => format!("systemd handed over {names}, and no `{name}`"),
        };
        return Err(Fault::new(
            "listen-systemd",
            what,
            format!("start it by a socket unit with FileDescriptorName={name}, or listen on an address"),
        ));
    };
    // A copy: the same socket is taken again when the configuration changes.
    let bound = match socket {
        Socket::Tcp(listener) => listener.try_clone().and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener).map(Bound::Tcp)
        }),
        Socket::Unix(listener) => listener.try_clone().and_then(|listener| {
            listener.set_nonblocking(true)?;
            UnixListener::from_std(listener).map(|listener| Bound::Unix { listener, _file: None })
        }),
    };
    bound.map_err(|reason| {
        Fault::new(
            "listen-systemd",
            format!("the socket `{name}` that systemd handed over cannot be used: {reason}"),
            "use a stream socket that listens (ListenStream=, Accept=no)",
        )
    })
}

fn in_use(address: &impl std::fmt::Display) -> Fault {
    Fault::new(
        "listen-in-use",
        format!("somebody else listens on {address} already"),
        "stop that process (is another keyless running?), or choose another address",
    )
}

/// The file of a Unix socket. Removed with the listener, unless another process has put its own there.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> Option<Self> {
        fs::symlink_metadata(path).ok().map(|found| Self { path: path.to_owned(), inode: found.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _gone_already = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(address: &str) -> Result<Bound, Fault> {
        bind(&address.parse().unwrap(), &Access::default(), &Sockets::new())
    }

    #[tokio::test]
    async fn a_socket_is_private_and_goes_with_its_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let address = format!("unix:{}", path.display());
        let bound = listen(&address).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(listen(&address).unwrap_err().code, "listen-in-use");
        drop(bound);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_dead_process_left_is_replaced_and_a_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(listen(&format!("unix:{}", path.display())).unwrap());
        fs::write(&path, "precious").unwrap();
        let fault = listen(&format!("unix:{}", path.display())).unwrap_err();
        assert!(fault.what.contains("is no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let bound = listen("127.0.0.1:0").unwrap();
        let address = bound.address(&"127.0.0.1:0".parse().unwrap());
        let fault = listen(&address.to_string()).unwrap_err();
        assert_eq!(fault.code, "listen-in-use");
        assert!(fault.what.contains(&address.to_string()));
    }

    #[tokio::test]
    async fn systemd_may_hand_over_nothing() {
        assert_eq!(listen("systemd:proxy").unwrap_err().code, "listen-systemd");
    }
}
