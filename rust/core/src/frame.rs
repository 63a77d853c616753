//! The envelope: what a frame is, before any schema, and the walk through a whole one (OCPP-J 1.6 §4.2, 2.x Part 4 §4.2).

use crate::error::{Fault, Kind};
use crate::scan::{Begins, Cursor, Text};
use crate::schema::{FrameKind, Schema};
use crate::sink::{Check, Sink, Stop};
use crate::validate::Walker;

/// The longest id that a frame may have, in code points.
pub const MAX_ID: usize = 36;

/// How much of a text that is too long is read for its head.
pub const RECOVERY_WINDOW: usize = 4096;

/// What stands before the payload.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub number: i64,
    pub kind: FrameKind,
    pub id: Text<'a>,
    pub action: Option<Text<'a>>,
}

/// What stands after the head.
#[derive(Debug)]
pub enum Body<'a, V> {
    /// A payload of the type `which`.
    Payload { which: u32, value: V },
    /// The payload of an answer whose action nobody knows yet: well-formed, its place in the text.
    Raw { start: usize, end: usize },
    /// A refusal.
    Refusal { code: Text<'a>, description: Text<'a>, details: V },
}

/// The elements that a frame has.
pub const fn elements(kind: FrameKind) -> usize {
    match kind {
        FrameKind::Call | FrameKind::Send => 4,
        FrameKind::CallResult => 3,
        FrameKind::CallError | FrameKind::CallResultError => 5,
    }
}

/// Reads the head of a frame, up to the comma before its payload.
pub fn head<'a>(cursor: &mut Cursor<'a>, schema: &Schema) -> Result<Head<'a>, Fault> {
    cursor.skip_space();
    if cursor.value_begins()? != Begins::Array {
        return Err(Fault::new(Kind::FrameNotArray, cursor.at));
    }
    cursor.open()?;
    cursor.skip_space();
    if cursor.peek() == Some(b']') {
        return Err(Fault::new(Kind::MessageTypeInvalid, cursor.at));
    }
    let (number, kind) = message_type(cursor, schema)?;
    element(cursor)?;
    if cursor.value_begins()? != Begins::String {
        return Err(Fault::new(Kind::MessageIdType, cursor.at));
    }
    let at = cursor.at;
    let id = cursor.string()?;
    if id.length == 0 || id.length > MAX_ID {
        return Err(Fault::new(Kind::MessageIdLength, at));
    }
    let mut head = Head { number, kind, id, action: None };
    if matches!(kind, FrameKind::Call | FrameKind::Send) {
        element(cursor)?;
        if cursor.value_begins()? != Begins::String {
            return Err(Fault::new(Kind::ActionType, cursor.at));
        }
        head.action = Some(cursor.string()?);
    }
    Ok(head)
}

pub(crate) fn message_type(cursor: &mut Cursor<'_>, schema: &Schema) -> Result<(i64, FrameKind), Fault> {
    let begins = cursor.value_begins()?;
    let at = cursor.at;
    if begins != Begins::Number {
        return Err(Fault::new(Kind::MessageTypeInvalid, at));
    }
    let number = cursor.number()?;
    if !number.plain {
        return Err(Fault::new(Kind::MessageTypeInvalid, at));
    }
    let unknown = Fault::new(Kind::MessageTypeUnknown, at);
    let number = number.integer().ok_or(unknown)?;
    Ok((number, schema.frame_kind(number).ok_or(unknown)?))
}

/// Passes the comma before an element that must come.
#[inline]
fn element(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    cursor.skip_space();
    match cursor.peek() {
        Some(b',') => {
            cursor.at += 1;
            Ok(())
        }
        Some(b']') => Err(Fault::new(Kind::Arity, cursor.at)),
        _ => Err(cursor.unexpected()),
    }
}

/// Passes the comma before the payload.
#[inline]
fn payload_element(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    element(cursor).map_err(|fault| if fault.kind == Kind::Arity { Fault::new(Kind::PayloadMissing, fault.offset) } else { fault })
}

/// Passes the end of a frame, and of the text.
#[inline]
fn end(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    cursor.skip_space();
    match cursor.peek() {
        Some(b']') => cursor.at += 1,
        Some(b',') => {
            cursor.at += 1;
            cursor.value_begins()?;
            return Err(Fault::new(Kind::Arity, cursor.at));
        }
        _ => return Err(cursor.unexpected()),
    }
    cursor.depth -= 1;
    end_of_text(cursor)
}

/// Only white space may follow.
#[inline]
pub fn end_of_text(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    cursor.skip_space();
    if cursor.at < cursor.text.len() { Err(Fault::new(Kind::Syntax, cursor.at)) } else { Ok(()) }
}

/// Where the payload begins, for a reader that looks no further; None for a refusal.
pub fn payload_start(cursor: &mut Cursor<'_>, head: &Head<'_>) -> Result<Option<usize>, Fault> {
    if matches!(head.kind, FrameKind::CallError | FrameKind::CallResultError) {
        return Ok(None);
    }
    payload_element(cursor)?;
    cursor.skip_space();
    Ok(Some(cursor.at))
}

impl<'a, S: Sink> Walker<'_, 'a, S> {
    /// Reads a whole frame. `answered` gives the type of an answer's payload by the id, None when nobody knows it.
    pub fn frame(&mut self, answered: impl FnOnce(&Text<'a>) -> Result<Option<u32>, Stop>) -> Result<(Head<'a>, Body<'a, S::Value>), Stop> {
        let head = head(&mut self.cursor, self.schema)?;
        let body = match head.kind {
            FrameKind::Call | FrameKind::Send => {
                let which = self.payload_type(&head)?;
                payload_element(&mut self.cursor)?;
                Body::Payload { which, value: self.payload(which)? }
            }
            FrameKind::CallResult => {
                payload_element(&mut self.cursor)?;
                match answered(&head.id)? {
                    Some(which) => Body::Payload { which, value: self.payload(which)? },
                    None => self.raw_payload()?,
                }
            }
            FrameKind::CallError | FrameKind::CallResultError => {
                let code = self.error_text()?;
                let description = self.error_text()?;
                element(&mut self.cursor)?;
                if self.cursor.value_begins()? != Begins::Object {
                    return Err(Fault::new(Kind::ErrorFieldType, self.cursor.at).into());
                }
                Body::Refusal { code, description, details: self.any_object()? }
            }
        };
        end(&mut self.cursor)?;
        Ok((head, body))
    }

    /// Reads a text that is a payload alone.
    pub fn payload_alone(&mut self, which: u32) -> Result<S::Value, Stop> {
        let value = self.payload(which)?;
        end_of_text(&mut self.cursor)?;
        Ok(value)
    }

    /// Reads a text that is a free-form object alone: a raw payload on its way out.
    pub fn object_alone(&mut self) -> Result<S::Value, Stop> {
        self.require_object()?;
        let value = self.any_object()?;
        end_of_text(&mut self.cursor)?;
        Ok(value)
    }

    fn payload_type(&self, head: &Head<'a>) -> Result<u32, Stop> {
        let action = head.action.as_ref().map(Text::bytes).unwrap_or_default();
        let message = self.schema.message_index(&action).map(|index| &self.schema.messages[index as usize]);
        let which = message.and_then(|message| if head.kind == FrameKind::Send { message.send } else { message.request });
        // The cursor is behind the action's closing quote.
        let at = self.cursor.at - head.action.map_or(0, |action| action.raw.len() + 2);
        which.ok_or_else(|| Fault::new(Kind::ActionUnknown, at).into())
    }

    fn payload(&mut self, which: u32) -> Result<S::Value, Stop> {
        self.require_object()?;
        self.object(which)
    }

    fn require_object(&mut self) -> Result<(), Stop> {
        let begins = self.cursor.value_begins()?;
        if begins == Begins::Object {
            return Ok(());
        }
        let at = self.cursor.at;
        let kind = match begins {
            Begins::Literal if self.cursor.literal()?.is_none() => Kind::PayloadMissing,
            _ => Kind::PayloadType,
        };
        Err(Fault::new(kind, at).into())
    }

    fn raw_payload(&mut self) -> Result<Body<'a, S::Value>, Stop> {
        self.require_object()?;
        let start = self.cursor.at;
        if S::LISTENS {
            self.any_object()?;
        } else {
            let mut walker = Walker { schema: self.schema, limits: None, cursor: self.cursor.clone(), sink: &mut Check };
            walker.any_object()?;
            self.cursor = walker.cursor;
        }
        Ok(Body::Raw { start, end: self.cursor.at })
    }

    pub(crate) fn error_text(&mut self) -> Result<Text<'a>, Stop> {
        element(&mut self.cursor)?;
        if self.cursor.value_begins()? != Begins::String {
            return Err(Fault::new(Kind::ErrorFieldType, self.cursor.at).into());
        }
        Ok(self.cursor.string()?)
    }
}

/// What stands intact at the start of a text, however it goes on: message type, id and action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub number: Option<i64>,
    pub id: Option<String>,
    pub action: Option<String>,
}

/// Reads the head of a broken frame as far as it stands.
pub fn recover(text: &[u8]) -> Recovered {
    let mut found = Recovered::default();
    let _ = recover_into(&mut found, text);
    found
}

fn recover_into(found: &mut Recovered, text: &[u8]) -> Option<()> {
    let mut cursor = Cursor::new(text);
    if cursor.value_begins().ok()? != Begins::Array {
        return None;
    }
    cursor.open().ok()?;
    if cursor.value_begins().ok()? != Begins::Number {
        return None;
    }
    let number = cursor.number().ok().filter(|number| number.plain)?;
    // A number that the text's end cuts off may not be all of it.
    cursor.peek()?;
    found.number = Some(number.integer()?);
    element(&mut cursor).ok()?;
    found.id = Some(string(&mut cursor)?);
    if let Some(2 | 6) = found.number {
        element(&mut cursor).ok()?;
        found.action = Some(string(&mut cursor)?);
    }
    Some(())
}

fn string(cursor: &mut Cursor<'_>) -> Option<String> {
    if cursor.value_begins().ok()? != Begins::String {
        return None;
    }
    Some(cursor.string().ok()?.to_string_lossy())
}
