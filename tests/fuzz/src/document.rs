//! What holds for every connection document, good or bad, in whatever dialect.

use keyless_engine::document::Dialect;
use keyless_engine::io::{Effect, FileFault, SendFault, SourceFault};
use keyless_engine::plan::Plan;
use keyless_engine::url::WebUrl;
use keyless_engine::{Error, Event, Machine, Variables};

use crate::attempt;
use crate::input::Input;
use crate::shown;
use crate::written;

/// A document and what stands around it.
pub struct Document {
    /// As it is written.
    pub text: String,
    /// Name and value.
    pub variables: Vec<(String, String)>,
    /// Every marked secret stands in the place of one, so that none may be shown. Bytes alone can make a name out of a
    /// secret, and names are shown.
    pub secretive: bool,
}

/// Variables that a document may read, where the input names none.
const VARIABLES: &[(&str, &str)] = &[
    ("OPENAI_BASE_URL", "https://a.example/v1"),
    ("OPENAI_ORG_ID", "org-1"),
    ("OPENAI_API_KEY", "sk-CANARY-of-a-variable"),
    ("CLIENT_SECRET", "CANARY-client-secret"),
    ("A_VARIABLE", "CANARY-of-a-variable"),
];

impl Document {
    /// What the input says. A first byte below 9 asks for one of `good`, changed by the rest of the input; any other
    /// begins the document itself, after which, behind a zero byte, lines of `NAME=value` may stand.
    #[must_use]
    pub fn from_input(bytes: &[u8], good: &[&str]) -> Self {
        if bytes.first().is_some_and(|byte| *byte < 9) {
            let mut input = Input::new(bytes.get(1..).unwrap_or_default());
            let text = written::document(&mut input, good).to_string();
            let names = keyless_engine::variables(&text).unwrap_or_default();
            let variables = written::variables(&mut input, &names);
            return Self { text, variables, secretive: true };
        }
        let mut input = Input::new(bytes);
        let text = String::from_utf8_lossy(input.record()).into_owned();
        let lines = String::from_utf8_lossy(input.record()).into_owned();
        let named = lines.lines().filter_map(|line| line.split_once('='));
        let usual = VARIABLES.iter().copied().filter(|_| lines.is_empty());
        let variables = named.chain(usual).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { text, variables, secretive: false }
    }

    /// Reads it and checks what comes out. None: it is not good.
    #[must_use]
    pub fn check(&self) -> Option<(Dialect, Plan)> {
        let (dialect, plan) = match keyless_engine::plan(&self.text, &self.set()) {
            Ok(read) => read,
            Err(error) => {
                self.may_show(&error);
                return None;
            }
        };
        self.is_sound(&plan, &keyless_engine::variables(&self.text).unwrap_or_default());
        // What can be planned can be opened.
        let mut machine = match Machine::open(&self.text, &self.set()) {
            Ok(machine) => machine,
            Err(error) => panic!("it can be planned and not opened: {error}"),
        };
        // Nobody there: whatever it tries is announced, and it ends with an error or the key that it was given.
        attempt::run(&mut machine, &plan.requirements, |effect, _| match effect {
            Effect::ReadFile { id, .. } => Some(Event::File(id, Err(FileFault::Missing))),
            Effect::Send { id, .. } => Some(Event::Response(id, Err(SendFault::Unreachable))),
            Effect::AskSource { id, .. } => Some(Event::Source(id, Err(SourceFault::Absent))),
            Effect::Cancel { .. } => None,
        });
        Some((dialect, plan))
    }

    fn may_show(&self, error: &Error) {
        shown::is_presentable(error);
        if self.secretive {
            shown::holds_no_secret(error.message());
        }
    }

    /// `names`: the variables that were to be handed over.
    fn is_sound(&self, plan: &Plan, names: &[String]) {
        for name in &plan.requirements.variables {
            assert!(names.contains(name), "`{name}` is read, and was not asked for beforehand");
        }
        shown::are_presentable(&plan.warnings);
        if self.secretive {
            shown::plan_holds_no_secret(plan);
        }
        for endpoint in &plan.requirements.endpoints {
            let url = endpoint.url.strip_suffix('*').unwrap_or(&endpoint.url);
            let metadata = url.starts_with("http://metadata.google.internal/");
            assert!(metadata || WebUrl::parse_nearby(url).is_ok(), "needs {} {url}", endpoint.method);
        }
    }

    /// The variables, to be read.
    pub(crate) fn set(&self) -> Variables {
        self.variables.iter().cloned().collect()
    }
}
