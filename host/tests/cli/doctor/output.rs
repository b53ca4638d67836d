//! The report as text.

use super::Stage;

#[test]
fn a_line_for_each_step_then_the_claims_then_what_to_do() {
    let stage = Stage::new();
    let mut keyless = stage.with("svc_acct_sandbox", "svc_acct_other");
    keyless.command.arg("doctor");
    let out = keyless.outcome().out;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let marks: Vec<_> = out.lines().take(7).map(|line| words(line)[0].clone()).collect();
    assert_eq!(marks, ["ok", "ok", "ok", "ok", "failed", "not", "ok"], "{out}");
    let blocks: Vec<_> = out.split("\n\n").collect();
    assert_eq!(blocks.len(), 3, "{out}");
    assert!(blocks[1].starts_with("the identity token says\n  issuer    https://localhost:"), "{out}");
    assert!(blocks[1].contains("\n  subject   system:serviceaccount:default:app\n"), "{out}");
    assert!(blocks[2].starts_with("exchange failed (mapping-missing)\n  cause  "), "{out}");
    assert!(blocks[2].contains("\n  next   "), "{out}");
    assert!(!out.contains('\u{1b}'), "colours in a file: {out:?}");
    assert!(out.lines().all(|line| line.trim_end() == line), "{out:?}");
}
