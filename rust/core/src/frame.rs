//! The envelope: what a frame is, before any schema, and the walk through a whole one (OCPP-J 1.6 §4.2, 2.x Part 4 §4.2).

use crate::error::Kind;
use crate::scan::{Begins, Cursor, MAX_DEPTH, Stop, Text, plain_until, short_integer, skip_space};
use crate::schema::{FrameKind, Schema, Style};
use crate::simd::Bytes;
use crate::sink::{Check, Sink};
use crate::validate::Walker;

/// The longest id that a frame may have, in code points.
pub const MAX_ID: u32 = 36;

/// How much of a text that is too long is read for its head.
pub const RECOVERY_WINDOW: usize = 4096;

/// What stands before the payload.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub number: i64,
    pub kind: FrameKind,
    pub id: Text<'a>,
    pub action: Option<Text<'a>>,
    /// White space follows the first comma: the sender spaces what it writes.
    pub spaced: bool,
}

/// What stands before the payload of a request: as in `Head`, the payload's type, and where it begins.
struct RequestHead<'a> {
    kind: FrameKind,
    id: &'a [u8],
    spaced: bool,
    which: u32,
    brace: usize,
}

/// What stands after the head.
#[derive(Debug)]
pub enum Body<'a, V> {
    /// A payload of the type `which`.
    Payload { which: u32, value: V },
    /// The payload of an answer whose action nobody knows yet: well-formed, its place in the text.
    Raw { start: usize, end: usize },
    /// A refusal; boxed, since it is rare and would make every other frame's result larger.
    Refusal(Box<Refusal<'a, V>>),
}

/// A request that is written as most are.
#[derive(Debug)]
pub struct Request<'a, V> {
    pub kind: FrameKind,
    /// All ASCII, without escapes.
    pub id: &'a [u8],
    pub payload: V,
}

/// What a CALLERROR or CALLRESULTERROR says.
#[derive(Debug)]
pub struct Refusal<'a, V> {
    pub code: Text<'a>,
    pub description: Text<'a>,
    pub details: V,
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
#[inline(always)]
pub fn head<'a>(cursor: &mut Cursor<'a>, schema: &Schema) -> Result<Head<'a>, Stop> {
    match usual_head(cursor.text, schema) {
        Some((head, end)) => {
            cursor.at = end;
            cursor.depth = 1;
            Ok(head)
        }
        None => any_head(cursor, schema),
    }
}

/// The head of a frame that is written in one of the usual styles, and where its payload begins, for a reader that looks no further. None for a
/// refusal, and for any other frame.
#[inline(always)]
pub fn usual_peek<'a>(text: &'a [u8], schema: &Schema) -> Option<(Head<'a>, usize)> {
    let text = Bytes::new(text);
    let (head, end) = usual_head(text, schema)?;
    if text.byte(end) != b',' || matches!(head.kind, FrameKind::CallError | FrameKind::CallResultError) {
        return None;
    }
    Some((head, skip_space(text, end + 1)))
}

/// The head of a frame that is written in one of the two usual styles and has nothing wrong with it, and its end.
#[inline(always)]
fn usual_head<'a>(text: Bytes<'a>, schema: &Schema) -> Option<(Head<'a>, usize)> {
    let start: &[u8; 4] = text.all().first_chunk()?;
    let spaced = start[3] == b' ';
    if start[0] != b'[' || !start[1].is_ascii_digit() || start[2] != b',' {
        return None;
    }
    let number = i64::from(start[1] - b'0');
    let kind = schema.frame_kind(number)?;
    let (id, mut at) = usual_string(text, 3 + usize::from(spaced))?;
    if id.length == 0 || id.length > MAX_ID as usize {
        return None;
    }
    let mut action = None;
    if let FrameKind::Call | FrameKind::Send = kind {
        if text.byte(at) != b',' || (spaced && text.byte(at + 1) != b' ') {
            return None;
        }
        let (string, end) = usual_string(text, at + 1 + usize::from(spaced))?;
        (action, at) = (Some(string), end);
    }
    Some((Head { number, kind, id, action, spaced }, at))
}

/// The head of a request that is written in one of the two usual styles and has nothing wrong with it.
#[inline(always)]
fn usual_request_head<'a>(text: Bytes<'a>, schema: &Schema) -> Option<RequestHead<'a>> {
    let start: &[u8; 4] = text.all().first_chunk()?;
    let spaced = start[3] == b' ';
    if start[0] != b'[' || start[2] != b',' {
        return None;
    }
    let kind = request_kind(start[1], schema)?;
    // White space that each comma has behind it.
    let behind = usize::from(spaced);
    let comma = |at: usize| text.byte(at) == b',' && (!spaced || text.byte(at + 1) == b' ');
    let (id, at) = usual_id(text, 3 + behind)?;
    if !comma(at) {
        return None;
    }
    let (which, at) = request_type(text, at + 1 + behind, kind, schema)?;
    let brace = at + 1 + behind;
    (comma(at) && text.byte(brace) == b'{').then_some(RequestHead { kind, id, spaced, which, brace })
}

/// The same with white space anywhere, as frames in lines have it.
#[cold]
#[inline(never)]
fn lined_request_head<'a>(all: &'a [u8], schema: &Schema) -> Option<RequestHead<'a>> {
    let text = Bytes::new(all);
    // Where a token stands behind white space, a comma and white space again.
    let behind_comma = |at: usize| {
        let at = skip_space(text, at);
        (text.byte(at) == b',').then(|| skip_space(text, at + 1))
    };
    let at = skip_space(text, 0);
    if text.byte(at) != b'[' {
        return None;
    }
    let number = skip_space(text, at + 1);
    let kind = request_kind(text.byte(number), schema)?;
    let at = behind_comma(number + 1)?;
    let spaced = text.byte(at - 1) != b',';
    let (id, at) = usual_id(text, at)?;
    let (which, at) = request_type(text, behind_comma(at)?, kind, schema)?;
    let brace = behind_comma(at)?;
    (text.byte(brace) == b'{').then_some(RequestHead { kind, id, spaced, which, brace })
}

/// The kind of request that a message type of one digit stands for.
#[inline(always)]
fn request_kind(digit: u8, schema: &Schema) -> Option<FrameKind> {
    let kind = schema.frame_kind(i64::from(digit) - i64::from(b'0'))?;
    matches!(kind, FrameKind::Call | FrameKind::Send).then_some(kind)
}

/// An id that is plain and not too long, and its end.
#[inline(always)]
fn usual_id(text: Bytes<'_>, at: usize) -> Option<(&[u8], usize)> {
    let (id, end) = usual_string(text, at)?;
    (1..=MAX_ID as usize).contains(&id.length).then_some((id.raw, end))
}

/// The type of the payload of the request whose action stands at `at`, and the action's end.
#[inline(always)]
fn request_type(text: Bytes<'_>, at: usize, kind: FrameKind, schema: &Schema) -> Option<(u32, usize)> {
    if text.byte(at) != b'"' {
        return None;
    }
    let (message, end) = schema.message_at(text, at)?;
    let which = if kind == FrameKind::Send { message.send } else { message.request };
    Some((which?, end))
}

/// A string without escapes, all ASCII, and its end.
#[inline(always)]
fn usual_string(text: Bytes<'_>, at: usize) -> Option<(Text<'_>, usize)> {
    if text.byte(at) != b'"' {
        return None;
    }
    let end = plain_until(text, at + 1);
    if text.byte(end) != b'"' {
        return None;
    }
    Some((Text::plain(&text.all()[at + 1..end]), end + 1))
}

#[inline(never)]
fn any_head<'a>(cursor: &mut Cursor<'a>, schema: &Schema) -> Result<Head<'a>, Stop> {
    if cursor.skip_space() != b'[' {
        return wrong(cursor, Kind::FrameNotArray);
    }
    cursor.open()?;
    if cursor.skip_space() == b']' {
        return cursor.fail(Kind::MessageTypeInvalid, cursor.at);
    }
    let (number, kind) = message_type(cursor, schema)?;
    element(cursor, Kind::Arity)?;
    let spaced = matches!(cursor.byte(), b' ' | b'\t' | b'\n' | b'\r');
    let id = string_of(cursor, Kind::MessageIdType)?;
    if id.length == 0 || id.length > MAX_ID as usize {
        return cursor.fail(Kind::MessageIdLength, begin_of(cursor, &id));
    }
    let action = match kind {
        FrameKind::Call | FrameKind::Send => {
            element(cursor, Kind::Arity)?;
            Some(string_of(cursor, Kind::ActionType)?)
        }
        _ => None,
    };
    Ok(Head { number, kind, id, action, spaced })
}

/// Reads the message type.
#[inline]
pub(crate) fn message_type(cursor: &mut Cursor<'_>, schema: &Schema) -> Result<(i64, FrameKind), Stop> {
    let begins = cursor.value_begins()?;
    let at = cursor.at;
    if begins != Begins::Number {
        return wrong(cursor, Kind::MessageTypeInvalid);
    }
    let number = match short_integer(cursor.text, at) {
        Some((number, end)) => {
            cursor.at = end;
            number
        }
        None => {
            let number = cursor.number()?;
            if !number.plain {
                return cursor.fail(Kind::MessageTypeInvalid, at);
            }
            match number.integer() {
                Some(number) => number,
                None => return cursor.fail(Kind::MessageTypeUnknown, at),
            }
        }
    };
    match schema.frame_kind(number) {
        Some(kind) => Ok((number, kind)),
        None => cursor.fail(Kind::MessageTypeUnknown, at),
    }
}

/// Reads a string; a value of another type is a fault of the kind `otherwise`.
#[inline(always)]
fn string_of<'a>(cursor: &mut Cursor<'a>, otherwise: Kind) -> Result<Text<'a>, Stop> {
    if cursor.skip_space() == b'"' { cursor.string() } else { wrong(cursor, otherwise) }
}

/// The opening quote of a string that has just been read.
#[inline(always)]
fn begin_of(cursor: &Cursor<'_>, text: &Text<'_>) -> usize {
    cursor.at - text.raw.len() - 2
}

/// The fault of an element of a wrong type; a literal is read to its end first.
#[cold]
#[inline(never)]
fn wrong<T>(cursor: &mut Cursor<'_>, kind: Kind) -> Result<T, Stop> {
    let begins = cursor.value_begins()?;
    let at = cursor.at;
    if begins == Begins::Literal {
        cursor.literal()?;
    }
    cursor.fail(kind, at)
}

/// Passes the comma before an element that must come; where the frame ends instead, that is a fault of the kind `otherwise`.
#[inline(always)]
fn element(cursor: &mut Cursor<'_>, otherwise: Kind) -> Result<(), Stop> {
    match cursor.skip_space() {
        b',' => {
            cursor.at += 1;
            Ok(())
        }
        b']' => cursor.fail(otherwise, cursor.at),
        _ => cursor.unexpected(cursor.at),
    }
}

/// Passes the end of a frame, and of the text.
#[inline(always)]
pub(crate) fn end(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    match cursor.skip_space() {
        b']' => {}
        b',' => {
            cursor.at += 1;
            cursor.value_begins()?;
            return cursor.fail(Kind::Arity, cursor.at);
        }
        _ => return cursor.unexpected(cursor.at),
    }
    cursor.at += 1;
    cursor.depth -= 1;
    end_of_text(cursor)
}

/// Only white space may follow.
#[inline(always)]
pub fn end_of_text(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    let end = cursor.text.all().len();
    if cursor.at < end && {
        cursor.skip_space();
        cursor.at < end
    } {
        cursor.unexpected(cursor.at)
    } else {
        Ok(())
    }
}

/// Where the payload begins, for a reader that looks no further; None for a refusal.
pub fn payload_start(cursor: &mut Cursor<'_>, head: &Head<'_>) -> Result<Option<usize>, Stop> {
    if matches!(head.kind, FrameKind::CallError | FrameKind::CallResultError) {
        return Ok(None);
    }
    element(cursor, Kind::PayloadMissing)?;
    cursor.skip_space();
    Ok(Some(cursor.at))
}

impl<'a, S: Sink> Walker<'_, 'a, S> {
    /// Reads a whole frame. `answered` gives the type of an answer's payload by the id, None when nobody knows it.
    #[inline(always)]
    pub fn frame(
        &mut self,
        answered: impl FnOnce(&Text<'a>) -> Result<Option<u32>, Stop>,
    ) -> Result<(Head<'a>, Body<'a, S::Value>), Stop> {
        let head = head(&mut self.cursor, self.schema)?;
        self.style = if head.spaced { Style::Spaced } else { Style::Compact };
        let body = match head.kind {
            FrameKind::Call | FrameKind::Send => {
                let which = self.payload_type(&head)?;
                element(&mut self.cursor, Kind::PayloadMissing)?;
                Body::Payload { which, value: self.payload(which)? }
            }
            FrameKind::CallResult => {
                element(&mut self.cursor, Kind::PayloadMissing)?;
                match answered(&head.id)? {
                    Some(which) => Body::Payload { which, value: self.payload(which)? },
                    None => self.raw_payload()?,
                }
            }
            FrameKind::CallError | FrameKind::CallResultError => Body::Refusal(self.refusal()?),
        };
        end(&mut self.cursor)?;
        Ok((head, body))
    }

    /// Reads a whole request that is written in one of the usual styles, or in lines. None, nothing read, for any other frame and for one with a
    /// fault in its head; `frame` reads those.
    #[inline(always)]
    pub fn usual_request(&mut self) -> Option<Result<Request<'a, S::Value>, Stop>> {
        let text = self.cursor.text;
        let RequestHead { kind, id, spaced, which, brace } = match usual_request_head(text, self.schema) {
            Some(head) => head,
            None => lined_request_head(text.all(), self.schema)?,
        };
        self.style = if spaced { Style::Spaced } else { Style::Compact };
        self.cursor.depth = 1;
        Some(self.request_payload(which, brace).map(|payload| Request { kind, id, payload }))
    }

    #[inline(always)]
    fn request_payload(&mut self, which: u32, brace: usize) -> Result<S::Value, Stop> {
        let text = self.cursor.text;
        let (value, end) = self.payload_at(which, brace)?;
        if text.byte(end) != b']' || end + 1 < text.all().len() {
            self.cursor.at = end;
            self.end()?;
        }
        Ok(value)
    }

    #[inline(never)]
    fn end(&mut self) -> Result<(), Stop> {
        end(&mut self.cursor)
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

    #[inline]
    pub(crate) fn payload_type(&mut self, head: &Head<'a>) -> Result<u32, Stop> {
        let Some(action) = &head.action else { return self.cursor.fail(Kind::ActionUnknown, self.cursor.at) };
        let begin = begin_of(&self.cursor, action);
        let index = match action.escaped {
            false => self.schema.message_index(action.raw),
            true => self.schema.message_index(&action.bytes()),
        };
        let message = index.map(|index| &self.schema.messages[index]);
        let which =
            message.and_then(|message| if head.kind == FrameKind::Send { message.send } else { message.request });
        match which {
            Some(which) => Ok(which),
            None => self.cursor.fail(Kind::ActionUnknown, begin),
        }
    }

    fn payload(&mut self, which: u32) -> Result<S::Value, Stop> {
        self.require_object()?;
        let (value, end) = self.payload_at(which, self.cursor.at)?;
        self.cursor.at = end;
        Ok(value)
    }

    /// The payload whose opening brace is at `brace`, and the place behind it.
    #[inline(always)]
    fn payload_at(&mut self, which: u32, brace: usize) -> Result<(S::Value, usize), Stop> {
        let of = &self.schema.types[which as usize];
        if self.cursor.text.byte(brace + 1) == b'}' && of.required == 0 && self.cursor.depth < MAX_DEPTH {
            let object = self.sink.object(of, which)?;
            return Ok((self.sink.finish(object, 0)?, brace + 2));
        }
        self.new_object(of, which, brace, 0)
    }

    #[inline(always)]
    fn require_object(&mut self) -> Result<(), Stop> {
        if self.cursor.skip_space() == b'{' { Ok(()) } else { self.no_object() }
    }

    #[cold]
    #[inline(never)]
    fn no_object(&mut self) -> Result<(), Stop> {
        let begins = self.cursor.value_begins()?;
        let at = self.cursor.at;
        let kind = match begins {
            Begins::Literal if self.cursor.literal()?.is_none() => Kind::PayloadMissing,
            _ => Kind::PayloadType,
        };
        self.cursor.fail(kind, at)
    }

    /// Reads what stands behind a head: a payload of the type `which`, and the frame's end.
    pub(crate) fn payload_behind(&mut self, head: &Head<'a>, which: u32) -> Result<(), Stop> {
        self.style = if head.spaced { Style::Spaced } else { Style::Compact };
        element(&mut self.cursor, Kind::PayloadMissing)?;
        self.payload(which)?;
        end(&mut self.cursor)
    }

    /// The same for an answer whose action nobody knows.
    pub(crate) fn raw_behind(&mut self) -> Result<(), Stop> {
        element(&mut self.cursor, Kind::PayloadMissing)?;
        self.raw_payload()?;
        end(&mut self.cursor)
    }

    #[inline(never)]
    fn raw_payload(&mut self) -> Result<Body<'a, S::Value>, Stop> {
        self.require_object()?;
        let start = self.cursor.at;
        let mut check = Check;
        let mut walker = Walker::new(self.schema, None, self.cursor.clone(), &mut check);
        let walked = walker.any_object();
        (self.cursor, self.trail) = (walker.cursor, walker.trail);
        walked?;
        Ok(Body::Raw { start, end: self.cursor.at })
    }

    #[inline(never)]
    pub(crate) fn refusal(&mut self) -> Result<Box<Refusal<'a, S::Value>>, Stop> {
        let code = self.error_text()?;
        let description = self.error_text()?;
        element(&mut self.cursor, Kind::Arity)?;
        if self.cursor.skip_space() != b'{' {
            return wrong(&mut self.cursor, Kind::ErrorFieldType);
        }
        Ok(Box::new(Refusal { code, description, details: self.any_object()? }))
    }

    pub(crate) fn error_text(&mut self) -> Result<Text<'a>, Stop> {
        element(&mut self.cursor, Kind::Arity)?;
        string_of(&mut self.cursor, Kind::ErrorFieldType)
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
    text.get(cursor.at)?;
    found.number = Some(number.integer()?);
    element(&mut cursor, Kind::Arity).ok()?;
    found.id = Some(string(&mut cursor)?);
    if let Some(2 | 6) = found.number {
        element(&mut cursor, Kind::Arity).ok()?;
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
