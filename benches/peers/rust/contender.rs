//! What the programs here have in common: proofs and time over the file of frames.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Given {
    rounds: usize,
    kinds: Vec<Kind>,
    faults: Vec<Broken>,
}

#[derive(Deserialize)]
struct Kind {
    name: String,
    subprotocol: String,
    action: String,
    frames: Vec<String>,
}

#[derive(Deserialize)]
struct Broken {
    name: String,
    subprotocol: String,
    action: String,
    frame: String,
}

#[derive(Default, Serialize)]
struct Found {
    takes: BTreeMap<String, usize>,
    refused: Vec<String>,
    ns: BTreeMap<String, f64>,
}

/// Takes a frame, and says whether it was fine.
pub type Read = Box<dyn Fn(&[u8]) -> bool>;

/// Runs the contender whose reader of a subprotocol and action is made by `make`.
pub fn run(make: impl Fn(&str, &str) -> Option<Read>) {
    let file = std::env::args().nth(1).expect("the file of frames");
    let given: Given = serde_json::from_str(&std::fs::read_to_string(file).expect("a file")).expect("frames");
    let mut found = Found::default();
    for fault in given.faults {
        let Some(read) = make(&fault.subprotocol, &fault.action) else { continue };
        if !read(fault.frame.as_bytes()) {
            found.refused.push(fault.name);
        }
    }
    for kind in given.kinds {
        let Some(read) = make(&kind.subprotocol, &kind.action) else { continue };
        let taken = kind.frames.iter().filter(|frame| read(frame.as_bytes())).count();
        found.takes.insert(kind.name.clone(), taken);
        if taken < kind.frames.len() {
            continue;
        }
        let passes = (400_000 / kind.frames.iter().map(String::len).sum::<usize>()).max(1);
        let mut best = f64::INFINITY;
        for _ in 0..given.rounds {
            let start = Instant::now();
            for _ in 0..passes {
                for frame in &kind.frames {
                    black_box(read(black_box(frame.as_bytes())));
                }
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e9 / (passes * kind.frames.len()) as f64);
        }
        found.ns.insert(kind.name, best);
    }
    println!("{}", serde_json::to_string(&found).expect("JSON"));
}
