/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a patch, as ostrya.delta.bspatch runs them; bspatch_plain.py does the same slower.
 *
 * Three buffers are given: a stretch of the old file, a stretch of the patch, and room for new
 * bytes. The steps are run until one of them does not suffice; the caller brings what is missing
 * and calls again with the state that it was left with. A patch is anybody's, so nothing in it is
 * taken for a place or a length before it was compared with what there is.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint64_t u64;
typedef int64_t i64;

enum { CONTROL_BYTES = 24, LONG_WORK = 16 * 1024 };
#define SIGN ((u64)1 << 63)
/* No file goes so far; what lies within can be added up without overflow. */
#define FARTHEST ((i64)1 << 61)

/* What bspatch.py calls them. */
enum Outcome { FULL, WANTS_PATCH, WANTS_OLD, TOO_MUCH, NEGATIVE, TOO_FAR };

typedef struct {
  i64 place;              /* in the old file */
  i64 add, extra, seek;   /* what is left of the step */
  i64 left;               /* bytes of the new file beyond this step */
  i64 taken, made;        /* bytes that are used of the patch, and of the room */
} State;

typedef struct { const u8 *bytes; i64 start, size, whole; } Old; /* a stretch; of the whole file */
typedef struct { const u8 *bytes; i64 size; } Bytes;
typedef struct { u8 *bytes; i64 size; } Room;

static i64 least(i64 a, i64 b) { return a < b ? a : b; }

static u64 number_at(const u8 *p) {
  u64 v = 0;
  for (int k = 0; k < 8; k++) v |= (u64)p[k] << (8 * k);
  return v;
}

static enum Outcome begin_step(State *s, const u8 *control) {
  u64 add = number_at(control), extra = number_at(control + 8), seek = number_at(control + 16);
  if ((add | extra) & SIGN) return NEGATIVE;
  if (add > (u64)s->left || extra > (u64)s->left - add) return TOO_MUCH;
  i64 place;
  if (__builtin_add_overflow(s->place, s->seek, &place) || place > FARTHEST || place < -FARTHEST)
    return TOO_FAR;
  s->place = place;
  s->add = (i64)add;
  s->extra = (i64)extra;
  s->seek = seek & SIGN ? -(i64)(seek & ~SIGN) : (i64)seek;
  s->left -= s->add + s->extra;
  s->taken += CONTROL_BYTES;
  return FULL;
}

/* Add as many bytes as the buffers hold, and say what was missing for more. */
static enum Outcome add_some(State *s, const Old *old, const Bytes *patch, const Room *room) {
  i64 n = least(s->add, least(room->size - s->made, patch->size - s->taken));
  if (n == 0) return WANTS_PATCH;
  const u8 *from = patch->bytes + s->taken;
  u8 *to = room->bytes + s->made;
  if (s->place < 0 || s->place >= old->whole) {
    /* Outside the old file there are zeros. */
    if (s->place < 0) n = least(n, -s->place);
    memcpy(to, from, (size_t)n);
  } else {
    i64 at = s->place - old->start;
    if (at < 0 || at >= old->size) return WANTS_OLD;
    n = least(n, old->size - at);
    const u8 *other = old->bytes + at;
    for (i64 k = 0; k < n; k++) to[k] = (u8)(from[k] + other[k]);
  }
  s->add -= n;
  s->place += n;
  s->taken += n;
  s->made += n;
  return FULL;
}

static enum Outcome copy_some(State *s, const Bytes *patch, const Room *room) {
  i64 n = least(s->extra, least(room->size - s->made, patch->size - s->taken));
  if (n == 0) return WANTS_PATCH;
  memcpy(room->bytes + s->made, patch->bytes + s->taken, (size_t)n);
  s->extra -= n;
  s->taken += n;
  s->made += n;
  return FULL;
}

static enum Outcome run_steps(State *s, const Old *old, const Bytes *patch, const Room *room) {
  while (s->made < room->size && (s->add || s->extra || s->left)) {
    enum Outcome outcome;
    if (s->add) {
      outcome = add_some(s, old, patch, room);
    } else if (s->extra) {
      outcome = copy_some(s, patch, room);
    } else if (patch->size - s->taken < CONTROL_BYTES) {
      outcome = WANTS_PATCH;
    } else {
      outcome = begin_step(s, patch->bytes + s->taken);
    }
    if (outcome != FULL) return outcome;
  }
  return FULL;
}

/* The state comes from Python, which may not be wrong about it either. */
static int is_sound(const State *s, i64 patch_size, i64 room) {
  return s->add >= 0 && s->extra >= 0 && s->left >= 0 && s->left <= FARTHEST &&
         s->add <= FARTHEST && s->extra <= FARTHEST && s->place <= 3 * FARTHEST &&
         s->place >= -FARTHEST && s->taken >= 0 && s->taken <= patch_size && s->made >= 0 &&
         s->made <= room;
}

static PyObject *run(PyObject *self, PyObject *args) {
  Py_buffer state, old, patch, room;
  long long start, whole;
  (void)self;
  if (!PyArg_ParseTuple(args, "w*y*LLy*w*", &state, &old, &start, &whole, &patch, &room)) return NULL;
  PyObject *result = NULL;
  State s;
  int is_state = state.len == (Py_ssize_t)sizeof s;
  if (is_state) memcpy(&s, state.buf, sizeof s);
  if (!is_state || !is_sound(&s, patch.len, room.len) || start < 0 || start > FARTHEST || whole < 0) {
    PyErr_SetString(PyExc_ValueError, "a state, start or size that cannot be");
  } else {
    enum Outcome outcome;
    Old stretch = {old.buf, start, old.len, whole};
    Bytes steps = {patch.buf, patch.len};
    Room out = {room.buf, room.len};
    /* Of little work, to let others in would take longer than the work does. */
    PyThreadState *saved = room.len >= LONG_WORK ? PyEval_SaveThread() : NULL;
    outcome = run_steps(&s, &stretch, &steps, &out);
    if (saved) PyEval_RestoreThread(saved);
    memcpy(state.buf, &s, sizeof s);
    result = PyLong_FromLong((long)outcome);
  }
  PyBuffer_Release(&state);
  PyBuffer_Release(&old);
  PyBuffer_Release(&patch);
  PyBuffer_Release(&room);
  return result;
}

static PyMethodDef methods[] = {
    {"run_steps", run, METH_VARARGS, "Run steps of a patch until a buffer does not suffice, and say which."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_bspatch", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__bspatch(void) { return PyModule_Create(&module); }
