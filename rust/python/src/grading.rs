//! What a codec's policy makes of faults while a walk goes on: Python decides about a fault of its kind and place once, then it is known.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ocppcore::error::Fault;
use ocppcore::locate::expected_of;
use ocppcore::settle::{Place, Settlement};
use ocppcore::{Expected, Kind};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyTuple};

use crate::engine::Engine;
use crate::errors::to_object;

/// What a sink does about faults.
pub trait Judge {
    /// Whether it does anything.
    const SETTLES: bool;

    /// An object of the type `which` begins.
    fn begins(&mut self, which: u32);

    fn settle(&mut self, fault: Fault, place: Place, token: &[u8]) -> Settlement;
}

/// Every fault ends the walk.
#[derive(Clone, Copy)]
pub struct Strict;

impl Judge for Strict {
    const SETTLES: bool = false;

    #[inline(always)]
    fn begins(&mut self, _: u32) {}

    #[inline(always)]
    fn settle(&mut self, _: Fault, _: Place, _: &[u8]) -> Settlement {
        Settlement::Refuse
    }
}

/// The policy decides.
pub struct Graded<'e> {
    engine: &'e Engine,
    grading: &'e Grading,
    /// The type of the payload: of the first object.
    payload: Option<u32>,
}

impl<'e> Graded<'e> {
    pub fn new(engine: &'e Engine, grading: &'e Grading) -> Self {
        Self { engine, grading, payload: None }
    }
}

impl Judge for Graded<'_> {
    const SETTLES: bool = true;

    #[inline(always)]
    fn begins(&mut self, which: u32) {
        if self.payload.is_none() {
            self.payload = Some(which);
        }
    }

    #[inline(never)]
    fn settle(&mut self, fault: Fault, place: Place, token: &[u8]) -> Settlement {
        match self.payload {
            Some(payload) => self.grading.settle(self.engine, Case { payload, kind: fault.kind, place }, token),
            None => Settlement::Refuse,
        }
    }
}

/// A policy, and what is known of its decisions. A quirk comes again.
pub struct Grading {
    /// Has a second look at what was refused; its method `settle` decides about one fault.
    pub look: Py<PyAny>,
    known: Mutex<HashMap<Case, Known>>,
}

/// A kind of fault at a place of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Case {
    payload: u32,
    kind: Kind,
    place: Place,
}

/// What is done about the values that stand there.
#[derive(Default)]
struct Known {
    /// About every one.
    any: Option<Settlement>,
    /// About those of a shape.
    shapes: Vec<(Box<[u8]>, Vec<Edit>)>,
    tokens: HashMap<Box<[u8]>, Settlement>,
}

/// The bytes from `start` to `stop` of a token become `text`.
struct Edit {
    start: usize,
    stop: usize,
    text: Vec<u8>,
}

/// Places, shapes and tokens that are kept: data must not fill the memory.
const MOST_CASES: usize = 128;
const MOST_SHAPES: usize = 8;
const MOST_TOKENS: usize = 32;
const LONGEST: usize = 128;

impl Grading {
    pub fn new(look: Py<PyAny>) -> Self {
        Self { look, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Case, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, engine: &Engine, case: Case, token: &[u8]) -> Settlement {
        if let Some(known) = self.known().get(&case)
            && let Some(settlement) = known.about(token)
        {
            return settlement;
        }
        // Python is called without the lock. What it raises is raised again by the second look.
        Python::attach(|py| self.ask(py, engine, case, token)).unwrap_or(Settlement::Refuse)
    }

    #[cold]
    fn ask(&self, py: Python<'_>, engine: &Engine, case: Case, token: &[u8]) -> PyResult<Settlement> {
        let Ok(text) = str::from_utf8(token) else { return Ok(Settlement::Refuse) };
        let tables = &engine.schema.get().tables;
        let of = &tables.types[case.place.of as usize];
        let field = case.place.field.map(usize::from);
        let expected = match field {
            Some(index) => {
                let place = (case.place.of, index);
                expected_of(tables, engine.limits.as_ref(), case.kind, place, case.place.in_item)
            }
            None => Expected::Names(of.fields.iter().map(|field| field.name.clone()).collect()),
        };
        let name = field.map(|index| &of.fields[index].name);
        let payload = &tables.types[case.payload as usize].name;
        let given = (payload, case.kind.name(), &of.name, name, case.place.in_item, to_object(py, expected)?, text);
        let answer = self.look.bind(py).call_method1("settle", given)?;
        self.learn(case, token, &answer)
    }

    /// Takes what Python says: the word for what is done, and how.
    fn learn(&self, case: Case, token: &[u8], answer: &Bound<'_, PyAny>) -> PyResult<Settlement> {
        let answer = answer.cast::<PyTuple>()?;
        let word: String = answer.get_item(0)?.extract()?;
        let settlement = match word.as_str() {
            "refuse" | "refuse_all" => Settlement::Refuse,
            "keep" | "keep_all" => Settlement::Keep,
            "leave_out" => Settlement::LeaveOut,
            "read" => Settlement::Read(answer.get_item(1)?.extract::<String>()?.into_bytes()),
            _ => {
                let edits = edits_of(&answer.get_item(1)?)?;
                let settlement = Settlement::Read(edited(token, &edits));
                self.keep(case, |known| {
                    if known.shapes.len() == MOST_SHAPES {
                        known.shapes.clear();
                    }
                    known.shapes.push((shape(token).collect(), edits));
                });
                return Ok(settlement);
            }
        };
        let kept = settlement.clone();
        if word.ends_with("_all") {
            self.keep(case, |known| known.any = Some(kept));
        } else if token.len() <= LONGEST {
            self.keep(case, |known| {
                if known.tokens.len() == MOST_TOKENS {
                    known.tokens.clear();
                }
                known.tokens.insert(token.into(), kept);
            });
        }
        Ok(settlement)
    }

    fn keep(&self, case: Case, add: impl FnOnce(&mut Known)) {
        let mut known = self.known();
        if known.len() == MOST_CASES && !known.contains_key(&case) {
            known.clear();
        }
        add(known.entry(case).or_default());
    }
}

impl Known {
    fn about(&self, token: &[u8]) -> Option<Settlement> {
        if let Some(any) = &self.any {
            return Some(any.clone());
        }
        if let Some(settlement) = self.tokens.get(token) {
            return Some(settlement.clone());
        }
        let (_, edits) = self.shapes.iter().find(|(known, _)| known.iter().copied().eq(shape(token)))?;
        Some(Settlement::Read(edited(token, edits)))
    }
}

/// A token in which all digits are the same: what a rewrite that looks at no digit goes by.
fn shape(token: &[u8]) -> impl Iterator<Item = u8> {
    token.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte })
}

fn edits_of(given: &Bound<'_, PyAny>) -> PyResult<Vec<Edit>> {
    let edits: Vec<(usize, usize, String)> = given.extract()?;
    Ok(edits.into_iter().map(|(start, stop, text)| Edit { start, stop, text: text.into_bytes() }).collect())
}

/// A token with its edits made, which are in order.
fn edited(token: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut text = Vec::with_capacity(token.len() + 8);
    let mut from = 0;
    for edit in edits {
        text.extend_from_slice(token.get(from..edit.start).unwrap_or_default());
        text.extend_from_slice(&edit.text);
        from = edit.stop;
    }
    text.extend_from_slice(token.get(from..).unwrap_or_default());
    text
}
