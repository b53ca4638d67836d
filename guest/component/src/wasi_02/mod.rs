//! The worlds `provider` and `provider-with-source` of `wit/`: WASI 0.2, and one call at a time.

mod driver;
mod files;
mod provider;
mod requests;
mod source;
