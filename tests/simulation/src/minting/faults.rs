//! What goes wrong with one request.

use keyless_engine::io::SendFault;

use crate::plot::SECOND;
use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never leaves.
    Refused(SendFault),
    /// It is not done, and the answer says so.
    Status(u16),
    /// As before, with `Retry-After` in seconds.
    RetryAfter(u64),
    /// It is done, and the connection breaks.
    DoneAndBroken,
    /// It is done so much later, and nobody waits as long.
    DoneAndSilent(u64),
    /// It is done, and the answer is somebody's who stands between.
    DoneAndStatus(u16),
    /// It is done, and the answer is no JSON.
    Garbage,
    /// It is done, and the answer is cut off.
    CutOff,
    /// It is done, and the answer has no key.
    NoKey,
    /// It is done, and the answer is about another account.
    Another,
}

impl Fault {
    /// Something of everything.
    pub fn draw(random: &mut Random) -> Self {
        match random.between(0, 11) {
            0 => Self::outage(random),
            1 | 2 => Self::DoneAndBroken,
            3 | 4 => Self::DoneAndSilent(random.between(0, 25 * SECOND)),
            5 => Self::DoneAndStatus(random.pick(&[408, 500, 502, 504])),
            6 => Self::Garbage,
            7 => Self::CutOff,
            8 | 9 => Self::NoKey,
            10 => Self::Another,
            _ => Self::Status(random.pick(&[400, 403, 404, 409, 418, 500])),
        }
    }

    /// What the API may be like for hours.
    pub fn outage(random: &mut Random) -> Self {
        let seconds = random.pick(&[0, 1, 30, 600, 7_200]);
        let fault = random.pick(&[SendFault::Unreachable, SendFault::Unresolved, SendFault::TimedOut]);
        let status = random.pick(&[401, 429, 500, 503]);
        random.pick(&[Self::Refused(fault), Self::Status(status), Self::RetryAfter(seconds)])
    }
}
