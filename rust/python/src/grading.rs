//! What a codec's policy makes of faults while a walk goes on: Python decides about a fault of its kind and place once, then it is known.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ocppcore::error::Fault;
use ocppcore::locate::expected_of;
use ocppcore::sink::{Place, Settlement};
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
    /// How much was let pass so far.
    pub passed: Passed,
}

/// How much of what is wrong was let pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passed {
    #[default]
    Nothing,
    /// Only what the policy keeps to itself.
    Ignored,
    /// Something of which it tells.
    Told,
}

impl<'e> Graded<'e> {
    pub fn new(engine: &'e Engine, grading: &'e Grading) -> Self {
        Self { engine, grading, payload: None, passed: Passed::Nothing }
    }
}

impl<J: Judge> Judge for &mut J {
    const SETTLES: bool = J::SETTLES;

    #[inline(always)]
    fn begins(&mut self, which: u32) {
        J::begins(self, which);
    }

    #[inline(always)]
    fn settle(&mut self, fault: Fault, place: Place, token: &[u8]) -> Settlement {
        J::settle(self, fault, place, token)
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
        let Some(payload) = self.payload else { return Settlement::Refuse };
        let answer = self.grading.answer(self.engine, Case { payload, kind: fault.kind, place }, token);
        self.passed = self.passed.max(answer.passed);
        answer.settlement
    }
}

/// A policy, and what is known of its decisions. A quirk comes again.
pub struct Grading {
    /// Has a second look at what was refused; its method `settle` decides about one fault.
    pub look: Py<PyAny>,
    /// A few, so that to look at one after the other is the quickest way to find one.
    known: Mutex<Vec<(Case, Known)>>,
}

/// A kind of fault at a place of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Case {
    payload: u32,
    kind: Kind,
    place: Place,
}

/// What is done about a fault, and whether that is told.
#[derive(Clone)]
struct Answer {
    settlement: Settlement,
    passed: Passed,
}

impl Answer {
    const REFUSAL: Self = Self { settlement: Settlement::Refuse, passed: Passed::Nothing };

    /// A repair, which is always told.
    fn repair(settlement: Settlement) -> Self {
        Self { settlement, passed: Passed::Told }
    }
}

/// What is done about the values that stand there.
#[derive(Default)]
struct Known {
    /// About every one.
    any: Option<Answer>,
    /// About those of a shape.
    shapes: Vec<(Box<[u8]>, Vec<Edit>)>,
    tokens: Vec<(Box<[u8]>, Answer)>,
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

    fn known(&self) -> MutexGuard<'_, Vec<(Case, Known)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, engine: &Engine, case: Case, token: &[u8]) -> Answer {
        if let Some((_, known)) = self.known().iter().find(|(of, _)| *of == case)
            && let Some(answer) = known.about(token)
        {
            return answer;
        }
        // Python is called without the lock. What it raises is raised again by the second look.
        Python::attach(|py| self.ask(py, engine, case, token)).unwrap_or(Answer::REFUSAL)
    }

    #[cold]
    fn ask(&self, py: Python<'_>, engine: &Engine, case: Case, token: &[u8]) -> PyResult<Answer> {
        let Ok(text) = str::from_utf8(token) else { return Ok(Answer::REFUSAL) };
        let tables = &engine.schema.get().tables;
        let of = &tables.types[case.place.of as usize];
        let field = case.place.field.map(usize::from);
        let expected = match field {
            Some(index) => {
                let place = (case.place.of, index);
                expected_of(tables, engine.limits.as_ref(), case.kind, place, case.place.in_item)
            }
            None => Expected::Fields(case.place.of),
        };
        let name = field.map(|index| &of.fields[index].name);
        let payload = &tables.types[case.payload as usize].name;
        let given = (
            payload,
            case.kind.name(),
            &of.name,
            name,
            case.place.in_item,
            to_object(py, engine.schema.get(), expected)?,
            text,
        );
        let answer = self.look.bind(py).call_method1("settle", given)?;
        self.learn(case, token, &answer)
    }

    /// Takes what Python says: the word for what is done, and how.
    fn learn(&self, case: Case, token: &[u8], said: &Bound<'_, PyAny>) -> PyResult<Answer> {
        let said = said.cast::<PyTuple>()?;
        let word: String = said.get_item(0)?.extract()?;
        let answer = match word.as_str() {
            "refuse" | "refuse_all" => Answer::REFUSAL,
            "report" | "report_all" => Answer { settlement: Settlement::Keep, passed: Passed::Told },
            "ignore" | "ignore_all" => Answer { settlement: Settlement::Keep, passed: Passed::Ignored },
            "leave_out" => Answer::repair(Settlement::LeaveOut),
            "read" => Answer::repair(Settlement::Read(said.get_item(1)?.extract::<String>()?.into_bytes())),
            _ => {
                let edits = edits_of(&said.get_item(1)?)?;
                let answer = Answer::repair(Settlement::Read(edited(token, &edits)));
                self.keep(case, |known| {
                    if known.shapes.len() == MOST_SHAPES {
                        known.shapes.clear();
                    }
                    known.shapes.push((shape(token).collect(), edits));
                });
                return Ok(answer);
            }
        };
        let kept = answer.clone();
        if word.ends_with("_all") {
            self.keep(case, |known| known.any = Some(kept));
        } else if token.len() <= LONGEST {
            self.keep(case, |known| {
                if known.tokens.len() == MOST_TOKENS {
                    known.tokens.clear();
                }
                known.tokens.push((token.into(), kept));
            });
        }
        Ok(answer)
    }

    fn keep(&self, case: Case, add: impl FnOnce(&mut Known)) {
        let mut known = self.known();
        if let Some((_, known)) = known.iter_mut().find(|(of, _)| *of == case) {
            return add(known);
        }
        if known.len() == MOST_CASES {
            known.clear();
        }
        let mut new = Known::default();
        add(&mut new);
        known.push((case, new));
    }
}

impl Known {
    fn about(&self, token: &[u8]) -> Option<Answer> {
        if let Some(any) = &self.any {
            return Some(any.clone());
        }
        if let Some((_, answer)) = self.tokens.iter().find(|(known, _)| **known == *token) {
            return Some(answer.clone());
        }
        let (_, edits) = self.shapes.iter().find(|(known, _)| known.iter().copied().eq(shape(token)))?;
        Some(Answer::repair(Settlement::Read(edited(token, edits))))
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
