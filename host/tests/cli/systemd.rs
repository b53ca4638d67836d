//! `keyless serve` under a service manager, which this test plays: sockets that are there before the process, and what it
//! says of itself.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Keyless, Scratch};
use crate::serve::{Serving, get};

const CONNECTION: &str = "[connections.a]\napi_key = 'sk-first'\n";

/// Where a service says how it is.
struct Manager(UnixDatagram);

impl Manager {
    fn new(scratch: &Scratch) -> Self {
        let socket = UnixDatagram::bind(scratch.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(socket)
    }

    /// The next message.
    #[track_caller]
    fn hears(&self) -> String {
        let mut message = [0; 256];
        let length = self.0.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }
}

/// Started as systemd would: the process has its sockets from descriptor 3 on, and knows that they are meant for it.
fn activated(mut keyless: Keyless, names: &str, tcp: TcpListener, unix: UnixListener) -> Serving {
    let plain = &keyless.command;
    let mut command = Command::new("sh");
    let script = r#"export LISTEN_PID=$$; exec "$0" "$@" 3<&0 4<&1 </dev/null >/dev/null"#;
    command.args(["-c", script]).arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(plain.get_current_dir().unwrap());
    command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", names);
    command.stdin(Stdio::from(OwnedFd::from(tcp))).stdout(Stdio::from(OwnedFd::from(unix)));
    keyless.command = command;
    Serving::with_input(keyless)
}

#[test]
fn it_says_when_it_is_ready_reloads_lives_and_stops() {
    let scratch = Scratch::new();
    let manager = Manager::new(&scratch);
    scratch.file("keyless.toml", format!("{CONNECTION}[endpoint.x]\nlisten = '127.0.0.1:0'\n"));
    let mut keyless = scratch.keyless(["serve"]).env("NOTIFY_SOCKET", scratch.path().join("notify"));
    keyless.command.stdin(Stdio::null());
    let mut serving = Serving::with_input(keyless);
    assert_eq!(manager.hears(), "READY=1\n");
    assert_eq!(get(&serving.address(), "/v1/credential/a").0, 200);

    serving.signal(Signal::HUP);
    let reloading = manager.hears();
    let moment = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(moment.trim_end().parse::<u64>().unwrap() > 0, "{reloading}");
    assert_eq!(manager.hears(), "READY=1\n");

    scratch.file("keyless.toml", "[nonsense");
    serving.logs("the new configuration is not taken");
    assert!(manager.hears().starts_with("RELOADING=1\n"));
    assert_eq!(manager.hears(), "READY=1\n");

    assert_eq!(serving.end(), Some(0));
    assert_eq!(manager.hears(), "STOPPING=1\n");
}

#[test]
fn it_feeds_the_watchdog_that_wants_to_be_fed() {
    let scratch = Scratch::new();
    let manager = Manager::new(&scratch);
    scratch.file("keyless.toml", format!("{CONNECTION}[endpoint.x]\nlisten = '127.0.0.1:0'\n"));
    let keyless = scratch.keyless(["serve"]).env("NOTIFY_SOCKET", scratch.path().join("notify"));
    let mut keyless = keyless.env("WATCHDOG_USEC", "100000");
    keyless.command.stdin(Stdio::null());
    let serving = Serving::with_input(keyless);
    let heard: Vec<_> = (0..5).map(|_| manager.hears()).collect();
    assert_eq!(heard.iter().filter(|message| *message == "WATCHDOG=1\n").count(), 4, "{heard:?}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn it_serves_on_the_sockets_that_are_handed_over() {
    let scratch = Scratch::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let path = scratch.path().join("s");
    let unix = UnixListener::bind(&path).unwrap();
    // Before there is anybody to answer.
    let mut early = TcpStream::connect(address).unwrap();
    early
        .write_all(b"GET /v1/credential/a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let listeners = "[endpoint.x]\nlisten = 'systemd:tcp'\n[endpoint.y]\nlisten = 'systemd:unix'\n";
    scratch.file("keyless.toml", format!("{CONNECTION}{listeners}"));
    let mut serving = activated(scratch.keyless(["serve"]), "tcp:unix", tcp, unix);
    let mut answer = String::new();
    early.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let over_unix = || {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(b"GET /v1/credential/a HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(over_unix().contains("sk-first"));
    // A listener that another configuration brings back has its socket again.
    scratch.file("keyless.toml", format!("{CONNECTION}[endpoint.x]\nlisten = 'systemd:tcp'\n"));
    serving.logs("the configuration is in effect");
    scratch.file("keyless.toml", format!("{}{listeners}", CONNECTION.replace("first", "second")));
    serving.logs("the configuration is in effect");
    assert!(over_unix().contains("sk-second"));
    assert_eq!(serving.end(), Some(0));
    assert!(path.exists(), "the socket belongs to systemd");
}

#[test]
fn a_socket_that_was_not_handed_over_is_named() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", format!("{CONNECTION}[endpoint.x]\nlisten = 'systemd:proxy'\n"));
    scratch.keyless(["serve"]).outcome().failure(1, "listen-systemd").says("FileDescriptorName=proxy");
}

/// What docs/gateways/systemd.md tells people to copy.
#[test]
fn the_documented_units_fit_together() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gateways/systemd");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let socket = read("keyless.socket");
    let name = socket.lines().find_map(|line| line.strip_prefix("FileDescriptorName=")).unwrap();
    assert!(read("keyless.toml").contains(&format!("listen = \"systemd:{name}\"\n")));
    let command = read("keyless.service");
    let command =
        command.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/keyless ")).unwrap();
    // Understood as they are; what is missing here is the socket.
    let scratch = Scratch::new();
    scratch.file("keyless.toml", read("keyless.toml"));
    let arguments = command.replace("/etc/keyless/keyless.toml", "keyless.toml").replace("json", "text");
    scratch.keyless(arguments.split(' ')).outcome().failure(1, "listen-systemd");
}
