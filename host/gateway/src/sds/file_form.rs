//! Envoy's file of one secret: a `DiscoveryResponse` in YAML.
//!
//! Envoy takes exactly one secret from a file, the one that it is named for
//! (<https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/security/secret>).

use zeroize::Zeroizing;

use super::secret::Secret;

/// The whole file. The generation is its version, which Envoy shows as such.
pub(super) fn write(secret: &Secret<'_>, generation: u64) -> Zeroizing<String> {
    // Its own buffer and those of the two quoted texts are wiped; it is large enough not to be moved.
    let mut file = Zeroizing::new(String::with_capacity(512 + secret.name.len() + 2 * secret.value.len()));
    file.push_str(&format!("version_info: \"{generation}\"\n"));
    file.push_str("resources:\n");
    file.push_str("- \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n");
    file.push_str("  name: ");
    quote(&secret.name, &mut file);
    file.push_str("\n  generic_secret:\n    secret:\n      inline_string: ");
    quote(secret.value, &mut file);
    file.push('\n');
    file
}

/// A double-quoted scalar (YAML 1.2.2, section 7.3.1). Names come from a configuration and values are visible ASCII.
fn quote(text: &str, file: &mut String) {
    file.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                file.push('\\');
                file.push(character);
            }
            '\t' => file.push_str("\\t"),
            other => file.push(other),
        }
    }
    file.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_form_that_envoy_reads() {
        let secret = Secret { name: "openai".to_owned(), is_token: false, value: r#"Bearer a"b\c: #d"# };
        assert_eq!(
            write(&secret, 7).as_str(),
            r#"version_info: "7"
resources:
- "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
  name: "openai"
  generic_secret:
    secret:
      inline_string: "Bearer a\"b\\c: #d"
"#
        );
    }
}
