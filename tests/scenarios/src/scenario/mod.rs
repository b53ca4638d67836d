//! A scenario: a document, the world around it, and what must happen. Read from a folder ([`Scenario::load`]) or put
//! together from a row of a table. The form of the folders is described in `cases/README.md`.

pub mod expect;
pub mod source;
pub mod text;
pub mod tokens;
pub mod traffic;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;

use expect::Expect;
use source::Answer;
use tokens::Tokens;
use traffic::Entry;

/// Everything that a play needs to know.
#[derive(Clone)]
pub struct Scenario {
    pub name: String,
    /// Verbatim.
    pub document: String,
    /// The host's environment, of which the document gets what it asks for.
    pub environment: BTreeMap<String, String>,
    /// Files at the start, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    pub traffic: Vec<Entry>,
    /// What the component of the source `custom` says. None: the host has no way to ask one.
    pub source: Option<Vec<Answer>>,
    pub expect: Expect,
    pub tokens: Tokens,
    /// The seed of a generated one: what happens is only recorded, to be compared between hosts, and the far end answers
    /// any number of requests.
    pub weather: Option<u64>,
}

impl Scenario {
    /// Reads `cases/<name>/`.
    pub fn load(folder: &Path) -> Result<Self> {
        let name =
            folder.file_name().and_then(|name| name.to_str()).context("a folder with a name")?.to_owned();
        Self::read(folder, name.clone()).with_context(|| format!("case {name}"))
    }

    fn read(folder: &Path, name: String) -> Result<Self> {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let known = [
                "document.json",
                "document.txt",
                "env.json",
                "expect.json",
                "fs",
                "source.json",
                "tokens",
                "traffic.json",
            ];
            ensure!(known.iter().any(|known| name == *known), "{} is not a part of a case", name.display());
        }
        let (json, text) = (folder.join("document.json"), folder.join("document.txt"));
        ensure!(json.exists() != text.exists(), "one of document.json and document.txt");
        let document = fs::read_to_string(if json.exists() { json } else { text })?;
        let tokens = Tokens::load(&folder.join("tokens"))?;
        let mut files = BTreeMap::new();
        if folder.join("fs").exists() {
            read_files(&folder.join("fs"), "", &tokens, &mut files)?;
        }
        let traffic: Vec<Entry> = optional(&folder.join("traffic.json"))?.unwrap_or_default();
        let source = optional(&folder.join("source.json"))?;
        let expect: Expect = optional(&folder.join("expect.json"))?.context("expect.json is missing")?;
        expect.check()?;
        let mut environment: BTreeMap<_, String> = optional(&folder.join("env.json"))?.unwrap_or_default();
        for value in environment.values_mut() {
            *value = tokens.fill(value)?;
        }
        Ok(Self { name, document, environment, files, traffic, source, expect, tokens, weather: None })
    }
}

/// Files below `fs/`, under absolute paths, with `{token:NAME}` filled in.
fn read_files(
    folder: &Path,
    prefix: &str,
    tokens: &Tokens,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_str().context("UTF-8")?);
        if entry.file_type()?.is_dir() {
            read_files(&entry.path(), &path, tokens, files)?;
        } else {
            files.insert(path, tokens.fill(&fs::read_to_string(entry.path())?)?.into_bytes());
        }
    }
    Ok(())
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path)?;
    serde_json::from_str(&text).map(Some).with_context(|| path.display().to_string())
}
