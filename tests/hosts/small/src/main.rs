//! The small host as a program that `keyless conformance` can start.

use keyless_small_host::driver;
use keyless_small_host::outside::Granted;

fn main() -> wasmtime::Result<()> {
    driver::serve(Box::new(|grant, ca| Ok(Box::new(Granted::new(grant, ca)?))))
}
