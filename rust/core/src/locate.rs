//! The second walk, on the error path alone: where a fault lies and what was expected there.
//!
//! It is the same walk with a sink that listens where it goes, so that the two cannot disagree.

use std::borrow::Cow;

use crate::error::{Expected, Fault, Kind};
use crate::format::datetime::DateTime;
use crate::frame::{MAX_ID, elements, head, message_type};
use crate::scan::{Cursor, MAX_DEPTH, Text};
use crate::schema::{Field, FieldKind, FrameKind, ObjectType, Schema};
use crate::sink::{Check, Sink, Stop};
use crate::validate::{Limits, Walker};

/// What a text was read as.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// A frame; the type of its payload if it is an answer that somebody waits for.
    Frame { answered: Option<u32> },
    /// A payload alone.
    Payload { which: u32 },
    /// A free-form object alone.
    Object,
}

/// Where a fault lies and what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub path: String,
    pub expected: Expected,
}

/// Walks again to the fault that a walk over `cursor`'s text has met.
pub fn locate(fault: Fault, schema: &Schema, limits: Option<&Limits>, cursor: Cursor<'_>, reading: Reading) -> Located {
    let text = cursor.text.all();
    let mut sink = Trail { schema, limits, steps: Vec::new(), objects: Vec::new() };
    let mut walker = Walker::new(schema, limits, cursor, &mut sink);
    let stopped = match reading {
        Reading::Frame { answered } => walker.frame(|_| Ok(answered)).err(),
        Reading::Payload { which } => walker.payload_alone(which).err(),
        Reading::Object => walker.object_alone().err(),
    };
    debug_assert!(stopped.is_some());
    debug_assert_eq!(walker.cursor.fault, Some(fault), "the second walk met another fault than the first");
    let frame = match reading {
        Reading::Frame { .. } => head(&mut Cursor::new(text), schema).ok().map(|head| head.kind),
        _ => None,
    };
    // What stands in an error's details has no payload to point into.
    let silent = is_text(fault.kind) || matches!(frame, Some(FrameKind::CallError | FrameKind::CallResultError));
    let path = if silent { String::new() } else { sink.path() };
    let expected = match fault.kind {
        Kind::MessageTypeInvalid | Kind::MessageTypeUnknown => {
            Expected::Integers(schema.frames.iter().map(|(number, _)| i64::from(*number)).collect())
        }
        Kind::Arity => match message_kind(text, schema) {
            Some(kind) => Expected::Integer(elements(kind) as i64),
            None => Expected::Nothing,
        },
        Kind::ErrorFieldType => {
            Expected::Text(if refusal_texts_stand(text, schema) { "object" } else { "string" }.to_owned())
        }
        kind => sink.expected(kind),
    };
    Located { path, expected }
}

/// The kind of frame that a text is by its first element.
fn message_kind(text: &[u8], schema: &Schema) -> Option<FrameKind> {
    let mut cursor = Cursor::new(text);
    cursor.value_begins().ok()?;
    cursor.open().ok()?;
    message_type(&mut cursor, schema).ok().map(|(_, kind)| kind)
}

/// Whether code and description of a refusal are what they must be, so that its details are at fault.
fn refusal_texts_stand(text: &[u8], schema: &Schema) -> bool {
    let mut cursor = Cursor::new(text);
    head(&mut cursor, schema).is_ok_and(|_| {
        let mut check = Check;
        let mut walker = Walker::new(schema, None, cursor, &mut check);
        walker.error_text().is_ok() && walker.error_text().is_ok()
    })
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Size | Kind::Utf8 | Kind::Syntax | Kind::Truncated | Kind::Surrogate | Kind::Depth)
}

enum StepInto {
    Field(u32, usize),
    Entry(String),
    Item(usize),
}

struct Trail<'s> {
    schema: &'s Schema,
    limits: Option<&'s Limits>,
    steps: Vec<StepInto>,
    objects: Vec<u32>,
}

impl Trail<'_> {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            path.push('/');
            match step {
                StepInto::Field(of, index) => {
                    path.push_str(&escape(&self.schema.types[*of as usize].fields[*index].name))
                }
                StepInto::Entry(key) => path.push_str(&escape(key)),
                StepInto::Item(index) => path.push_str(&index.to_string()),
            }
        }
        path
    }

    /// The field that the walk is in or among the items of.
    fn field(&self) -> Option<(u32, usize)> {
        match self.steps.iter().rev().find(|step| !matches!(step, StepInto::Item(_))) {
            Some(StepInto::Field(of, index)) => Some((*of, *index)),
            _ => None,
        }
    }

    fn expected(&self, kind: Kind) -> Expected {
        let text = |text: &str| Expected::Text(text.to_owned());
        let count = |number: usize| Expected::Integer(number as i64);
        match kind {
            Kind::Depth => count(MAX_DEPTH),
            Kind::MessageIdType | Kind::ActionType => text("string"),
            Kind::MessageIdLength => count(MAX_ID as usize),
            Kind::PayloadMissing | Kind::PayloadType => text("object"),
            Kind::UnknownKey => self.objects.last().map_or(Expected::Nothing, |of| {
                Expected::Names(self.schema.types[*of as usize].fields.iter().map(|field| field.name.clone()).collect())
            }),
            Kind::NumberRange | Kind::DuplicateKey => Expected::Nothing,
            _ => self.field().map_or(Expected::Nothing, |field| {
                let in_item = matches!(self.steps.last(), Some(StepInto::Item(_)));
                expected_of(self.schema, self.limits, kind, field, in_item)
            }),
        }
    }
}

/// What a field of the type `of` expects of its value, or of one of its items, when that has a fault of this kind.
pub fn expected_of(
    schema: &Schema,
    limits: Option<&Limits>,
    kind: Kind,
    (of, index): (u32, usize),
    in_item: bool,
) -> Expected {
    let field: &Field = &schema.types[of as usize].fields[index];
    let raised = limits.and_then(|limits| limits.get(&(of, index as u16)));
    match (kind, &field.kind) {
        (Kind::Type | Kind::Null, _) if field.items.is_some() && !in_item => Expected::Text("array".to_owned()),
        (Kind::Type | Kind::Null, of) => Expected::Text(json_type(of).to_owned()),
        (Kind::Enum, FieldKind::Enumeration(which)) => Expected::Names(schema.enums[*which as usize].values.clone()),
        (Kind::Format, FieldKind::Uri { .. }) => Expected::Text("uri".to_owned()),
        (Kind::Format, _) => Expected::Text("date-time".to_owned()),
        (Kind::Minimum, FieldKind::Integer { min, .. }) => Expected::Integer(*min),
        (Kind::Maximum, FieldKind::Integer { max, .. }) => Expected::Integer(*max),
        (Kind::Minimum, FieldKind::Number { min, .. }) => Expected::Number(*min),
        (Kind::Maximum, FieldKind::Number { max, .. }) => Expected::Number(*max),
        (Kind::MultipleOf, FieldKind::Number { step: Some(step), .. }) => Expected::Text(step.text.clone()),
        (Kind::Length, FieldKind::String { max } | FieldKind::Uri { max }) => {
            Expected::Integer(i64::from(*raised.unwrap_or(max)))
        }
        (Kind::Missing, _) => Expected::Text(field.name.clone()),
        (Kind::TooFew, _) => field.items.map_or(Expected::Nothing, |items| Expected::Integer(i64::from(items.least))),
        (Kind::TooMany, _) => field.items.map_or(Expected::Nothing, |items| Expected::Integer(i64::from(items.most))),
        _ => Expected::Nothing,
    }
}

fn json_type(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::String { .. } | FieldKind::Uri { .. } | FieldKind::Enumeration(_) | FieldKind::DateTime => "string",
        FieldKind::Integer { .. } => "integer",
        FieldKind::Number { .. } => "number",
        FieldKind::Boolean => "boolean",
        FieldKind::Object(_) | FieldKind::Any => "object",
    }
}

/// A part of a JSON pointer (RFC 6901 §3).
fn escape(part: &str) -> Cow<'_, str> {
    if part.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        part.replace('~', "~0").replace('/', "~1").into()
    } else {
        part.into()
    }
}

impl Sink for Trail<'_> {
    type Value = ();
    type Object = ();
    type List = ();

    const LISTENS: bool = true;

    fn string(&mut self, _: &Text<'_>) -> Result<(), Stop> {
        Ok(())
    }
    fn enumeration(&mut self, _: usize) -> Result<(), Stop> {
        Ok(())
    }
    fn integer(&mut self, _: i64) -> Result<(), Stop> {
        Ok(())
    }
    fn number(&mut self, _: f64) -> Result<(), Stop> {
        Ok(())
    }
    fn boolean(&mut self, _: bool) -> Result<(), Stop> {
        Ok(())
    }
    fn null(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    fn datetime(&mut self, _: &DateTime) -> Result<(), Stop> {
        Ok(())
    }
    fn object(&mut self, _: &ObjectType, which: u32) -> Result<(), Stop> {
        self.objects.push(which);
        Ok(())
    }
    fn field(&mut self, (): &mut (), _: &ObjectType, _: usize, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    fn finish(&mut self, (): (), _: u128) -> Result<(), Stop> {
        self.objects.pop();
        Ok(())
    }
    fn dict(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    fn entry(&mut self, (): &mut (), _: &Text<'_>, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    fn finish_dict(&mut self, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    fn list(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    fn item(&mut self, (): &mut (), (): ()) -> Result<(), Stop> {
        Ok(())
    }
    fn finish_list(&mut self, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    fn enter_field(&mut self, _: &ObjectType, index: usize) {
        // `object` has just said which type it is.
        let of = self.objects.last().copied().unwrap_or_default();
        self.steps.push(StepInto::Field(of, index));
    }
    fn enter_entry(&mut self, key: &Text<'_>) {
        self.steps.push(StepInto::Entry(key.to_string_lossy()));
    }
    fn enter_item(&mut self, index: usize) {
        self.steps.push(StepInto::Item(index));
    }
    fn leave(&mut self) {
        self.steps.pop();
    }
}
