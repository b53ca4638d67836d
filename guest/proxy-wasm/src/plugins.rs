//! Whose request it is, where several configurations run in one instance of this module.
//!
//! An instance has every plugin of its worker that has the same `vm_id`, code and `vm_config`. Envoy tells which plugin a
//! stream belongs to by a callback that costs as much as the one for the request's headers, so it is not exported. With one
//! configuration there is nothing to tell apart; with several, the plugin's name tells it.

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::error::{Code, Error};

use crate::host;
use crate::plugin::Plugin;

/// Those of this instance, the newest last.
pub(crate) struct Plugins {
    all: Vec<Named>,
    /// Whether all have the same configuration.
    alike: bool,
    /// Which of them is looked after next.
    next: usize,
}

struct Named {
    name: String,
    plugin: Plugin,
}

impl Plugins {
    pub(crate) const fn new() -> Self {
        Self { all: Vec::new(), alike: true, next: 0 }
    }

    /// One more. Its name may be that of another, as when Envoy gets a new configuration for it: then streams of both get
    /// the newer one's credential until the older is gone. That must not lead to another API.
    pub(crate) fn add(&mut self, root: u32, configuration: &[u8]) -> Result<(), Error> {
        let plugin = Plugin::configure(root, configuration)?;
        let name = name();
        self.all.retain_mut(|other| {
            let stays = other.plugin.root() != root && host::act_for(other.plugin.root());
            if !stays {
                other.plugin.leave();
            }
            stays
        });
        host::act_for(root);
        let elsewhere = |other: &&Named| other.name == name && other.plugin.base_url() != plugin.base_url();
        if let Some(other) = self.all.iter().find(elsewhere) {
            let message = format!(
                "another plugin under this `vm_id` has the same `name` and `root_id` and is for `{}`, this one for `{}`, and their requests could not be told apart; give this one another `name`",
                other.plugin.base_url(),
                plugin.base_url()
            );
            return Err(Error::new(Code::FieldConflict, message));
        }
        self.all.push(Named { name, plugin });
        self.compare();
        Ok(())
    }

    /// That of a context of Envoy's for a plugin.
    pub(crate) fn of_root(&mut self, root: u32) -> Option<&mut Plugin> {
        if self.all.len() > 1 {
            self.look_after_one();
            host::act_for(root);
        }
        self.all.iter_mut().map(|named| &mut named.plugin).find(|plugin| plugin.root() == root)
    }

    /// That of the stream that is acted for.
    #[inline]
    pub(crate) fn of_stream(&mut self) -> Option<&mut Plugin> {
        // The newest goes last.
        if self.alike { self.all.last_mut().map(|named| &mut named.plugin) } else { self.by_name() }
    }

    /// Nobody says when one goes: with each tick of one another is asked for.
    fn look_after_one(&mut self) {
        let at = self.next % self.all.len();
        self.next = at + 1;
        if self.all.get(at).is_some_and(|named| !host::act_for(named.plugin.root())) {
            self.all.remove(at).plugin.leave();
            self.compare();
        }
    }

    #[cold]
    fn by_name(&mut self) -> Option<&mut Plugin> {
        let name = name();
        self.all.iter_mut().rev().find(|named| named.name == name).map(|named| &mut named.plugin)
    }

    fn compare(&mut self) {
        let first = self.all.first().map(|named| named.plugin.fingerprint());
        self.alike = self.all.iter().all(|named| Some(named.plugin.fingerprint()) == first);
    }
}

/// As the operator called it, in both ways that there are.
fn name() -> String {
    let part = |name| host::property(name).map(|part| String::from_utf8_lossy(&part).into_owned());
    format!("{}\0{}", part("plugin_name").unwrap_or_default(), part("plugin_root_id").unwrap_or_default())
}
