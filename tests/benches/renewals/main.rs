//! `cargo bench -p keyless-tests --bench renewals`: how many renewals a second the library makes, as fast as it can.
//!
//! Against the sandbox's token endpoint, over loopback and TLS, on connections that are kept, with everything that a renewal
//! is: the token file is read, the component makes the request and judges the answer, readers see the credential. The peer is
//! hyper, which sends the same request on a connection made by the same TLS, and does nothing else. One after the other, and
//! several at once, each in a thread of its own beside the sandbox's.

#![expect(clippy::expect_used, reason = "a benchmark may fail loudly")]

mod library;
mod peer;
mod sandbox;

use std::time::Duration;

use library::Library;
use peer::Peer;

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(1);
const AT_ONCE: [usize; 2] = [1, 16];

fn main() {
    let outside = sandbox::start();
    for at_once in AT_ONCE {
        let library = Library::open(&outside, at_once);
        let peer = Peer::connect(&outside, library.request());
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let (ours, theirs) = (library.renew(ROUND), peer.send(ROUND, at_once));
                (ours / theirs, ours, theirs)
            })
            .collect();
        rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (ratio, ours, theirs) = *rounds.get(ROUNDS / 2).expect("as many as were made");
        println!("\n{at_once} at once\n");
        println!("  {:<42} {theirs:>10.0} /s", "hyper: requests");
        println!("  {:<42} {ours:>10.0} /s {ratio:>9.2} of hyper's", "host library: renewals");
    }
}
