use super::*;
use crate::connection::Auth;
use crate::key::Key;
use crate::plan::Origin;

fn open(text: &str) -> Result<Document, Error> {
    read(text, &Variables::default())
}

fn with(text: &str, variables: &[(&str, &str)]) -> Document {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read(text, &variables).unwrap()
}

fn fails(text: &str) -> Error {
    open(text).err().unwrap_or_else(|| panic!("accepted: {text}"))
}

/// Base URL, API key.
fn key(text: &str) -> (String, String) {
    let connection = open(text).unwrap_or_else(|error| panic!("{text}: {error}")).connection;
    let Auth::ApiKey(Key::Held(key)) = connection.auth else { panic!("{text}: not a key") };
    (connection.api.base_url.value.as_str().to_owned(), key.value.expose().to_owned())
}

fn settings(text: &str) -> Vec<(String, String)> {
    let (_, plan) = plan(text, &Variables::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    plan.settings.into_iter().map(|setting| (setting.name, setting.value)).collect()
}

fn setting(text: &str, name: &str) -> Option<String> {
    settings(text).into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn warnings(text: &str) -> Vec<&'static str> {
    let (_, plan) = plan(text, &Variables::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    plan.warnings.into_iter().map(|warning| warning.code).collect()
}

const API: &str = "https://api.openai.com/v1";

/// The reference's table of what Airflow makes of a URI, where a key is given so that there is a connection at all.
#[test]
fn airflow_uris_are_read_as_airflow_reads_them() {
    for (uri, base_url, api_key) in [
        ("openai://:sk-abc%2F1@", API, "sk-abc/1"),
        ("openai://https://:k@eu.api.openai.com%2Fv1", "https://eu.api.openai.com/v1", "k"),
        ("openai://https://:k@eu.api.openai.com/v1", "https://eu.api.openai.com", "k"),
        ("openai://:k@https%3A%2F%2Feu.api.openai.com%2Fv1", "https://eu.api.openai.com/v1", "k"),
        ("openai://:k@https%3A%2F%2FEU.api.openai.com%2Fv1", "https://EU.api.openai.com/v1", "k"),
        ("OpenAI://https://:k@EU.api.openai.com", "https://eu.api.openai.com", "k"),
        ("openai://https://user:k@[::1]:8080/x?a=b", "https://::1", "k"),
        ("openai://:a+b%20@", API, "a+b"),
        ("openai://:k@/?openai_client_kwargs=", API, "k"),
        ("openai://:sk-wrapped\r\n\t-in-yaml@", API, "sk-wrapped-in-yaml"),
        (
            "openai://:p@?__extra__=%7B%22openai_client_kwargs%22%3A%7B%22api_key%22%3A%22q%22%7D%7D&x=y",
            API,
            "q",
        ),
    ] {
        // What Airflow accepts and hands to its client, its client may still refuse; so do we, before it is used.
        match open(uri) {
            Ok(_) => assert_eq!(key(uri), (base_url.to_owned(), api_key.to_owned()), "{uri}"),
            Err(error) if uri.contains("[::1]") => assert_eq!(error.code(), Code::FieldUrl, "{uri}"),
            Err(error) => panic!("{uri}: {error}"),
        }
    }
}

#[test]
fn airflow_uris_that_airflow_refuses_are_refused() {
    for (uri, word) in [
        ("openai://:k@https://eu.api.openai.com", "before the scheme"),
        ("openai://?audience=https://a&openai_base=https://b", "more than twice"),
        ("openai://:k@h:99999", "65535"),
        ("openai://:k@h:http", "not a number"),
        ("openai://:k@[::1", "IPv6 address"),
        ("openai://:CANARY[@", "IPv6 address"),
        ("openai://https://:k@[host]", "IPv6 address"),
        ("openai://:@", "`password` is empty"),
        ("openai://:k@?__extra__=null", "holds null"),
        ("sk-proj-CANARY", "neither a JSON object nor a URI"),
        ("://:k@", "does not begin"),
        ("open ai://:k@", "does not begin"),
        ("openai://?__extra__=%7Bnope", "valid JSON"),
        ("openai://?__extra__=%5B1%5D", "holds a list"),
    ] {
        let error = fails(uri);
        assert!(error.message().contains(word) && !error.message().contains("CANARY"), "{uri}: {error}");
    }
    assert_eq!(fails("postgres://u:CANARY@h/db").code(), Code::FieldValue);
}

/// Airflow counts `://` before it looks at where they stand: one in the query is fine as long as nothing is before it.
#[test]
fn one_scheme_may_stand_unescaped_in_a_query_without_a_host() {
    let ids = "auth_type=workload_identity&identity_provider_id=idp_1&service_account_id=s&workload_identity_provider=azure";
    for start in ["openai://?", "openai:///?"] {
        let uri = format!("{start}{ids}&resource=api://id");
        assert_eq!(setting(&uri, "source.resource").as_deref(), Some("api://id"), "{uri}");
    }
    let error = fails("openai://https%3A%2F%2Fhost/?resource=api://id");
    assert!(error.message().contains("not a scheme"), "{error}");
}

#[test]
fn arguments_that_the_client_would_refuse_are_refused() {
    for (argument, words) in [
        (r#""organisation":"o""#, "did you mean `organization`?"),
        (r#""unknown":null"#, "is no argument"),
        (r#""http_client":{}"#, "object of Python's"),
        (r#""data_residency":"eu""#, "set `base_url`"),
        (r#""workload_identity":{}"#, "into `extra` itself"),
    ] {
        let error =
            fails(&format!(r#"{{"password":"k","extra":{{"openai_client_kwargs":{{{argument}}}}}}}"#));
        assert!(error.message().contains(words), "{argument}: {error}");
    }
}

#[test]
fn settings_of_every_source_are_known_beside_a_key() {
    for entry in crate::source::ALL {
        for setting in entry.settings {
            let text = format!(r#"{{"password":"k","extra":{{"{setting}":"x"}}}}"#);
            assert_eq!(warnings(&text), ["setting-of-another-auth-type"], "{setting}");
        }
    }
}

#[test]
fn numbers_in_a_uri_are_text_and_numbers_all_the_same() {
    let ids = "auth_type=workload_identity&identity_provider_id=idp_1&service_account_id=s&workload_identity_provider=kubernetes";
    for query in [
        format!("{ids}&refresh_buffer_seconds=300"),
        format!("refresh_buffer_seconds=1&{ids}&refresh_buffer_seconds=300"),
    ] {
        assert_eq!(
            setting(&format!("openai://?{query}"), "refresh_buffer_seconds").as_deref(),
            Some("300"),
            "{query}"
        );
        assert_eq!(
            setting(&format!("openai:///?{query}"), "refresh_buffer_seconds").as_deref(),
            Some("300"),
            "{query}"
        );
    }
}

#[test]
fn the_hook_looks_for_the_ids_first_and_for_the_provider_last() {
    let mut extra = String::new();
    for name in ["identity_provider_id", "service_account_id", "workload_identity_provider"] {
        let error =
            fails(&format!(r#"{{"conn_type":"openai","extra":{{"auth_type":"workload_identity"{extra}}}}}"#));
        assert_eq!(error.code(), Code::FieldMissing);
        assert!(error.message().contains(&format!("`extra.{name}` is missing")), "{error}");
        extra.push_str(&format!(r#","{name}":"x""#));
    }
}

#[test]
fn extra_may_be_an_object_a_string_or_all_there_is() {
    let extra = r#"{"auth_type":"workload_identity","identity_provider_id":"idp_1","service_account_id":"svc_acct_1","workload_identity_provider":"kubernetes","token_file_path":"/t"}"#;
    let quoted = serde_json::to_string(extra).unwrap();
    let object = settings(&format!(r#"{{"conn_type":"openai","extra":{extra}}}"#));
    assert_eq!(object, settings(&format!(r#"{{"extra":{quoted}}}"#)));
    assert_eq!(object, settings(extra));
    let uri = format!(
        "openai://?__extra__={}",
        form_urlencoded::byte_serialize(extra.as_bytes()).collect::<String>()
    );
    assert_eq!(object, settings(&uri));
    assert_eq!(object, settings(&format!(r#"{{"uri":"{uri}"}}"#)));
    assert!(object.contains(&("source.token_file_path".to_owned(), "/t".to_owned())));
}

#[test]
fn a_certificate_opens_its_own_host_in_every_dialect() {
    let settings = r#""certificate_file":"/c","private_key_file":"/k","identity_provider_id":"idp_1","service_account_id":"s""#;
    let airflow = format!(
        r#"{{"conn_type":"openai","extra":{{"auth_type":"workload_identity","workload_identity_provider":"x509",{settings}}}}}"#
    );
    let native = r#"{"source":{"type":"x509","certificate_file":"/c","private_key_file":"/k"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"s"}}"#;
    for text in [airflow.as_str(), native] {
        assert_eq!(setting(text, "api.base_url").as_deref(), Some("https://mtls.api.openai.com/v1"));
    }
    let own = airflow.replace(r#""extra""#, r#""host":"https://h.example/v1","extra""#);
    assert_eq!(setting(&own, "api.base_url").as_deref(), Some("https://h.example/v1"));
}

#[test]
fn airflow_precedence_is_arguments_then_fields_then_environment() {
    let all = r#"{"password":"p","host":"https://h","extra":{"openai_client_kwargs":{"api_key":"a","base_url":"https://b","organization":"o","project":"q"}}}"#;
    let environment = [
        ("OPENAI_API_KEY", "e"),
        ("OPENAI_BASE_URL", "https://e"),
        ("OPENAI_ORG_ID", "eo"),
        ("OPENAI_PROJECT_ID", "ep"),
    ];
    let seen = |text: &str| {
        let Connection { api, auth, .. } = *with(text, &environment).connection;
        let Auth::ApiKey(Key::Held(key)) = auth else { panic!("a key") };
        let (organization, project) = (api.organization.unwrap().value, api.project.unwrap().value);
        [key.value.expose().to_owned(), api.base_url.value.as_str().to_owned(), organization, project]
            .join(" ")
    };
    assert_eq!(seen(all), "a https://b o q");
    assert_eq!(seen(r#"{"password":"p","host":"https://h"}"#), "p https://h eo ep");
    assert_eq!(seen(r#"{"password":null,"host":"","extra":""}"#), "e https://e eo ep");
    assert_eq!(
        seen(r#"{"password":"p","extra":{"openai_client_kwargs":{"api_key":"","base_url":""}}}"#),
        "p https://e eo ep"
    );
    assert_eq!(
        variables(all).unwrap(),
        ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"],
        "what may be read is what is asked for"
    );
}

#[test]
fn headers_come_with_the_credential_in_a_fixed_order() {
    let text = r#"{"api_key":"k","api":{"organization":"org-1","project":"proj_1","default_headers":{"X-B":"2 b","x-a":"1"}}}"#;
    let connection = open(text).unwrap().connection;
    let Auth::ApiKey(Key::Held(key)) = &connection.auth else { panic!("a key") };
    let headers = connection.api.key_headers(&key.value);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(
        headers,
        [
            ("authorization", "Bearer k"),
            ("openai-organization", "org-1"),
            ("openai-project", "proj_1"),
            ("x-b", "2 b"),
            ("x-a", "1")
        ]
    );
}

#[test]
fn keys_may_come_from_a_variable_that_the_document_names() {
    let text = r#"{"api_key":{"variable":"MY_KEY"}}"#;
    assert_eq!(variables(text).unwrap(), ["MY_KEY"]);
    assert!(fails(text).message().contains("`MY_KEY`, which is not set"));
    let document = with(text, &[("MY_KEY", " sk-1\n"), ("OPENAI_BASE_URL", "https://not-asked-for")]);
    let Auth::ApiKey(Key::Held(key)) = document.connection.auth else { panic!("a key") };
    assert_eq!((key.value.expose(), &key.origin), ("sk-1", &Origin::Variable("MY_KEY".into())));
    assert_eq!(document.connection.api.base_url.value.as_str(), API);
}

#[test]
fn unknown_fields_are_named_with_what_was_probably_meant() {
    let text = r#"{"source":{"type":"kubernetes","token_path":"/t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"s"},"api":{"baseurl":"x"},"refresh_buffer":3,"zzz":1}"#;
    let (_, plan) = plan(text, &Variables::default()).unwrap();
    let said = |words: &str| plan.warnings.iter().any(|warning| warning.message.contains(words));
    assert!(
        said("`source.token_path` is not a known field and has no effect; did you mean"),
        "{:?}",
        plan.warnings
    );
    assert!(said("`api.baseurl` is not a known field and has no effect; did you mean `base_url`?"));
    assert!(said("did you mean `refresh_buffer_seconds`?"), "{:?}", plan.warnings);
    assert!(said("`zzz` is not a known field and has no effect; known here: "));
}

#[test]
fn what_works_and_is_doubtful_is_said() {
    let wif = r#""auth_type":"workload_identity","identity_provider_id":"idp_1","service_account_id":"s","workload_identity_provider":"kubernetes","token_file_path":"/t""#;
    for (text, codes) in [
        (r#"{"api_key":"k","api":{"base_url":"http://gateway.internal"}}"#.to_owned(), vec!["base-url-plain-http"]),
        (r#"{"api_key":"k","api":{"base_url":"http://localhost:1"}}"#.to_owned(), vec![]),
        (format!(r#"{{"password":"k","extra":{{{wif}}}}}"#), vec!["key-not-used"]),
        (format!(r#"{{"extra":{{{wif},"token_type":"id"}}}}"#), vec!["setting-of-another-source"]),
        (r#"{"password":"k","extra":{"token_file_path":"/t"}}"#.to_owned(), vec!["setting-of-another-auth-type"]),
        (r#"{"password":"k","login":"me","port":"443","schema":"v1"}"#.to_owned(), vec!["unused-field"; 3]),
        (
            r#"{"password":"k","extra":{"openai_client_kwargs":{"timeout":3,"max_retries":1,"http_client":null}}}"#.to_owned(),
            vec!["client-setting", "client-setting"],
        ),
        (
            r#"{"source":"kubernetes","exchange":{"identity_provider_id":"x","service_account_id":"s"}}"#.to_owned(),
            vec!["token-for-a-control-plane", "unusual-identifier"],
        ),
    ] {
        assert_eq!(warnings(&text), codes, "{text}");
    }
}

#[test]
fn workload_identity_in_the_environment_goes_before_a_key() {
    let text = r#"{"environment":"openai"}"#;
    let identity = [("OPENAI_IDENTITY_PROVIDER_ID", "idp_1"), ("OPENAI_SERVICE_ACCOUNT_ID", "svc")];
    let file = ("OPENAI_IDENTITY_TOKEN_FILE", "/t");
    let key = ("OPENAI_API_KEY", "k");
    let document = with(text, &[identity[0], identity[1], file, key]);
    let Auth::WorkloadIdentity { source, .. } = &document.connection.auth else { panic!("an identity") };
    assert_eq!(source.name(), "file");
    assert_eq!(document.warnings.first().map(|warning| warning.code), Some("key-not-used"));
    let document = with(text, &identity);
    assert!(
        matches!(&document.connection.auth, Auth::WorkloadIdentity { source, .. } if source.name() == "kubernetes")
    );
    assert!(matches!(with(text, &[key]).connection.auth, Auth::ApiKey(_)));
    for half in identity {
        let variables =
            [half, key].map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(
            read(text, &variables).err().map(|error| error.code()),
            Some(Code::FieldMissing),
            "{half:?}"
        );
    }
    assert_eq!(fails(text).code(), Code::FieldMissing);
    let asked = variables(text).unwrap();
    assert_eq!(asked.len(), 7, "all of them, whatever is set: {asked:?}");
}

#[test]
fn variables_of_an_exchange_are_asked_for_whatever_its_source_lacks() {
    let text =
        r#"{"source":{"type":"file"},"exchange":{"type":"rfc8693","client_secret":{"variable":"SECRET"}}}"#;
    assert_eq!(variables(text).unwrap(), ["SECRET"]);
    assert!(fails(text).message().contains("`source.token_file_path` is missing"));
}
