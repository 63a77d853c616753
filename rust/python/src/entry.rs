//! `Engine.decode` as CPython calls it: pyo3's way in counts attachments, takes arguments apart and looks at the receiver's class, each time anew.
//! For a small frame that is a tenth of the time, so that this is a way past it for data that is decoded at once; the rest goes pyo3's way.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::engine::{Engine, Unusual};

/// Puts the shorter way in before pyo3's `decode`.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Engine>();
    ORIGINAL.get_or_try_init(py, || class.getattr("decode").map(Bound::unbind))?;
    let method = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"decode".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: decode },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: c"decode($self, data, pending=None)\n--\n\n".as_ptr(),
    }));
    // SAFETY: a live class and a definition that is never freed; a new reference, or NULL with an error set. A descriptor hands its function
    // only instances of its class.
    let descriptor = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), method))? };
    class.setattr("decode", descriptor)
}

/// pyo3's method.
static ORIGINAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// `decode(self, data, pending=None)`.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
unsafe extern "C" fn decode(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    if !names.is_null() || !(1..=2).contains(&count) {
        // SAFETY: the caller's promise is handed on.
        return unsafe { slowly(this, arguments, count, names, None) };
    }
    // SAFETY: CPython calls with the GIL held, an `Engine` and as many live arguments, which outlive the call. pyo3 is not told that this
    // thread is attached, which it need not know to make objects.
    let decoded = catch_unwind(AssertUnwindSafe(|| unsafe {
        let py = Python::assume_attached();
        let engine = Borrowed::from_ptr(py, this).cast_unchecked::<Engine>();
        engine.get().usual(&Borrowed::from_ptr(py, *arguments)).map(Bound::into_ptr)
    }));
    match decoded {
        Ok(Ok(frame)) => frame,
        // SAFETY: the caller's promise is handed on.
        Ok(Err(why)) => unsafe { slowly(this, arguments, count, names, Some(why)) },
        Err(panic) => raised(|_| Err(panicked(panic.as_ref()))),
    }
}

/// Decodes what was not decoded at once; without a reason, by pyo3's method, which judges the arguments.
///
/// # Safety
/// As for `decode`; a reason comes with one or two arguments that have no names.
#[cold]
#[inline(never)]
unsafe fn slowly(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
    why: Option<Unusual>,
) -> *mut ffi::PyObject {
    raised(|py| {
        // SAFETY: the caller's promise: `this` and all arguments are alive, those with names behind the others.
        unsafe {
            let engine = Borrowed::from_ptr(py, this).cast_unchecked::<Engine>();
            if let Some(why) = why {
                let data = Borrowed::from_ptr(py, *arguments);
                let pending = (count == 2).then(|| Borrowed::from_ptr(py, *arguments.add(1)));
                let pending = pending.as_deref().filter(|pending| !pending.is_none());
                return engine.get().unusual(&data, pending, why);
            }
            let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
            let given = std::slice::from_raw_parts(arguments, (count + named) as usize);
            let all = [&[this], given].concat();
            let original = ORIGINAL.get(py).expect("set before this function is known").as_ptr();
            let answer = ffi::PyObject_Vectorcall(original, all.as_ptr(), count as usize + 1, names);
            Bound::from_owned_ptr_or_err(py, answer)
        }
    })
}

/// What a function gives, for CPython: NULL with an error set where that is an error or a panic.
fn raised(function: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>) -> *mut ffi::PyObject {
    Python::attach(|py| {
        let answer = catch_unwind(AssertUnwindSafe(|| function(py)));
        match answer.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
            Ok(answer) => answer.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    })
}

/// The exception for a panic, as pyo3 makes it.
fn panicked(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    PanicException::new_err(text.unwrap_or("panic from Rust code").to_owned())
}
