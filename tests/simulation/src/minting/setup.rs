//! What a world is like, drawn from its seed.

use crate::plot::{HOUR, MINUTE, Moment, SECOND};
use crate::random::Random;

/// What one document says.
#[derive(Clone, Debug)]
pub struct Group {
    pub refresh: u64,
    pub grace: u64,
    pub prefix: Option<&'static str>,
    pub size: u64,
    pub most: u64,
    /// The Admin key stands in a file, else in a variable.
    pub key_file: bool,
}

impl Group {
    /// As it is written down.
    #[must_use]
    pub fn document(&self, instance: Option<&str>) -> String {
        let key = if self.key_file { r#"{"file": "/admin-key"}"# } else { r#"{"variable": "ADMIN"}"# };
        let named = |name: &str, text: Option<&str>| {
            text.map_or(String::new(), |text| format!(r#""{name}": "{text}", "#))
        };
        let (prefix, instance) =
            (named("service_account_name_prefix", self.prefix), named("instance", instance));
        format!(
            r#"{{"exchange": {{"type": "openai-service-account", "admin_key": {key}, "project_id": "proj_1", {prefix}{instance}"service_account_name_size": {}, "refresh_interval": {}, "grace": {}, "max_service_accounts": {}}}}}"#,
            self.size,
            self.refresh / SECOND,
            self.grace / SECOND,
            self.most
        )
    }

    /// How long a key is used at most.
    #[must_use]
    pub fn use_ms(&self) -> u64 {
        self.refresh + self.grace
    }
}

/// A place in which one process lives after another.
#[derive(Clone, Debug)]
pub struct Place {
    pub group: usize,
    /// At most one process at a time goes by that name.
    pub instance: Option<&'static str>,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Setup {
    pub groups: Vec<Group>,
    pub places: Vec<Place>,
    /// What the Admin API's clock is off by.
    pub server_off: i64,
    /// How much later than the deed lists tell of it, at most.
    pub lag: u64,
    /// Accounts on a page.
    pub page: usize,
    /// One request in so many meets a fault of its own.
    pub fault_one_in: u64,
    /// One request in so many is the last of its process.
    pub crash_one_in: u64,
    /// How long a process lives on average, if nothing else ends it.
    pub life: u64,
    /// Between two troubles, on average.
    pub calm: u64,
    /// Until everything ends.
    pub lasts: Moment,
}

impl Setup {
    /// The world of a seed.
    pub fn draw(random: &mut Random) -> Self {
        let groups: Vec<_> = (0..random.between(1, 2)).map(|number| group(random, number == 1)).collect();
        let last = groups.len() - 1;
        let one = |instance| Place { group: 0, instance };
        let mut places = match random.between(0, 4) {
            0 | 1 => vec![one(Some("web-0"))],
            2 => vec![one(Some("web-0")), one(Some("web-1"))],
            3 => vec![one(None), one(None)],
            _ => vec![one(None), one(None), one(None)],
        };
        if last > 0 {
            let instance = random.pick(&[None, Some("web-0")]);
            places.push(Place { group: last, instance });
        }
        let refresh = groups.iter().map(|group| group.refresh).min().unwrap();
        Self {
            server_off: i64::try_from(random.between(0, 60 * SECOND)).unwrap() - 30_000,
            lag: random.pick(&[0, 0, 5 * SECOND, 20 * SECOND]),
            page: usize::try_from(random.pick(&[2, 3, 50])).unwrap(),
            fault_one_in: random.pick(&[4, 10, 40, 1_000]),
            crash_one_in: random.pick(&[6, 20, 80, 1_000]),
            life: refresh * random.pick(&[1, 2, 6, 20]),
            calm: refresh * random.pick(&[1, 3, 10]),
            lasts: refresh * 14,
            groups,
            places,
        }
    }

    /// The longest that any key is used.
    #[must_use]
    pub fn longest_use(&self) -> u64 {
        self.groups.iter().map(Group::use_ms).max().unwrap_or(0)
    }
}

fn group(random: &mut Random, other: bool) -> Group {
    let refresh =
        random.pick(&[5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 7 * 24 * HOUR]);
    let day = 24 * HOUR;
    let grace = match random.between(0, 3) {
        0 => 0,
        1 => refresh.min(day),
        _ => random.between(0, refresh) / SECOND * SECOND,
    };
    Group {
        refresh,
        grace,
        prefix: if other { Some("other") } else { random.pick(&[None, Some("ci"), Some("a-b")]) },
        size: random.between(1, 12),
        most: random.pick(&[3, 6, 100, 100]),
        key_file: random.one_in(2),
    }
}
