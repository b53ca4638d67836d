//! What goes wrong and when: drawn from a seed, and made smaller when it shows a fault of ours.

use keyless_engine::io::SendFault;

use crate::random::Random;

/// In milliseconds of true time from the start.
pub type Moment = u64;

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;

/// Something happens to the world.
#[derive(Clone, Copy, Debug)]
pub struct Happening {
    pub at: Moment,
    pub what: What,
}

#[derive(Clone, Copy, Debug)]
pub enum What {
    /// The token endpoint is out of order for a while.
    Outage { lasts: u64, how: Outage },
    /// Answers take that long from now on.
    Latency(u64),
    /// Tokens live that long from now on.
    Lifetime(u64),
    /// The token file is not what it should be for a while.
    BadFile { lasts: u64, how: BadFile },
    /// The machine sleeps: its monotonic clock stands still, and nothing of ours runs.
    Suspend(u64),
    /// The wall clock is set.
    SetClock(i64),
    /// The API takes the credential back.
    Revoke,
    /// The platform signs with another key from now on, and the token endpoint knows the old one no longer. What is in the
    /// token file is replaced that much later.
    RotateKeys { late: u64 },
    /// A caller's request with the credential before this one is refused only now.
    LateRefusal,
    /// The process starts again.
    Restart,
    /// A caller wants the credential.
    Call,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// No answer at all, and why.
    Fault(SendFault),
    /// The connection opens and nothing comes.
    Silent,
    Status(u16),
    /// 429 with `Retry-After` in seconds.
    RetryAfter(u64),
    /// The same as a date.
    RetryAfterDate(u64),
    /// 200 and no JSON.
    Garbage,
    /// 200 and JSON without a token.
    NoToken,
    /// 200 and a lifetime that is none.
    NoLifetime,
    /// 200 and a token out of a cache, which is about to end.
    NearlyExpired,
    /// 200 and this body.
    Body(&'static str),
    /// The identity is refused.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFile {
    Missing,
    Empty,
    HalfWritten,
    /// The platform has stopped renewing it, and it has expired.
    Expired,
    Unreadable,
}

/// The happenings of one life of `hours`, in order.
pub fn draw(seed: u64, hours: u64) -> Vec<Happening> {
    let mut random = Random::new(seed);
    let end = hours * HOUR;
    let mut all = Vec::new();
    // Some worlds are calm, some are not.
    let pause = random.pick(&[10 * MINUTE, HOUR, 4 * HOUR, 24 * HOUR]);
    let mut at = 0;
    loop {
        at += random.between(SECOND, 2 * pause);
        if at >= end {
            break;
        }
        let what = trouble(&mut random);
        all.push(Happening { at, what });
        // Tokens of seconds mean an exchange every second: a few minutes of that say as much as days.
        if matches!(what, What::Lifetime(lifetime) if lifetime < 10 * MINUTE) {
            all.push(Happening { at: at + 5 * MINUTE, what: What::Lifetime(HOUR) });
        }
    }
    let pause = random.pick(&[MINUTE, 10 * MINUTE, HOUR]);
    let mut at = 0;
    loop {
        at += random.between(1, 2 * pause);
        if at >= end {
            break;
        }
        all.push(Happening { at, what: What::Call });
    }
    all.sort_by_key(|happening| happening.at);
    all
}

fn trouble(random: &mut Random) -> What {
    let lasts = match random.between(0, 3) {
        0 => random.between(SECOND, MINUTE),
        1 => random.between(MINUTE, 15 * MINUTE),
        2 => random.between(15 * MINUTE, HOUR),
        _ => random.between(HOUR, 5 * HOUR),
    };
    match random.between(0, 11) {
        0..=2 => {
            let seconds = random.pick(&[0, 1, 30, 600, 3_600, 1_000_000_000]);
            let status = random.pick(&[400, 404, 408, 418, 429, 500, 502, 503, 504]);
            let fault = random.pick(&[
                SendFault::Unreachable,
                SendFault::Unresolved,
                SendFault::Untrusted,
                SendFault::Broken,
                SendFault::TooLarge,
            ]);
            let how = random.pick(&[
                Outage::Fault(fault),
                Outage::Silent,
                Outage::Status(status),
                Outage::RetryAfter(seconds),
                Outage::RetryAfterDate(seconds),
                Outage::Garbage,
                Outage::NoToken,
                Outage::NoLifetime,
                Outage::NearlyExpired,
                Outage::Refused,
            ]);
            What::Outage { lasts, how }
        }
        3 => What::Latency(random.pick(&[0, 20, 500, 9_000])),
        4 => What::Lifetime(random.pick(&[
            2 * SECOND,
            10 * SECOND,
            MINUTE,
            10 * MINUTE,
            HOUR,
            24 * HOUR,
            1_000 * HOUR,
        ])),
        5 => {
            let how = random.pick(&[
                BadFile::Missing,
                BadFile::Empty,
                BadFile::HalfWritten,
                BadFile::Expired,
                BadFile::Unreadable,
            ]);
            What::BadFile { lasts, how }
        }
        6 => What::Suspend(lasts),
        7 => {
            let step = i64::try_from(lasts).unwrap();
            What::SetClock(if random.one_in(2) { step } else { -step })
        }
        8 => What::Revoke,
        9 => What::LateRefusal,
        10 => What::RotateKeys { late: random.between(0, 2 * MINUTE) },
        _ => What::Restart,
    }
}

/// Without whatever can be left out, while `fails` still holds.
pub fn shrink(mut plot: Vec<Happening>, fails: &dyn Fn(&[Happening]) -> bool) -> Vec<Happening> {
    let mut piece = plot.len() / 2;
    while piece > 0 {
        let mut from = 0;
        while from < plot.len() {
            let mut shorter = plot.clone();
            shorter.drain(from..(from + piece).min(plot.len()));
            if fails(&shorter) {
                plot = shorter;
            } else {
                from += piece;
            }
        }
        piece /= 2;
    }
    plot
}
