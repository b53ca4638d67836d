//! What the filter can call of proxy-wasm: the functions of the module `env`. Any other import fails to link.

use wasmtime::{Caller, Linker, Result, bail, ensure, format_err};

use super::clusters;
use super::memory;
use super::pairs::{self, Pairs};
use super::process::Line;
use super::streams::Reply;
use super::vm::{After, Offered, Vm};

pub(super) const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
pub(super) const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

/// Of requests.
const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;
const CALL_RESPONSE_HEADERS: u32 = 6;

const CALL_RESPONSE_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;

pub(super) const ENV: &str = "env";

pub(super) fn link(linker: &mut Linker<Vm>) -> Result<()> {
    link_contexts(linker)?;
    link_headers(linker)?;
    link_values(linker)?;
    link_shared_data(linker)?;
    link_metrics(linker)?;
    clusters::link(linker)
}

fn link_contexts(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(ENV, "proxy_set_effective_context", |mut vm: Caller<'_, Vm>, context: u32| {
        if vm.data_mut().act_for(context) { OK } else { BAD_ARGUMENT }
    })?;
    linker.func_wrap(
        ENV,
        "proxy_set_tick_period_milliseconds",
        |mut vm: Caller<'_, Vm>, period: u32| -> Result<u32> {
            let vm = vm.data_mut();
            let now = vm.process.borrow().time.now().monotonic_ms;
            let number = vm.root_number();
            let root = vm.roots.get_mut(&number).ok_or_else(|| format_err!("no plugin acts"))?;
            (root.period, root.next_tick) = (period, now + u64::from(period));
            Ok(OK)
        },
    )?;
    linker.func_wrap(ENV, "proxy_continue_stream", |mut vm: Caller<'_, Vm>, kind: u32| -> Result<u32> {
        ensure!(kind == 0, "only requests are ever held back");
        let vm = vm.data_mut();
        let context = vm.context();
        ensure!(vm.streams.contains_key(&context), "{context} is no request");
        vm.after.push_back(After::Continue(context));
        Ok(OK)
    })?;
    linker.func_wrap(
        ENV,
        "proxy_send_local_response",
        |mut vm: Caller<'_, Vm>,
         status: u32,
         details: u32,
         details_size: u32,
         body: u32,
         body_size: u32,
         headers: u32,
         headers_size: u32,
         grpc_status: i32|
         -> Result<u32> {
            ensure!(grpc_status == -1, "gRPC's status {grpc_status}");
            let reply = Reply {
                status,
                details: memory::text(&mut vm, details, details_size)?,
                headers: pairs::read(&memory::read(&mut vm, headers, headers_size)?)?,
                body: memory::read(&mut vm, body, body_size)?,
            };
            let vm = vm.data_mut();
            let context = vm.context();
            ensure!(vm.streams.contains_key(&context), "{context} is no request");
            vm.after.push_back(After::Reply(context, reply));
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_log",
        |mut vm: Caller<'_, Vm>, level: u32, text: u32, size: u32| -> Result<u32> {
            let text = memory::text(&mut vm, text, size)?;
            ensure!(!text.contains(char::is_control), "a line of the log is broken: {text:?}");
            vm.data().process.borrow_mut().log.push(Line { level, text });
            Ok(OK)
        },
    )?;
    Ok(())
}

fn link_headers(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_replace_header_map_value",
        |mut vm: Caller<'_, Vm>, map: u32, name: u32, name_size: u32, value: u32, size: u32| -> Result<u32> {
            let name = memory::text(&mut vm, name, name_size)?;
            let value = memory::text(&mut vm, value, size)?;
            let headers = request_headers(&mut vm, map)?;
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value));
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_remove_header_map_value",
        |mut vm: Caller<'_, Vm>, map: u32, name: u32, size: u32| -> Result<u32> {
            let name = memory::text(&mut vm, name, size)?;
            request_headers(&mut vm, map)?.retain(|(other, _)| *other != name);
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_header_map_value",
        |mut vm: Caller<'_, Vm>, map: u32, name: u32, name_size: u32, data: u32, size: u32| -> Result<u32> {
            let name = memory::text(&mut vm, name, name_size)?;
            let headers = match map {
                RESPONSE_HEADERS => response_headers(vm.data())?,
                _ => request_headers(&mut vm, map)?,
            };
            let value = headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone());
            let Some(value) = value else { return Ok(NOT_FOUND) };
            memory::give(&mut vm, value.as_bytes(), data, size)?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_header_map_pairs",
        |mut vm: Caller<'_, Vm>, map: u32, data: u32, size: u32| -> Result<u32> {
            ensure!(map == CALL_RESPONSE_HEADERS, "map {map}");
            let Offered::Answer(answer) = &vm.data().offered else { bail!("no call is answered") };
            let pairs = pairs::write(&answer.headers);
            memory::give(&mut vm, &pairs, data, size)?;
            Ok(OK)
        },
    )?;
    Ok(())
}

fn request_headers<'vm>(vm: &'vm mut Caller<'_, Vm>, map: u32) -> Result<&'vm mut Pairs> {
    ensure!(map == REQUEST_HEADERS, "map {map}");
    let vm = vm.data_mut();
    let context = vm.context();
    vm.streams.get_mut(&context).ok_or_else(|| format_err!("{context} is no request"))?.changeable()
}

fn response_headers(vm: &Vm) -> Result<&Pairs> {
    let Offered::ResponseHeaders(headers) = &vm.offered else { bail!("there is no response") };
    ensure!(vm.streams.contains_key(&vm.context()), "the response is a request's");
    Ok(headers)
}

fn link_values(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_get_buffer_bytes",
        |mut vm: Caller<'_, Vm>, buffer: u32, start: u32, most: u32, data: u32, size: u32| -> Result<u32> {
            let bytes = match (buffer, &vm.data().offered) {
                (CALL_RESPONSE_BODY, Offered::Answer(answer)) => &answer.body,
                (PLUGIN_CONFIGURATION, Offered::Configuration(configuration)) => configuration,
                _ => bail!("buffer {buffer} holds nothing now"),
            };
            let bytes: Vec<u8> = bytes.iter().skip(start as usize).take(most as usize).copied().collect();
            memory::give(&mut vm, &bytes, data, size)?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_property",
        |mut vm: Caller<'_, Vm>, path: u32, path_size: u32, data: u32, size: u32| -> Result<u32> {
            let path = memory::text(&mut vm, path, path_size)?;
            let root = vm.data().roots.get(&vm.data().root_number());
            let name = root.ok_or_else(|| format_err!("no plugin acts"))?.name.clone();
            let value = match path.as_str() {
                "plugin_name" => name,
                "plugin_root_id" => String::new(),
                _ => return Ok(NOT_FOUND),
            };
            memory::give(&mut vm, value.as_bytes(), data, size)?;
            Ok(OK)
        },
    )?;
    Ok(())
}

fn link_shared_data(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_get_shared_data",
        |mut vm: Caller<'_, Vm>, key: u32, key_size: u32, data: u32, size: u32, cas_at: u32| -> Result<u32> {
            let key = memory::text(&mut vm, key, key_size)?;
            let mut process = vm.data().process.borrow_mut();
            let found = process.data.get(&key).map(|found| (found.bytes.clone(), found.cas));
            drop(process);
            let Some((bytes, cas)) = found else { return Ok(NOT_FOUND) };
            memory::give(&mut vm, &bytes, data, size)?;
            memory::write(&mut vm, cas_at, &cas.to_le_bytes())?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_shared_data",
        |mut vm: Caller<'_, Vm>, key: u32, key_size: u32, data: u32, size: u32, cas: u32| -> Result<u32> {
            let key = memory::text(&mut vm, key, key_size)?;
            let bytes = memory::read(&mut vm, data, size)?;
            let mut process = vm.data().process.borrow_mut();
            let now = process.time.now();
            Ok(if process.data.set(key, bytes, cas, now) { OK } else { CAS_MISMATCH })
        },
    )?;
    Ok(())
}

fn link_metrics(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_define_metric",
        |mut vm: Caller<'_, Vm>, kind: u32, name: u32, size: u32, id_at: u32| -> Result<u32> {
            let name = memory::text(&mut vm, name, size)?;
            let id = vm.data().process.borrow_mut().metrics.define(kind, &name);
            memory::write(&mut vm, id_at, &u32::try_from(id)?.to_le_bytes())?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_increment_metric",
        |vm: Caller<'_, Vm>, id: u32, offset: i64| -> Result<u32> {
            let added = vm.data().process.borrow_mut().metrics.add(id, offset);
            added.map(|()| OK).ok_or_else(|| format_err!("metric {id}"))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_record_metric",
        |vm: Caller<'_, Vm>, id: u32, value: u64| -> Result<u32> {
            let recorded = vm.data().process.borrow_mut().metrics.record(id, value);
            recorded.map(|()| OK).ok_or_else(|| format_err!("metric {id}"))
        },
    )?;
    Ok(())
}
