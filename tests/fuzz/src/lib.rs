//! What the fuzz targets share: how bytes become documents, answers and moments, and what is promised about everything
//! that comes out.

#![expect(clippy::panic, reason = "a broken promise is a crash: that is what a fuzzer looks for")]

pub mod airflow;
pub mod announced;
pub mod attempt;
pub mod connections;
pub mod document;
pub mod input;
pub mod natively;
pub mod platform;
pub mod reply;
pub mod shown;
pub mod token;
pub mod witness;
pub mod written;
