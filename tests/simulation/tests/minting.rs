//! Ten thousand rotations of keys that connections make themselves, in which no promise may be broken; and that each can be.

use keyless_simulation::minting::play::play;
use keyless_simulation::minting::rotations::{INTERRUPTIONS, rotate};
use keyless_simulation::minting::troubles::Sabotage;

const ROTATIONS: u64 = 10_000;

#[test]
fn no_promise_is_broken_in_ten_thousand_rotations() {
    let tally = rotate(0, ROTATIONS, Sabotage::None).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{tally}");
    assert!(tally.rotations >= ROTATIONS);
    // What is promised was to be seen, and every step was interrupted in every way.
    assert!(tally.looks > ROTATIONS / 4 && tally.closed > 500 && tally.served > tally.calls / 2, "{tally}");
    for what in ["list", "next page", "create", "delete"] {
        for (interruption, _) in INTERRUPTIONS {
            let count = tally.interrupted.get(&(what, interruption)).copied().unwrap_or(0);
            assert!(count >= 20, "{what} {interruption:?}: {count} times");
        }
    }
}

#[test]
fn a_seed_is_one_world() {
    let world = |seed| format!("{:?}", play(seed, Sabotage::None, true));
    assert_eq!(world(7), world(7));
    assert_ne!(world(7), world(8));
}

/// What is done wrongly, and a word of what is said about it.
#[test]
fn every_promise_can_be_broken() {
    for (sabotage, words) in [
        (Sabotage::Graceless, &["before its grace is over"][..]),
        (Sabotage::DeletesNothing, &["a third account"]),
        (Sabotage::HidesAccounts, &["is left at the end of the world"]),
        (Sabotage::DeletesAnother, &["somebody else's"]),
        (Sabotage::Restarts, &["is valid, and is not handed out"]),
        (Sabotage::ForgetsWhatWasLost, &["nobody has its key", "a third account"]),
        (Sabotage::HidesDoubt, &["on the word of a doubtful list"]),
        (Sabotage::HidesKeys, &["is valid, and is not handed out"]),
        (Sabotage::ClosesAtOnce, &["ended well, and"]),
    ] {
        let broken = rotate(0, ROTATIONS, sabotage).unwrap_err();
        assert!(words.iter().any(|word| broken.contains(word)), "{sabotage:?}: {broken}");
        assert!(broken.contains("--seed "), "{broken}");
    }
}
