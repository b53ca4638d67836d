//! The file with the identity token. What it may hold is in tests/bad/tokens.json, how it is swapped in tests/cases/.

use keyless_simulation::plot::{BadFile, HOUR, MINUTE, SECOND, What};
use keyless_simulation::promises::Answer;

use crate::{Result, cold, recovers, warm};

#[test]
fn f32_the_file_is_read_for_every_exchange() -> Result {
    let mut life = warm();
    life.calls(MINUTE, 24 * HOUR)?;
    assert!(life.summary.exchanges > 40);
    assert_eq!(life.readings, life.summary.exchanges);
    Ok(())
}

#[test]
fn f33_a_token_that_was_swapped_is_the_one_that_is_sent() -> Result {
    let mut life = warm();
    life.happen(What::RotateKeys { late: 0 })?;
    life.pass(MINUTE)?;
    life.reject(1)?;
    life.pass(SECOND)?;
    assert_eq!(life.status().generation, 2, "the endpoint takes the new token only");
    Ok(())
}

#[test]
fn f34_a_file_that_is_gone_for_a_moment_is_no_failure() -> Result {
    for how in [BadFile::Missing, BadFile::HalfWritten, BadFile::Empty, BadFile::Expired] {
        let mut life = cold();
        life.happen(What::BadFile { lasts: 300, how })?;
        life.call()?;
        life.pass(400)?;
        assert_eq!((life.status().generation, life.status().counters.failures), (1, 0), "{how:?}");
        assert_eq!(life.readings, 4, "at once, and after 10, 50 and 250 ms");
    }
    Ok(())
}

#[test]
fn f35_a_file_that_is_not_there_yet_is_waited_for() -> Result {
    let mut life = cold();
    life.happen(What::BadFile { lasts: 30 * MINUTE, how: BadFile::Missing })?;
    let tally = life.calls(SECOND, 30 * MINUTE)?;
    assert_eq!(tally.codes.into_iter().collect::<Vec<_>>(), ["token-file-missing"]);
    assert_eq!(life.summary.exchanges, 0);
    recovers(&mut life)
}

#[test]
fn f36_an_empty_or_half_written_file_is_named() -> Result {
    for (how, code) in [(BadFile::Empty, "token-empty"), (BadFile::HalfWritten, "token-malformed")] {
        let mut life = cold();
        life.happen(What::BadFile { lasts: MINUTE, how })?;
        let tally = life.calls(SECOND, MINUTE)?;
        assert_eq!(tally.codes.into_iter().collect::<Vec<_>>(), [code]);
        recovers(&mut life)?;
    }
    Ok(())
}

#[test]
fn f38_a_file_that_is_none_is_named() -> Result {
    let mut life = cold();
    life.happen(What::BadFile { lasts: MINUTE, how: BadFile::Unreadable })?;
    let tally = life.calls(SECOND, MINUTE)?;
    assert_eq!(tally.codes.into_iter().collect::<Vec<_>>(), ["token-file-unreadable"]);
    recovers(&mut life)
}

#[test]
fn f39_a_token_that_nobody_renews_is_named_and_not_sent() -> Result {
    let mut life = warm();
    life.happen(What::BadFile { lasts: 3 * HOUR, how: BadFile::Expired })?;
    let tally = life.calls(SECOND, 3_590 * SECOND)?;
    assert_eq!((tally.pending, tally.failed), (0, 0), "what is held is handed out all the same: {tally:?}");
    life.pass(MINUTE)?;
    assert_eq!(life.call()?, Answer::Failed("token-expired"));
    assert_eq!(life.summary.exchanges, 1, "the endpoint is not asked with it");
    life.pass(2 * HOUR)?;
    recovers(&mut life)
}
