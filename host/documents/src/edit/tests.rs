//! What is changed, and what is not.

use super::*;

const FILE: &str = "\
# Ours. Ask before you change it.

default = 'a'   # for the laptop

[connections]
uri = 'openai://:sk-1@'   # old
# About kept.
kept = 'openai://:sk-2@'

# About a.
[connections.a]
api_key = { variable = 'A' }
# exchange = 'later'

# A section of its own.

# About b.
[connections.b]
api_key = 'k'
# inside
api.project = 'p'   # trailing

[connections.b.more]
x = [
  1, # one
]

[proxy.x]
listen = '127.0.0.1:1'
";

const LINES: [Line<'_>; 3] = [
    Line::Text("nickname", "it's \"new\""),
    Line::Comment("a note"),
    Line::Reference("api_key", "file", "/keys/n"),
];
const BLOCK: &str =
    "[connections.n]\nnickname = \"it's \\\"new\\\"\"\n# a note\napi_key = { file = \"/keys/n\" }\n";

#[track_caller]
fn edited(result: Result<String, Fault>) -> String {
    result.unwrap_or_else(|fault| panic!("{fault:?}"))
}

#[test]
fn a_new_one_stands_behind_the_others() {
    let text = edited(put(FILE, "n", &LINES));
    assert_eq!(text, FILE.replace("]\n\n[proxy", &format!("]\n\n{}\n[proxy", quoted_block())));
    assert_eq!(edited(put("", "n", &LINES)), quoted_block());
    assert_eq!(edited(put("x = 1", "n", &LINES)), format!("x = 1\n\n{}", quoted_block()));
    let dotted = "connections.a.api_key = 'k'\nz = 1\n";
    assert_eq!(edited(put(dotted, "n", &LINES)), format!("{dotted}\n{}", quoted_block()));
}

/// toml_edit chooses the quotes; what they hold is for the reader to say.
fn quoted_block() -> String {
    let written = block("n", &LINES);
    let names = Names::read(&written).unwrap_or_else(|fault| panic!("{fault:?}"));
    let expected = Names::read(BLOCK).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(names.document("n"), expected.document("n"));
    written
}

#[test]
fn settings_that_are_commented_out_stay_with_their_table() {
    let text = "[connections.a]\napi_key = 'k'\n# more\n\n[ops]\nx = 1\n";
    let expected = format!("[connections.a]\napi_key = 'k'\n# more\n\n{}\n[ops]\nx = 1\n", quoted_block());
    assert_eq!(edited(put(text, "n", &LINES)), expected);
    let next = "[connections.a]\napi_key = 'k'\n# about ops\n[ops]\nx = 1\n";
    let text = edited(put(next, "n", &LINES));
    assert!(text.ends_with("\n\n# about ops\n[ops]\nx = 1\n"), "{text}");
}

#[test]
fn one_that_is_replaced_keeps_its_place_and_the_comment_above() {
    let text = edited(put(FILE, "a", &[Line::Text("api_key", "z")]));
    assert_eq!(text, FILE.replace("api_key = { variable = 'A' }", "api_key = \"z\""));
    let text = edited(put(FILE, "kept", &[Line::Text("api_key", "z")]));
    assert!(text.contains("1, # one\n]\n\n[connections.kept]\napi_key = \"z\"\n\n[proxy.x]"), "{text}");
    assert!(!text.contains("sk-2"));
}

#[test]
fn what_is_removed_takes_its_own_comment_with_it_and_no_other() {
    let without_b = edited(remove(FILE, "b"));
    let (before, rest) = FILE.split_once("# About b.").unwrap();
    let (_, after) = rest.split_once("[proxy.x]").unwrap();
    assert_eq!(without_b, format!("{before}[proxy.x]{after}"));
    assert_eq!(edited(remove(FILE, "kept")), FILE.replace("# About kept.\nkept = 'openai://:sk-2@'\n", ""));
    let without_a = edited(remove(FILE, "a"));
    assert!(!without_a.contains("default") && !without_a.contains("About a"), "{without_a}");
    assert!(without_a.starts_with("# Ours. Ask before you change it.\n\n[connections]\n"), "{without_a}");
    assert!(without_a.contains("# exchange = 'later'"), "nobody's for sure, so it stays: {without_a}");
    assert_eq!(edited(remove("# Ours.\n[connections.a]\napi_key = 'k'\n", "a")), "# Ours.\n");
    assert_eq!(edited(remove("x = 1\n\n[connections.a]\napi_key = 'k'", "a")), "x = 1\n");
    assert_eq!(
        edited(remove("connections.a.api_key = 'k'\nconnections.b.api_key = 'k'\n", "a")),
        "connections.b.api_key = 'k'\n"
    );
}

#[test]
fn put_and_removed_again_it_is_the_same_file() {
    for text in [FILE, "", "x = 1\n", "# only words\n", "[ops]\nlisten = 'x'\n"] {
        assert_eq!(edited(remove(&edited(put(text, "n", &LINES)), "n")), text, "{text}");
    }
}

#[test]
fn a_default_is_set_where_it_stands_or_at_the_top() {
    let b = edited(set_default(FILE, "b"));
    assert_eq!(b, FILE.replace("'a'   # for", "\"b\"   # for"));
    let text = "# Ours.\n\n# About a.\n[connections.a]\napi_key = 'k'\n";
    assert_eq!(
        edited(set_default(text, "a")),
        "# Ours.\n\ndefault = \"a\"\n\n# About a.\n[connections.a]\napi_key = 'k'\n"
    );
    assert_eq!(
        edited(set_default("[connections.a]\napi_key='k'\n", "a")),
        "default = \"a\"\n\n[connections.a]\napi_key='k'\n"
    );
}

#[test]
fn line_ends_are_kept() {
    let text = FILE.replace('\n', "\r\n");
    let with = edited(put(&text, "n", &LINES));
    assert_eq!(with.matches('\n').count(), with.matches("\r\n").count());
    assert_eq!(edited(remove(&with, "n")), text);
}

#[test]
fn what_would_touch_something_else_is_refused() {
    let inline = "connections = { a = { api_key = 'canary' }, b = { api_key = 'k' } }\n";
    for fault in
        [put(inline, "n", &LINES).err(), remove(inline, "a").err(), remove("default = 'canary", "a").err()]
    {
        let fault = fault.unwrap();
        assert!(!fault.what.contains("canary") && !fault.next.is_empty(), "{fault:?}");
    }
}

#[test]
fn a_broken_neighbour_is_left_alone() {
    let text = "[connections.bad]\nsince = 07:30:00\n\n[connections]\nworse = [1]\n";
    let with = edited(put(text, "n", &LINES));
    assert!(with.contains("since = 07:30:00") && with.contains("worse = [1]"), "{with}");
    assert_eq!(edited(remove(&with, "n")), text);
}

#[test]
fn a_note_is_read_where_it_was_written() {
    let text = edited(put(FILE, "n", &LINES));
    assert_eq!(comments_above(&text, "n", "api_key"), ["a note"]);
    assert_eq!(comments_above(&text, "b", "api_key"), Vec::<String>::new());
    assert_eq!(comments_above(&text, "none", "api_key"), Vec::<String>::new());
}
