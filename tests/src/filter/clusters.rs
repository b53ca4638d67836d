//! Calls to clusters: requests to the far end, and to whatever serves files.

use std::rc::Rc;

use keyless_scenarios::world::script::Arrived;
use wasmtime::{Caller, Linker, Result, ensure, format_err};

use super::answer::Answer;
use super::calls::{BAD_ARGUMENT, ENV, OK};
use super::memory;
use super::pairs::{self, Pairs};
use super::vm::{Call, Vm};

pub(super) fn link(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_http_call",
        |mut vm: Caller<'_, Vm>,
         cluster: u32,
         cluster_size: u32,
         headers: u32,
         headers_size: u32,
         body: u32,
         body_size: u32,
         _trailers: u32,
         trailers_size: u32,
         timeout_ms: u32,
         token_at: u32|
         -> Result<u32> {
            ensure!(trailers_size == 0, "trailers");
            let cluster = memory::text(&mut vm, cluster, cluster_size)?;
            let headers = pairs::read(&memory::read(&mut vm, headers, headers_size)?)?;
            let body = memory::read(&mut vm, body, body_size)?;
            let called = call(vm.data_mut(), &cluster, headers, body, timeout_ms)?;
            let Some(token) = called else { return Ok(BAD_ARGUMENT) };
            memory::write(&mut vm, token_at, &token.to_le_bytes())?;
            Ok(OK)
        },
    )?;
    Ok(())
}

/// The token under which the answer will come. None: there is no such cluster.
fn call(vm: &mut Vm, cluster: &str, headers: Pairs, body: Vec<u8>, timeout_ms: u32) -> Result<Option<u32>> {
    let root = vm.context();
    // A request's context may be gone when the answer comes, and then nobody is told.
    ensure!(vm.roots.contains_key(&root), "only plugins make calls");
    if !vm.process.borrow().clusters.iter().any(|known| known == cluster) {
        return Ok(None);
    }
    let request = Outgoing::new(headers)?;
    let token = vm.next_token();
    let call = Call { root, token, cluster: cluster.to_owned() };
    let process = Rc::clone(&vm.process);
    let mut process = process.borrow_mut();
    match &request.scheme {
        // Only of a file: what serves it is asked by its path alone.
        None => {
            ensure!(request.authority == "localhost" && body.is_empty(), "a file is asked for by its path");
            let granted: Vec<_> = process.files.iter().map(|file| rooted(file)).collect();
            let read = process.world.disk.read(&unescaped(&request.path)?, &granted);
            let answer = Answer::to_a_file(read);
            let other = process.files_status.map(|status| Answer::new(status, Vec::new(), "no"));
            vm.at_once.push_back((call, other.unwrap_or(answer)));
        }
        Some(scheme) => {
            let url = format!("{scheme}://{}{}", request.authority, request.path);
            process.routed.push((url.clone(), call.cluster.clone()));
            let arrived = Arrived { method: request.method, url, headers: request.rest, body };
            vm.flights.send(call, arrived, process.time.now(), u64::from(timeout_ms));
        }
    }
    Ok(Some(token))
}

/// A request, with its pseudo headers apart. Envoy refuses it without three of them.
struct Outgoing {
    method: String,
    scheme: Option<String>,
    authority: String,
    path: String,
    rest: Pairs,
}

impl Outgoing {
    fn new(headers: Pairs) -> Result<Self> {
        let (pseudo, rest): (Pairs, Pairs) = headers.into_iter().partition(|(name, _)| name.starts_with(':'));
        let find =
            |name: &str| pseudo.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
        let needed = |name: &str| find(name).ok_or_else(|| format_err!("{name} is missing"));
        let request = Self {
            method: needed(":method")?,
            scheme: find(":scheme"),
            authority: needed(":authority")?,
            path: needed(":path")?,
            rest,
        };
        ensure!(request.path.starts_with('/'), "the path {:?}", request.path);
        Ok(request)
    }
}

/// A path of a document as one of a request.
fn rooted(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// A request's path as one of a file.
fn unescaped(path: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let code: String =
            if byte == b'%' { rest.by_ref().take(2).map(char::from).collect() } else { String::new() };
        bytes.push(if code.is_empty() { byte } else { u8::from_str_radix(&code, 16)? });
    }
    Ok(String::from_utf8(bytes)?)
}
