//! An endpoint whose answers are far too large.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::outside::Outside;
use crate::subject::Subject;

/// What it would send: two gigabytes.
const BODY: u64 = 2 << 30;

/// What fits into the buffers of a connection that nobody reads from, and a good deal more.
const MOST: u64 = 32 << 20;

const BLOCK: usize = 64 << 10;

/// How an answer is framed.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunks,
    /// A body that would be many times as large, were it decompressed.
    Gzip,
}

const FLOODS: [Framing; 3] = [Framing::Length, Framing::Chunks, Framing::Gzip];

/// What became of one flood.
struct Flood {
    framing: Framing,
    /// Bytes that the operating system took.
    sent: u64,
    /// The head of the request, in lower case.
    head: String,
}

/// Answers a request each time with another flood, at last with a token. Waits for `go` before the first.
fn serve(listener: &TcpListener, arrived: &mpsc::Sender<()>, go: &mpsc::Receiver<()>) -> Vec<Flood> {
    let mut floods = Vec::new();
    for framing in FLOODS {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read(&mut stream);
        if floods.is_empty() {
            arrived.send(()).unwrap();
            go.recv().unwrap();
        }
        floods.push(Flood { framing, sent: flood(stream, framing), head });
    }
    let (mut stream, _) = listener.accept().unwrap();
    read(&mut stream);
    let token = r#"{"access_token":"small","token_type":"Bearer","expires_in":3600,
        "issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}"#;
    let length = token.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{token}"
    )
    .unwrap();
    floods
}

/// Reads a whole request; gives its head.
fn read(stream: &mut TcpStream) -> String {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
    }
    head.make_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
    head
}

/// Sends until it has sent everything, or nobody wants any more.
fn flood(mut stream: TcpStream, framing: Framing) -> u64 {
    let head = match framing {
        Framing::Length => format!("content-length: {BODY}"),
        Framing::Chunks => "transfer-encoding: chunked".to_owned(),
        Framing::Gzip => format!("content-encoding: gzip\r\ncontent-length: {BODY}"),
    };
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{head}\r\n\r\n").unwrap();
    let block = match framing {
        Framing::Chunks => format!("{BLOCK:x}\r\n{}\r\n", " ".repeat(BLOCK)).into_bytes(),
        Framing::Length | Framing::Gzip => vec![b' '; BLOCK],
    };
    let mut sent = 0;
    while sent < BODY {
        match stream.write(&block) {
            Ok(length) => sent += length as u64,
            Err(_) => break,
        }
    }
    sent
}

/// The most that a process had in memory until now, in bytes.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn two_gigabytes_of_body_are_cut_off_at_once_and_cost_no_memory() {
    let outside = Outside::new(Duration::from_secs(3600));
    let sandbox = &outside.sandbox;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/oauth/token", listener.local_addr().unwrap());
    let document = sandbox.documents().native.replace(&sandbox.token_endpoint(), &endpoint);
    let ((arrive, arrived), (start, go)) = (mpsc::channel(), mpsc::channel());
    let serving = thread::spawn(move || serve(&listener, &arrive, &go));

    let mut subject = Subject::open(&document, &sandbox.ca_path());
    arrived.recv().unwrap();
    let before = peak(subject.pid());
    start.send(()).unwrap();
    assert_eq!(subject.tell("ready"), "1");
    let grown = peak(subject.pid()) - before;

    for Flood { framing, sent, head } in serving.join().unwrap() {
        println!("2 GB of body ({framing:?}): cut off after {} KiB", sent >> 10);
        assert!(sent < MOST, "{framing:?}: {sent} bytes");
        assert!(!head.contains("accept-encoding"), "{head}");
    }
    println!("2 GB of body, three times: peak memory grew by {} KiB", grown >> 10);
    assert!(grown < MOST, "{grown} bytes");
}
