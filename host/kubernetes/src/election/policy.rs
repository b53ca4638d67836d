//! Who leads, decided from what was seen and when. No I/O and no clock: moments are handed in, on a clock that only runs on.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::record::{Record, Seen};
use super::{Identity, Timing};

/// What one candidate knows, and what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    identity: Identity,
    timing: Timing,
    /// The Lease as last read or written.
    seen: Option<Seen>,
    /// Since when its record has been as it is, as far as we know: it may be so for longer.
    unchanged_since: Duration,
    /// Whether `seen` may be outdated: an update of it was refused, or its outcome is unknown.
    doubtful: bool,
    /// When our last renewal was sent, while we lead.
    led_from: Option<Duration>,
}

/// We lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    /// At this moment we do not lead any more, unless there is a renewal by then.
    pub(crate) until: Duration,
    /// The Lease's uid: terms of different Leases cannot be compared.
    pub(crate) lease: String,
    /// Grows from leader to leader.
    pub(crate) term: u32,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read the Lease.
    Look,
    /// Write this record, if the Lease still has this version.
    Write(Record, String),
    /// Somebody else leads; look again after so long.
    Wait(Duration),
}

impl Policy {
    pub(crate) fn new(identity: Identity, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            seen: None,
            unchanged_since: Duration::ZERO,
            doubtful: false,
            led_from: None,
        }
    }

    /// What to do now. `wall` goes into the record, for people.
    pub(crate) fn step(&self, now: Duration, wall: Timestamp) -> Step {
        let Some(seen) = self.seen.as_ref().filter(|_| !self.doubtful) else { return Step::Look };
        let record = &seen.record;
        let ours = record.holder.as_deref() == Some(&self.identity.0);
        let lapse = self.unchanged_since + record.duration.unwrap_or(self.timing.lease);
        if record.holder.is_some() && !ours && now < lapse {
            return Step::Wait((lapse - now).min(self.timing.pause()));
        }
        let taken = Record {
            holder: Some(self.identity.0.clone()),
            duration: Some(self.timing.lease),
            acquired: record.acquired.filter(|_| ours).or(Some(wall)),
            renewed: Some(wall),
            transitions: if ours { record.transitions } else { record.transitions.saturating_add(1) },
        };
        Step::Write(taken, seen.version.clone())
    }

    /// The Lease was read; the answer came now.
    pub(crate) fn looked(&mut self, now: Duration, seen: Seen) {
        let unchanged = |before: &Seen| before.uid == seen.uid && before.record == seen.record;
        if !self.seen.as_ref().is_some_and(unchanged) {
            self.unchanged_since = now;
        }
        if seen.record.holder.as_deref() != Some(&self.identity.0) {
            self.led_from = None;
        }
        self.seen = Some(seen);
        self.doubtful = false;
    }

    /// The Lease is not there, or was read and cannot be had; we hold nothing of it.
    pub(crate) fn gone(&mut self) {
        self.seen = None;
        self.led_from = None;
    }

    /// Our record was taken; it was sent at `sent`, and the answer came now.
    pub(crate) fn written(&mut self, sent: Duration, now: Duration, seen: Seen) {
        self.led_from =
            seen.record.holder.as_deref().filter(|holder| *holder == self.identity.0).map(|_| sent);
        self.seen = Some(seen);
        self.unchanged_since = now;
        self.doubtful = false;
    }

    /// Our record was refused, or nobody knows: what we have seen may be outdated.
    pub(crate) fn not_written(&mut self) {
        self.doubtful = true;
    }

    /// Whether we lead. Asked before everything that only a leader may do.
    pub(crate) fn lead(&self, now: Duration) -> Option<Lead> {
        let until = self.led_from? + self.timing.deadline();
        let seen = self.seen.as_ref()?;
        (now < until).then(|| Lead { until, lease: seen.uid.clone(), term: seen.record.transitions })
    }

    /// Who leads, if somebody else does.
    pub(crate) fn other(&self) -> Option<&str> {
        let holder = self.seen.as_ref()?.record.holder.as_deref()?;
        (holder != self.identity.0).then_some(holder)
    }

    /// What to write in order to give the lease back, and the version that it replaces. `None`: it is not ours.
    pub(crate) fn release(&self, now: Duration, wall: Timestamp) -> Option<(Record, String)> {
        self.lead(now)?;
        let seen = self.seen.as_ref().filter(|_| !self.doubtful)?;
        let record = Record {
            holder: None,
            // As client-go leaves it: a lease of nobody is over in a second.
            duration: Some(Duration::from_secs(1)),
            acquired: Some(wall),
            renewed: Some(wall),
            transitions: seen.record.transitions,
        };
        Some((record, seen.version.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_another_holder_leads_no_more() {
        let timing = Timing::of_lease(15);
        let mut policy = Policy::new(Identity("me".into()), timing);
        let at = Duration::from_secs;
        let seen = |holder: &str, version: &str| Seen {
            uid: "1".into(),
            version: version.into(),
            record: Record { holder: Some(holder.into()), duration: Some(at(15)), ..Record::default() },
        };
        policy.written(at(1), at(2), seen("me", "1"));
        assert_eq!(policy.lead(at(10)).map(|lead| lead.until), Some(at(11)));
        assert_eq!(policy.lead(at(11)), None, "counted from when it was sent");
        // Somebody took it by hand.
        policy.looked(at(3), seen("other", "2"));
        assert_eq!(policy.lead(at(4)), None);
        assert_eq!(policy.other(), Some("other"));
        assert_eq!(policy.release(at(4), Timestamp::UNIX_EPOCH), None, "what is not ours is not given back");
    }
}
