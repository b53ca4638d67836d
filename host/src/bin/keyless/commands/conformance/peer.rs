//! A token endpoint that notes every byte and misbehaves as it is told to: below HTTP, where the sandbox cannot.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::report::Fault;

/// The largest request that is read.
const LARGEST: usize = 1 << 20;

/// How requests are answered from now on.
#[derive(Clone, Debug)]
pub(super) enum Manner {
    /// With a token that lives so many seconds, after a pause.
    Issue { lifetime: u64, after: Duration },
    /// With this answer, head and body, as it is.
    Say(String),
    /// With this answer, and in it the identity token that came where it says `{subject}`.
    Echo(&'static str),
    /// As AWS's metadata service, which has one role, `a+b=c,d.e@f-g_h`, and no keys for it.
    Instance,
    /// Not at all; the connection stays open.
    Stall,
    /// With a head of which a line comes every tenth of a second.
    DripHead,
    /// With a body of which a byte comes every tenth of a second.
    Drip,
    /// With a body of so many bytes, whose length is announced.
    Sized(usize),
    /// With a body that never ends, in chunks.
    Endless,
    /// By closing the connection.
    Close,
    /// By closing the connection in the middle of the body.
    CloseMidway,
}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// When it was there as a whole.
    pub(super) at: Instant,
    /// The request line.
    pub(super) line: String,
    /// Names in lower case, in the order in which they came.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A listener on loopback. It ends with the process.
pub(super) struct Peer {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    number: u64,
    book: Mutex<Book>,
}

struct Book {
    manner: Manner,
    connections: u64,
    issued: u64,
    seen: Vec<Seen>,
}

/// The role of [`Manner::Instance`], with every character that a role's name can have.
pub(super) const ROLE: &str = "a+b=c,d.e@f-g_h";

/// What every token of every peer begins with. Nothing else may.
pub(super) const TOKEN_MARK: &str = "sk-conformance-canary-";

impl Peer {
    pub(super) async fn start(manner: Manner) -> Result<Self, Fault> {
        let failed = |reason: std::io::Error| Fault::new("a free port on loopback", reason.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let book = Book { manner, connections: 0, issued: 0, seen: Vec::new() };
        let state = Arc::new(State { number: address.port().into(), book: Mutex::new(book) });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.book().connections += 1;
                tokio::spawn(serve(Arc::clone(&accepting), stream));
            }
        });
        Ok(Self { address, state })
    }

    /// `http://127.0.0.1:PORT` and the path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How it answers from now on.
    pub(super) fn turn(&self, manner: Manner) {
        self.state.book().manner = manner;
    }

    pub(super) fn connections(&self) -> u64 {
        self.state.book().connections
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state.book().seen.clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.state.book().seen.len()
    }
}

impl State {
    /// Nothing is left half done under this lock.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(state: Arc<State>, mut stream: TcpStream) {
    let Some(seen) = read(&mut stream).await else { return };
    let (subject, line) = (subject(&seen.body), seen.line.clone());
    let manner = {
        let mut book = state.book();
        book.seen.push(seen);
        book.manner.clone()
    };
    // A host that hangs up early is none of our business.
    let _hung_up = answer(&state, &mut stream, manner, (&line, &subject)).await;
}

async fn answer(
    state: &State,
    stream: &mut TcpStream,
    manner: Manner,
    (line, subject): (&str, &str),
) -> std::io::Result<()> {
    const TICK: Duration = Duration::from_millis(100);
    match manner {
        Manner::Issue { lifetime, after } => {
            tokio::time::sleep(after).await;
            let number = {
                let mut book = state.book();
                book.issued += 1;
                book.issued
            };
            let token = format!("{TOKEN_MARK}{}-{number}", state.number);
            let body = format!(
                r#"{{"access_token":"{token}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":{lifetime}}}"#
            );
            stream.write_all(json(200, "", &body).as_bytes()).await?;
        }
        Manner::Say(answer) => stream.write_all(answer.as_bytes()).await?,
        Manner::Echo(body) => {
            stream.write_all(json(400, "", &body.replace("{subject}", subject)).as_bytes()).await?;
        }
        Manner::Instance => {
            let answer = match line.split(' ').collect::<Vec<_>>()[..] {
                ["PUT", ..] => text(200, "a-session"),
                ["GET", path, ..] if path.ends_with('/') => text(200, ROLE),
                _ => text(404, ""),
            };
            stream.write_all(answer.as_bytes()).await?;
        }
        Manner::Stall => std::future::pending().await,
        Manner::DripHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x: y\r\n").await?;
                tokio::time::sleep(TICK).await;
            }
        }
        Manner::Drip => {
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n",
                )
                .await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(TICK).await;
            }
        }
        Manner::Sized(length) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&vec![b' '; length]).await?;
        }
        Manner::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk: Vec<u8> = b"400\r\n".iter().copied().chain([b' '; 0x400]).chain(*b"\r\n").collect();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Manner::Close => {}
        Manner::CloseMidway => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{\"half\":").await?;
        }
    }
    stream.shutdown().await
}

fn text(status: u16, body: &str) -> String {
    json(status, "", body).replace("application/json", "text/plain")
}

/// An answer with a JSON body. `headers` end with a line break each.
pub(super) fn json(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} As Told\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A whole request; none if the connection ends before.
async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes).await?;
    };
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut seen = Seen { at: Instant::now(), line, headers, body };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let chunked = seen.header("transfer-encoding").is_some();
    while if chunked { !seen.body.ends_with(b"0\r\n\r\n") } else { seen.body.len() < length } {
        more(stream, &mut seen.body).await?;
    }
    Some(seen)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let count = stream.read_buf(bytes).await.ok()?;
    (count > 0 && bytes.len() <= LARGEST).then_some(())
}

/// The identity token in a request of the exchange `openai`.
pub(super) fn subject(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    body.get("subject_token").and_then(|token| token.as_str()).unwrap_or_default().to_owned()
}
