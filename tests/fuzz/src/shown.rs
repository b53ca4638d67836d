//! What people, logs and metrics get to see.

use keyless_engine::Error;
use keyless_engine::plan::{Plan, Warning};

/// Part of every secret that the targets put somewhere.
pub const MARK: &str = "CANARY";

/// One line of text that says something, and a time to wait that the lease may keep.
pub fn is_presentable(error: &Error) {
    let message = error.message();
    assert!(!message.trim().is_empty() && !message.contains(char::is_control), "{message:?}");
}

/// No secret.
pub fn holds_no_secret(text: &str) {
    assert!(!text.contains(MARK), "a secret is shown: {text}");
}

/// Everything of a plan that is shown.
pub fn plan_holds_no_secret(plan: &Plan) {
    plan.settings.iter().for_each(|setting| holds_no_secret(&setting.value));
    plan.warnings.iter().for_each(|warning| holds_no_secret(&warning.message));
}

/// One line each.
pub fn are_presentable(warnings: &[Warning]) {
    for Warning { code, message } in warnings {
        assert!(!message.trim().is_empty() && !message.contains(char::is_control), "{code}: {message:?}");
    }
}
