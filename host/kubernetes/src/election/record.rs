//! What stands in a Lease.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;

/// No lease is believed to be longer: a Lease is an object that anybody with access may have filled.
const LONGEST: Duration = Duration::from_secs(3600);

/// Who leads. Another one for every start of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(pub(crate) String);

impl Identity {
    /// The pod's name, as people look for it, and what no other process has.
    #[must_use]
    pub fn of_this_process() -> Self {
        let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
        let host: String = host.as_deref().unwrap_or("keyless").chars().take(63).collect();
        // Seeded by the operating system.
        let random = RandomState::new().hash_one(std::process::id());
        Self(format!("{host}_{random:016x}"))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Lease as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Of the object: another one when it was deleted and made anew.
    pub(crate) uid: String,
    /// Names the state that an update replaces.
    pub(crate) version: String,
    pub(crate) record: Record,
}

/// Who holds it. The times are those of the holder's wall clock, and are compared for equality only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// `None`: nobody.
    pub(crate) holder: Option<String>,
    /// `None`: it does not say.
    pub(crate) duration: Option<Duration>,
    pub(crate) acquired: Option<Timestamp>,
    pub(crate) renewed: Option<Timestamp>,
    /// How often the holder has changed.
    pub(crate) transitions: u32,
}

impl Seen {
    pub(crate) fn of(lease: &Lease) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Self {
            uid: lease.metadata.uid.clone().unwrap_or_default(),
            version: lease.metadata.resource_version.clone().unwrap_or_default(),
            record: Record {
                holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
                duration: seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST)),
                acquired: spec.acquire_time.map(|time| time.0),
                renewed: spec.renew_time.map(|time| time.0),
                transitions: spec.lease_transitions.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            },
        }
    }
}

impl Record {
    /// The Lease with this in place of what it said; what else it holds (labels, owners) stays as it was.
    pub(crate) fn put_into(&self, lease: &mut Lease) {
        let seconds = |duration: Duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
        let spec = lease.spec.get_or_insert_with(LeaseSpec::default);
        // An empty holder is how client-go gives a lease back.
        spec.holder_identity = Some(self.holder.clone().unwrap_or_default());
        spec.lease_duration_seconds = self.duration.map(seconds);
        spec.acquire_time = self.acquired.map(MicroTime);
        spec.renew_time = self.renewed.map(MicroTime);
        spec.lease_transitions = Some(i32::try_from(self.transitions).unwrap_or(i32::MAX));
    }
}

/// As precise as a Lease keeps it, so that what was written is equal to what is read.
pub(crate) fn wall_clock() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let record = Record {
            holder: Some("pod-1_00".into()),
            duration: Some(Duration::from_secs(15)),
            acquired: Some(wall_clock()),
            renewed: Some(wall_clock()),
            transitions: 7,
        };
        let mut lease = Lease::default();
        record.put_into(&mut lease);
        let text = serde_json::to_string(&lease).unwrap();
        assert_eq!(Seen::of(&serde_json::from_str(&text).unwrap()).record, record);
    }

    #[test]
    fn a_lease_may_hold_anything() {
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(-1),
            lease_transitions: Some(-7),
            ..LeaseSpec::default()
        };
        let seen = Seen::of(&Lease { spec: Some(spec), ..Lease::default() });
        assert_eq!(seen.record, Record::default());
        let spec = LeaseSpec { lease_duration_seconds: Some(i32::MAX), ..LeaseSpec::default() };
        let seen = Seen::of(&Lease { spec: Some(spec), ..Lease::default() });
        assert_eq!(seen.record.duration, Some(LONGEST));
    }

    #[test]
    fn two_starts_are_two_identities() {
        assert_ne!(Identity::of_this_process(), Identity::of_this_process());
    }
}
