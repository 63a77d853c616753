//! Runs operations of the core over given frames, to be timed or counted: `benches/core.py` and `tools/instructions.py` make the frames.
//!
//!     frames time FILE [ROUNDS]    prints, for each row, the nanoseconds per frame of the best round
//!     frames count FILE            runs each row once and twice within `measured`, for callgrind to dump after each
//!
//! FILE has lines of four fields between tabs: the compact model's path, the row's name, the operation, the frame. Lines of one row stand together.

use std::hint::black_box;
use std::time::Instant;

use ocppcore::frame;
use ocppcore::locate::{Reading, locate};
use ocppcore::scan::Cursor;
use ocppcore::{Check, Fault, Schema, Walker};
use serde::de::IgnoredAny;

/// One row: what is done to which frames.
struct Row {
    name: String,
    operation: Operation,
    schema: usize,
    frames: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// Accept the frame.
    Validate,
    /// Refuse the frame, and say why and where.
    Refuse,
    /// Read the head.
    Peek,
    /// What serde_json needs to see that the frame is JSON, for comparison.
    Syntax,
}

fn operation(name: &str) -> Operation {
    match name {
        "validate" => Operation::Validate,
        "refuse" => Operation::Refuse,
        "peek" => Operation::Peek,
        "syntax" => Operation::Syntax,
        other => panic!("{other} is no operation"),
    }
}

fn rows(file: &str) -> (Vec<Schema>, Vec<Row>) {
    let text = std::fs::read_to_string(file).expect("the file of frames");
    let (mut models, mut schemas, mut rows) = (Vec::new(), Vec::new(), Vec::<Row>::new());
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(4, '\t').collect();
        let &[model, name, doing, frame] = &fields[..] else { panic!("four fields, not {line}") };
        let schema = models.iter().position(|known| known == model).unwrap_or_else(|| {
            models.push(model.to_owned());
            schemas.push(Schema::load(&std::fs::read(model).expect("a compact model")).expect("a model"));
            schemas.len() - 1
        });
        let frame = frame.as_bytes().to_vec();
        match rows.last_mut() {
            Some(row) if row.name == name && row.operation == operation(doing) => row.frames.push(frame),
            _ => rows.push(Row { name: name.to_owned(), operation: operation(doing), schema, frames: vec![frame] }),
        }
    }
    (schemas, rows)
}

#[inline(never)]
fn validate(schema: &Schema, text: &[u8]) -> Option<Fault> {
    let mut check = Check;
    let mut walker = Walker::new(schema, None, Cursor::new(text), &mut check);
    let accepted = walker.frame(|_| Ok(None)).is_ok();
    assert!(accepted == walker.cursor.fault.is_none());
    walker.cursor.fault
}

#[inline(never)]
fn peek(schema: &Schema, text: &[u8]) -> Option<usize> {
    let mut cursor = Cursor::new(text);
    let head = frame::head(&mut cursor, schema).ok()?;
    frame::payload_start(&mut cursor, &head).ok()?
}

/// Does a row's operation to one frame; false if it did not go as it must.
#[inline(always)]
fn run(operation: Operation, schema: &Schema, text: &[u8]) -> bool {
    match operation {
        Operation::Validate => validate(schema, text).is_none(),
        Operation::Refuse => validate(schema, text).is_some_and(|fault| {
            black_box(frame::recover(text));
            black_box(locate(fault, schema, None, Cursor::new(text), Reading::Frame { answered: None }));
            true
        }),
        Operation::Peek => peek(schema, text).is_some(),
        Operation::Syntax => serde_json::from_slice::<IgnoredAny>(text).is_ok(),
    }
}

fn pass(row: &Row, schema: &Schema) {
    for text in &row.frames {
        assert!(run(row.operation, schema, black_box(text)), "{}: {}", row.name, String::from_utf8_lossy(text));
    }
}

#[inline(never)]
fn measured(row: &Row, schema: &Schema, passes: usize) {
    for _ in 0..passes {
        pass(row, schema);
    }
}

fn count(schemas: &[Schema], rows: &[Row]) {
    for row in rows {
        pass(row, &schemas[row.schema]); // the tables learn
        measured(row, &schemas[row.schema], black_box(1));
        measured(row, &schemas[row.schema], black_box(2));
    }
}

fn time(schemas: &[Schema], rows: &[Row], rounds: usize) {
    let mut best = vec![f64::INFINITY; rows.len()];
    for _ in 0..rounds {
        for (row, best) in rows.iter().zip(&mut best) {
            let size: usize = row.frames.iter().map(Vec::len).sum();
            let passes = 300_000 / size + 1;
            pass(row, &schemas[row.schema]);
            let start = Instant::now();
            measured(row, &schemas[row.schema], passes);
            let spent = start.elapsed().as_secs_f64() * 1e9 / (passes * row.frames.len()) as f64;
            *best = best.min(spent);
        }
    }
    for (row, best) in rows.iter().zip(best) {
        println!("{best:.1}");
        let _ = row;
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (schemas, rows) = rows(arguments.get(2).expect("a file of frames"));
    match arguments[1].as_str() {
        "count" => count(&schemas, &rows),
        "time" => time(&schemas, &rows, arguments.get(3).map_or(30, |rounds| rounds.parse().expect("a number"))),
        other => panic!("{other} is neither time nor count"),
    }
}
