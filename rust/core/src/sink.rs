//! What becomes of the values that a walk meets: a sink takes them as they are read.

use crate::error::Fault;
use crate::format::datetime::DateTime;
use crate::leaves::{Key, Recall};
use crate::scan::Text;
use crate::schema::ObjectType;
use crate::simd::Bytes;

pub use crate::scan::Stop;

/// Where a fault lies, as far as the tables know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The index of the type, and of its field; without one the key is at fault.
    pub of: u32,
    pub field: Option<u16>,
    /// It is an item of the field's list.
    pub in_item: bool,
}

/// What is to be done about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Nothing: the walk ends.
    Refuse,
    /// The value is kept as it came, the unknown key passed over.
    Keep,
    /// The field counts as absent.
    LeaveOut,
    /// This JSON text stands for the value's, and must keep the rules.
    Read(Vec<u8>),
}

/// Takes what a walk reads. `Check` takes nothing; the Python sink builds Structs. A half-built object or list that is dropped, because the
/// walk has ended early, must free itself.
pub trait Sink {
    type Value;
    type Object;
    type List;

    /// Whether it remembers objects of scalars.
    const REMEMBERS: bool = false;
    /// Whether it may let a fault pass.
    const SETTLES: bool = false;

    fn string(&mut self, text: &Text<'_>) -> Result<Self::Value, Stop>;
    /// A string without escapes, all ASCII: what stands from `start` to `end` of a text that goes on behind it.
    #[inline(always)]
    fn ascii(&mut self, text: &[u8], start: usize, end: usize) -> Result<Self::Value, Stop> {
        self.string(&Text::plain(&text[start..end]))
    }
    /// A value of an enumeration, by its number among all of the version (`Enumeration::base`).
    fn enumeration(&mut self, number: usize) -> Result<Self::Value, Stop>;
    fn integer(&mut self, value: i64) -> Result<Self::Value, Stop>;
    fn number(&mut self, value: f64) -> Result<Self::Value, Stop>;
    fn boolean(&mut self, value: bool) -> Result<Self::Value, Stop>;
    fn null(&mut self) -> Result<Self::Value, Stop>;
    fn datetime(&mut self, value: &DateTime) -> Result<Self::Value, Stop>;

    /// An object of the schema begins; `which` is the type's index. For an open type its value is a dict.
    fn object(&mut self, of: &ObjectType, which: u32) -> Result<Self::Object, Stop>;
    /// A field of it, by its index.
    fn field(
        &mut self,
        object: &mut Self::Object,
        of: &ObjectType,
        index: usize,
        value: Self::Value,
    ) -> Result<(), Stop>;
    /// It is complete; `seen` has the bits of the fields that were given.
    fn finish(&mut self, object: Self::Object, seen: u128) -> Result<Self::Value, Stop>;

    /// What it remembers of an object whose opening brace is at `at`: of a leaf, read under the schema's own limits.
    #[inline(always)]
    fn recall(&mut self, _which: u32, _text: Bytes<'_>, _at: usize) -> Recall<Self::Value> {
        Recall::Passed
    }
    /// An object that it did not know is complete; this is all of its text.
    #[inline(always)]
    fn remember(&mut self, _which: u32, _key: Key, _object: &[u8], _value: &Self::Value) {}

    /// A free-form object begins.
    fn dict(&mut self) -> Result<Self::Object, Stop>;
    /// An entry of a free-form object, or of an open one beside its fields.
    fn entry(&mut self, object: &mut Self::Object, key: &Text<'_>, value: Self::Value) -> Result<(), Stop>;
    fn finish_dict(&mut self, object: Self::Object) -> Result<Self::Value, Stop>;

    fn list(&mut self) -> Result<Self::List, Stop>;
    fn item(&mut self, list: &mut Self::List, value: Self::Value) -> Result<(), Stop>;
    fn finish_list(&mut self, list: Self::List) -> Result<Self::Value, Stop>;

    /// What is to be done about a fault of a scalar, or about a key that nobody knows, whose text this is.
    #[inline(always)]
    fn settle(&mut self, _fault: Fault, _place: Place, _token: &[u8]) -> Settlement {
        Settlement::Refuse
    }

    /// The walk goes into a field or an entry.
    #[inline(always)]
    fn enter_field(&mut self, _of: &ObjectType, _index: usize) {}
    #[inline(always)]
    fn enter_entry(&mut self, _key: &Text<'_>) {}
}

/// The sink that takes nothing: the walk only checks.
#[derive(Debug, Default)]
pub struct Check;

impl Sink for Check {
    type Value = ();
    type Object = ();
    type List = ();

    #[inline(always)]
    fn string(&mut self, _: &Text<'_>) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn ascii(&mut self, _: &[u8], _: usize, _: usize) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn enumeration(&mut self, _: usize) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn integer(&mut self, _: i64) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn number(&mut self, _: f64) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn boolean(&mut self, _: bool) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn null(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn datetime(&mut self, _: &DateTime) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn object(&mut self, _: &ObjectType, _: u32) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn field(&mut self, (): &mut (), _: &ObjectType, _: usize, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn finish(&mut self, (): (), _: u128) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn dict(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn entry(&mut self, (): &mut (), _: &Text<'_>, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn finish_dict(&mut self, (): ()) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn list(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn item(&mut self, (): &mut (), (): ()) -> Result<(), Stop> {
        Ok(())
    }
    #[inline(always)]
    fn finish_list(&mut self, (): ()) -> Result<(), Stop> {
        Ok(())
    }
}
