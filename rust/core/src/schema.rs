//! The tables that drive the walk: one version's messages, types and fields, built from the compact model.
//!
//! A table learns in which order a sender writes fields and which values they had. These hints are the only thing that changes after it is
//! built, so threads that work side by side take a copy each (`Schema::clone`) instead of writing to the same memory.

use std::collections::HashMap;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};

use serde::Deserialize;

use crate::names::{ALL, Names, Pattern};
use crate::scan::skip_space;
use crate::simd::Bytes;

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

/// What the walk needs of a type stands first, together, as in `Field`.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct ObjectType {
    pub fields: Vec<Field>,
    /// One bit per required field.
    pub required: u128,
    /// Its objects may hold nothing but scalars.
    pub leaf: bool,
    /// Further keys with any value are allowed; the value is a plain dict.
    pub open: bool,
    /// Under draft 4 an integer has no fraction and no exponent; later drafts ask for an integral value.
    pub draft4: bool,
    /// What came first.
    pub first: Next,
    /// By style: what may come, the fields in their order and the pairs behind them.
    sites: [Vec<Site>; 2],
    names: Names,
    pub name: String,
}

/// A field. What is remembered of it stands first, in one line of the processor's cache.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Field {
    /// What came behind it.
    pub next: Next,
    values: Values,
    /// The first of its pairs among the sites; 0 if it has none.
    paired: u16,
    pub required: bool,
    /// The type's draft is 4.
    pub draft4: bool,
    /// Where it is: the index of its type, and its own.
    pub index: u16,
    pub of: u32,
    pub items: Option<Bounds>,
    pub kind: FieldKind,
    pub name: String,
    pub attr: String,
}

/// A field as a sender of one style writes it: all that a value needs that has nothing unusual. A pair is the site of a field with one value of its enumeration,
/// `,"key":"Value"`, which is recognised at once.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Site {
    /// What stands between the value before and this one: `,"key":`. For a pair, the value too.
    pattern: Pattern,
    pub reads: Reads,
    /// Its place among the fields of the type.
    pub index: u8,
    /// The byte that the field's value begins with, and one of its items; 0 where it may be one of many.
    pub opens: u8,
    pub item_opens: u8,
    pub list: bool,
    /// There are limits or a step for its number.
    pub bounded: bool,
}

/// How a value is read: the kind of a field, without its rarer rules.
#[derive(Debug, Clone, Copy)]
pub enum Reads {
    String {
        max: u32,
    },
    Uri {
        max: u32,
    },
    Enumeration(u32),
    /// It has been read with the key: the value by its number among all of the version.
    Known(u32),
    DateTime,
    Integer,
    Number,
    Boolean,
    Object(u32),
    Any,
}

const _: () = assert!(size_of::<Site>() == 64 && offset_of!(Field, required) <= 64);

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
}

/// What is remembered apart: an object's place in the list that it stands in, the first ones. Stations list their measurands in the same order
/// in each message.
const PLACES: usize = 16;

/// Where the sender went from here the last time, by place: to a field by its index, or to a pair behind those. It is only ever a guess, so that
/// relaxed loads and stores do.
#[derive(Debug)]
pub struct Next([AtomicU16; PLACES]);

/// No field came: the object ended.
const NOTHING: usize = u16::MAX as usize;

impl Next {
    fn of(guess: usize) -> Self {
        Self(std::array::from_fn(|_| AtomicU16::new(guess as u16)))
    }

    #[inline(always)]
    fn guess(&self, place: usize) -> usize {
        usize::from(self.0[place % PLACES].load(Ordering::Relaxed))
    }

    /// Remembers what came; a field by its index.
    #[inline(always)]
    pub fn learn(&self, place: usize, guess: usize) {
        self.0[place % PLACES].store(guess as u16, Ordering::Relaxed);
    }

    /// Remembers that the object ended.
    #[inline(always)]
    pub fn learn_end(&self, place: usize) {
        self.learn(place, NOTHING);
    }
}

impl Clone for Next {
    fn clone(&self) -> Self {
        Self(std::array::from_fn(|place| AtomicU16::new(self.guess(place) as u16)))
    }
}

/// What values a field of an enumeration had, by place.
#[derive(Debug, Default)]
struct Values {
    last: [AtomicU8; PLACES],
    /// How well guesses did of late, or would have done: 0 to `SURE`.
    trust: AtomicU8,
}

/// The trust that many good guesses give, and what a guess needs to be tried.
const SURE: u8 = 8;
const FAIR: u8 = 4;

impl Clone for Values {
    fn clone(&self) -> Self {
        let copy = |memory: &AtomicU8| AtomicU8::new(memory.load(Ordering::Relaxed));
        Self { last: std::array::from_fn(|place| copy(&self.last[place])), trust: copy(&self.trust) }
    }
}

impl Site {
    /// Where its value begins, behind a pair where that ends, if the key or the pair stands at `at`; only the bytes of the first window whose bits are in `counts` are
    /// compared there. None also if the value does not begin as it must.
    #[inline(always)]
    pub fn ends(&self, text: Bytes<'_>, at: usize, counts: u32) -> Option<usize> {
        self.pattern.ends(text, at, counts)
    }
}

impl Field {
    /// Remembers that the field, which came behind `next`, had the value `found`, which was not guessed.
    #[inline(always)]
    pub fn learn_value(&self, next: &Next, place: usize, found: usize) {
        let (1.., Ok(value)) = (self.paired, u8::try_from(found)) else { return };
        let last = self.values.last[place % PLACES].swap_relaxed(value);
        let trust = self.values.trust.load(Ordering::Relaxed);
        // By sums, not by a branch that no processor can guess where values do not repeat.
        let known = u8::from(last == value);
        let trust = (trust >> (1 - known)) + (known & u8::from(trust < SURE));
        self.values.trust.store(trust, Ordering::Relaxed);
        if trust >= FAIR {
            next.learn(place, usize::from(self.paired) + found);
        }
    }
}

/// A swap that need not be atomic: what it changes is only a guess.
trait SwapRelaxed<T> {
    fn swap_relaxed(&self, value: T) -> T;
}

impl SwapRelaxed<u8> for AtomicU8 {
    #[inline(always)]
    fn swap_relaxed(&self, value: u8) -> u8 {
        let before = self.load(Ordering::Relaxed);
        self.store(value, Ordering::Relaxed);
        before
    }
}

impl ObjectType {
    /// The index of a field by its wire name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.names.find(name)
    }

    /// What is guessed to come now; None for nothing any more.
    #[inline(always)]
    pub fn guess(&self, style: Style, next: &Next, place: usize) -> Option<&Site> {
        self.sites[style as usize].get(next.guess(place))
    }

    /// A field as it is written in a style.
    #[inline(always)]
    pub fn site(&self, style: Style, field: usize) -> &Site {
        &self.sites[style as usize][field]
    }

    /// The site that stands at `at`, behind a comma if `comma` and any white space, and where its value begins, if it is written in a usual way: behind the colon as
    /// the style has it, and with a short name without escapes.
    ///
    /// Where white space alone has spoilt the guess it is tried again, else a field is found by its name.
    #[inline(never)]
    pub fn find_key(
        &self,
        all: &[u8],
        at: usize,
        comma: bool,
        style: Style,
        next: &Next,
        place: usize,
    ) -> Option<(&Site, usize)> {
        let text = Bytes::new(all);
        if comma && text.byte(at) != b',' {
            return None;
        }
        let key = skip_space(text, at + usize::from(comma));
        // What a pattern begins with stands before the key: a comma, and a space where that is the style.
        let lead = style as usize + 1;
        if key > at + lead
            && let Some(site) = self.guess(style, next, place)
            && let Some(end) = site.ends(text, key - lead, ALL << lead)
        {
            return Some((site, end));
        }
        if text.byte(key) != b'"' {
            return None;
        }
        let (index, end) = self.names.find_string(text, key)?;
        if text.byte(end) != b':' {
            return None;
        }
        let value = end + style as usize + 1;
        if (text.byte(end + 1) == b' ') != (style == Style::Spaced) {
            return None;
        }
        let site = self.sites[style as usize].get(index)?;
        if site.opens != 0 && text.byte(value) != site.opens {
            return None;
        }
        next.learn(place, index);
        Some((site, value))
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

    /// The message whose action stands as a string at `at`, where its opening quote is, and the place behind it. None for one that is not known, or not written in a
    /// usual way.
    #[inline(always)]
    pub(crate) fn message_at(&self, text: Bytes<'_>, at: usize) -> Option<(&Message, usize)> {
        let (index, end) = self.actions.find_string(text, at)?;
        Some((self.messages.get(index)?, end))
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
    let enums: Vec<Enumeration> = enum_names
        .iter()
        .map(|name| {
            let values = model.enums[*name].clone();
            let names = Names::new(values.iter().map(String::as_bytes));
            let enumeration = Enumeration { name: (*name).clone(), names, base, values };
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
        .map(|name| object_type(name, &model.types[*name], &type_names, &enum_index, &enums))
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
    enumerations: &[Enumeration],
) -> Result<ObjectType, String> {
    if model.fields.len() > MAX_FIELDS {
        return Err(format!("{name} has {} fields; at most {MAX_FIELDS} are supported", model.fields.len()));
    }
    let count = model.fields.len();
    let mut fields = model
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let kind = field_kind(name, field, types, enums)?;
            Ok(Field {
                items: field.items.map(|(least, most)| Bounds { least, most: most.unwrap_or(u32::MAX) }),
                of: types[name],
                index: index as u16,
                draft4: model.draft == 4,
                required: field.required,
                next: Next::of(if index + 1 < count { index + 1 } else { NOTHING }),
                paired: 0,
                values: Values::default(),
                name: field.name.clone(),
                attr: field.attr.clone(),
                kind,
            })
        })
        .collect::<Result<Vec<Field>, String>>()?;
    let required =
        fields.iter().enumerate().filter(|(_, field)| field.required).fold(0, |bits, (index, _)| bits | 1u128 << index);
    let sites = sites(&mut fields, enumerations);
    let holds_more =
        |field: &Field| field.items.is_some() || matches!(field.kind, FieldKind::Object(_) | FieldKind::Any);
    Ok(ObjectType {
        leaf: !model.open && !fields.iter().any(|field| field.required && holds_more(field)),
        name: name.to_owned(),
        open: model.open,
        draft4: model.draft == 4,
        required,
        names: Names::new(fields.iter().map(|field| field.name.as_bytes())),
        fields,
        sites,
        first: Next::of(0),
    })
}

/// Enumerations with more values have no pairs: they would take more memory than they are worth.
const MOST_VALUES: usize = 64;

/// What stands before and behind a key, by style.
const STYLES: [(&str, &str); 2] = [(",", ""), (", ", " ")];

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The sites of a type, by style.
fn sites(fields: &mut [Field], enumerations: &[Enumeration]) -> [Vec<Site>; 2] {
    let key = |field: &Field, (before, behind)| format!("{before}{}:{behind}", quoted(&field.name));
    let mut sites = STYLES.map(|style| -> Vec<Site> {
        fields
            .iter()
            .map(|field| {
                let item_opens = opens(&field.kind);
                let opens = if field.items.is_some() { b'[' } else { item_opens };
                let ahead = if opens == 0 { &[] } else { std::slice::from_ref(&opens) };
                Site {
                    pattern: Pattern::new(key(field, style).as_bytes(), ahead),
                    reads: reads(&field.kind),
                    index: field.index as u8,
                    opens,
                    item_opens,
                    list: field.items.is_some(),
                    bounded: bounded(&field.kind),
                }
            })
            .collect()
    });
    for field in fields {
        let FieldKind::Enumeration(which) = field.kind else { continue };
        let of = &enumerations[which as usize];
        let first = sites[0].len();
        if field.items.is_some() || of.values.len() > MOST_VALUES || first + MOST_VALUES > NOTHING {
            continue;
        }
        field.paired = first as u16;
        for (style, sites) in STYLES.into_iter().zip(&mut sites) {
            let key = key(field, style);
            sites.extend(of.values.iter().enumerate().map(|(index, value)| Site {
                pattern: Pattern::new(format!("{key}{}", quoted(value)).as_bytes(), b""),
                reads: Reads::Known((of.base + index) as u32),
                index: field.index as u8,
                opens: 0,
                item_opens: 0,
                list: false,
                bounded: false,
            }));
        }
    }
    sites
}

/// How values of a kind are read.
fn reads(kind: &FieldKind) -> Reads {
    match *kind {
        FieldKind::String { max } => Reads::String { max },
        FieldKind::Uri { max } => Reads::Uri { max },
        FieldKind::Enumeration(which) => Reads::Enumeration(which),
        FieldKind::DateTime => Reads::DateTime,
        FieldKind::Integer { .. } => Reads::Integer,
        FieldKind::Number { .. } => Reads::Number,
        FieldKind::Boolean => Reads::Boolean,
        FieldKind::Object(which) => Reads::Object(which),
        FieldKind::Any => Reads::Any,
    }
}

/// Whether there are limits or a step for numbers of a kind.
fn bounded(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::Integer { min, max } => (*min, *max) != (i64::MIN, i64::MAX),
        FieldKind::Number { min, max, step } => (*min, *max) != (f64::NEG_INFINITY, f64::INFINITY) || step.is_some(),
        _ => false,
    }
}

/// The byte that values of a kind begin with; 0 where it may be one of many.
fn opens(kind: &FieldKind) -> u8 {
    match kind {
        FieldKind::String { .. } | FieldKind::Uri { .. } | FieldKind::Enumeration(_) | FieldKind::DateTime => b'"',
        FieldKind::Object(_) => b'{',
        FieldKind::Integer { .. } | FieldKind::Number { .. } | FieldKind::Boolean | FieldKind::Any => 0,
    }
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
