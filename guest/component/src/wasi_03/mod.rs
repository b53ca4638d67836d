//! The world `provider` of `wit/async`: WASI 0.3, and a component that is called again while earlier calls wait.

mod bell;
mod driver;
mod files;
mod provider;
mod requests;
mod streams;
