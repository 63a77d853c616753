//! What can be wrong with a frame: a closed list of kinds, and the wire code of each per version.

use std::collections::HashMap;

use serde::Deserialize;

use crate::schema::Schema;

macro_rules! kinds {
    ($($variant:ident = $name:literal,)*) => {
        /// The kinds of fault, as `schemas/errors.toml` lists them. A test holds the two lists against each other.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($variant,)* }

        impl Kind {
            /// Every kind, in the order of the list.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The name under which users know it.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    Size = "size",
    Utf8 = "utf8",
    Syntax = "syntax",
    Truncated = "truncated",
    Surrogate = "surrogate",
    Depth = "depth",
    FrameNotArray = "frame_not_array",
    MessageTypeInvalid = "message_type_invalid",
    MessageTypeUnknown = "message_type_unknown",
    MessageIdType = "message_id_type",
    MessageIdLength = "message_id_length",
    ActionType = "action_type",
    ActionUnknown = "action_unknown",
    Arity = "arity",
    PayloadMissing = "payload_missing",
    PayloadType = "payload_type",
    ErrorFieldType = "error_field_type",
    Type = "type",
    Null = "null",
    Enum = "enum",
    Format = "format",
    Minimum = "minimum",
    Maximum = "maximum",
    Length = "length",
    MultipleOf = "multiple_of",
    NumberRange = "number_range",
    Missing = "missing",
    TooFew = "too_few",
    TooMany = "too_many",
    UnknownKey = "unknown_key",
    DuplicateKey = "duplicate_key",
}

/// A fault as the hot loop knows it: what, and at which byte. `locate` tells the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub offset: usize,
}

impl Fault {
    #[inline]
    pub const fn new(kind: Kind, offset: usize) -> Self {
        Self { kind, offset }
    }
}

/// What was expected where the fault lies, as data.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    Nothing,
    /// A JSON type, a format, a field's name, a decimal step.
    Text(String),
    Integer(i64),
    Number(f64),
    /// One of the values of the enumeration with this index.
    Values(u32),
    /// One of the names of the fields of the type with this index.
    Fields(u32),
    Integers(Vec<i64>),
}

impl Expected {
    /// The names to choose from, where the expectation is such a choice.
    pub fn names<'s>(&self, schema: &'s Schema) -> Option<Vec<&'s str>> {
        match self {
            Self::Values(which) => Some(schema.enums[*which as usize].values.iter().map(String::as_str).collect()),
            Self::Fields(of) => {
                Some(schema.types[*of as usize].fields.iter().map(|field| field.name.as_str()).collect())
            }
            _ => None,
        }
    }
}

/// The wire codes of the kinds of fault: `errors.json` for one version.
#[derive(Debug)]
pub struct CodeTable {
    codes: HashMap<String, Codes>,
}

#[derive(Debug)]
struct Codes {
    with_id: String,
    without_id: String,
}

#[derive(Deserialize)]
struct ErrorFile {
    spelling: HashMap<String, String>,
    kinds: HashMap<String, KindEntry>,
}

#[derive(Deserialize)]
struct KindEntry {
    code: String,
    code_16: Option<String>,
    code_no_id: Option<String>,
}

impl CodeTable {
    /// Reads `errors.json` for a version, "1.6" say.
    pub fn load(json: &[u8], version: &str) -> Result<Self, String> {
        let file: ErrorFile = serde_json::from_slice(json).map_err(|error| format!("errors.json: {error}"))?;
        let old = version == "1.6";
        let spell = |code: &String| -> String {
            if old { file.spelling.get(code).unwrap_or(code).clone() } else { code.clone() }
        };
        let codes = file
            .kinds
            .iter()
            .map(|(kind, entry)| {
                let code = entry.code_16.as_ref().filter(|_| old).unwrap_or(&entry.code);
                let without = entry.code_no_id.as_ref().unwrap_or(code);
                (kind.clone(), Codes { with_id: spell(code), without_id: spell(without) })
            })
            .collect();
        Ok(Self { codes })
    }

    /// The wire code of a kind; `id_known` tells whether the frame's id could be read.
    pub fn code(&self, kind: Kind, id_known: bool) -> Option<&str> {
        let codes = self.codes.get(kind.name())?;
        Some(if id_known { &codes.with_id } else { &codes.without_id })
    }
}
