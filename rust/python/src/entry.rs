//! The methods of `Engine` for one frame as CPython calls them: pyo3's way in counts attachments, takes arguments apart and looks at the receiver's class, each
//! time anew. For a small frame that is a tenth of the time, so that this is a way past it for what is done at once; the rest goes pyo3's way.

use std::any::Any;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::encode;
use crate::engine::{Engine, Unusual};

/// Puts the shorter ways in before pyo3's methods.
pub fn install(py: Python<'_>) -> PyResult<()> {
    install_one(py, &DECODE, decode, c"decode", c"decode($self, data, pending=None)\n--\n\n")?;
    install_one(
        py,
        &WITH_FINDINGS,
        decode_with_findings,
        c"decode_with_findings",
        c"decode_with_findings($self, data, pending=None)\n--\n\n",
    )?;
    install_one(py, &VALIDATE, validate, c"validate", c"validate($self, data, pending=None)\n--\n\n")?;
    install_one(py, &PEEK, peek, c"peek", c"peek($self, data)\n--\n\n")?;
    install_one(py, &ENCODE, encode, c"encode", c"encode($self, frame)\n--\n\n")
}

fn install_one(
    py: Python<'_>,
    original: &PyOnceLock<Py<PyAny>>,
    function: ffi::PyCFunctionFastWithKeywords,
    name: &'static CStr,
    doc: &'static CStr,
) -> PyResult<()> {
    let class = py.get_type::<Engine>();
    let text = name.to_str().expect("names are ASCII");
    original.get_or_try_init(py, || class.getattr(text).map(Bound::unbind))?;
    let method = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: function },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }));
    // SAFETY: a live class and a definition that is never freed; a new reference, or NULL with an error set. A descriptor hands its function
    // only instances of its class.
    let descriptor = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), method))? };
    class.setattr(text, descriptor)
}

/// pyo3's methods.
static DECODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static WITH_FINDINGS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static VALIDATE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static PEEK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static ENCODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

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
        return unsafe { by_original(&DECODE, this, arguments, count, names) };
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
        Ok(Err(why)) => unsafe { decode_slowly(this, arguments, count, why) },
        Err(panic) => raised(|_| Err(panicked(panic.as_ref()))),
    }
}

/// Decodes what was not decoded at once, and why.
///
/// # Safety
/// As for `decode`, with one or two arguments that have no names.
#[cold]
#[inline(never)]
unsafe fn decode_slowly(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    why: Unusual,
) -> *mut ffi::PyObject {
    raised(|py| {
        // SAFETY: the caller's promise: `this` and the arguments are alive.
        let (engine, data, pending) = unsafe {
            let pending = (count == 2).then(|| Borrowed::from_ptr(py, *arguments.add(1)));
            (Borrowed::from_ptr(py, this).cast_unchecked::<Engine>(), Borrowed::from_ptr(py, *arguments), pending)
        };
        engine.get().unusual(&data, pending.as_deref().filter(|pending| !pending.is_none()), why)
    })
}

/// `encode(self, frame)`.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
unsafe extern "C" fn encode(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    if !names.is_null() || count != 1 {
        // SAFETY: the caller's promise is handed on.
        return unsafe { by_original(&ENCODE, this, arguments, count, names) };
    }
    // SAFETY: there is one argument; the caller's promise is handed on.
    let encoded =
        unsafe { at_once(this, arguments, |engine, frame| encode::usual(engine, frame).map(Bound::into_any)) };
    encoded.unwrap_or_else(|| {
        // SAFETY: `this` and the one argument are alive.
        raised(|py| unsafe {
            let engine = Borrowed::from_ptr(py, this).cast_unchecked::<Engine>();
            encode::any_frame(engine.get(), &Borrowed::from_ptr(py, *arguments)).map(Bound::into_any)
        })
    })
}

/// `decode_with_findings(self, data, pending=None)`.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
unsafe extern "C" fn decode_with_findings(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise is handed on.
    unsafe { at_once_or_by(&WITH_FINDINGS, 2, Engine::usual_with_findings, this, arguments, count, names) }
}

/// `validate(self, data, pending=None)`.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
unsafe extern "C" fn validate(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise is handed on.
    unsafe { at_once_or_by(&VALIDATE, 2, Engine::usual_verdict, this, arguments, count, names) }
}

/// `peek(self, data)`.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
unsafe extern "C" fn peek(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise is handed on.
    unsafe { at_once_or_by(&PEEK, 1, Engine::usual_peek, this, arguments, count, names) }
}

/// What an engine makes of the data at once, else what pyo3's method gives. The data is the first of at most `most` arguments.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
#[inline(always)]
unsafe fn at_once_or_by(
    original: &PyOnceLock<Py<PyAny>>,
    most: ffi::Py_ssize_t,
    work: impl for<'py> FnOnce(&Engine, &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>,
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise is handed on; where there is an argument, it is the data.
    unsafe {
        let usual = names.is_null() && (1..=most).contains(&count);
        let made = if usual { at_once(this, arguments, work) } else { None };
        made.unwrap_or_else(|| by_original(original, this, arguments, count, names))
    }
}

/// What an engine makes of the first argument at once; None if that is nothing.
///
/// # Safety
/// `this` is an `Engine`, and there is an argument.
#[inline(always)]
unsafe fn at_once(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    work: impl for<'py> FnOnce(&Engine, &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: CPython calls with the GIL held and live arguments, which outlive the call. pyo3 is not told that this thread is attached, which it
    // need not know to make objects.
    let made = catch_unwind(AssertUnwindSafe(|| unsafe {
        let py = Python::assume_attached();
        let engine = Borrowed::from_ptr(py, this).cast_unchecked::<Engine>();
        work(engine.get(), &Borrowed::from_ptr(py, *arguments)).map(Bound::into_ptr)
    }));
    match made {
        Ok(Some(object)) => Some(object),
        // SAFETY: the GIL is held. An error that is set, of memory that is out, is the answer.
        Ok(None) => (!unsafe { ffi::PyErr_Occurred() }.is_null()).then_some(ptr::null_mut()),
        Err(panic) => Some(raised(|_| Err(panicked(panic.as_ref())))),
    }
}

/// What pyo3's method gives, which judges the arguments.
///
/// # Safety
/// What `METH_FASTCALL | METH_KEYWORDS` promises, `this` being an `Engine`.
#[cold]
#[inline(never)]
unsafe fn by_original(
    original: &PyOnceLock<Py<PyAny>>,
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    raised(|py| {
        // SAFETY: the caller's promise: `this` and all arguments are alive, those with names behind the others.
        unsafe {
            let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
            let given = std::slice::from_raw_parts(arguments, (count + named) as usize);
            let all = [&[this], given].concat();
            let original = original.get(py).expect("set before its function is known").as_ptr();
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
