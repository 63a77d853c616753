//! The bodies of the fuzz targets: what must hold for any bytes. `rust/fuzz` feeds them, the tests below replay what it has found.

use std::sync::OnceLock;

use crate::columns::{Batch, Texts, Values};
use crate::error::Kind;
use crate::format::datetime::DateTime;
use crate::frame::{self, Body};
use crate::locate::{Reading, locate};
use crate::log::{Limits, LogReader};
use crate::scan::{Cursor, Stop, Text};
use crate::schema::{ObjectType, Schema};
use crate::sink::{Check, Sink};
use crate::validate::Walker;
use crate::write::Writer;

const MODELS: [&[u8]; 3] = [
    include_bytes!("../../../python/ocppcore/_model/v16.json"),
    include_bytes!("../../../python/ocppcore/_model/v201.json"),
    include_bytes!("../../../python/ocppcore/_model/v21.json"),
];

const COLUMNS: &[u8] = include_bytes!("../../../python/ocppcore/_model/columns.json");

fn schemas() -> &'static [Schema] {
    static SCHEMAS: OnceLock<Vec<Schema>> = OnceLock::new();
    SCHEMAS.get_or_init(|| MODELS.iter().map(|model| Schema::load(model).expect("a model that can be read")).collect())
}

/// Takes a number off the front of the data, to choose by.
fn choice(data: &[u8], among: usize) -> Option<(usize, &[u8])> {
    let (number, rest) = data.split_first_chunk::<2>()?;
    Some((usize::from(u16::from_le_bytes(*number)) % among, rest))
}

/// Any frame is accepted or refused at a byte of its own, and the walk that locates the fault meets the same one, as does the short way of a request.
pub fn frame(data: &[u8]) {
    let _ = frame::recover(data);
    for schema in schemas() {
        let mut check = Check;
        let mut walker = Walker::new(schema, None, Cursor::new(data), &mut check);
        let accepted = walker.frame(|_| Ok(None)).is_ok();
        judged(accepted, &walker, schema, Cursor::new(data), Reading::Frame { answered: None });
        let mut check = Check;
        let mut shorter = Walker::new(schema, None, Cursor::new(data), &mut check);
        if let Some(read) = shorter.usual_request() {
            assert_eq!((read.is_ok(), shorter.cursor.fault), (accepted, walker.cursor.fault), "the short way differs");
        }
    }
}

/// The same for a payload alone; the first bytes choose its type.
pub fn payload(data: &[u8]) {
    let Some((version, data)) = choice(data, schemas().len()) else { return };
    let schema = &schemas()[version];
    let Some((which, data)) = choice(data, schema.types.len()) else { return };
    let which = which as u32;
    let mut check = Check;
    let mut walker = Walker::new(schema, None, Cursor::new(data), &mut check);
    // A payload is an object of the schema; open types only stand inside one.
    let accepted = walker.payload_alone(which).is_ok();
    judged(accepted, &walker, schema, Cursor::new(data), Reading::Payload { which });
}

fn judged(accepted: bool, walker: &Walker<'_, '_, Check>, schema: &Schema, start: Cursor<'_>, reading: Reading) {
    match walker.cursor.fault {
        None => assert!(accepted, "refused without a fault"),
        Some(fault) => {
            assert!(!accepted, "accepted with a fault: {fault:?}");
            assert!(fault.offset <= walker.cursor.text.all().len(), "{fault:?} lies outside the text");
            assert!((fault.kind == Kind::Truncated) <= (fault.offset == walker.cursor.text.all().len()), "{fault:?}");
            let located = locate(fault, schema, None, start, reading); // it asserts that it meets the same fault
            assert!(located.path.is_empty() || located.path.starts_with('/'), "{located:?}");
        }
    }
}

/// A frame that is accepted, written anew, is accepted again, and written anew once more it is the same.
pub fn roundtrip(data: &[u8]) {
    for schema in schemas() {
        if let Some(written) = rewritten(schema, data) {
            let text = String::from_utf8_lossy(&written).into_owned();
            let again = rewritten(schema, &written).unwrap_or_else(|| panic!("what was written is refused: {text}"));
            assert_eq!(String::from_utf8_lossy(&again), text);
        }
    }
}

fn rewritten(schema: &Schema, data: &[u8]) -> Option<Vec<u8>> {
    let mut sink = Rewrite { schema };
    let (head, body) = Walker::new(schema, None, Cursor::new(data), &mut sink).frame(|_| Ok(None)).ok()?;
    let mut out = vec![json(|writer| writer.integer(head.number)), string(&head.id)];
    out.extend(head.action.as_ref().map(string));
    match body {
        Body::Payload { value, .. } => out.push(value),
        Body::Raw { start, end } => out.push(data[start..end].to_vec()),
        Body::Refusal(said) => out.extend([string(&said.code), string(&said.description), said.details]),
    }
    Some(bracketed(b'[', out, b']'))
}

/// Any text is JSON here and to serde_json, save for nesting beyond 64 levels and numbers beyond 64 bits, which are refused here alone, and for
/// numbers at the very end of a double's range, which the two round differently.
pub fn against_serde(data: &[u8]) {
    let schema = &schemas()[0];
    let mut check = Check;
    let mut walker = Walker::new(schema, None, Cursor::new(data), &mut check);
    let accepted = walker.any().and_then(|()| frame::end_of_text(&mut walker.cursor)).is_ok();
    match serde_json::from_slice::<serde_json::Value>(data) {
        Ok(_) if !accepted => {
            let kind = walker.cursor.fault.map(|fault| fault.kind);
            assert!(matches!(kind, Some(Kind::Depth | Kind::NumberRange)), "serde_json accepts what is {kind:?} here");
        }
        Err(error) if accepted => {
            assert!(error.to_string().starts_with("number out of range"), "serde_json refuses: {error}");
        }
        _ => {}
    }
}

/// Any bytes are lines of a log, and every batch of its tables is sound: columns of one length, texts of UTF-8, codes that their dictionary has.
pub fn log(data: &[u8]) {
    let wanted = ["frames", "sampled_values", "statuses", "transactions"].map(str::to_owned);
    let limits = Limits { max_size: 1 << 16, most_frames: 5, most_bytes: 1 << 12, most_open: 3 };
    for schema in schemas() {
        let mut reader = LogReader::new(schema.clone(), COLUMNS, &wanted, limits).expect("tables that can be read");
        let (mut at, mut frames) = (0, 0);
        loop {
            at = reader.lines(data, at);
            let last = at == data.len();
            let batches = reader.take(last);
            batches.iter().for_each(sound);
            frames += batches[0].rows;
            if last {
                break;
            }
            assert_eq!(batches[0].rows, limits.most_frames.min(batches[0].rows), "a batch is too long");
        }
        assert!(frames <= data.iter().filter(|byte| **byte == b'\n').count() + 1, "more frames than lines");
    }
}

fn sound(batch: &Batch) {
    for column in &batch.columns {
        let nulls = column.validity.nulls;
        let marked = if nulls == 0 { 0 } else { batch.rows.div_ceil(8) };
        assert_eq!(column.validity.bits.bytes.len(), marked);
        let ones: u32 = column.validity.bits.bytes.iter().map(|byte| byte.count_ones()).sum();
        assert!(nulls == 0 || ones as usize == batch.rows - nulls);
        let length = match &column.values {
            Values::Int(values) => values.len(),
            Values::Decimal(values) => values.len(),
            Values::Bool(bits) => {
                assert_eq!(bits.bytes.len(), batch.rows.div_ceil(8));
                batch.rows
            }
            Values::Text(texts) => readable(texts),
            Values::Choice(codes, dictionary) => {
                let entries = readable(&dictionary.texts) as i32;
                assert!(codes.iter().all(|code| (0..entries.max(1)).contains(code)));
                codes.len()
            }
        };
        assert_eq!(length, batch.rows);
    }
}

fn readable(texts: &Texts) -> usize {
    assert_eq!(texts.offsets.last().copied(), Some(texts.bytes.len() as i32));
    for ends in texts.offsets.windows(2) {
        assert!(std::str::from_utf8(&texts.bytes[ends[0] as usize..ends[1] as usize]).is_ok());
    }
    texts.len()
}

/// The sink that writes what it hears of as canonical JSON.
struct Rewrite<'s> {
    schema: &'s Schema,
}

fn json(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.as_bytes().to_vec()
}

fn string(text: &Text<'_>) -> Vec<u8> {
    json(|writer| writer.string(&text.to_string_lossy()))
}

fn bracketed(open: u8, items: Vec<Vec<u8>>, close: u8) -> Vec<u8> {
    [vec![open], items.join(&b','), vec![close]].concat()
}

fn entry(key: Vec<u8>, value: Vec<u8>) -> Vec<u8> {
    [key, vec![b':'], value].concat()
}

impl Sink for Rewrite<'_> {
    type Value = Vec<u8>;
    type Object = Vec<Vec<u8>>;
    type List = Vec<Vec<u8>>;

    fn string(&mut self, text: &Text<'_>) -> Result<Vec<u8>, Stop> {
        Ok(string(text))
    }
    fn enumeration(&mut self, number: usize) -> Result<Vec<u8>, Stop> {
        let value = self.schema.enums.iter().flat_map(|of| &of.values).nth(number).expect("a value of the version");
        Ok(json(|writer| writer.string(value)))
    }
    fn integer(&mut self, value: i64) -> Result<Vec<u8>, Stop> {
        Ok(json(|writer| writer.integer(value)))
    }
    fn number(&mut self, value: f64) -> Result<Vec<u8>, Stop> {
        Ok(json(|writer| writer.float(value)))
    }
    fn boolean(&mut self, value: bool) -> Result<Vec<u8>, Stop> {
        Ok(json(|writer| writer.boolean(value)))
    }
    fn null(&mut self) -> Result<Vec<u8>, Stop> {
        Ok(json(Writer::null))
    }
    fn datetime(&mut self, value: &DateTime) -> Result<Vec<u8>, Stop> {
        let utc =
            value.in_utc(i64::from(value.offset_minutes) * 60_000_000).expect("the reader refuses other instants");
        Ok(json(|writer| writer.datetime(&utc)))
    }
    fn object(&mut self, _: &ObjectType, _: u32) -> Result<Self::Object, Stop> {
        Ok(Vec::new())
    }
    fn field(&mut self, object: &mut Self::Object, of: &ObjectType, index: usize, value: Vec<u8>) -> Result<(), Stop> {
        object.push(entry(json(|writer| writer.string(&of.fields[index].name)), value));
        Ok(())
    }
    fn finish(&mut self, object: Self::Object, _: u128) -> Result<Vec<u8>, Stop> {
        Ok(bracketed(b'{', object, b'}'))
    }
    fn dict(&mut self) -> Result<Self::Object, Stop> {
        Ok(Vec::new())
    }
    fn entry(&mut self, object: &mut Self::Object, key: &Text<'_>, value: Vec<u8>) -> Result<(), Stop> {
        object.push(entry(string(key), value));
        Ok(())
    }
    fn finish_dict(&mut self, object: Self::Object) -> Result<Vec<u8>, Stop> {
        Ok(bracketed(b'{', object, b'}'))
    }
    fn list(&mut self) -> Result<Self::List, Stop> {
        Ok(Vec::new())
    }
    fn item(&mut self, list: &mut Self::List, value: Vec<u8>) -> Result<(), Stop> {
        list.push(value);
        Ok(())
    }
    fn finish_list(&mut self, list: Self::List) -> Result<Vec<u8>, Stop> {
        Ok(bracketed(b'[', list, b']'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What fuzzing has found or is worth trying: a line each, the bytes in hexadecimal.
    const FOUND: &str = include_str!("../../fuzz/found.txt");

    #[test]
    fn logs_hold_whatever_is_spoilt_in_them() {
        let text = include_bytes!("../../../tests/logs/frames.txt");
        log(text);
        for at in 0..text.len() {
            let mut spoilt = text.to_vec();
            spoilt[at] = b"\"{}7\n\xFF"[at % 6];
            let line = spoilt[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            log(&spoilt[line..]);
        }
    }

    #[test]
    fn what_was_found_holds() {
        for line in FOUND.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let byte = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).expect("hexadecimal digits");
            let data: Vec<u8> = (0..line.len()).step_by(2).map(byte).collect();
            for target in [frame, payload, roundtrip, against_serde, log] {
                target(&data);
            }
        }
    }
}
