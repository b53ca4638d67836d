//! Scenarios that nobody has thought of: a document of a case and its files, any order of calls and of things that happen
//! to machine, clocks and files, and a far end with [`crate::world::weather`]. The same one for the same seed. What is to be
//! expected nobody knows, but every host must do the same.

use std::collections::BTreeMap;

use crate::mutation::Dice;
use crate::scenario::Scenario;
use crate::scenario::expect::{CredentialExpect, Later, Start, StatusExpect, Step, Volume, Write};
use crate::scenario::text::Text;
use crate::tables;

/// So many, from those seeds on.
pub fn scenarios(first_seed: u64, count: u64) -> impl Iterator<Item = Scenario> {
    let bases = tables::cases::load();
    (first_seed..first_seed + count).map(move |seed| scenario(&bases, seed))
}

fn scenario(bases: &[Scenario], seed: u64) -> Scenario {
    let mut dice = Dice(seed);
    let mut scenario = dice.pick(bases).clone();
    let files: Vec<_> = scenario.files.clone().into_iter().collect();
    scenario.name = format!("generated {seed}, from {}", scenario.name);
    scenario.weather = Some(seed);
    let steps = (0..4 + dice.below(12)).flat_map(|_| steps(&mut dice, &files)).collect();
    let withheld_files = scenario.expect.withheld_files.clone();
    scenario.expect = tables::expect(steps);
    scenario.expect.start = Start::default();
    scenario.expect.withheld_files = withheld_files;
    scenario
}

/// One, or two that belong together.
fn steps(dice: &mut Dice, files: &[(String, Vec<u8>)]) -> Vec<Step> {
    match step(dice, files) {
        // The renewal that this forces has begun, but whether its request has left nobody can say, until somebody asks.
        rejected @ Step::Reject(_) => vec![rejected, Step::Credential(CredentialExpect::default())],
        other => vec![other],
    }
}

fn step(dice: &mut Dice, files: &[(String, Vec<u8>)]) -> Step {
    match dice.below(24) {
        0..=7 => Step::Credential(CredentialExpect::default()),
        8 | 9 => Step::Renew(CredentialExpect::default()),
        10 | 11 => Step::Status(StatusExpect::default()),
        12 => Step::Reject(1 + dice.below(4) as u64),
        13 => Step::Suspend(seconds(dice)),
        14 => Step::ShiftWall(seconds(dice) - seconds(dice)),
        15 | 16 => change(dice, files),
        17 => {
            // Never in the same millisecond as anything else, because which of two would be first?
            let after = seconds(dice) + 0.005;
            match change(dice, files) {
                nothing @ Step::Advance(_) => nothing,
                step => Step::Later(Box::new(Later { after, step })),
            }
        }
        _ => Step::Advance(seconds(dice)),
    }
}

/// From an instant to hours, to the hundredth.
fn seconds(dice: &mut Dice) -> f64 {
    let most = *dice.pick(&[2, 100, 200, 3_100, 12_000, 70_000, 360_000, 800_000]);
    dice.below(most) as f64 / 100.0
}

/// Something happens to a file, if there is any.
fn change(dice: &mut Dice, files: &[(String, Vec<u8>)]) -> Step {
    if files.is_empty() {
        return Step::Advance(seconds(dice));
    }
    let (path, content) = dice.pick(files).clone();
    match dice.below(6) {
        0 => Step::Remove(path),
        1 => match path.rsplit_once('/') {
            Some((folder, name)) if !folder.is_empty() => Step::Volume(Volume {
                path: folder.to_owned(),
                files: BTreeMap::from([(name.to_owned(), String::from_utf8_lossy(&content).into_owned())]),
            }),
            _ => Step::Advance(seconds(dice)),
        },
        2 => write(path, &dice.mutated(&content)),
        3 => write(path, b""),
        _ => write(path, &content),
    }
}

fn write(path: String, content: &[u8]) -> Step {
    Step::Write(Write { path, text: Text::Plain(String::from_utf8_lossy(content).into_owned()) })
}
