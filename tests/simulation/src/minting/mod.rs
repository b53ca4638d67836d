//! Keys that connections make themselves: processes that crash, sleep and start again, against a model of OpenAI's Admin API
//! that lags, fails and loses its answers after the deed.
//!
//! ```text
//! seed ──▶ setup (documents, processes, the API's manners) ──▶ play (processes, clocks, requests) ──▶ book (what is promised)
//!                                                                │       ▲
//!                                                                ▼       │
//!                                                              admin (accounts, and the truth about them)
//! ```

pub mod admin;
pub mod book;
pub mod faults;
pub mod names;
pub mod play;
pub mod process;
pub mod requests;
pub mod rotations;
pub mod setup;
mod traffic;
pub mod troubles;
