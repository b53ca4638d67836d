//! Plays what `make test` plays, as long as one likes, and draws the figures of docs/reliability.md.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use clap::{Parser, Subcommand};
use keyless_simulation::fleet::{figures, pages, table};
use keyless_simulation::lives::{Enough, live_all};
use keyless_simulation::minting::rotations::{self, Tally};
use keyless_simulation::minting::troubles::Sabotage;

/// Simulated years of the engine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// One connection a seed, in a world where everything goes wrong. Fails with the shortest plot that breaks a promise.
    Lives {
        /// This seed only.
        #[arg(long, value_name = "N", conflicts_with_all = ["hours", "seconds"])]
        seed: Option<u64>,
        /// That many simulated hours, from seed 0.
        #[arg(long, value_name = "N", default_value_t = 1_000_000)]
        hours: u64,
        /// For so many seconds instead, with other seeds each time.
        #[arg(long, value_name = "N", conflicts_with = "hours")]
        seconds: Option<u64>,
    },
    /// Keys that connections make themselves, in processes that crash at every step, against an Admin API that loses answers.
    /// Fails with the story that leads to a broken promise.
    Rotations {
        /// The world of this seed only.
        #[arg(long, value_name = "N", conflicts_with_all = ["rotations", "seconds"])]
        seed: Option<u64>,
        /// Until so many keys arrived, from seed 0.
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        rotations: u64,
        /// For so many seconds instead, with other seeds each time.
        #[arg(long, value_name = "N", conflicts_with = "rotations")]
        seconds: Option<u64>,
    },
    /// Ten thousand instances against one endpoint: ours beside the policies of clients that everybody uses.
    Fleet {
        /// Rewrites fleet.svg and the tables of reliability.md in this folder.
        #[arg(long, value_name = "FOLDER")]
        write: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Lives { seed: Some(seed), .. } => lives(seed, Enough::Lives(1)),
        What::Lives { seconds: Some(seconds), .. } => {
            lives(fresh_seed(), Enough::Time(Duration::from_secs(seconds)))
        }
        What::Lives { hours, .. } => lives(0, Enough::hours(hours)),
        What::Rotations { seed, rotations, seconds } => minting(seed, rotations, seconds),
        What::Fleet { write } => fleet(write.as_deref()),
    }
}

fn lives(first: u64, enough: Enough) -> Result<()> {
    let began = Instant::now();
    let summary = live_all(first, enough).map_err(|broken| anyhow!(broken))?;
    println!("{summary}\nfrom seed {first} in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn minting(seed: Option<u64>, rotations: u64, seconds: Option<u64>) -> Result<()> {
    let (began, mut total) = (Instant::now(), Tally::default());
    let first = if seconds.is_some() { fresh_seed() } else { 0 };
    loop {
        let tally = match seed {
            Some(seed) => rotations::world(seed),
            None => rotations::rotate(first + total.worlds, rotations, Sabotage::None),
        };
        total.add(tally.map_err(|broken| anyhow!(broken))?);
        if seconds.is_none_or(|seconds| began.elapsed().as_secs() >= seconds) {
            println!(
                "{total}\nfrom seed {} in {:.1} s",
                seed.unwrap_or(first),
                began.elapsed().as_secs_f64()
            );
            return Ok(());
        }
    }
}

fn fleet(folder: Option<&Path>) -> Result<()> {
    let began = Instant::now();
    let report = figures::report();
    print!("{}", table::tables(&report));
    println!("\nin {:.1} s", began.elapsed().as_secs_f64());
    folder.map_or(Ok(()), |folder| pages::write(folder, &report))
}

/// Far from those of every other time.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() << 30
}
