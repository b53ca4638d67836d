//! Environment variables, as far as the host hands them over.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::secret::Secret;

/// Name and value of variables; remembers which ones a document asked for.
#[derive(Default)]
pub struct Variables {
    values: Vec<(String, Secret)>,
    asked: RefCell<Vec<String>>,
}

impl Variables {
    /// The value. A variable that is empty counts as unset, as most programs have it.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let mut asked = self.asked.borrow_mut();
        if !asked.iter().any(|other| other == name) {
            asked.push(name.to_owned());
        }
        let value = self.values.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        value.filter(|value| !value.expose().trim().is_empty())
    }

    /// A variable that the host sets and no document asks for.
    #[must_use]
    pub fn of_host(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(other, _)| other == name);
        value.map(|(_, value)| value.expose().trim()).filter(|value| !value.is_empty())
    }

    /// The names asked for, in that order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
        Self { values, asked: RefCell::default() }
    }
}
