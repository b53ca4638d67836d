//! Identity tokens by name, so that a folder shows claims instead of base64: `{token:NAME}` stands for a token with the
//! claims in `tokens/NAME.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const HEADER: &str = r#"{"alg":"ES256","kid":"cluster-1","typ":"JWT"}"#;

/// Not a signature, and easy to recognise.
const SIGNATURE: &str = "CANARY-not-a-signature-CANARY";

/// Name to token.
#[derive(Clone, Default)]
pub struct Tokens(BTreeMap<String, String>);

impl Tokens {
    pub fn load(folder: &Path) -> Result<Self> {
        let mut tokens = Self::default();
        if folder.exists() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let name = path.file_stem().and_then(|name| name.to_str()).context("UTF-8")?;
                tokens.add(name, &fs::read_to_string(&path)?);
            }
        }
        Ok(tokens)
    }

    pub fn add(&mut self, name: &str, claims: &str) {
        self.0.insert(name.to_owned(), token(claims));
    }

    /// The text with every `{token:NAME}` replaced.
    pub fn fill(&self, text: &str) -> Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{token:") {
            let (name, after) = after.split_once('}').context("`{token:` without `}`")?;
            filled.push_str(before);
            filled.push_str(self.0.get(name).with_context(|| format!("no token `{name}` in tokens/"))?);
            rest = after;
        }
        Ok(filled + rest)
    }

    /// Parts that must not be shown anywhere, beside the marked ones.
    pub fn secrets(&self) -> Vec<String> {
        self.0.values().filter_map(|token| token.split('.').nth(1)).map(ToOwned::to_owned).collect()
    }
}

/// A token that looks like a platform's. The claims go in as they are written, byte for byte.
pub fn token(claims: &str) -> String {
    let (header, claims) = (URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims.trim()));
    format!("{header}.{claims}.{SIGNATURE}")
}

#[test]
fn names_are_filled_in_and_an_unknown_one_is_an_error() {
    let mut tokens = Tokens::default();
    tokens.add("pod", "{\"sub\":\"x\"}\n");
    let filled = tokens.fill("a {token:pod}\n").unwrap();
    assert!(
        filled.starts_with("a ey") && filled.ends_with("CANARY\n") && filled.contains(".eyJzdWIiOiJ4In0."),
        "{filled}"
    );
    assert!(tokens.fill("{token:other}").is_err());
    assert_eq!(tokens.fill("{\"a\":1}").unwrap(), "{\"a\":1}");
}
