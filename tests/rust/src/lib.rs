//! Keyless in Rust programs. The programs are in `examples/`, their tests in `tests/`; here is nothing but the README of the
//! repository, whose examples are compiled.

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
