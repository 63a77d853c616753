//! Reading a log: frame after frame into tables, answers typed by the calls before them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::columns::{Batch, Seeded, Table, Value};
use crate::error::{Fault, Kind};
use crate::frame::{self, Head, RECOVERY_WINDOW, Recovered};
use crate::locate::{Reading, locate};
use crate::rows::{Cells, Plans, Rows, Waiting};
use crate::scan::{Cursor, Text};
use crate::schema::{FrameKind, Schema};
use crate::sink::{Check, Sink, Stop};
use crate::validate::Walker;

/// How much a reader takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a frame; at most 1 GiB, so that a batch's texts stay within 32 bits.
    pub max_size: usize,
    /// Frames and bytes of a batch.
    pub most_frames: usize,
    pub most_bytes: usize,
    /// Calls that are remembered for their answers.
    pub most_open: usize,
}

/// What a log says beside a frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    pub line: i64,
    pub station: Option<&'a [u8]>,
    /// Microseconds since 1970.
    pub time: Option<i64>,
    pub direction: Option<&'a [u8]>,
}

/// Reads the frames of a log, of one version and any number of connections, in the order in which they were sent.
#[derive(Debug)]
pub struct LogReader {
    schema: Schema,
    limits: Limits,
    plans: Plans,
    tables: Vec<Table>,
    frames: Option<FrameColumns>,
    /// Index of a request's type -> index of its message, for calls.
    calls: HashMap<u32, usize>,
    open: OpenCalls,
    /// Whether any table tells of answers.
    remembers: bool,
    cells: Cells,
    key: Vec<u8>,
    number: i64,
    line: i64,
    frames_of_batch: usize,
    bytes_of_batch: usize,
}

/// Where the table of frames is, and the columns in it.
#[derive(Clone, Copy, Debug)]
struct FrameColumns {
    table: usize,
    frame: usize,
    line: usize,
    time: usize,
    station: usize,
    direction: usize,
    message_type: usize,
    id: usize,
    action: usize,
    valid: usize,
    kind: usize,
    path: usize,
    offset: usize,
    size: usize,
    error_code: usize,
    latency: usize,
}

impl FrameColumns {
    fn find(tables: &[Table], table: usize) -> Result<Self, String> {
        let find = |name: &str| tables[table].find(name).ok_or_else(|| format!("the table of frames has no {name}"));
        Ok(Self {
            table,
            frame: find("frame")?,
            line: find("line")?,
            time: find("time")?,
            station: find("station")?,
            direction: find("direction")?,
            message_type: find("message_type")?,
            id: find("id")?,
            action: find("action")?,
            valid: find("valid")?,
            kind: find("kind")?,
            path: find("path")?,
            offset: find("offset")?,
            size: find("size")?,
            error_code: find("error_code")?,
            latency: find("latency")?,
        })
    }
}

/// A call that waits for its answer, with the rows that do.
#[derive(Debug)]
struct Call {
    message: usize,
    time: Option<i64>,
    rows: Vec<Waiting>,
}

/// The calls under one id of one connection; two when both sides use it at a time.
#[derive(Debug)]
struct Open {
    since: u64,
    older: Option<Call>,
    newest: Call,
}

/// Calls that wait, by station and id, the oldest forgotten first.
#[derive(Debug, Default)]
struct OpenCalls {
    by_key: HashMap<Arc<[u8]>, Open, Seeded>,
    /// Entries whose number is no longer that of `by_key` are passed over.
    order: VecDeque<(u64, Arc<[u8]>)>,
    count: u64,
}

impl OpenCalls {
    /// Remembers a call; those that it displaces come back.
    fn remember(&mut self, key: &[u8], call: Call, most: usize, mut let_go: impl FnMut(Call)) {
        self.count += 1;
        let since = self.count;
        let (key, older) = match self.by_key.remove_entry(key) {
            None => (Arc::from(key), None),
            Some((key, known)) => {
                let mut kept = None;
                for other in known.older.into_iter().chain([known.newest]) {
                    if other.message == call.message {
                        let_go(other);
                    } else if let Some(earlier) = kept.replace(other) {
                        let_go(earlier);
                    }
                }
                (key, kept)
            }
        };
        self.order.push_back((since, Arc::clone(&key)));
        self.by_key.insert(key, Open { since, older, newest: call });
        while self.by_key.len() > most {
            let Some((since, key)) = self.order.pop_front() else { break };
            if self.by_key.get(&key).is_some_and(|open| open.since == since)
                && let Some(open) = self.by_key.remove(&key)
            {
                open.older.into_iter().chain([open.newest]).for_each(&mut let_go);
            }
        }
        if self.order.len() > 2 * most + 64 {
            let by_key = &self.by_key;
            self.order.retain(|(since, key)| by_key.get(key).is_some_and(|open| open.since == *since));
        }
    }

    fn answered(&mut self, key: &[u8]) -> Option<Open> {
        self.by_key.remove(key)
    }

    /// All of them, the oldest first.
    fn drain(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        for (since, key) in std::mem::take(&mut self.order) {
            if self.by_key.get(&key).is_some_and(|open| open.since == since)
                && let Some(open) = self.by_key.remove(&key)
            {
                calls.extend(open.older.into_iter().chain([open.newest]));
            }
        }
        calls
    }
}

/// What reading a frame gave, for its row.
#[derive(Debug, Default)]
struct Outcome<'a> {
    number: Option<i64>,
    id: Option<Text<'a>>,
    action: Option<Text<'a>>,
    /// The message of the call that it answers.
    answers: Option<usize>,
    recovered: Option<Recovered>,
    fault: Option<(Fault, Reading)>,
    error_code: Option<Text<'a>>,
    latency: Option<i64>,
}

impl LogReader {
    /// A reader with empty tables: those `wanted` of `columns.json`. The error says what is wrong with them.
    pub fn new(schema: Schema, columns: &[u8], wanted: &[String], limits: Limits) -> Result<Self, String> {
        let (plans, tables) = Plans::load(columns, &schema, wanted)?;
        let frames = wanted.iter().position(|name| name == "frames");
        let frames = frames.map(|table| FrameColumns::find(&tables, table)).transpose()?;
        let remembers = frames.is_some() || tables.iter().any(|table| table.find("answer").is_some());
        let calls = schema.messages.iter().enumerate();
        let calls =
            calls.filter_map(|(index, message)| Some((message.response.and(message.request)?, index))).collect();
        Ok(Self {
            schema,
            limits,
            plans,
            tables,
            frames,
            calls,
            open: OpenCalls::default(),
            remembers,
            cells: Cells::default(),
            key: Vec::new(),
            number: 0,
            line: 0,
            frames_of_batch: 0,
            bytes_of_batch: 0,
        })
    }

    /// Whether it is time to take the batch.
    pub fn is_full(&self) -> bool {
        self.frames_of_batch >= self.limits.most_frames || self.bytes_of_batch >= self.limits.most_bytes
    }

    /// The tables' columns, in the order in which they were wanted.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The rows so far, by table; at the `last` those too that still wait for an answer.
    pub fn take(&mut self, last: bool) -> Vec<Batch> {
        if last {
            for call in self.open.drain() {
                let_go(&self.plans, &mut self.tables, &call);
            }
        }
        self.frames_of_batch = 0;
        self.bytes_of_batch = 0;
        self.tables.iter_mut().map(Table::take).collect()
    }

    /// Reads frames that stand one per line, from the byte `begin` on, until the text ends or the batch is full; where it got to.
    pub fn lines(&mut self, text: &[u8], mut begin: usize) -> usize {
        while begin < text.len() && !self.is_full() {
            let end = memchr::memchr(b'\n', &text[begin..]).map_or(text.len(), |length| begin + length);
            self.line += 1;
            let data = stripped(&text[begin..end]);
            if !data.is_empty() {
                self.frame(data, Beside { line: self.line, ..Beside::default() });
            }
            begin = end + 1;
        }
        begin.min(text.len())
    }

    /// Reads one frame.
    pub fn frame(&mut self, text: &[u8], beside: Beside<'_>) {
        self.number += 1;
        self.frames_of_batch += 1;
        self.bytes_of_batch += text.len();
        let outcome = self.read(text, beside);
        if let Some(columns) = self.frames {
            self.add_frame(columns, text, beside, &outcome);
        }
    }

    /// The number of the frame that is read, from 0.
    fn frame_number(&self) -> i64 {
        self.number - 1
    }

    fn read<'a>(&mut self, text: &'a [u8], beside: Beside<'_>) -> Outcome<'a> {
        let unanswered = Reading::Frame { answered: None };
        if text.len() > self.limits.max_size {
            let recovered = frame::recover(&text[..RECOVERY_WINDOW.min(text.len())]);
            let fault = Fault::new(Kind::Size, self.limits.max_size);
            return Outcome { recovered: Some(recovered), fault: Some((fault, unanswered)), ..Outcome::default() };
        }
        let mut cursor = Cursor::new(text);
        let head = frame::head(&mut cursor, &self.schema);
        let peeked = head.and_then(|head| frame::payload_start(&mut cursor.clone(), &head).map(|_| head));
        let Ok(head) = peeked else {
            // Its fault is the one that a walk over all of it meets first: an unknown action comes before what is wrong behind it.
            let mut check = Check;
            let mut walker = Walker::new(&self.schema, None, Cursor::new(text), &mut check);
            let _ = walker.frame(|_| Ok(None));
            let fault = walker.cursor.fault.map(|fault| (fault, unanswered));
            return Outcome { recovered: Some(frame::recover(text)), fault, ..Outcome::default() };
        };
        let mut outcome =
            Outcome { number: Some(head.number), id: Some(head.id), action: head.action, ..Outcome::default() };
        match head.kind {
            FrameKind::Call | FrameKind::Send => self.read_request(&mut outcome, cursor, &head, beside),
            FrameKind::CallResult | FrameKind::CallError => self.read_answer(&mut outcome, cursor, &head, beside),
            FrameKind::CallResultError => match refusal(&self.schema, cursor) {
                Ok(code) => outcome.error_code = Some(code),
                Err(fault) => outcome.fault = fault.map(|fault| (fault, unanswered)),
            },
        }
        outcome
    }

    fn read_request<'a>(&mut self, outcome: &mut Outcome<'a>, cursor: Cursor<'a>, head: &Head<'a>, beside: Beside<'_>) {
        let unanswered = Reading::Frame { answered: None };
        let mut check = Check;
        let mut walker = Walker::new(&self.schema, None, cursor, &mut check);
        let Ok(which) = walker.payload_type(head) else {
            outcome.fault = walker.cursor.fault.map(|fault| (fault, unanswered));
            return;
        };
        let cursor = walker.cursor;
        let text = cursor.text.all();
        let plan = self.plans.of_request.get(&which).copied();
        let mut rows = Vec::new();
        let walked = match plan {
            None if self.frames.is_none() => Ok(()), // no table tells of it
            None => payload(&self.schema, cursor, head, which, &mut Check),
            Some(plan) => {
                let mut sink = Rows::of_request(&self.plans, plan, text, &mut self.cells);
                let walked = payload(&self.schema, cursor, head, which, &mut sink);
                if walked.is_ok() {
                    let (frame, station) = (self.number - 1, beside.station);
                    rows = self.plans.finish(plan, &self.cells, text, &mut self.tables, frame, station);
                }
                walked
            }
        };
        if let Err(fault) = walked {
            outcome.fault = fault.map(|fault| (fault, unanswered));
        }
        if let Some(message) = self.calls.get(&which).copied()
            && self.remembers
        {
            key(&mut self.key, beside.station, &head.id);
            let call = Call { message, time: beside.time, rows };
            let (plans, tables) = (&self.plans, &mut self.tables);
            self.open.remember(&self.key, call, self.limits.most_open, |call| let_go(plans, tables, &call));
        }
    }

    fn read_answer<'a>(&mut self, outcome: &mut Outcome<'a>, cursor: Cursor<'a>, head: &Head<'a>, beside: Beside<'_>) {
        if !self.remembers {
            return;
        }
        let text = cursor.text.all();
        key(&mut self.key, beside.station, &head.id);
        let open = self.open.answered(&self.key);
        let mut calls = open.into_iter().flat_map(|open| open.older.into_iter().chain([open.newest]));
        let (first, second) = (calls.next(), calls.next());
        drop(calls);
        // Of two calls the answer is that to the first which it fits; a refusal fits any.
        let mut answered = 0;
        let mut says = false;
        if head.kind == FrameKind::CallError {
            match refusal(&self.schema, cursor) {
                Ok(code) => outcome.error_code = Some(code),
                Err(fault) => outcome.fault = fault.map(|fault| (fault, Reading::Frame { answered: None })),
            }
        } else {
            let mut result = self.read_result(cursor.clone(), head, first.as_ref());
            if result.is_err()
                && let Some(second) = &second
                && let Ok(()) = self.read_result(cursor, head, Some(second))
            {
                (answered, result) = (1, Ok(()));
            }
            says = result.is_ok();
            if let Err(fault) = result {
                let which = first.as_ref().and_then(|call| self.schema.messages[call.message].response);
                outcome.fault = fault.map(|fault| (fault, Reading::Frame { answered: which }));
            }
        }
        let answer = self.frame_number();
        for (index, call) in first.iter().chain(&second).enumerate() {
            if index != answered {
                let_go(&self.plans, &mut self.tables, call);
                continue;
            }
            outcome.answers = Some(call.message);
            outcome.latency = beside.time.zip(call.time).and_then(|(now, then)| now.checked_sub(then));
            for row in &call.rows {
                let says = says.then_some((self.cells.cells.as_slice(), text));
                self.plans.complete(row, Some(answer), says, &mut self.tables);
            }
        }
    }

    /// Reads a CALLRESULT as the answer to a call; what its rows want of it goes to the cells.
    fn read_result(&mut self, cursor: Cursor<'_>, head: &Head<'_>, call: Option<&Call>) -> Result<(), Option<Fault>> {
        let Some(call) = call else {
            let mut check = Check;
            let mut walker = Walker::new(&self.schema, None, cursor, &mut check);
            let walked = walker.raw_behind();
            return walked.map_err(|Stop| walker.cursor.fault);
        };
        let Some(which) = self.schema.messages[call.message].response else { return Ok(()) };
        match call.rows.first() {
            None => payload(&self.schema, cursor, head, which, &mut Check),
            Some(row) => {
                let text = cursor.text.all();
                let mut sink = Rows::of_answer(&self.plans, row.plan(), text, &mut self.cells);
                payload(&self.schema, cursor, head, which, &mut sink)
            }
        }
    }

    fn add_frame(&mut self, columns: FrameColumns, text: &[u8], beside: Beside<'_>, outcome: &Outcome<'_>) {
        let number = self.frame_number();
        let table = &mut self.tables[columns.table];
        let row = table.rows;
        table.rows += 1;
        let int = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
        table.fill(columns.frame, row, Value::Int(number));
        table.fill(columns.line, row, Value::Int(beside.line));
        table.fill(columns.time, row, beside.time.map_or(Value::Null, Value::Time));
        table.fill(columns.station, row, beside.station.map_or(Value::Null, Value::Text));
        table.fill(columns.direction, row, beside.direction.map_or(Value::Null, Value::Text));
        table.fill(columns.valid, row, Value::Bool(outcome.fault.is_none()));
        table.fill(columns.size, row, Value::Int(text.len() as i64));
        table.fill(columns.latency, row, int(outcome.latency));
        match &outcome.recovered {
            Some(recovered) => {
                let text = |value: &'_ Option<String>| value.clone().map(String::into_bytes);
                table.fill(columns.message_type, row, int(recovered.number));
                table.fill(columns.id, row, text(&recovered.id).as_deref().map_or(Value::Null, Value::Text));
                table.fill(columns.action, row, text(&recovered.action).as_deref().map_or(Value::Null, Value::Text));
            }
            None => {
                let mut fill = |column: usize, text: Option<&Text<'_>>| {
                    if let Some(text) = text {
                        table.fill(column, row, Value::Text(&text.bytes()));
                    }
                };
                fill(columns.id, outcome.id.as_ref());
                fill(columns.error_code, outcome.error_code.as_ref());
                match outcome.answers {
                    Some(message) => {
                        let action = self.schema.messages[message].action.as_bytes();
                        table.fill(columns.action, row, Value::Text(action));
                    }
                    None => fill(columns.action, outcome.action.as_ref()),
                }
                table.fill(columns.message_type, row, int(outcome.number));
            }
        }
        if let Some((fault, reading)) = outcome.fault {
            let path = match fault.kind {
                Kind::Size => String::new(),
                _ => locate(fault, &self.schema, None, Cursor::new(text), reading).path,
            };
            table.fill(columns.kind, row, Value::Text(fault.kind.name().as_bytes()));
            table.fill(columns.path, row, Value::Text(path.as_bytes()));
            table.fill(columns.offset, row, Value::Int(fault.offset as i64));
        }
    }
}

/// Lets the rows of a call go that nobody has answered.
fn let_go(plans: &Plans, tables: &mut [Table], call: &Call) {
    for row in &call.rows {
        plans.complete(row, None, None, tables);
    }
}

/// Reads what stands behind a head: a payload of the type `which`, and the end.
#[inline]
fn payload<S: Sink>(
    schema: &Schema,
    cursor: Cursor<'_>,
    head: &Head<'_>,
    which: u32,
    sink: &mut S,
) -> Result<(), Option<Fault>> {
    let mut walker = Walker::new(schema, None, cursor, sink);
    walker.payload_behind(head, which).map_err(|Stop| walker.cursor.fault)
}

/// Reads a refusal to its end: the code that it carries.
fn refusal<'a>(schema: &Schema, cursor: Cursor<'a>) -> Result<Text<'a>, Option<Fault>> {
    let mut check = Check;
    let mut walker = Walker::new(schema, None, cursor, &mut check);
    let read = walker.refusal().and_then(|refusal| frame::end(&mut walker.cursor).map(|()| refusal.code));
    read.map_err(|Stop| walker.cursor.fault)
}

/// A station and an id as one key.
fn key(key: &mut Vec<u8>, station: Option<&[u8]>, id: &Text<'_>) {
    key.clear();
    if let Some(station) = station {
        key.extend_from_slice(station);
        key.push(0xFE); // which no UTF-8 has
    }
    match id.escaped {
        false => key.extend_from_slice(id.raw),
        true => key.extend_from_slice(&id.bytes()),
    }
}

/// A line without the white space around it, as Python's `bytes.strip` sees it.
fn stripped(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C);
    let start = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}
