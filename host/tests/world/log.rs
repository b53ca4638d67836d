//! What this process logs, as loud as it can, is kept and searched for secrets.

use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

/// From now on everything is kept, of all tests of this process. As in production, other crates say no more than
/// `info`.
pub(crate) fn keep() {
    STARTED.call_once(|| {
        let lines = fmt::layer().with_ansi(false).with_writer(Arc::new(Kept));
        let levels = Targets::new().with_target("keyless", Level::TRACE).with_default(Level::INFO);
        tracing::subscriber::set_global_default(registry().with(lines).with(levels)).unwrap();
    });
}

/// None of these texts was logged, while there was something to log.
#[track_caller]
pub(crate) fn holds_none(secrets: &[&str]) {
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    assert!(log.contains("credential renewed"), "nothing was kept");
    for secret in secrets {
        // A part is bad enough.
        let part = &secret[secret.len() / 2..][..24];
        let line = log.lines().find(|line| line.contains(part));
        assert!(line.is_none(), "a secret was logged: {line:?}");
    }
}

struct Kept;

impl io::Write for &Kept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
