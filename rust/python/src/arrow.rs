//! Columns handed to other libraries by the Arrow C data and stream interfaces, in capsules: the buffers are lent, not copied.
//!
//! The layout of the structures and who releases what are Arrow's: <https://arrow.apache.org/docs/format/CDataInterface.html> and
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, null, null_mut};
use std::sync::Arc;

use ocppcore::columns::{Batch, ColumnKind, ColumnSpec, Texts, Values};
use pyo3::ffi;
use pyo3::prelude::*;

const NULLABLE: i64 = 2;

/// A table's columns and their rows, batch by batch.
#[derive(Clone)]
pub struct Parts {
    pub specs: Arc<Vec<ColumnSpec>>,
    pub batches: Vec<Arc<Batch>>,
}

#[repr(C)]
struct ArrowSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut ArrowSchema,
    dictionary: *mut ArrowSchema,
    release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut ArrowArray,
    dictionary: *mut ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct ArrowArrayStream {
    get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    private_data: *mut c_void,
}

/// A structure that its consumer may have moved out of, which it says by taking the release function away.
trait Released {
    fn release(&mut self);
}

impl Released for ArrowSchema {
    fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: it has not been released, and the function is the one that came with it.
            unsafe { release(self) }
        }
    }
}

impl Released for ArrowArray {
    fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: as above.
            unsafe { release(self) }
        }
    }
}

impl Released for ArrowArrayStream {
    fn release(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: as above.
            unsafe { release(self) }
        }
    }
}

/// A structure owned here until it is released or dropped.
struct Owned<T: Released>(*mut T);

impl<T: Released> Owned<T> {
    fn new(value: T) -> Self {
        Self(Box::into_raw(Box::new(value)))
    }
}

impl<T: Released> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer comes from a box in `new`, and nobody else frees it; a consumer that has moved the structure away has left
        // it without a release function.
        unsafe { Box::from_raw(self.0) }.release();
    }
}

// Schemas

/// What a schema points to.
struct SchemaParts {
    format: &'static CStr,
    name: CString,
    children: Vec<Owned<ArrowSchema>>,
    pointers: Vec<*mut ArrowSchema>,
    dictionary: Option<Owned<ArrowSchema>>,
}

fn schema(
    format: &'static CStr,
    name: &str,
    children: Vec<Owned<ArrowSchema>>,
    dictionary: Option<Owned<ArrowSchema>>,
) -> ArrowSchema {
    let pointers = children.iter().map(|child| child.0).collect();
    let name = CString::new(name).unwrap_or_default();
    let parts = Box::into_raw(Box::new(SchemaParts { format, name, children, pointers, dictionary }));
    // SAFETY: the box has just been made, and is not freed before the schema is released.
    let held = unsafe { &mut *parts };
    ArrowSchema {
        format: held.format.as_ptr(),
        name: held.name.as_ptr(),
        metadata: null(),
        flags: NULLABLE,
        n_children: held.children.len() as i64,
        children: held.pointers.as_mut_ptr(),
        dictionary: held.dictionary.as_ref().map_or(null_mut(), |dictionary| dictionary.0),
        release: Some(release_schema),
        private_data: parts.cast(),
    }
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: the consumer hands in a schema that `schema` has made and that has not been released yet; its parts are the box made there.
    unsafe {
        drop(Box::from_raw((*schema).private_data.cast::<SchemaParts>()));
        (*schema).release = None;
    }
}

fn schema_of(specs: &[ColumnSpec]) -> ArrowSchema {
    let children = specs.iter().map(|spec| {
        let (format, dictionary) = match spec.kind {
            ColumnKind::Int => (c"l", None),
            ColumnKind::Decimal => (c"g", None),
            ColumnKind::Time => (c"tsu:UTC", None),
            ColumnKind::Bool => (c"b", None),
            ColumnKind::Text => (c"u", None),
            ColumnKind::Choice => (c"i", Some(Owned::new(schema(c"u", "", Vec::new(), None)))),
        };
        Owned::new(schema(format, &spec.name, Vec::new(), dictionary))
    });
    schema(c"+s", "", children.collect(), None)
}

// Arrays

/// What an array points to; the batch holds the buffers.
struct ArrayParts {
    _batch: Arc<Batch>,
    buffers: Vec<*const c_void>,
    children: Vec<Owned<ArrowArray>>,
    pointers: Vec<*mut ArrowArray>,
    dictionary: Option<Owned<ArrowArray>>,
}

fn array(
    batch: &Arc<Batch>,
    length: usize,
    nulls: usize,
    buffers: Vec<*const c_void>,
    children: Vec<Owned<ArrowArray>>,
    dictionary: Option<Owned<ArrowArray>>,
) -> ArrowArray {
    let pointers = children.iter().map(|child| child.0).collect();
    let parts = ArrayParts { _batch: Arc::clone(batch), buffers, children, pointers, dictionary };
    let parts = Box::into_raw(Box::new(parts));
    // SAFETY: the box has just been made, and is not freed before the array is released.
    let held = unsafe { &mut *parts };
    ArrowArray {
        length: length as i64,
        null_count: nulls as i64,
        offset: 0,
        n_buffers: held.buffers.len() as i64,
        n_children: held.children.len() as i64,
        buffers: held.buffers.as_mut_ptr(),
        children: held.pointers.as_mut_ptr(),
        dictionary: held.dictionary.as_ref().map_or(null_mut(), |dictionary| dictionary.0),
        release: Some(release_array),
        private_data: parts.cast(),
    }
}

unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: the consumer hands in an array that `array` has made and that has not been released yet; its parts are the box made there.
    unsafe {
        drop(Box::from_raw((*array).private_data.cast::<ArrayParts>()));
        (*array).release = None;
    }
}

/// The address of a buffer; one that is aligned and not null also where the buffer is empty.
fn address<T>(buffer: &[T]) -> *const c_void {
    static EMPTY: u64 = 0;
    if buffer.is_empty() { ptr::from_ref(&EMPTY).cast() } else { buffer.as_ptr().cast() }
}

fn texts_at(texts: &Texts) -> [*const c_void; 2] {
    [address(&texts.offsets), address(&texts.bytes)]
}

fn array_of(batch: &Arc<Batch>) -> ArrowArray {
    let children = batch.columns.iter().map(|column| {
        let mut buffers = vec![match column.validity.nulls {
            0 => null(),
            _ => address(&column.validity.bits.bytes),
        }];
        let mut dictionary = None;
        match &column.values {
            Values::Int(values) => buffers.push(address(values)),
            Values::Decimal(values) => buffers.push(address(values)),
            Values::Bool(values) => buffers.push(address(&values.bytes)),
            Values::Text(texts) => buffers.extend(texts_at(texts)),
            Values::Choice(codes, entries) => {
                buffers.push(address(codes));
                let mut texts = vec![null()];
                texts.extend(texts_at(&entries.texts));
                dictionary = Some(Owned::new(array(batch, entries.texts.len(), 0, texts, Vec::new(), None)));
            }
        }
        Owned::new(array(batch, batch.rows, column.validity.nulls, buffers, Vec::new(), dictionary))
    });
    array(batch, batch.rows, 0, vec![null()], children.collect(), None)
}

// The stream

struct StreamParts {
    parts: Parts,
    next: usize,
}

fn stream_of(parts: Parts) -> ArrowArrayStream {
    ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release_stream),
        private_data: Box::into_raw(Box::new(StreamParts { parts, next: 0 })).cast(),
    }
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: the consumer hands in a stream that `stream_of` has made and that has not been released, and room for a schema.
    unsafe {
        let held = &*(*stream).private_data.cast::<StreamParts>();
        ptr::write(out, schema_of(&held.parts.specs));
    }
    0
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: as in `get_schema`, with room for an array; a stream is asked by one thread at a time. An array without a release function
    // says that the stream has ended.
    unsafe {
        let held = &mut *(*stream).private_data.cast::<StreamParts>();
        match held.parts.batches.get(held.next) {
            Some(batch) => ptr::write(out, array_of(batch)),
            None => (*out).release = None,
        }
        held.next += 1;
    }
    0
}

unsafe extern "C" fn get_last_error(_: *mut ArrowArrayStream) -> *const c_char {
    null() // nothing here fails
}

unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: as in `get_schema`; the parts are the box made in `stream_of`.
    unsafe {
        drop(Box::from_raw((*stream).private_data.cast::<StreamParts>()));
        (*stream).release = None;
    }
}

// Capsules

const SCHEMA: &CStr = c"arrow_schema";
const STREAM: &CStr = c"arrow_array_stream";

/// The schema of a table as a capsule.
pub fn schema_capsule<'py>(py: Python<'py>, parts: &Parts) -> PyResult<Bound<'py, PyAny>> {
    capsule(py, schema_of(&parts.specs), SCHEMA, drop_schema)
}

/// A table's batches as a capsule.
pub fn stream_capsule<'py>(py: Python<'py>, parts: Parts) -> PyResult<Bound<'py, PyAny>> {
    capsule(py, stream_of(parts), STREAM, drop_stream)
}

fn capsule<'py, T: Released>(
    py: Python<'py>,
    value: T,
    name: &'static CStr,
    destructor: unsafe extern "C" fn(*mut ffi::PyObject),
) -> PyResult<Bound<'py, PyAny>> {
    let owned = Owned::new(value);
    // SAFETY: the pointer is that of a box, not null; the name lives for ever. A new reference, or NULL with an error set.
    let capsule = unsafe {
        let made = ffi::PyCapsule_New(owned.0.cast(), name.as_ptr(), Some(destructor));
        Bound::from_owned_ptr_or_err(py, made)?
    };
    std::mem::forget(owned); // it is the capsule's now
    Ok(capsule)
}

unsafe extern "C" fn drop_schema(capsule: *mut ffi::PyObject) {
    // SAFETY: Python hands in a capsule of `schema_capsule` that nobody refers to any more.
    unsafe { drop_owned::<ArrowSchema>(capsule, SCHEMA) }
}

unsafe extern "C" fn drop_stream(capsule: *mut ffi::PyObject) {
    // SAFETY: Python hands in a capsule of `stream_capsule` that nobody refers to any more.
    unsafe { drop_owned::<ArrowArrayStream>(capsule, STREAM) }
}

/// # Safety
///
/// The capsule holds a `T` that `capsule` has put there, and is about to go.
unsafe fn drop_owned<T: Released>(capsule: *mut ffi::PyObject, name: &CStr) {
    // SAFETY: the name is the one that it was made with; a consumer may have renamed it, and then it is the consumer's.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, name.as_ptr()) == 1 {
            drop(Owned(ffi::PyCapsule_GetPointer(capsule, name.as_ptr()).cast::<T>()));
        }
    }
}
