//! Keyless under tower, reqwest and async-openai: the real clients, the real component, and the sandbox, which checks what
//! it receives.

mod api;
mod async_openai;
mod load;
mod programs;
mod reqwest;
mod tower;
mod world;
