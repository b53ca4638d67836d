//! A request on its way through the filter, and what becomes of it.

use wasmtime::{Result, bail};

use super::pairs::Pairs;

pub(super) struct Stream {
    /// The plugin that it belongs to.
    pub(super) root: u32,
    pub(super) headers: Pairs,
    pub(super) fate: Fate,
}

pub(super) enum Fate {
    /// The filter is being asked.
    Arriving,
    Paused,
    /// It has gone on, with the headers as they are.
    Forwarded,
    /// The filter has answered it.
    Answered(Reply),
}

#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u32,
    pub(super) details: String,
    pub(super) headers: Pairs,
    pub(super) body: Vec<u8>,
}

impl Stream {
    pub(super) fn new(root: u32, headers: Pairs) -> Self {
        Self { root, headers, fate: Fate::Arriving }
    }

    /// Its headers, as long as they are the filter's to change.
    pub(super) fn changeable(&mut self) -> Result<&mut Pairs> {
        match self.fate {
            Fate::Arriving | Fate::Paused => Ok(&mut self.headers),
            Fate::Forwarded | Fate::Answered(_) => bail!("the request has left the filter"),
        }
    }

    pub(super) fn is_held_back(&mut self) {
        assert!(matches!(self.fate, Fate::Arriving), "it is held back after it has come");
        self.fate = Fate::Paused;
    }

    pub(super) fn goes_on(&mut self) {
        assert!(matches!(self.fate, Fate::Arriving | Fate::Paused), "the request has left the filter");
        self.fate = Fate::Forwarded;
    }

    pub(super) fn is_answered(&mut self, reply: Reply) {
        assert!(matches!(self.fate, Fate::Paused), "the request was not held back");
        self.fate = Fate::Answered(reply);
    }

    /// All headers of that name.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }
}
