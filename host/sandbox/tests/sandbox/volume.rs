//! The projected volume: its layout, and that a reader never meets a gap.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use keyless_sandbox::{Options, Sandbox};

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn laid_out_as_the_kubelet_does() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let root = sandbox.volume_path();
    assert_eq!(fs::read_link(sandbox.token_path()).unwrap(), Path::new("..data/token"));
    let first = fs::read_link(root.join("..data")).unwrap();
    let name = first.to_str().unwrap();
    // `..2026_11_21_12_00_00.` and a suffix, relative to the volume.
    assert!(name.starts_with("..20") && name.matches('_').count() == 5 && !name.contains('/'), "{name}");
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(sandbox.directory()), mode(root)), (0o700, 0o1777));
    assert_eq!(mode(&root.join(&first)), 0o755);
    assert_eq!(mode(&root.join(&first).join("token")), 0o644);

    let before = fs::read_to_string(sandbox.token_path()).unwrap();
    sandbox.rotate_token().unwrap();
    assert_ne!(fs::read_link(root.join("..data")).unwrap(), first);
    assert_eq!(fs::read_link(sandbox.token_path()).unwrap(), Path::new("..data/token"));
    assert_ne!(fs::read_to_string(sandbox.token_path()).unwrap(), before);
    assert!(!names(root).contains(&"..data_tmp".to_owned()));
}

#[tokio::test]
async fn raw_content_and_removal() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.write_raw(b"\xff\0 nonsense").unwrap();
    assert_eq!(fs::read(sandbox.token_path()).unwrap(), b"\xff\0 nonsense");
    assert_eq!(fs::read_link(sandbox.token_path()).unwrap(), Path::new("..data/token"));
    sandbox.write_raw(b"").unwrap();
    assert_eq!(fs::read(sandbox.token_path()).unwrap(), b"");

    sandbox.remove_token().unwrap();
    assert_eq!(fs::read(sandbox.token_path()).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert_eq!(names(sandbox.volume_path()).iter().filter(|name| *name == "token").count(), 0);
    sandbox.remove_token().unwrap();
    sandbox.rotate_token().unwrap();
    assert_eq!(fs::read_to_string(sandbox.token_path()).unwrap().split('.').count(), 3);
}

#[tokio::test]
async fn a_reader_sees_200_swaps_without_a_gap() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let path = sandbox.token_path();
    let (done, reading) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut reads, mut changes, mut last) = (0_u32, 0_u32, String::new());
            while !done.load(Ordering::Relaxed) {
                let token = fs::read_to_string(&path).unwrap();
                assert_eq!(token.split('.').count(), 3, "a partial token of {} bytes", token.len());
                assert_eq!(token.rsplit('.').next().unwrap().len(), 86, "the signature is cut");
                changes += u32::from(token != last);
                last = token;
                reads += 1;
                reading.store(true, Ordering::Relaxed);
            }
            (reads, changes)
        });
        while !reading.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        for _ in 0..200 {
            sandbox.rotate_token().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let (reads, changes) = reader.join().unwrap();
        assert!(reads > 0 && changes > 1, "{reads} reads saw {changes} tokens");
    });
}
