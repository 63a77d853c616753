//! The tables that drive the walk: one version's messages, types and fields, built from the compact model.
//!
//! A table learns in which order a sender writes fields. These hints are the only thing that changes after it is built, so
//! threads that work side by side take a copy each (`Schema::clone`) instead of writing to the same memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering};

use serde::Deserialize;

use crate::names::{Names, Pattern};

/// The most fields that a type may have: one bit each tells which were seen.
pub const MAX_FIELDS: usize = 128;

#[derive(Debug, Clone)]
pub struct Schema {
    pub version: String,
    pub enums: Vec<Enumeration>,
    pub types: Vec<ObjectType>,
    pub messages: Vec<Message>,
    pub frames: Vec<(u32, FrameKind)>,
    /// The kind of each message type number.
    kinds: Vec<Option<FrameKind>>,
    type_names: HashMap<String, u32>,
    actions: Names,
}

/// How a sender writes what stands between values: `,"key":` or `, "key": `. Anything else is read too, only slower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Compact,
    Spaced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    Call,
    CallResult,
    CallError,
    CallResultError,
    Send,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub action: String,
    /// The types of the payloads: a call has a request and a response, a send has `send` alone.
    pub request: Option<u32>,
    pub response: Option<u32>,
    pub send: Option<u32>,
}

#[derive(Debug, Clone)]
pub struct ObjectType {
    pub name: String,
    /// Further keys with any value are allowed; the value is a plain dict.
    pub open: bool,
    /// Under draft 4 an integer has no fraction and no exponent; later drafts ask for an integral value.
    pub draft4: bool,
    pub fields: Vec<Field>,
    /// One bit per required field.
    pub required: u128,
    names: Names,
    first: Hint,
}

/// What the walk needs of a field stands first, together.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Field {
    /// The field's bit in `ObjectType::required`.
    pub bit: u128,
    pub kind: FieldKind,
    pub items: Option<Bounds>,
    next: Hint,
    pub value: ValueHint,
    /// Where it is: the index of its type, and its own.
    pub of: u32,
    pub index: u16,
    /// The type's draft is 4.
    pub draft4: bool,
    pub required: bool,
    /// The key with what stands around it, by style.
    keys: [Pattern; 2],
    pub name: String,
    pub attr: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub least: u32,
    pub most: u32,
}

#[derive(Debug, Clone)]
pub enum FieldKind {
    String { max: u32 },
    Uri { max: u32 },
    Enumeration(u32),
    DateTime,
    Integer { min: i64, max: i64 },
    Number { min: f64, max: f64, step: Option<Box<Step>> },
    Boolean,
    Object(u32),
    Any,
}

/// A decimal step, `multipleOf`: its text and its exact value `mantissa` × 10^-`places`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub text: String,
    pub mantissa: u64,
    pub places: u32,
}

#[derive(Debug, Clone)]
pub struct Enumeration {
    pub name: String,
    pub values: Vec<String>,
    /// How many values the enumerations before this one have: value i of this one is number `base` + i of the version.
    pub base: usize,
    pub names: Names,
    /// The values with their quotes.
    strings: Vec<Pattern>,
    /// By value, the one that came behind it in the same field.
    next: Vec<Memory>,
}

/// A number that a table remembers: relaxed, since it is only ever a guess.
#[derive(Debug, Default)]
struct Memory(AtomicU16);

impl Memory {
    fn of(value: usize) -> Self {
        Self(AtomicU16::new(value as u16))
    }

    #[inline(always)]
    fn get(&self) -> usize {
        usize::from(self.0.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn set(&self, value: usize) {
        self.0.store(value as u16, Ordering::Relaxed);
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self::of(self.get())
    }
}

/// Where the sender went from here: the fields that came next the last time and the time before.
#[derive(Debug, Default, Clone)]
struct Hint {
    last: Memory,
    before: Memory,
}

impl Hint {
    fn of(index: usize) -> Self {
        Self { last: Memory::of(index), before: Memory::of(index) }
    }

    #[inline(always)]
    fn learn(&self, index: usize) {
        self.before.set(self.last.get());
        self.last.set(index);
    }
}

/// What values a field of an enumeration had.
#[derive(Debug, Default, Clone)]
pub struct ValueHint {
    last: Memory,
    /// How well guesses did of late, 0 to `SURE`.
    trust: Memory,
}

/// The trust that many good guesses give, and what a guess needs to be tried.
const SURE: usize = 8;
const FAIR: usize = 4;

impl Enumeration {
    /// The value whose string, quotes included, stands at `at`, and its end, if it is the one that is guessed: what came behind the
    /// field's last value the time before.
    #[inline(always)]
    pub fn guessed(&self, hint: &ValueHint, text: &[u8], at: usize) -> Option<(usize, usize)> {
        if hint.trust.get() < FAIR {
            return None;
        }
        let guess = self.next.get(hint.last.get())?.get();
        let end = self.strings.get(guess)?.ends(text, at, 0)?;
        hint.last.set(guess);
        Some((guess, end))
    }

    /// The value whose string stands at `at`, and its end; None if it is another string, or spelled in an unusual way.
    #[inline(always)]
    pub fn find_string(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        self.names.find_string(text, at)
    }

    /// Remembers that the field had the value `found`, which was not guessed, and whether guessing would have done better.
    #[inline(always)]
    pub fn learn(&self, hint: &ValueHint, found: usize) {
        let Some(next) = self.next.get(hint.last.get()) else { return };
        let trust = hint.trust.get();
        hint.trust.set(if next.get() == found { (trust + 1).min(SURE) } else { trust / 2 });
        next.set(found);
        hint.last.set(found);
    }
}

impl ObjectType {
    /// The index of a field by its wire name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.names.find(name)
    }

    /// The index of the field whose name is the bytes from `start` to `end`.
    #[inline]
    pub fn find_in(&self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        self.names.find_in(text, start, end)
    }

    /// The field whose key stands at `at`, behind the value of the field `previous` and up to its own value, and the byte behind it;
    /// None if it is not one that came there the last two times, in that style.
    #[inline(always)]
    pub fn predicted(&self, style: Style, previous: &Field, text: &[u8], at: usize) -> Option<(&Field, usize)> {
        self.followed(&previous.next, style, text, at, 0)
    }

    /// The same for the first key, whose opening brace is at `at`.
    #[inline(always)]
    pub fn predicted_first(&self, style: Style, text: &[u8], at: usize) -> Option<(&Field, usize)> {
        // The brace stands where the comma would: `{"key":`, `{"key": `; the space behind a comma has no like.
        match style {
            Style::Compact => self.followed(&self.first, style, text, at, 1),
            Style::Spaced => self.followed(&self.first, style, text, at.wrapping_sub(1), 2),
        }
    }

    #[inline(always)]
    fn followed(&self, hint: &Hint, style: Style, text: &[u8], at: usize, skip: u32) -> Option<(&Field, usize)> {
        let field = self.fields.get(hint.last.get())?;
        if let Some(end) = field.keys[style as usize].ends(text, at, skip) {
            return Some((field, end));
        }
        self.followed_before(hint, style, text, at, skip)
    }

    #[inline(never)]
    fn followed_before(&self, hint: &Hint, style: Style, text: &[u8], at: usize, skip: u32) -> Option<(&Field, usize)> {
        let before = hint.before.get();
        let field = self.fields.get(before)?;
        let end = field.keys[style as usize].ends(text, at, skip)?;
        hint.learn(before);
        Some((field, end))
    }

    /// Remembers that the field `index` came behind `previous`, or first.
    #[inline]
    pub fn learn(&self, previous: Option<&Field>, index: usize) {
        previous.map_or(&self.first, |previous| &previous.next).learn(index);
    }
}

impl Schema {
    pub fn type_index(&self, name: &str) -> Option<u32> {
        self.type_names.get(name).copied()
    }

    pub fn message(&self, action: &str) -> Option<&Message> {
        self.message_index(action.as_bytes()).map(|index| &self.messages[index])
    }

    #[inline]
    pub fn message_index(&self, action: &[u8]) -> Option<usize> {
        self.actions.find(action)
    }

    /// The message whose action is the bytes from `start` to `end`.
    #[inline]
    pub fn action_in(&self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        self.actions.find_in(text, start, end)
    }

    #[inline]
    pub fn frame_kind(&self, number: i64) -> Option<FrameKind> {
        *self.kinds.get(usize::try_from(number).ok()?)?
    }

    /// Builds the tables from a compact model. The message of the error says what the model got wrong.
    pub fn load(json: &[u8]) -> Result<Self, String> {
        let model: Model =
            serde_json::from_slice(json).map_err(|error| format!("the model cannot be read: {error}"))?;
        build(model)
    }
}

#[derive(Deserialize)]
struct Model {
    version: String,
    frames: HashMap<String, String>,
    enums: HashMap<String, Vec<String>>,
    types: HashMap<String, ModelType>,
    messages: HashMap<String, ModelMessage>,
}

#[derive(Deserialize)]
struct ModelType {
    draft: u32,
    open: bool,
    fields: Vec<ModelField>,
}

#[derive(Deserialize)]
struct ModelField {
    name: String,
    attr: String,
    kind: String,
    required: bool,
    #[serde(rename = "ref")]
    reference: Option<String>,
    items: Option<(u32, Option<u32>)>,
    max_length: Option<u32>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    step: Option<String>,
}

#[derive(Deserialize)]
struct ModelMessage {
    request: Option<String>,
    response: Option<String>,
    send: Option<String>,
}

fn build(model: Model) -> Result<Schema, String> {
    let mut enum_names: Vec<&String> = model.enums.keys().collect();
    enum_names.sort();
    let enum_index: HashMap<&str, u32> =
        enum_names.iter().enumerate().map(|(index, name)| (name.as_str(), index as u32)).collect();
    let mut base = 0;
    let enums = enum_names
        .iter()
        .map(|name| {
            let values = model.enums[*name].clone();
            let names = Names::new(values.iter().map(String::as_bytes));
            let quoted = |value: &String| serde_json::Value::from(value.as_str()).to_string();
            let enumeration = Enumeration {
                name: (*name).clone(),
                names,
                base,
                strings: values.iter().map(|value| Pattern::new(quoted(value).as_bytes())).collect(),
                next: (0..values.len()).map(Memory::of).collect(),
                values,
            };
            base += enumeration.values.len();
            enumeration
        })
        .collect();
    let mut names: Vec<&String> = model.types.keys().collect();
    names.sort();
    let type_names: HashMap<String, u32> =
        names.iter().enumerate().map(|(index, name)| ((*name).clone(), index as u32)).collect();
    let types = names
        .iter()
        .map(|name| object_type(name, &model.types[*name], &type_names, &enum_index))
        .collect::<Result<Vec<_>, String>>()?;
    let mut actions: Vec<&String> = model.messages.keys().collect();
    actions.sort();
    let payload = |name: &Option<String>| -> Result<Option<u32>, String> {
        name.as_ref()
            .map(|name| {
                type_names
                    .get(name)
                    .copied()
                    .ok_or_else(|| format!("a message names the type {name}, which is not in the model"))
            })
            .transpose()
    };
    let messages = actions
        .iter()
        .map(|action| {
            let message = &model.messages[*action];
            Ok(Message {
                action: (*action).clone(),
                request: payload(&message.request)?,
                response: payload(&message.response)?,
                send: payload(&message.send)?,
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let mut frames = model
        .frames
        .iter()
        .map(|(number, kind)| {
            let number: u8 = number.parse().map_err(|_| format!("{number} is no message type number"))?;
            let kind = match kind.as_str() {
                "call" => FrameKind::Call,
                "callresult" => FrameKind::CallResult,
                "callerror" => FrameKind::CallError,
                "callresulterror" => FrameKind::CallResultError,
                "send" => FrameKind::Send,
                other => return Err(format!("{other} is no kind of frame")),
            };
            Ok((u32::from(number), kind))
        })
        .collect::<Result<Vec<_>, String>>()?;
    frames.sort_by_key(|(number, _)| *number);
    let mut kinds = Vec::new();
    for (number, kind) in &frames {
        kinds.resize(*number as usize, None);
        kinds.push(Some(*kind));
    }
    let actions = Names::new(actions.iter().map(|action| action.as_bytes()));
    Ok(Schema { version: model.version, enums, types, messages, frames, kinds, type_names, actions })
}

fn object_type(
    name: &str,
    model: &ModelType,
    types: &HashMap<String, u32>,
    enums: &HashMap<&str, u32>,
) -> Result<ObjectType, String> {
    if model.fields.len() > MAX_FIELDS {
        return Err(format!("{name} has {} fields; at most {MAX_FIELDS} are supported", model.fields.len()));
    }
    let count = model.fields.len();
    let fields = model
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            Ok(Field {
                bit: 1 << index,
                kind: field_kind(name, field, types, enums)?,
                items: field.items.map(|(least, most)| Bounds { least, most: most.unwrap_or(u32::MAX) }),
                next: Hint::of((index + 1) % count),
                value: ValueHint::default(),
                of: types[name],
                index: index as u16,
                draft4: model.draft == 4,
                keys: [key(&field.name, ",", ""), key(&field.name, ", ", " ")],
                required: field.required,
                name: field.name.clone(),
                attr: field.attr.clone(),
            })
        })
        .collect::<Result<Vec<Field>, String>>()?;
    let required =
        fields.iter().enumerate().filter(|(_, field)| field.required).fold(0, |bits, (index, _)| bits | 1u128 << index);
    Ok(ObjectType {
        name: name.to_owned(),
        open: model.open,
        draft4: model.draft == 4,
        required,
        names: Names::new(fields.iter().map(|field| field.name.as_bytes())),
        fields,
        first: Hint::default(),
    })
}

/// A key with what a sender writes before and behind it.
fn key(name: &str, before: &str, behind: &str) -> Pattern {
    Pattern::new(format!("{before}{}:{behind}", serde_json::Value::from(name)).as_bytes())
}

fn field_kind(
    owner: &str,
    field: &ModelField,
    types: &HashMap<String, u32>,
    enums: &HashMap<&str, u32>,
) -> Result<FieldKind, String> {
    let place = || format!("{owner}.{}", field.name);
    let reference = || field.reference.as_deref().ok_or_else(|| format!("{}: ref is missing", place()));
    Ok(match field.kind.as_str() {
        "string" => FieldKind::String { max: field.max_length.unwrap_or(u32::MAX) },
        "uri" => FieldKind::Uri { max: field.max_length.unwrap_or(u32::MAX) },
        "boolean" => FieldKind::Boolean,
        "datetime" => FieldKind::DateTime,
        "any" => FieldKind::Any,
        "integer" => FieldKind::Integer {
            min: field.minimum.map_or(i64::MIN, |bound| bound.ceil() as i64),
            max: field.maximum.map_or(i64::MAX, |bound| bound.floor() as i64),
        },
        "number" => FieldKind::Number {
            min: field.minimum.unwrap_or(f64::NEG_INFINITY),
            max: field.maximum.unwrap_or(f64::INFINITY),
            step: field
                .step
                .as_deref()
                .map(|text| Step::parse(text).map(Box::new).ok_or_else(|| format!("{}: {text} is no step", place())))
                .transpose()?,
        },
        "enum" => {
            let name = reference()?;
            FieldKind::Enumeration(
                *enums.get(name).ok_or_else(|| format!("{}: there is no enumeration {name}", place()))?,
            )
        }
        "object" => {
            let name = reference()?;
            FieldKind::Object(*types.get(name).ok_or_else(|| format!("{}: there is no type {name}", place()))?)
        }
        other => return Err(format!("{}: {other} is no kind of value", place())),
    })
}

impl Step {
    /// Reads `0.1`, `5`, `0.25`: digits with at most one point, above zero.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mantissa = digits.parse().ok().filter(|mantissa| *mantissa > 0)?;
        Some(Self { text: text.to_owned(), mantissa, places: fraction.len() as u32 })
    }
}
