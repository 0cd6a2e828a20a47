/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a patch, as ostrya.delta.bspatch runs them; bspatch_plain.py does the same slower.
 *
 * Given are the old file, open, a stretch of the patch, and room for new bytes. The steps are run
 * until the patch or the room does not suffice; the caller brings what is missing and calls again
 * with the state that it was left with. A patch is anybody's, so nothing in it is taken for a place
 * or a length before it was compared with what there is.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint64_t u64;
typedef int64_t i64;

enum {
  CONTROL_BYTES = 24,
  LONG_WORK = 16 * 1024,
  LEAST_READ = 8 * 1024,
};
#define SIGN ((u64)1 << 63)
/* No file goes so far; what lies within can be added up without overflow. */
#define FARTHEST ((i64)1 << 61)

/* What bspatch.py calls them. */
enum Outcome { FULL, WANTS_PATCH, TOO_MUCH, NEGATIVE, TOO_FAR, NOT_READ };

typedef struct {
  i64 place;              /* in the old file */
  i64 add, extra, seek;   /* what is left of the step */
  i64 left;               /* bytes of the new file beyond this step */
  i64 taken, made;        /* bytes that are used of the patch, and of the room */
  i64 start, length;      /* what the window holds of the old file */
  i64 error;              /* of the operating system */
} State;

typedef struct { int fd; i64 begin, size; u8 *window; i64 window_size; } Old;
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

/* Read a stretch of the old file around a place of it into the window. */
static enum Outcome read_old(State *s, const Old *old) {
  i64 start = 0, length = old->size, done = 0;
  if (old->size > old->window_size) {
    if (s->length && s->place == s->start + s->length) {
      start = s->place;
      length = least(2 * s->length, old->window_size);
    } else {
      /* Most steps go on a little further; some go back a little. */
      start = s->place > LEAST_READ / 4 ? s->place - LEAST_READ / 4 : 0;
      length = least(LEAST_READ, old->window_size);
    }
    length = least(length, old->size - start);
  }
  s->length = 0;
  while (done < length) {
    ssize_t n = pread(old->fd, old->window + done, (size_t)(length - done), old->begin + start + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) { s->error = errno; return NOT_READ; }
    if (n == 0) break;
    done += n;
  }
  /* Whoever cut the file meanwhile: what is made of zeros will not have the right checksum. */
  memset(old->window + done, 0, (size_t)(length - done));
  s->start = start;
  s->length = length;
  return FULL;
}

/* Add as many bytes as the buffers hold, and say what was missing for more. */
static enum Outcome add_some(State *s, const Old *old, const Bytes *patch, const Room *room) {
  i64 n = least(s->add, least(room->size - s->made, patch->size - s->taken));
  if (n == 0) return WANTS_PATCH;
  const u8 *from = patch->bytes + s->taken;
  u8 *to = room->bytes + s->made;
  if (s->place < 0 || s->place >= old->size) {
    /* Outside the old file there are zeros. */
    if (s->place < 0) n = least(n, -s->place);
    memcpy(to, from, (size_t)n);
  } else {
    if (s->place < s->start || s->place >= s->start + s->length) return read_old(s, old);
    n = least(n, s->start + s->length - s->place);
    const u8 *other = old->window + (s->place - s->start);
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
static int is_sound(const State *s, const Old *old, i64 patch_size, i64 room) {
  return s->add >= 0 && s->extra >= 0 && s->left >= 0 && s->left <= FARTHEST &&
         s->add <= FARTHEST && s->extra <= FARTHEST && s->place <= 3 * FARTHEST &&
         s->place >= -FARTHEST && s->taken >= 0 && s->taken <= patch_size && s->made >= 0 &&
         s->made <= room && s->start >= 0 && s->start <= old->size && s->length >= 0 &&
         s->length <= old->window_size && old->begin >= 0 && old->begin <= FARTHEST &&
         old->size >= 0 && old->size <= FARTHEST &&
         (old->size == 0 || old->window_size >= least(old->size, LEAST_READ));
}

static PyObject *run(PyObject *self, PyObject *args) {
  Py_buffer state, window, patch, room;
  int fd;
  long long begin, size;
  (void)self;
  if (!PyArg_ParseTuple(args, "w*iLLw*y*w*", &state, &fd, &begin, &size, &window, &patch, &room))
    return NULL;
  PyObject *result = NULL;
  State s;
  Old old = {fd, begin, size, window.buf, window.len};
  Bytes steps = {patch.buf, patch.len};
  Room out = {room.buf, room.len};
  int is_state = state.len == (Py_ssize_t)sizeof s;
  if (is_state) memcpy(&s, state.buf, sizeof s);
  if (!is_state || !is_sound(&s, &old, patch.len, room.len)) {
    PyErr_SetString(PyExc_ValueError, "a state or size that cannot be");
  } else {
    enum Outcome outcome;
    /* Of little work, to let others in would take longer than the work does. */
    PyThreadState *saved = room.len >= LONG_WORK ? PyEval_SaveThread() : NULL;
    outcome = run_steps(&s, &old, &steps, &out);
    if (saved) PyEval_RestoreThread(saved);
    memcpy(state.buf, &s, sizeof s);
    result = PyLong_FromLong((long)outcome);
  }
  PyBuffer_Release(&state);
  PyBuffer_Release(&window);
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
