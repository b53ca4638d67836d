//! Values that all VMs under one `vm_id` see, with compare-and-swap.

use std::collections::BTreeMap;

use keyless_engine::io::Now;

#[derive(Default)]
pub(super) struct SharedData {
    values: BTreeMap<String, Value>,
    last_cas: u32,
    interference: Option<Interference>,
}

/// What another worker does just before one does this to a key that ends like that: they are threads.
struct Interference {
    access: Access,
    end: &'static str,
    act: Box<Act>,
}

/// With the key.
type Act = dyn FnOnce(&mut SharedData, &str);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Get,
    Set,
}

#[derive(Clone)]
pub(super) struct Value {
    pub(super) bytes: Vec<u8>,
    /// Names this version of it. Never 0.
    pub(super) cas: u32,
    /// When its first eight bytes last changed: in the key `lead`, whose turn it is.
    pub(super) since: Now,
}

impl SharedData {
    pub(super) fn get(&mut self, key: &str) -> Option<&Value> {
        self.interfere(Access::Get, key);
        self.values.get(key)
    }

    /// False, and nothing changes, if there is a value of another version. `cas` 0 overwrites any.
    pub(super) fn set(&mut self, key: String, bytes: Vec<u8>, cas: u32, now: Now) -> bool {
        self.interfere(Access::Set, &key);
        let before = self.values.get(&key);
        if before.is_some_and(|before| cas != 0 && cas != before.cas) {
            return false;
        }
        self.last_cas += 1;
        let unchanged = before.filter(|before| before.bytes.first_chunk::<8>() == bytes.first_chunk());
        let since = unchanged.map_or(now, |before| before.since);
        self.values.insert(key, Value { bytes, cas: self.last_cas, since });
        true
    }

    /// Those whose key ends like that.
    pub(super) fn ending(&self, end: &str) -> Vec<&Value> {
        self.values.iter().filter(|(key, _)| key.ends_with(end)).map(|(_, value)| value).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Once, at the next access of that kind.
    pub(super) fn interfere_with(
        &mut self,
        access: Access,
        end: &'static str,
        act: impl FnOnce(&mut Self, &str) + 'static,
    ) {
        self.interference = Some(Interference { access, end, act: Box::new(act) });
    }

    pub(super) fn values(&self) -> BTreeMap<String, Value> {
        self.values.clone()
    }

    /// Others have written all this.
    pub(super) fn replace(&mut self, values: BTreeMap<String, Value>) {
        self.values = values;
        self.last_cas = self.values.values().map(|value| value.cas).max().unwrap_or(0);
    }

    fn interfere(&mut self, access: Access, key: &str) {
        let now = |interference: &mut Interference| {
            interference.access == access && key.ends_with(interference.end)
        };
        if let Some(Interference { act, .. }) = self.interference.take_if(now) {
            act(self, key);
        }
    }
}

#[test]
fn only_who_knows_the_present_version_changes_it() {
    let mut data = SharedData::default();
    let mut set = |cas| {
        let set = data.set("k".to_owned(), vec![1], cas, Now::default());
        (set, data.get("k").unwrap().cas)
    };
    // Nothing is there yet: any number will do.
    assert_eq!(set(77), (true, 1));
    assert_eq!(set(77), (false, 1));
    assert_eq!(set(1), (true, 2));
    assert_eq!(set(1), (false, 2));
    assert_eq!(set(0), (true, 3));
}
