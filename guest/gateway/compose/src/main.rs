//! `keyless-compose SOCKET PLUG RESULT`: what `wac plug SOCKET --plug PLUG -o RESULT` does.

use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [socket, plugged, result] = arguments.as_slice() else {
        bail!("name the component to plug into, the one to plug, and the file to write")
    };
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, file: &String| -> Result<_> {
        let package = Package::from_file(name, None, file, graph.types_mut())
            .with_context(|| format!("{file} is no component"))?;
        Ok(graph.register_package(package)?)
    };
    let plugged = register("keyless:plug", plugged)?;
    let socket = register("keyless:socket", socket)?;
    plug(&mut graph, vec![plugged], socket).context("the plug does not fit into the socket")?;
    fs::write(result, graph.encode(EncodeOptions::default())?).with_context(|| result.clone())
}
