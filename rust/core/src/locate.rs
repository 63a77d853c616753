//! On the error path alone: where a fault lies and what was expected there, from the steps that the walk has noted on its way out.

use std::borrow::Cow;

use crate::error::{Expected, Fault, Kind};
use crate::frame::{MAX_ID, elements, head, message_type};
use crate::scan::{Cursor, MAX_DEPTH};
use crate::schema::{Field, FieldKind, FrameKind, Schema};
use crate::sink::Check;
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

/// Walks again to the fault that a walk over `cursor`'s text has met, where that walk's steps are not at hand.
pub fn locate(fault: Fault, schema: &Schema, limits: Option<&Limits>, cursor: Cursor<'_>, reading: Reading) -> Located {
    let text = cursor.text.all();
    let mut check = Check;
    let mut walker = Walker::new(schema, limits, cursor, &mut check);
    let stopped = match reading {
        Reading::Frame { answered } => walker.frame(|_| Ok(answered)).err(),
        Reading::Payload { which } => walker.payload_alone(which).err(),
        Reading::Object => walker.object_alone().err(),
    };
    debug_assert!(stopped.is_some());
    debug_assert_eq!(walker.cursor.fault, Some(fault), "the second walk met another fault than the first");
    located(fault, walker.trail, schema, limits, text, reading)
}

/// Where a fault lies that a walk over this text has met, from the steps of that walk (`Walker::trail`).
pub fn located(
    fault: Fault,
    steps: Vec<Step>,
    schema: &Schema,
    limits: Option<&Limits>,
    text: &[u8],
    reading: Reading,
) -> Located {
    let trail = Trail { schema, limits, steps };
    let frame = match reading {
        Reading::Frame { .. } => head(&mut Cursor::new(text), schema).ok().map(|head| head.kind),
        _ => None,
    };
    // What stands in an error's details has no payload to point into.
    let silent = is_text(fault.kind) || matches!(frame, Some(FrameKind::CallError | FrameKind::CallResultError));
    let path = if silent { String::new() } else { trail.path() };
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
        kind => trail.expected(kind),
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

/// A step of the way from a payload to a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a field, by the index of its type and its own.
    Field(u32, usize),
    /// To a key that the type with this index does not know.
    Unknown(u32, String),
    /// Into an entry of a free-form object, or of an open one.
    Entry(String),
    Item(usize),
}

struct Trail<'s> {
    schema: &'s Schema,
    limits: Option<&'s Limits>,
    /// The innermost first.
    steps: Vec<Step>,
}

impl Trail<'_> {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            path.push('/');
            match step {
                Step::Field(of, index) => path.push_str(&escape(&self.schema.types[*of as usize].fields[*index].name)),
                Step::Unknown(_, key) | Step::Entry(key) => path.push_str(&escape(key)),
                Step::Item(index) => path.push_str(&index.to_string()),
            }
        }
        path
    }

    /// The field that the walk is in or among the items of.
    fn field(&self) -> Option<(u32, usize)> {
        match self.steps.iter().find(|step| !matches!(step, Step::Item(_))) {
            Some(Step::Field(of, index)) => Some((*of, *index)),
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
            Kind::UnknownKey => match self.steps.first() {
                Some(Step::Unknown(of, _)) => Expected::Fields(*of),
                _ => Expected::Nothing,
            },
            Kind::NumberRange | Kind::DuplicateKey => Expected::Nothing,
            _ => self.field().map_or(Expected::Nothing, |field| {
                let in_item = matches!(self.steps.first(), Some(Step::Item(_)));
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
        (Kind::Enum, FieldKind::Enumeration(which)) => Expected::Values(*which),
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
