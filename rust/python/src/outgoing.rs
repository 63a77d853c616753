//! What encode needs of a schema beside its tables: keys and values as they are written, and which class stands for which payload.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use ocppcore::write::Literal;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyString, PyType};

use crate::classes::Class;

/// Which payload of a message a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Request,
    Response,
    Send,
}

/// The payload that a class stands for.
#[derive(Clone, Copy, Debug)]
pub struct Payload {
    pub role: Role,
    /// The index of its type, and of its message.
    pub which: u32,
    pub message: u32,
}

/// The values of an enumeration.
pub struct Values {
    pub literals: Vec<Literal>,
    /// By the address of the string that decode gives: an interned one, which is also what most programs write.
    by_address: Addresses<u16>,
}

impl Values {
    #[inline]
    pub fn known(&self, value: &Bound<'_, PyAny>) -> Option<&Literal> {
        self.by_address.get(&(value.as_ptr() as usize)).map(|index| &self.literals[usize::from(*index)])
    }
}

pub struct Outgoing {
    /// By type and field: `,"name":`.
    pub keys: Vec<Vec<Literal>>,
    pub enums: Vec<Values>,
    /// By message: `,"Action"`.
    pub actions: Vec<Literal>,
    payloads: Addresses<Payload>,
    pub python: PythonTypes,
}

/// What is borrowed from Python's library.
pub struct PythonTypes {
    pub decimal: Py<PyAny>,
    /// `Decimal.__str__` itself, whatever a subclass makes of it.
    pub decimal_text: Py<PyAny>,
    /// `datetime.utcoffset` itself; it checks what a time zone answers.
    pub utc_offset: Py<PyAny>,
    pub utc: Py<PyAny>,
}

impl Outgoing {
    /// `classes` and `enums` are those of the schema, which keeps them alive as long as this.
    pub fn new(
        py: Python<'_>,
        tables: &ocppcore::Schema,
        classes: &[Option<Class>],
        enums: &[Vec<Py<PyString>>],
    ) -> PyResult<Self> {
        let mut payloads = Addresses::default();
        for (index, message) in tables.messages.iter().enumerate() {
            let roles =
                [(message.request, Role::Request), (message.response, Role::Response), (message.send, Role::Send)];
            for (which, role) in roles {
                let Some(which) = which else { continue };
                if let Some(class) = &classes[which as usize] {
                    let payload = Payload { role, which, message: index as u32 };
                    payloads.insert(class.object.as_ptr() as usize, payload);
                }
            }
        }
        let keys =
            |of: &ocppcore::schema::ObjectType| of.fields.iter().map(|field| Literal::key(&field.name)).collect();
        let values = |(of, strings): (&ocppcore::schema::Enumeration, &Vec<Py<PyString>>)| Values {
            literals: of.values.iter().map(|value| Literal::string(value)).collect(),
            by_address: strings
                .iter()
                .enumerate()
                .map(|(index, text)| (text.as_ptr() as usize, index as u16))
                .collect(),
        };
        let action = |message: &ocppcore::schema::Message| {
            let mut text = Literal::key(&message.action).text().to_vec();
            text.pop();
            Literal::new(&text)
        };
        let datetime = py.import("datetime")?;
        let decimal = py.import("decimal")?.getattr("Decimal")?;
        // Loads the C interface of `datetime`, so that checks of its types cannot fail.
        PyDate::new(py, 1, 1, 1)?;
        Ok(Self {
            keys: tables.types.iter().map(keys).collect(),
            enums: tables.enums.iter().zip(enums).map(values).collect(),
            actions: tables.messages.iter().map(action).collect(),
            payloads,
            python: PythonTypes {
                decimal_text: decimal.getattr(intern!(py, "__str__"))?.unbind(),
                decimal: decimal.unbind(),
                utc_offset: datetime.getattr("datetime")?.getattr("utcoffset")?.unbind(),
                utc: datetime.getattr("timezone")?.getattr("utc")?.unbind(),
            },
        })
    }

    /// The payload that instances of a class are: the class is registered, or the nearest of its bases that is.
    #[inline]
    pub fn payload(&self, class: &Bound<'_, PyType>) -> Option<Payload> {
        let known = |class: &Bound<'_, PyAny>| self.payloads.get(&(class.as_ptr() as usize)).copied();
        known(class.as_any()).or_else(|| class.mro().iter().find_map(|base| known(&base)))
    }
}

/// A map from addresses. They are well spread but for their lowest bits, and nobody chooses them with ill intent.
type Addresses<V> = HashMap<usize, V, BuildHasherDefault<AddressHasher>>;

#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    #[inline]
    fn write_usize(&mut self, address: usize) {
        // Multiplied by 2^64 / φ, so that every bit of the address reaches the high ones; the map takes both ends.
        self.0 = (self.0 ^ (address as u64 >> 4)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
