//! Holds what happened against what was expected.

use keyless_engine::io::Now;

use crate::scenario::expect::{CredentialExpect, ErrorExpect, Expect, PlanExpect, StatusExpect, Time};
use crate::trace::{Outcome, Plan, Problem, Step};
use crate::world::ms;

/// Collects what did not hold.
pub struct Check {
    start: Now,
    pub failures: Vec<String>,
}

impl Check {
    pub fn new(start: Now) -> Self {
        Self { start, failures: Vec::new() }
    }

    pub fn opened(
        &mut self,
        names: &Result<Vec<String>, Problem>,
        plan: &Result<Plan, Problem>,
        open: &Result<(), Problem>,
        expect: &Expect,
    ) {
        match &expect.open_error {
            Some(error) => {
                self.problem("open", open.as_ref().err(), error);
                self.problem("plan", plan.as_ref().err(), error);
            }
            None => {
                for (what, problem) in [
                    ("variables", names.as_ref().err()),
                    ("plan", plan.as_ref().err()),
                    ("open", open.as_ref().err()),
                ] {
                    if let Some(problem) = problem {
                        self.failures.push(format!("{what}: {problem:?}"));
                    }
                }
            }
        }
        if let (Ok(names), Ok(plan)) = (names, plan) {
            // A reading without values asks for all that a reading with them may want.
            let missing: Vec<_> = plan.variables.iter().filter(|name| !names.contains(name)).collect();
            self.that(missing.is_empty(), || format!("`variables` did not name {missing:?}"));
        }
        if let (Some(expect), Ok(plan)) = (&expect.plan, plan) {
            self.plan(plan, expect);
        }
    }

    pub fn credential(&mut self, step: &Step, expect: &CredentialExpect) {
        let label = &step.label;
        let Outcome::Credential(result) = &step.outcome else { panic!("{label} is not about a credential") };
        self.equal(label, "exchanges", expect.exchanges, step.exchanges);
        // A call takes no time unless the scenario says how long.
        let took = expect.took.unwrap_or(Time::Exactly(0.0));
        self.time(label, "took", Some(took), Some(step.took_ms), 0);
        match (result, &expect.error) {
            (Err(problem), Some(error)) => self.problem(label, Some(problem), error),
            (Ok(credential), Some(error)) => {
                self.failures
                    .push(format!("{label}: generation {} instead of {}", credential.generation, error.code));
            }
            (Err(problem), None) => self.failures.push(format!("{label}: {problem:?}")),
            (Ok(credential), None) => {
                self.equal(label, "generation", expect.generation, credential.generation);
                self.equal(label, "base_url", expect.base_url.clone(), credential.base_url.clone());
                let authorization = credential.headers.first().filter(|(name, _)| name == "authorization");
                let authorization = authorization.map_or_else(String::new, |(_, value)| value.clone());
                self.equal(label, "authorization", expect.authorization.clone(), authorization);
                self.equal(label, "headers", expect.headers.clone(), credential.headers.clone());
                self.time(label, "renew_at", expect.renew_at, credential.renew_at, self.start.wall_ms);
                self.time(label, "expires_at", expect.expires_at, credential.expires_at, self.start.wall_ms);
                // Promises that need no expectation: nothing is handed out that has expired.
                let alive = credential.expires_at.is_none_or(|end| step.now.wall_ms < end);
                self.that(alive, || format!("{label}: the credential has expired"));
            }
        }
    }

    pub fn status(&mut self, step: &Step, expect: &StatusExpect) {
        let label = &step.label;
        let Outcome::Status(status) = &step.outcome else { panic!("{label} is not a status") };
        self.equal(label, "phase", Some(expect.phase.clone()), status.phase.clone());
        self.equal(label, "generation", expect.generation, status.generation);
        self.equal(label, "renewals", expect.renewals, status.renewals);
        self.equal(label, "failures", expect.failures, status.failures);
        self.equal(label, "failures_in_a_row", expect.failures_in_a_row, status.failures_in_a_row);
        self.equal(label, "exchanges", expect.exchanges, step.exchanges);
        self.time(
            label,
            "next_attempt_at",
            expect.next_attempt_at,
            status.next_attempt_at,
            self.start.wall_ms,
        );
        self.time(label, "expires_at", expect.expires_at, status.expires_at, self.start.wall_ms);
        let last = status.last_error.as_ref().map_or("none", |problem| problem.code.as_str());
        self.equal(label, "last_error", expect.last_error.as_deref(), last);
        let codes: Vec<_> = status.warnings.iter().map(|(code, _)| code.clone()).collect();
        self.equal(label, "warnings", expect.warnings.clone(), codes);
        self.that(step.took_ms == 0, || format!("{label}: `status` took {} ms", step.took_ms));
    }

    fn plan(&mut self, plan: &Plan, expect: &PlanExpect) {
        self.equal("plan", "dialect", expect.dialect.clone(), plan.dialect.clone());
        for (position, wanted) in [(0, &expect.settings), (1, &expect.origins)] {
            for (name, wanted) in wanted {
                let found = plan.settings.iter().find(|(other, ..)| other == name);
                let found = found.map(|(_, value, origin)| [value, origin][position]);
                self.that(found == Some(wanted), || format!("plan: `{name}` is {found:?}, not {wanted:?}"));
            }
        }
        let codes: Vec<_> = plan.warnings.iter().map(|(code, _)| code.clone()).collect();
        self.equal("plan", "warnings", expect.warnings.clone(), codes);
        for text in &expect.warnings_contain {
            let found = plan.warnings.iter().any(|(_, message)| message.contains(text));
            self.that(found, || format!("plan: no warning contains {text:?}: {:?}", plan.warnings));
        }
        let endpoints = plan.endpoints.iter().map(|(method, url)| format!("{method} {url}")).collect();
        self.equal("plan", "endpoints", expect.endpoints.clone(), endpoints);
        self.equal("plan", "files", expect.files.clone(), plan.files.clone());
        self.equal(
            "plan",
            "client certificate",
            Some(expect.client_certificate.clone()),
            plan.client_certificate.clone(),
        );
        self.equal("plan", "variables", expect.variables.clone(), plan.variables.clone());
        if expect.source_component.is_some() {
            let equal = expect.source_component == plan.source_component;
            self.that(equal, || format!("plan: the source component is {:?}", plan.source_component));
        }
    }

    fn problem(&mut self, label: &str, problem: Option<&Problem>, expect: &ErrorExpect) {
        let Some(problem) = problem else {
            return self.failures.push(format!("{label}: no error instead of {}", expect.code));
        };
        let found = format!("{} {}: {}", problem.kind, problem.code, problem.message);
        self.that((&problem.kind, &problem.code) == (&expect.kind, &expect.code), || {
            format!("{label}: not {} {}, but {found}", expect.kind, expect.code)
        });
        for text in &expect.contains {
            self.that(problem.message.contains(text), || format!("{label}: {text:?} is not in {found}"));
        }
        self.time(label, "retry_after", expect.retry_after, problem.retry_after_ms, 0);
    }

    fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        label: &str,
        what: &str,
        wanted: Option<T>,
        found: T,
    ) {
        if let Some(wanted) = wanted {
            self.that(wanted == found, || format!("{label}: {what} is {found:?}, not {wanted:?}"));
        }
    }

    /// `found` and `origin` in milliseconds.
    fn time(&mut self, label: &str, what: &str, wanted: Option<Time>, found: Option<u64>, origin: u64) {
        let at = |seconds: f64| Some(origin + ms(seconds));
        let holds = match wanted {
            None => true,
            Some(Time::Exactly(seconds)) => found == at(seconds),
            Some(Time::Between([from, to])) => found.is_some() && (at(from)..=at(to)).contains(&found),
            Some(Time::Never(_)) => found.is_none(),
        };
        self.that(holds, || {
            let found = found.map(|found| i128::from(found) - i128::from(origin));
            format!("{label}: {what} is {found:?} ms, not {wanted:?} s")
        });
    }

    fn that(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.failures.push(otherwise());
        }
    }
}
