//! The text that explains a running sandbox to a person.

use std::fmt::Write as _;
use std::path::Path;

use crate::admin::CALLS;
use crate::openai_admin::PROJECT_ID;
use crate::world::World;

/// Where everything is, what to paste, what to switch.
pub(crate) fn announce(world: &World, ca_path: &Path) -> String {
    let documents = world.documents();
    let addresses = &world.addresses;
    let mut text = format!(
        "\
The sandbox is running. Everything listens on loopback only, and ends with this process.

  issuer          {issuer}
  token endpoint  {token_endpoint}
  API             {base_url}
  admin           {admin}
  CA certificate  {ca}
  token file      {token_file}
  OpenAI project  {project_id}
  its Admin key   {admin_key_file}

Connection documents (trust the CA: --ca-cert {ca})

  native
    {native}

  static key
    {native_static}

  a service account of its own, by OpenAI's Admin API
    {service_account}

  Airflow, as a URI
    {airflow_uri}

  Airflow, as JSON
    {airflow_json}

  Airflow, as JSON with a text `extra`
    {airflow_json_text_extra}

More documents, for each source with each exchange, with the variables and the `--connect-to` that go with them
    curl -s {admin}/state | jq .documents.combinations

Admin calls
",
        issuer = addresses.issuer(),
        token_endpoint = addresses.token_endpoint(),
        base_url = addresses.base_url(),
        admin = addresses.admin(),
        ca = ca_path.display(),
        token_file = world.volume.token_path().display(),
        admin_key_file = world.admin_key.file().display(),
        project_id = PROJECT_ID,
        native = documents.native,
        native_static = documents.native_static,
        service_account = documents.openai_service_account.document,
        airflow_uri = documents.airflow_uri,
        airflow_json = documents.airflow_json,
        airflow_json_text_extra = documents.airflow_json_text_extra,
    );
    for (method, path, example) in CALLS {
        let method = if *method == "GET" { String::new() } else { format!("-X {method} ") };
        let body = if example.is_empty() { String::new() } else { format!(" -d '{example}'") };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  curl -s {method}{admin}{path}{body}", admin = addresses.admin());
    }
    text
}
