//! The token file is replaced as fast as the machine can while it is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use keyless::{Cache, Runtime};
use keyless_sandbox::ServiceName;
use tokio::task::JoinSet;

use crate::callers::PATIENCE;
use crate::outside::Outside;
use crate::stage::{LIFETIME, cache, open};

/// At least so many connections read the token, and at least so often it is replaced meanwhile.
const READS: usize = 400;
const SWAPS: usize = 800;
const AT_A_TIME: usize = 20;

/// Replaces the token in a volume until told to stop, as a kubelet does: a new directory, a new link to it in one
/// rename, and the old directory is gone at once.
fn swap(volume: &Path, tokens: &[String], swaps: &AtomicUsize, stop: &AtomicBool) {
    let mut before: Option<String> = None;
    for (number, token) in tokens.iter().cycle().enumerate() {
        let name = format!("..2026_11_21_12_00_00.{number}");
        fs::create_dir(volume.join(&name)).unwrap();
        fs::write(volume.join(&name).join("token"), token).unwrap();
        symlink(&name, volume.join("..data_tmp")).unwrap();
        fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
        match before.replace(name) {
            Some(before) => fs::remove_dir_all(volume.join(before)).unwrap(),
            None => symlink("..data/token", volume.join("token")).unwrap(),
        }
        swaps.store(number, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Opens a connection, which reads the token, and says how many attempts it took beside the good one.
async fn read(runtime: Runtime, document: String) -> u64 {
    let connection = open(&runtime, &document).await;
    connection.ready(PATIENCE).await.unwrap();
    connection.status().failures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_file_that_is_swapped_at_full_speed_is_read_whole() {
    let outside = Outside::new(LIFETIME);
    let sandbox = &outside.sandbox;
    let claims = sandbox.claims();
    let tokens: Vec<_> = (0..16).map(|_| sandbox.issue(&claims).unwrap()).collect();
    let volume = tempfile::tempdir().unwrap();
    let document = sandbox
        .documents()
        .native
        .replace(&*sandbox.volume_path().to_string_lossy(), &volume.path().to_string_lossy());
    let builder = Runtime::builder().cache(Cache::Directory(cache()));
    let runtime = builder.ca_certificates(sandbox.ca_pem().as_bytes()).build().unwrap();

    let (swaps, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let swapping = {
        let (volume, swaps, stop) = (volume.path().to_owned(), Arc::clone(&swaps), Arc::clone(&stop));
        thread::spawn(move || swap(&volume, &tokens, &swaps, &stop))
    };
    let (mut reads, mut repeated) = (0, 0);
    while reads < READS || swaps.load(Ordering::Relaxed) < SWAPS {
        let readers: JoinSet<_> = (0..AT_A_TIME).map(|_| read(runtime.clone(), document.clone())).collect();
        reads += AT_A_TIME;
        repeated += readers.join_all().await.into_iter().sum::<u64>();
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().unwrap();

    let swaps = swaps.load(Ordering::Relaxed);
    let counters = sandbox.counters(ServiceName::Exchange);
    println!("swaps: {reads} reads during {swaps} swaps, {repeated} attempts had to be repeated, 0 errors");
    // Half a token would have been refused.
    let reads = u64::try_from(reads).unwrap();
    assert_eq!((counters.requests, counters.answered(200)), (reads, reads));
}
