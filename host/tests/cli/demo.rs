//! `keyless demo`: the whole story, as a machine reads it.

use crate::harness::keyless;

#[test]
fn every_step_of_the_demo_holds() {
    let demo = keyless(["demo", "--json"]).json();
    assert_eq!(demo["ok"], true, "{demo:#}");
    let steps = demo["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "sandbox", "plan", "grant", "token", "call", "rotate", "renewal", "outage", "401", "beyond",
            "total"
        ]
    );
    let facts = |name: &str| &steps.iter().find(|step| step["step"] == name).unwrap()["facts"];
    assert_eq!(facts("plan")["endpoints"].as_array().unwrap().len(), 1);
    assert!(facts("call")["pieces"].as_u64().unwrap() > 1);
    assert!(facts("renewal")["ahead_ms"].as_u64().unwrap() > 0);
    assert_eq!(facts("outage")["refused"], 2);
    assert!(facts("401")["recovered"].as_u64().unwrap() > 0);
    assert_eq!(facts("beyond")["code"], "grant-exceeded");
    assert_eq!(facts("total")["failed"], 0);
    assert!(facts("total")["calls"].as_u64().unwrap() > 100);
}
