//! `wit/machine.wit`: the engine as it is. The host performs the effects and hands in the time.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use keyless_engine::io::{self, Effect as Wanted};
use keyless_engine::secret::{Secret, SecretBytes};
use keyless_engine::{Answered, Event as Happened, Machine, Variables};

use crate::bindings::exports::keyless::credentials::machine::{
    ConnectionPlan, Credential, Effect, Error, Event, FileFault, FileRead, Guest, GuestSession, Header, Now,
    Request, Response, SendFault, Session as SessionHandle, SourceFault, SourceQuestion, Status,
};
use crate::{Exported, convert};

impl Guest for Exported {
    type Session = Session;
}

pub(crate) struct Session(RefCell<Machine>);

impl GuestSession for Session {
    fn variables(document: String) -> Result<Vec<String>, Error> {
        convert::variables(document)
    }

    fn plan(document: String, variables: Vec<(String, String)>) -> Result<ConnectionPlan, Error> {
        convert::plan(document, variables)
    }

    fn open(document: String, variables: Vec<(String, String)>) -> Result<SessionHandle, Error> {
        let document = convert::Wiped::new(document);
        let machine = Machine::open(&document, &Variables::from_iter(variables)).map_err(convert::error)?;
        Ok(SessionHandle::new(Self(RefCell::new(machine))))
    }

    fn step(&self, now: Now, event: Event) -> Vec<Effect> {
        let wanted = self.0.borrow_mut().step(moment(now), happened(event));
        wanted.into_iter().map(effect).collect()
    }

    fn credential(&self, now: Now) -> Result<Option<Credential>, Error> {
        match self.0.borrow().credential(moment(now)) {
            Answered::Ready(credential) => Ok(Some(convert::credential(&credential))),
            Answered::Pending => Ok(None),
            Answered::Failed(error) => Err(convert::error(error)),
        }
    }

    fn wake_at(&self, now: Now) -> Option<u64> {
        self.0.borrow().wake_at(moment(now))
    }

    fn busy(&self) -> bool {
        self.0.borrow().busy()
    }

    fn status(&self, now: Now) -> Status {
        convert::status(&self.0.borrow().status(moment(now)))
    }

    fn close(&self, now: Now) {
        self.0.borrow_mut().close(moment(now));
    }

    fn closed(&self) -> Option<Result<(), Error>> {
        self.0.borrow().closed().map(|closed| closed.map_err(|error| convert::error(error.clone())))
    }
}

fn moment(Now { wall_ms, monotonic_ms }: Now) -> io::Now {
    io::Now { wall_ms, monotonic_ms }
}

fn effect(wanted: Wanted) -> Effect {
    // What is too large for the contract's number is no limit there either.
    let limit = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    match wanted {
        Wanted::ReadFile { id, path, limit: bytes } => {
            Effect::ReadFile(FileRead { id, path, limit: limit(bytes) })
        }
        Wanted::Send { id, request } => {
            let header = |(name, value): &(&str, Secret)| Header {
                name: (*name).to_owned(),
                value: value.expose().to_owned(),
            };
            Effect::Send(Request {
                id,
                method: request.method.to_owned(),
                headers: request.headers.iter().map(header).collect(),
                body: request.body.to_vec(),
                timeout_ms: u32::try_from(request.timeout_ms).unwrap_or(u32::MAX),
                response_limit: limit(request.response_limit),
                url: request.url,
            })
        }
        Wanted::AskSource { id, audience } => Effect::AskSource(SourceQuestion { id, audience }),
        Wanted::Cancel { id } => Effect::Cancel(id),
    }
}

fn happened(event: Event) -> Happened {
    match event {
        Event::Tick => Happened::Tick,
        Event::File((id, result)) => Happened::File(id, result.map(SecretBytes::from).map_err(file_fault)),
        Event::Response((id, result)) => Happened::Response(id, result.map(response).map_err(send_fault)),
        Event::Source((id, result)) => Happened::Source(id, result.map(Secret::new).map_err(source_fault)),
        Event::Reject(generation) => Happened::Reject(generation),
    }
}

fn response(Response { status, headers, body }: Response) -> io::Response {
    let headers = headers.into_iter().map(|Header { name, value }| (name, value)).collect();
    io::Response { status, headers, body: body.into() }
}

fn file_fault(fault: FileFault) -> io::FileFault {
    match fault {
        FileFault::Missing => io::FileFault::Missing,
        FileFault::Denied => io::FileFault::Denied,
        FileFault::NotAFile => io::FileFault::NotAFile,
        FileFault::TooLarge => io::FileFault::TooLarge,
        FileFault::Failed => io::FileFault::Failed,
    }
}

fn send_fault(fault: SendFault) -> io::SendFault {
    match fault {
        SendFault::Denied => io::SendFault::Denied,
        SendFault::Unresolved => io::SendFault::Unresolved,
        SendFault::Unreachable => io::SendFault::Unreachable,
        SendFault::Untrusted => io::SendFault::Untrusted,
        SendFault::NoCertificate => io::SendFault::NoCertificate,
        SendFault::TimedOut => io::SendFault::TimedOut,
        SendFault::Broken => io::SendFault::Broken,
        SendFault::TooLarge => io::SendFault::TooLarge,
    }
}

fn source_fault(fault: SourceFault) -> io::SourceFault {
    match fault {
        SourceFault::Absent => io::SourceFault::Absent,
        SourceFault::Failed(words) => io::SourceFault::Failed(words),
    }
}
