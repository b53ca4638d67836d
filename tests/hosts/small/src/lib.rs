//! The smallest whole host of `credential-machine.wasm`, for people who write one in another language.
//!
//! [`host`] drives the [`machine`], [`outside`] performs what it asks for, [`grant`] says what may be asked: together they are the
//! host. [`driver`] lets `keyless conformance` drive it; [`pure`], [`wire`] and [`json`] are that protocol's spelling of what
//! the WIT has. docs/write-a-host.md explains the host piece by piece.

pub mod bindings;
pub mod driver;
pub mod grant;
pub mod host;
pub mod json;
pub mod machine;
pub mod outside;
pub mod pure;
pub mod wire;
