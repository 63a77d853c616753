/* The least that typed decode must do: allocate the tree of a message anew and release it, without reading any text.

   tree(value) copies Structs slot by slot, lists, texts, numbers and date-times; what CPython keeps once (None, booleans, small integers,
   interned texts, so the values of enumerations) is referred to, as decode does. benches/messages.py compiles it. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <datetime.h>
#include <string.h>

static PyObject *tree(PyObject *Py_UNUSED(module), PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyUnicode_Type) {
        if (PyUnicode_CHECK_INTERNED(value) || PyUnicode_GET_LENGTH(value) < 2)
            return Py_NewRef(value);
        PyObject *text = PyUnicode_New(PyUnicode_GET_LENGTH(value), PyUnicode_MAX_CHAR_VALUE(value));
        if (text)
            memcpy(PyUnicode_DATA(text), PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value) * PyUnicode_KIND(value));
        return text;
    }
    if (type == &PyBool_Type || value == Py_None)
        return Py_NewRef(value);
    if (type == &PyLong_Type)
        return PyLong_FromLongLong(PyLong_AsLongLong(value));
    if (type == &PyFloat_Type)
        return PyFloat_FromDouble(PyFloat_AS_DOUBLE(value));
    if (PyDateTime_CheckExact(value))
        return PyDateTimeAPI->DateTime_FromDateAndTime(
            PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value), PyDateTime_DATE_GET_HOUR(value),
            PyDateTime_DATE_GET_MINUTE(value), PyDateTime_DATE_GET_SECOND(value), PyDateTime_DATE_GET_MICROSECOND(value),
            PyDateTime_DATE_GET_TZINFO(value), PyDateTimeAPI->DateTimeType);
    if (type == &PyList_Type) {
        Py_ssize_t size = PyList_GET_SIZE(value);
        PyObject *list = PyList_New(size);
        for (Py_ssize_t at = 0; list && at < size; at++) {
            PyObject *item = tree(NULL, PyList_GET_ITEM(value, at));
            if (!item) {
                Py_DECREF(list);
                return NULL;
            }
            PyList_SET_ITEM(list, at, item);
        }
        return list;
    }
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        return Py_NewRef(value); /* UNSET and the like */
    /* A Struct: after the head of the object nothing but slots. */
    PyObject *made = type->tp_alloc(type, 0);
    if (!made)
        return NULL;
    PyObject **from = (PyObject **)((char *)value + sizeof(PyObject)), **to = (PyObject **)((char *)made + sizeof(PyObject));
    Py_ssize_t slots = (type->tp_basicsize - (Py_ssize_t)sizeof(PyObject)) / (Py_ssize_t)sizeof(PyObject *);
    for (Py_ssize_t at = 0; at < slots; at++)
        if (from[at] && !(to[at] = tree(NULL, from[at]))) {
            Py_DECREF(made);
            return NULL;
        }
    return made;
}

static PyMethodDef methods[] = {{"tree", tree, METH_O, "A message like this one, every object anew."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "floor", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_floor(void)
{
    PyDateTime_IMPORT;
    return PyModule_Create(&module);
}
