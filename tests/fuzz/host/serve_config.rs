//! What `keyless.toml` says is to be served: understood as a whole or refused with the field's name and a way out.

#![no_main]

use std::collections::BTreeSet;

use keyless_documents::Names;
use keyless_gateway::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(names) = Names::read(&text) else { return };
    let connections: BTreeSet<String> = names.names().map(str::to_owned).collect();
    let read = Config::read(names.others().clone());
    let checked = read.and_then(|config| config.check(&connections).map(|()| config));
    match checked {
        Ok(config) => {
            // Whatever is used is there, and nobody beyond this machine gets in without having been let in.
            assert!(config.connections(&connections).iter().all(|name| connections.contains(*name)));
            for proxy in config.proxy.values() {
                let guarded = proxy.access.bearer_file.is_some() || proxy.access.anyone;
                assert!(!proxy.listen.is_public() || guarded, "{proxy:?}");
                assert!(proxy.connection.is_some() == proxy.routes.is_empty(), "{proxy:?}");
            }
        }
        Err(fault) => {
            assert!(fault.code.starts_with("serve-") && !fault.what.is_empty() && !fault.next.is_empty());
        }
    }
});
