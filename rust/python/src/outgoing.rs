//! What encode needs of a schema beside its tables: keys and values as they are written, and which class stands for which payload.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZero;
use std::sync::Arc;

use ocppcore::schema::FrameKind;
use ocppcore::write::{Literal, Short};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDate, PyDelta, PyDeltaAccess, PyString, PyType};
use pyo3::{ffi, intern};

use crate::classes::Class;
use crate::exact::Plan;
use crate::schema::Door;

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
    /// The number of the enumeration.
    pub which: u32,
    pub literals: Vec<Literal>,
    /// By the address of the string that decode gives: an interned one, which is also what most programs write. Short ones only.
    pub known: Places<Short>,
}

impl Values {
    fn new(which: usize, of: &ocppcore::schema::Enumeration, strings: &[Py<PyString>]) -> Self {
        let literals: Vec<_> = of.values.iter().map(|value| Literal::string(value)).collect();
        let short = |(text, literal): (&Py<PyString>, &Literal)| Some((text.as_ptr() as usize, literal.short()?));
        let known = Places::new(strings.iter().zip(&literals).filter_map(short).collect());
        Self { which: which as u32, literals, known }
    }
}

/// What is known by an address, each in a place of its own, so that one look decides.
pub struct Places<T> {
    places: Box<[Place<T>]>,
    multiplier: u64,
    shift: u32,
}

/// A short literal in it fills one cache line.
#[repr(align(64))]
struct Place<T>(Option<(NonZero<usize>, T)>);

impl<T: Copy> Places<T> {
    fn new(known: Vec<(usize, T)>) -> Self {
        // Random multipliers soon spread a few addresses over many places; else there are still more places.
        let mut multiplier = 0x9E37_79B9_7F4A_7C15u64;
        let mut bits = (2 * known.len() + 2).ilog2() + 1;
        let mut tries = 0;
        let of = |multiplier: u64, bits: u32| Self { places: Box::default(), multiplier, shift: u64::BITS - bits };
        while !of(multiplier, bits).spreads(&known, bits) {
            multiplier = multiplier.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(2);
            tries += 1;
            bits += u32::from(tries % 64 == 0);
        }
        let mut of = of(multiplier, bits);
        of.places = std::iter::repeat_with(|| Place(None)).take(1 << bits).collect();
        for (address, value) in known {
            let place = of.place(address);
            of.places[place] = Place(NonZero::new(address).map(|address| (address, value)));
        }
        of
    }

    /// Whether no two of the addresses have the same place.
    fn spreads(&self, known: &[(usize, T)], bits: u32) -> bool {
        let mut taken = vec![0; 1 << bits];
        known.iter().all(|(address, _)| {
            let place = &mut taken[self.place(*address)];
            let free = *place == 0 || *place == *address;
            *place = *address;
            free
        })
    }

    #[inline(always)]
    fn place(&self, address: usize) -> usize {
        ((address as u64).wrapping_mul(self.multiplier) >> self.shift) as usize
    }

    /// What is known by an address; None if nothing is, whatever lies there.
    #[inline(always)]
    pub fn get(&self, address: usize) -> Option<&T> {
        match self.places.get(self.place(address)) {
            Some(Place(Some((known, value)))) if known.get() == address => Some(value),
            _ => None,
        }
    }
}

/// A frame that holds a payload, as its class writes it.
pub struct Frame {
    /// The address of the class.
    pub class: usize,
    /// The words of its slots behind the header of an instance.
    pub id: u8,
    pub payload: u8,
    pub role: Role,
    /// `[2,`
    pub head: Literal,
}

pub struct Outgoing {
    /// By type and field: `,"name":`.
    pub keys: Vec<Vec<Literal>>,
    /// By type: how `exact` writes it.
    pub plans: Vec<Plan>,
    pub frames: Vec<Frame>,
    pub enums: Vec<Arc<Values>>,
    /// By message: `,"Action",`.
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
    /// The address of the class `datetime`.
    pub datetime_class: usize,
    timezone: Py<PyType>,
    /// `ZoneInfo`, once a time in one was written, where that is C's own.
    zone_info: PyOnceLock<Py<PyType>>,
}

/// The microseconds of a timedelta.
pub fn microseconds(delta: &Bound<'_, PyDelta>) -> i64 {
    let seconds = i64::from(delta.get_days()) * 86_400 + i64::from(delta.get_seconds());
    seconds * 1_000_000 + i64::from(delta.get_microseconds())
}

impl PythonTypes {
    /// Whether time zones of exactly this class tell their offset at once: in C, running no Python code and making nothing.
    #[inline]
    pub fn tells_offset(&self, py: Python<'_>, class: *mut ffi::PyTypeObject) -> bool {
        let is = |known: &Py<PyType>| known.as_ptr().cast() == class;
        is(&self.timezone) || self.zone_info.get(py).is_some_and(is)
    }

    /// Has a look at the class of a time zone that was met.
    pub fn meet(&self, zone: &Bound<'_, PyAny>) -> PyResult<()> {
        const IMMUTABLE: u64 = 1 << 8; // Py_TPFLAGS_IMMUTABLETYPE: nobody gives it another `utcoffset`
        let py = zone.py();
        let class = zone.get_type();
        if self.zone_info.get(py).is_none()
            && class.name()? == "ZoneInfo"
            && let Ok(module) = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?.get_item("_zoneinfo")
            && module.getattr(intern!(py, "ZoneInfo"))?.is(&class)
            && class.getattr(intern!(py, "__flags__"))?.extract::<u64>()? & IMMUTABLE != 0
        {
            let _ = self.zone_info.set(py, class.unbind()); // another thread may have been here
        }
        Ok(())
    }
}

impl Outgoing {
    /// `classes` and `enums` are those of the schema, which keeps them alive as long as this.
    pub fn new(
        py: Python<'_>,
        tables: &ocppcore::Schema,
        classes: &[Option<Class>],
        enums: &[Vec<Py<PyString>>],
        door: &Door,
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
        let enums: Vec<_> = tables
            .enums
            .iter()
            .zip(enums)
            .enumerate()
            .map(|(which, (of, strings))| Arc::new(Values::new(which, of, strings)))
            .collect();
        let keys =
            |of: &ocppcore::schema::ObjectType| of.fields.iter().map(|field| Literal::key(&field.name)).collect();
        let action = |message: &ocppcore::schema::Message| {
            let mut text = Literal::key(&message.action).text().to_vec();
            text.pop();
            text.push(b',');
            Literal::new(&text)
        };
        let roles =
            [(FrameKind::Call, Role::Request), (FrameKind::CallResult, Role::Response), (FrameKind::Send, Role::Send)];
        let frame = |(kind, role): (FrameKind, Role)| {
            let (number, _) = tables.frames.iter().find(|(_, known)| *known == kind)?;
            let class = door.class_of(kind);
            let [id, payload] = *class.words()? else { return None };
            let head = Literal::new(format!("[{number},").as_bytes());
            Some(Frame { class: class.object.as_ptr() as usize, id, payload, role, head })
        };
        let datetime = py.import("datetime")?;
        let decimal = py.import("decimal")?.getattr("Decimal")?;
        // Loads the C interface of `datetime`, so that checks of its types cannot fail.
        PyDate::new(py, 1, 1, 1)?;
        Ok(Self {
            keys: tables.types.iter().map(keys).collect(),
            plans: tables.types.iter().zip(classes).map(|(of, class)| Plan::new(of, class.as_ref(), &enums)).collect(),
            frames: roles.into_iter().filter_map(frame).collect(),
            enums,
            actions: tables.messages.iter().map(action).collect(),
            payloads,
            python: PythonTypes {
                decimal_text: decimal.getattr(intern!(py, "__str__"))?.unbind(),
                decimal: decimal.unbind(),
                datetime_class: datetime.getattr("datetime")?.as_ptr() as usize,
                utc_offset: datetime.getattr("datetime")?.getattr("utcoffset")?.unbind(),
                utc: datetime.getattr("timezone")?.getattr("utc")?.unbind(),
                timezone: datetime.getattr("timezone")?.cast_into::<PyType>()?.unbind(),
                zone_info: PyOnceLock::new(),
            },
        })
    }

    /// The payload that the class at an address stands for by itself.
    #[inline]
    pub fn payload_of(&self, class: usize) -> Option<Payload> {
        self.payloads.get(&class).copied()
    }

    /// The payload that instances of a class are: the class is registered, or the nearest of its bases that is.
    #[inline]
    pub fn payload(&self, class: &Bound<'_, PyType>) -> Option<Payload> {
        let known = |class: &Bound<'_, PyAny>| self.payload_of(class.as_ptr() as usize);
        known(class.as_any()).or_else(|| class.mro().iter().find_map(|base| known(&base)))
    }
}

/// A map from addresses. They are well spread but for their lowest bits, and nobody chooses them with ill intent.
pub type Addresses<V> = HashMap<usize, V, BuildHasherDefault<AddressHasher>>;

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
