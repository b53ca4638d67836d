//! A caller that gives up disturbs nobody. A host of wasmtime 48 cannot give a call up (dropping its future leaves the task
//! running), but a component can; so one is put before the provider.

use std::fs;

use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;
use wasmtime::Store;
use wasmtime::component::Component;

use crate::clocks::Clocks;
use crate::grant::Grant;
use crate::host::{ENGINE, State, linker};

#[tokio::test]
async fn the_next_goes_on_when_the_one_that_works_is_given_up() {
    got_by_one_exchange("overtaken").await;
}

#[tokio::test]
async fn a_later_call_goes_on_with_what_an_abandoned_one_began() {
    got_by_one_exchange("abandoned").await;
}

#[tokio::test]
async fn half_of_the_callers_can_go() {
    got_by_one_exchange("thinned").await;
}

async fn got_by_one_exchange(function: &str) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    // Long enough for every call to find the request on its way.
    sandbox.fault(ServiceName::Exchange, Fault::Delay { ms: 200, then: None }, 1);
    let state = State::new(Grant::for_sandbox(&sandbox), &sandbox, &Clocks::new());
    let mut store = Store::new(&ENGINE, state);
    let composed = Component::from_binary(&ENGINE, &composed()).unwrap();
    let instance = linker().instantiate_async(&mut store, &composed).await.unwrap();
    let function = instance.get_typed_func::<(&str,), (Result<u64, String>,)>(&mut store, function).unwrap();
    let (got,) = function.call_async(&mut store, (&sandbox.documents().native,)).await.unwrap();
    assert_eq!(got, Ok(1));
    assert_eq!(sandbox.exchanges().len(), 1);
}

fn composed() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (caller, provider) = (folder.path().join("caller.wasm"), folder.path().join("provider.wasm"));
    fs::write(&caller, include_bytes!(env!("KEYLESS_CALLER"))).unwrap();
    fs::write(&provider, keyless_provider_async::CREDENTIAL_PROVIDER_ASYNC).unwrap();
    let config = Config { dir: folder.path().to_owned(), definitions: vec![provider], ..Config::default() };
    ComponentComposer::new(&caller, &config).compose().unwrap()
}
