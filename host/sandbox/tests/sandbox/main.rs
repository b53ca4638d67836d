//! The sandbox through its own ports, as any client meets it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

mod admin;
mod anthropic;
mod aws;
mod client;
mod codex;
mod documents;
mod exchange;
mod faults;
mod keys;
mod lifecycle;
mod oauth;
mod openai_admin;
mod platforms;
mod upstream;
mod volume;
