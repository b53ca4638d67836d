//! Minting on the whole machine, against a small Admin API.

use alloc::borrow::ToOwned as _;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Account, Prune, Standing};
use crate::io::{Effect, Now, Request, Response, SendFault};
use crate::{Answered, Event, Machine, Variables};

const DOCUMENT: &str = r#"{"exchange": {"type": "openai-service-account", "admin_key": {"variable": "ADMIN"},
    "project_id": "proj_1", "service_account_name_prefix": "ci", "refresh_interval": "1h", "grace": "10m"}}"#;

const START: Now = Now { wall_ms: 1_796_206_000_000, monotonic_ms: 50_000 };
const MINUTE: u64 = 60_000;

struct World {
    machine: Machine,
    now: Now,
    accounts: Vec<(String, String, u64)>,
    made: u64,
    /// What becomes of the next requests, the usual where there is nothing.
    plot: VecDeque<Turn>,
    log: Vec<String>,
}

#[derive(Clone, Copy)]
enum Turn {
    Usual,
    /// It is done, and nobody hears of it.
    DoneAndLost,
    Status(u16),
    /// It is done, and the answer has no key.
    NoKey,
    Says(&'static str),
}

impl World {
    fn new(document: &str) -> Self {
        let variables = Variables::from_iter([("ADMIN".to_owned(), "sk-admin-1".to_owned())]);
        let machine = Machine::open(document, &variables).unwrap();
        Self { machine, now: START, accounts: Vec::new(), made: 0, plot: VecDeque::new(), log: Vec::new() }
    }

    /// Another life of the same connection, in the same world.
    fn starts_over(&mut self, document: &str) {
        self.machine = Self::new(document).machine;
    }

    fn pass(&mut self, ms: u64) {
        self.now = Now { wall_ms: self.now.wall_ms + ms, monotonic_ms: self.now.monotonic_ms + ms };
    }

    /// Everything that happens by itself in that time.
    fn live(&mut self, ms: u64) {
        let end = self.now.monotonic_ms + ms;
        self.act();
        while let Some(at) = self.machine.wake_at(self.now).filter(|at| *at <= end) {
            self.pass(at.saturating_sub(self.now.monotonic_ms).max(1));
            self.act();
        }
        self.pass(end.saturating_sub(self.now.monotonic_ms));
    }

    fn act(&mut self) {
        let mut events = VecDeque::from([Event::Tick]);
        while let Some(event) = events.pop_front() {
            for effect in self.machine.step(self.now, event) {
                if let Effect::Send { id, request } = effect {
                    events.push_back(Event::Response(id, self.answer(&request)));
                }
            }
        }
    }

    fn answer(&mut self, request: &Request) -> Result<Response, SendFault> {
        let header =
            |name: &str| request.headers.iter().find(|(other, _)| *other == name).unwrap().1.expose();
        assert_eq!(header("authorization"), "Bearer sk-admin-1");
        let url = request
            .url
            .strip_prefix("https://api.openai.com/v1/organization/projects/proj_1/service_accounts");
        let rest = url.unwrap().to_owned();
        self.log.push(format!("{} {rest}", request.method));
        let turn = self.plot.pop_front().unwrap_or(Turn::Usual);
        if let Turn::Status(status) = turn {
            return Ok(self.response(status, "{}".to_owned()));
        }
        if let Turn::Says(text) = turn {
            return Ok(self.response(200, text.to_owned()));
        }
        let body = match request.method {
            "GET" => self.list(&rest),
            "POST" => {
                assert_eq!(header("content-length"), request.body.len().to_string());
                let body = crate::json::parse(&request.body).unwrap();
                self.create(body.get("name").unwrap().as_str().unwrap())
            }
            "DELETE" => {
                let id = rest.strip_prefix('/').unwrap();
                let before = self.accounts.len();
                self.accounts.retain(|(other, _, _)| other != id);
                if self.accounts.len() == before {
                    return Ok(self.response(404, "{}".to_owned()));
                }
                format!(
                    r#"{{"object": "organization.project.service_account.deleted", "id": "{id}", "deleted": true}}"#
                )
            }
            other => panic!("{other}"),
        };
        let body = if matches!(turn, Turn::NoKey) { body.replace("\"value\"", "\"redacted\"") } else { body };
        if matches!(turn, Turn::DoneAndLost) { Err(SendFault::Broken) } else { Ok(self.response(200, body)) }
    }

    /// Two on a page, whatever is asked for.
    fn list(&self, query: &str) -> String {
        let after = query.split_once("&after=").map(|(_, after)| after);
        let from =
            after.map_or(0, |after| 1 + self.accounts.iter().position(|(id, _, _)| id == after).unwrap());
        let page: Vec<_> = self.accounts.iter().skip(from).take(2).collect();
        let more = from + page.len() < self.accounts.len();
        let entry = |(id, name, at): &&(String, String, u64)| {
            format!(
                r#"{{"object": "organization.project.service_account", "id": "{id}", "name": "{name}", "role": "member", "created_at": {at}}}"#
            )
        };
        let data = page.iter().map(entry).collect::<Vec<_>>().join(",");
        format!(r#"{{"object": "list", "data": [{data}], "has_more": {more}}}"#)
    }

    fn create(&mut self, name: &str) -> String {
        self.made += 1;
        let (id, at) = (format!("svc_acct_{}", self.made), self.now.wall_ms / 1_000);
        self.accounts.push((id.clone(), name.to_owned(), at));
        let key = format!(
            r#"{{"object": "organization.project.service_account.api_key", "value": "sk-svcacct-{}", "name": "Secret Key", "created_at": {at}, "id": "key_{}"}}"#,
            self.made, self.made
        );
        format!(
            r#"{{"object": "organization.project.service_account", "id": "{id}", "name": "{name}", "role": "member", "created_at": {at}, "api_key": {key}}}"#
        )
    }

    fn response(&self, status: u16, body: String) -> Response {
        let date = date(self.now.wall_ms);
        let headers =
            vec![("Date".to_owned(), date), ("x-request-id".to_owned(), format!("req_{}", self.log.len()))];
        Response { status, headers, body: body.into_bytes().into() }
    }

    fn key(&self) -> Option<String> {
        match self.machine.credential(self.now) {
            Answered::Ready(credential) => {
                credential.headers.first().map(|(_, value)| value.expose().to_owned())
            }
            _ => None,
        }
    }

    fn alive(&self) -> Vec<&str> {
        self.accounts.iter().map(|(id, _, _)| id.as_str()).collect()
    }

    fn survey(&mut self, prune: Prune) -> Vec<Account> {
        self.machine.survey(self.now, prune).unwrap();
        self.act();
        self.machine.surveyed().unwrap().unwrap()
    }
}

/// As HTTP writes it.
fn date(unix_ms: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = unix_ms / 1_000;
    let (year, month, day) = crate::calendar::date(seconds / 86_400);
    let month = MONTHS[usize::try_from(month).unwrap() - 1];
    let of_day = seconds % 86_400;
    format!(
        "Mon, {day:02} {month} {year} {:02}:{:02}:{:02} GMT",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[test]
fn a_key_is_made_followed_by_another_and_deleted_after_its_grace() {
    let mut world = World::new(DOCUMENT);
    world.act();
    assert_eq!(world.key().as_deref(), Some("Bearer sk-svcacct-1"));
    assert_eq!(world.log, ["GET ?limit=50", "POST "]);
    let name = &world.accounts[0].1;
    assert!(name.starts_with("ci-") && name.contains("-keyless-2026"), "{name}");

    world.live(56 * MINUTE);
    assert_eq!(world.made, 1, "not before a twentieth of its time from the hour");
    world.live(4 * MINUTE);
    assert_eq!(world.key().as_deref(), Some("Bearer sk-svcacct-2"));
    assert_eq!(world.alive(), ["svc_acct_1", "svc_acct_2"], "the one before has its grace");
    world.live(10 * MINUTE);
    assert_eq!(world.alive(), ["svc_acct_2"]);
}

#[test]
fn an_answer_that_was_lost_leaves_nothing() {
    let mut world = World::new(DOCUMENT);
    world.plot = [Turn::Usual, Turn::DoneAndLost].into();
    world.act();
    assert_eq!((world.key(), world.alive()), (None, vec!["svc_acct_1"]));
    world.live(MINUTE);
    assert_eq!(world.key().as_deref(), Some("Bearer sk-svcacct-2"));
    assert_eq!(world.alive(), ["svc_acct_2"]);
    assert_eq!(world.log[2..], ["GET ?limit=50", "DELETE /svc_acct_1", "POST "]);
}

#[test]
fn an_account_without_its_key_is_deleted_before_there_is_another() {
    let mut world = World::new(DOCUMENT);
    world.plot = [Turn::Usual, Turn::NoKey].into();
    world.act();
    assert_eq!((world.key(), world.alive()), (None, vec!["svc_acct_1"]));
    world.live(MINUTE);
    assert_eq!(world.alive(), ["svc_acct_2"]);
}

#[test]
fn an_answer_about_another_account_is_no_reason_to_delete_it() {
    let mut world = World::new(DOCUMENT);
    world.accounts.push(("svc_acct_x".to_owned(), "x".to_owned(), 1));
    world.plot = [Turn::Usual, Turn::Says(r#"{"id": "svc_acct_x", "name": "x", "api_key": null}"#)].into();
    world.live(MINUTE);
    assert_eq!(world.alive(), ["svc_acct_x", "svc_acct_1"]);
}

#[test]
fn a_deletion_that_fails_is_repeated_and_the_status_tells() {
    let mut world = World::new(DOCUMENT);
    world.live(61 * MINUTE);
    assert_eq!(world.alive().len(), 2);
    // The look after the grace: a list, and a deletion that is refused.
    world.plot = [Turn::Usual, Turn::Status(500)].into();
    while !world.plot.is_empty() {
        world.live(1_000);
    }
    let warning = world.machine.status(world.now).warnings[0].clone();
    assert_eq!((warning.code, world.alive().len()), ("accounts-not-deleted", 2));
    world.live(2 * MINUTE);
    assert_eq!(world.alive(), ["svc_acct_2"]);
    assert_eq!(world.machine.status(world.now).warnings, []);
}

#[test]
fn what_another_life_left_goes_when_it_has_lapsed_and_not_before() {
    let mut world = World::new(DOCUMENT);
    world.act();
    world.starts_over(DOCUMENT);
    world.live(79 * MINUTE);
    assert!(world.alive().contains(&"svc_acct_1"), "somebody may use it for an hour and twice ten minutes");
    world.live(60 * MINUTE);
    assert!(!world.alive().contains(&"svc_acct_1"), "{:?}", world.alive());
}

#[test]
fn what_an_earlier_life_of_the_same_instance_left_goes_after_the_grace() {
    let document = &DOCUMENT.replace(r#""grace""#, r#""instance": "web-0", "grace""#);
    let mut world = World::new(document);
    world.act();
    world.starts_over(document);
    world.live(9 * MINUTE);
    assert_eq!(world.alive(), ["svc_acct_1", "svc_acct_2"]);
    world.live(2 * MINUTE);
    assert_eq!(world.alive(), ["svc_acct_2"]);
}

#[test]
fn nothing_else_is_ever_deleted() {
    let mut world = World::new(DOCUMENT);
    world.act();
    let ours = world.accounts[0].1.clone();
    for (at, name) in [
        "",
        "ci",
        "ci-0123456789ab",
        "ci-0123456789ab-keyless-20200101t000000z-000000000000",
        &format!("{ours}0"),
        &ours.replace("-keyless-", "-keylesz-"),
    ]
    .into_iter()
    .enumerate()
    {
        world.accounts.push((format!("svc_acct_other{at}"), name.to_owned(), 1));
    }
    world.live(300 * MINUTE);
    assert_eq!(world.alive().iter().filter(|id| id.contains("other")).count(), 6);
    world.survey(Prune::All);
    assert_eq!(world.alive().len(), 6);
}

#[test]
fn nothing_is_created_or_deleted_on_the_word_of_a_list_that_is_not_whole() {
    for doubtful in [
        "no JSON",
        "{}",
        r#"{"object": "list", "data": [], "has_more": true}"#,
        r#"{"object": "list", "data": []}"#,
        r#"{"object": "page", "data": [], "has_more": false}"#,
        r#"{"object": "list", "data": [{"id": "a/../b", "name": "x", "created_at": 1}], "has_more": false}"#,
        r#"{"object": "list", "data": [{"id": "a", "name": 1, "created_at": 1}], "has_more": false}"#,
        r#"{"object": "list", "data": [{"id": "a", "name": "x"}], "has_more": false}"#,
    ] {
        let mut world = World::new(DOCUMENT);
        world.plot = [Turn::Says(doubtful)].into();
        world.act();
        assert_eq!(world.log, ["GET ?limit=50"], "{doubtful}");
        let status = world.machine.status(world.now);
        assert_eq!(status.last_error.unwrap().code().as_str(), "accounts-doubtful");
    }
    // The second page says the same as the first, for ever.
    let mut world = World::new(DOCUMENT);
    let page = r#"{"object": "list", "data": [{"id": "a", "name": "x", "created_at": 1}], "has_more": true}"#;
    world.plot = [Turn::Says(page), Turn::Says(page)].into();
    world.act();
    assert_eq!(world.log.len(), 2);
}

#[test]
fn refusals_say_whose_turn_it_is() {
    for (turns, code) in [
        (vec![Turn::Status(401)], "admin-key-refused"),
        (vec![Turn::Status(403)], "admin-key-refused"),
        (vec![Turn::Status(404)], "project-refused"),
        (vec![Turn::Usual, Turn::Status(400)], "project-refused"),
        (vec![Turn::Usual, Turn::Status(429)], "endpoint-throttled"),
        (vec![Turn::Status(503)], "endpoint-failed"),
        (vec![Turn::Status(302)], "endpoint-redirect"),
    ] {
        let mut world = World::new(DOCUMENT);
        world.plot = turns.into();
        world.act();
        let status = world.machine.status(world.now);
        let error = status.last_error.unwrap();
        assert_eq!(error.code().as_str(), code);
        assert!(!error.message().contains("sk-admin-1"));
    }
}

#[test]
fn a_limit_stops_a_process_that_starts_over_and_over() {
    let document = &DOCUMENT.replace(r#""grace""#, r#""max_service_accounts": 4, "grace""#);
    let mut world = World::new(document);
    for _ in 0..10 {
        world.starts_over(document);
        world.act();
    }
    assert_eq!(world.alive().len(), 4);
    let status = world.machine.status(world.now);
    assert_eq!(status.last_error.unwrap().code().as_str(), "too-many-accounts");
    // What is there lapses, and then there is a key again.
    world.live(85 * MINUTE);
    assert!(world.survey(Prune::Done).iter().all(|account| account.deleted));
    world.live(3 * 60 * MINUTE);
    assert!(world.key().is_some());
}

#[test]
fn keys_that_are_refused_are_not_followed_by_accounts_without_end() {
    let mut world = World::new(DOCUMENT);
    world.act();
    for _ in 0..60 {
        let generation = world.machine.status(world.now).generation;
        world.machine.reject(world.now, generation);
        world.live(MINUTE);
    }
    assert!(world.made <= 8, "{}", world.made);
}

#[test]
fn closing_deletes_what_was_made() {
    let mut world = World::new(DOCUMENT);
    world.live(61 * MINUTE);
    assert_eq!(world.alive().len(), 2);
    world.plot = [Turn::Status(500), Turn::Usual].into();
    world.machine.close(world.now);
    while world.machine.closed().is_none() {
        world.act();
        world.pass(500);
    }
    assert_eq!((world.machine.closed(), world.alive()), (Some(Ok(())), vec![]));
    assert!(!world.machine.due(world.now));

    // Nothing was made: nobody is asked.
    let mut world = World::new(DOCUMENT);
    world.machine.close(world.now);
    world.act();
    assert_eq!((world.machine.closed(), world.log.len()), (Some(Ok(())), 0));
}

#[test]
fn a_close_that_cannot_delete_says_what_is_left() {
    let mut world = World::new(DOCUMENT);
    world.act();
    world.plot = [Turn::Status(500), Turn::Status(500), Turn::Status(500)].into();
    world.machine.close(world.now);
    while world.machine.closed().is_none() {
        world.act();
        world.pass(500);
    }
    let error = world.machine.closed().unwrap().unwrap_err().clone();
    assert_eq!(error.code().as_str(), "accounts-left");
}

#[test]
fn a_survey_tells_what_there_is_and_makes_nothing() {
    let mut world = World::new(DOCUMENT);
    world.live(61 * MINUTE);
    let standings: Vec<_> = world.survey(Prune::Nothing).iter().map(|account| account.standing).collect();
    assert_eq!(standings, [Standing::InUse, Standing::Current]);

    world.starts_over(DOCUMENT);
    let (made, accounts) = (world.made, world.survey(Prune::Nothing));
    assert_eq!((accounts.len(), world.made), (2, made));
    assert!(
        accounts
            .iter()
            .all(|account| account.standing == Standing::InUse && account.alike && !account.deleted)
    );
    world.pass(22 * MINUTE);
    let accounts = world.survey(Prune::Done);
    assert_eq!(accounts.iter().map(|account| account.deleted).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn another_machine_goes_on_where_one_was() {
    let mut world = World::new(DOCUMENT);
    world.live(61 * MINUTE);
    let carried = world.machine.carry();
    world.starts_over(DOCUMENT);
    assert!(world.machine.adopt(&carried));
    assert_eq!(world.key().as_deref(), Some("Bearer sk-svcacct-2"));
    world.live(10 * MINUTE);
    assert_eq!((world.alive(), world.made), (vec!["svc_acct_2"], 2));
}

#[test]
fn what_an_attempt_may_have_left_is_looked_for_though_another_machine_took_it_over() {
    let mut world = World::new(DOCUMENT);
    world.act();
    let carried = world.machine.carry();
    world.plot = [Turn::Usual, Turn::DoneAndLost].into();
    while !world.plot.is_empty() {
        world.live(1_000);
    }
    assert!(world.machine.adopt(&carried));
    world.live(2 * MINUTE);
    assert_eq!(world.alive(), ["svc_acct_1", "svc_acct_3"]);
}

#[test]
fn no_account_is_made_by_the_word_of_an_answer_that_was_slept_through() {
    let mut world = World::new(DOCUMENT);
    let effects = world.machine.step(world.now, Event::Tick);
    let Some(Effect::Send { id, request }) = effects.into_iter().next() else { panic!("nothing is sent") };
    let answer = world.answer(&request);
    world.now.wall_ms += 5 * 60 * MINUTE;
    assert!(world.machine.step(world.now, Event::Response(id, answer)).is_empty());
    assert_eq!(world.machine.status(world.now).last_error.unwrap().code().as_str(), "attempt-timeout");
    world.live(MINUTE);
    let (_, name, created_at) = &world.accounts[0];
    let name = super::name::Name::parse(name, "proj_1").unwrap();
    assert_eq!(
        name.lapse_ms() / 1_000,
        created_at + 80 * 60,
        "an hour of use and twice ten minutes are before it"
    );
}

#[test]
fn names_differ_between_machines_that_start_in_the_same_moment() {
    let mut world = World::new(DOCUMENT);
    for _ in 0..50 {
        world.starts_over(DOCUMENT);
        world.act();
    }
    let mut names: Vec<_> = world.accounts.iter().map(|(_, name, _)| name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 50);
}
