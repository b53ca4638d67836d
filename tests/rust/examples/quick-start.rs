//! The quick start of `host/README.md`, to the letter.
//!
//! ```sh
//! SSL_CERT_FILE=... KEYLESS_CONNECTION='...' cargo run --release --bin quick-start
//! ```

include!(concat!(env!("OUT_DIR"), "/quick-start.rs"));
