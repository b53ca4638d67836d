//! One VM, as one of Envoy's workers has it: what Envoy calls, and when.

use wasmtime::{Instance, Store, WasmParams, WasmResults};

use super::answer::Answer;
use super::module;
use super::pairs::Pairs;
use super::process::Shared;
use super::streams::Stream;
use super::vm::{After, Call, Offered, Root, Vm};
use crate::counts::fuel;

/// What the filter says to a request's headers.
const CONTINUE: u32 = 0;
const STOP_ALL_AND_WATERMARK: u32 = 4;

pub(super) struct Worker {
    store: Store<Vm>,
    instance: Instance,
}

impl Worker {
    pub(super) fn new(process: Shared, variables: Pairs) -> Self {
        let prepared = module::prepared();
        let mut store = fuel::filled(Store::new(prepared.module().engine(), Vm::new(process, variables)));
        let instance = prepared.instantiate(&mut store).unwrap();
        Self { store, instance }
    }

    /// A plugin of that name. None: the filter does not take the configuration.
    pub(super) fn configure(&mut self, name: &str, configuration: &[u8]) -> Option<u32> {
        let root = self.bare(name);
        let size = u32::try_from(configuration.len()).unwrap();
        let offered = Offered::Configuration(configuration.to_vec());
        match self.call("proxy_on_configure", root, offered, (root, size)) {
            1 => Some(root),
            0_u32 => {
                self.remove(root);
                None
            }
            other => panic!("proxy_on_configure returned {other}"),
        }
    }

    /// A plugin without a configuration.
    pub(super) fn bare(&mut self, name: &str) -> u32 {
        let vm = self.store.data_mut();
        let root = vm.next_context();
        vm.roots.insert(root, Root { name: name.to_owned(), period: 0, next_tick: 0 });
        root
    }

    /// The plugin goes away, as when its configuration is replaced, and its requests with it.
    pub(super) fn remove(&mut self, root: u32) {
        let vm = self.store.data_mut();
        vm.roots.remove(&root);
        vm.streams.retain(|_, stream| stream.root != root);
    }

    /// The timer goes off now, if there is one.
    pub(super) fn tick(&mut self, root: u32) {
        let now = self.now();
        let Some(plugin) = self.store.data_mut().roots.get_mut(&root).filter(|root| root.period > 0) else {
            return;
        };
        plugin.next_tick = now + u64::from(plugin.period);
        self.call::<_, ()>("proxy_on_tick", root, Offered::Nothing, root);
    }

    /// A request has come. What became of it so far is in its stream.
    pub(super) fn request(&mut self, root: u32, headers: Pairs) -> u32 {
        let vm = self.store.data_mut();
        let context = vm.next_context();
        let count = u32::try_from(headers.len()).unwrap();
        vm.streams.insert(context, Stream::new(root, headers));
        let name = "proxy_on_request_headers";
        let action: u32 = self.call_alone(name, context, Offered::Nothing, (context, count, 0_u32));
        let stream = self.store.data_mut().streams.get_mut(&context).expect("the request is there");
        match action {
            CONTINUE => stream.goes_on(),
            STOP_ALL_AND_WATERMARK => stream.is_held_back(),
            other => panic!("{name} returned {other}"),
        }
        self.catch_up();
        context
    }

    /// The API has answered, with that status.
    pub(super) fn respond(&mut self, context: u32, status: u32) {
        let headers = vec![(":status".to_owned(), status.to_string())];
        let parameters = (context, 1_u32, 0_u32);
        let name = "proxy_on_response_headers";
        let action: u32 = self.call(name, context, Offered::ResponseHeaders(headers), parameters);
        assert_eq!(action, CONTINUE, "{name}");
    }

    /// The request is over, or its client has left.
    pub(super) fn forget(&mut self, context: u32) -> Stream {
        self.store.data_mut().streams.remove(&context).expect("the request is there")
    }

    pub(super) fn stream(&self, context: u32) -> &Stream {
        &self.store.data().streams[&context]
    }

    /// Everything that can happen without time passing: requests arrive, answers land, timers go off.
    pub(super) fn progress(&mut self, turn: u64) {
        let world = self.store.data().process.borrow().world.clone();
        self.store.data_mut().flights.hand_over(&world, turn);
        let now = self.store.data().process.borrow().time.now();
        while let Some((call, what)) = self.store.data_mut().flights.land(now, turn) {
            self.deliver(&call, Answer::to_a_request(what));
            // What follows from an answer is sent at once.
            self.store.data_mut().flights.hand_over(&world, turn);
        }
        for root in self.roots() {
            let plugin = &self.store.data().roots[&root];
            if plugin.period > 0 && plugin.next_tick <= now.monotonic_ms {
                self.tick(root);
            }
        }
    }

    /// The monotonic moment at which something happens next.
    pub(super) fn next(&self) -> Option<u64> {
        let vm = self.store.data();
        let timers = vm.roots.values().filter(|root| root.period > 0).map(|root| root.next_tick);
        timers.chain(vm.flights.next(vm.process.borrow().time.now())).min()
    }

    pub(super) fn roots(&self) -> Vec<u32> {
        self.store.data().roots.keys().copied().collect()
    }

    /// WebAssembly instructions so far.
    pub(super) fn instructions(&self) -> u64 {
        fuel::spent(&self.store)
    }

    /// Linear memory, in pages of 64 KiB. It never shrinks.
    pub(super) fn pages(&mut self) -> u64 {
        self.instance.get_memory(&mut self.store, "memory").expect("a memory").size(&self.store)
    }

    fn now(&self) -> u64 {
        self.store.data().process.borrow().time.now().monotonic_ms
    }

    fn deliver(&mut self, Call { root, token, cluster }: &Call, answer: Answer) {
        // Nobody is told whose plugin is gone.
        if !self.store.data().roots.contains_key(root) {
            return;
        }
        let breaks_off = self.store.data().process.borrow().breaks_off == Some(cluster);
        let answer = Some(answer).filter(|_| !breaks_off);
        let count = |count: usize| u32::try_from(count).unwrap();
        let headers = answer.as_ref().map_or(0, |answer| count(answer.headers.len()));
        let body = answer.as_ref().map_or(0, |answer| count(answer.body.len()));
        let offered = answer.map_or(Offered::Nothing, Offered::Answer);
        let parameters = (*root, *token, headers, body, 0_u32);
        self.call::<_, ()>("proxy_on_http_call_response", *root, offered, parameters);
    }

    /// A callback, and what it has asked for.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
        context: u32,
        offered: Offered,
        parameters: P,
    ) -> R {
        let result = self.call_alone(name, context, offered, parameters);
        self.catch_up();
        result
    }

    fn call_alone<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
        context: u32,
        offered: Offered,
        parameters: P,
    ) -> R {
        self.store.data_mut().enter(context, offered);
        let callback = self.instance.get_typed_func::<P, R>(&mut self.store, name).unwrap();
        let result = callback.call(&mut self.store, parameters);
        self.store.data_mut().leave();
        result.unwrap_or_else(|trap| panic!("the filter trapped in {name}: {trap:?}"))
    }

    /// What was to happen after the callback.
    fn catch_up(&mut self) {
        while let Some(after) = self.store.data_mut().after.pop_front() {
            let streams = &mut self.store.data_mut().streams;
            match after {
                After::Continue(context) => streams.get_mut(&context).expect("it is there").goes_on(),
                After::Reply(context, reply) => {
                    let status = reply.status;
                    streams.get_mut(&context).expect("it is there").is_answered(reply);
                    // Envoy takes its own answers through the filters as well.
                    self.respond(context, status);
                }
            }
        }
        while let Some((call, answer)) = self.store.data_mut().at_once.pop_front() {
            self.deliver(&call, answer);
        }
    }
}
