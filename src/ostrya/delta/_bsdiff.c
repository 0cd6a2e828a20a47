/* SPDX-License-Identifier: Apache-2.0
 *
 * The match search of ostrya.delta.bsdiff, compiled. bsdiff_plain.py does the same job slower.
 *
 * The new file is cut into runs: copies of the old file at one distance ("alignment"), with
 * whatever bytes differ, and literal bytes. Of all ways to cut it, nearly the cheapest is looked
 * for: every byte is given a price, in 1/16 bit, of what it takes once the patch is compressed,
 * and the cheapest price up to each byte is worked out from left to right, for all alignments
 * that could still win. Alignments are proposed by a hash index of the old file, and by those
 * that won lately.
 *
 * A long run of equal bytes settles everything before it: then the path so far is written down,
 * and the prices start from nought again. So memory does not grow with the new file.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

enum {
  BIT = 16,
  SWITCH = 100 * BIT,     /* to begin a copy: three numbers of a patch */
  FIRST_DIFF = 13 * BIT,  /* a byte that differs, after one that does not */
  NEXT_DIFF = 9 * BIT,    /* a byte that differs, after one that does as well */
  MAX_LITERAL = 16 * BIT,
  SETTLED = 32,           /* equal bytes in a row that nothing else can beat */
  MAX_ALIGNMENTS = 24,
  MAX_PROPOSALS = 48,
  RECENT = 6,
  LOOK_AHEAD = 32,
  LOOK_BACK = 4096,
  MAX_EPOCH = 1 << 20,
  NEAR_DIFF = 3,
  HANDED_ON = 1 << 20,    /* bytes of a patch that are written to a file at once */
};
#define LITERALS INT64_MIN
#define NONE UINT32_MAX

typedef struct { i64 start; i64 shift; } Run;                 /* shift: old place minus new place */
typedef struct { i64 shift; u32 price; u32 run; u8 differs; } Alignment;
typedef struct { i64 start, end, shift; } Piece;

typedef struct {
  const u8 *old, *new;
  size_t old_size, new_size;
  /* The index. */
  u32 *heads, *links;
  u64 *seen; /* a bit for each window, by another hash: most that are not there end here */
  int seen_bits;
  int bits, depth, drop; /* of eight bytes, so many bits are not hashed */
  size_t stride;
  u32 literal; /* the price of a literal byte */
  /* Prices up to each byte since `base`, and the run that gives them. */
  u32 *price, *run_at;
  size_t base, room;
  Run *runs;
  size_t run_count, run_room;
  Alignment active[MAX_ALIGNMENTS + 1];
  int active_count;
  i64 recent[RECENT];
  int recent_count;
  Piece *pieces;
  size_t piece_count, piece_room;
  u64 total_price;
  size_t last_diff;
} Search;

static inline u64 load8(const u8 *p) { u64 v; memcpy(&v, p, 8); return v; }

static inline u64 window(const Search *s, const u8 *p) { return load8(p) << s->drop; }

static inline u32 hash_of(u64 v, int bits) { return (u32)((v * 0x9E3779B97F4A7C15ull) >> (64 - bits)); }

static inline u32 mark_of(u64 v, int bits) { return (u32)((v * 0xD6E8FEB86659FD93ull) >> (64 - bits)); }

static int little_endian(void) { const u32 one = 1; return *(const u8 *)&one; }

static size_t equal_bytes(const u8 *a, const u8 *b, size_t n) {
  size_t i = 0;
  if (little_endian())
    for (; i + 8 <= n; i += 8) {
      u64 x = load8(a + i) ^ load8(b + i);
      if (x) return i + (size_t)(__builtin_ctzll(x) >> 3);
    }
  while (i < n && a[i] == b[i]) i++;
  return i;
}

static int count_equal(const u8 *a, const u8 *b, size_t n) {
  int count = 0;
  size_t i = 0;
  const u64 low = 0x7f7f7f7f7f7f7f7full;
  for (; i + 8 <= n; i += 8) {
    u64 x = load8(a + i) ^ load8(b + i);
    u64 t = (x & low) + low;
    count += __builtin_popcountll(~(t | x | low));
  }
  for (; i < n; i++) count += a[i] == b[i];
  return count;
}

/* An array with room for so many items, NULL if there is no memory: then the old one is as it was. */
static void *grown(void *array, size_t *room, size_t wanted, size_t item) {
  if (wanted <= *room) return array;
  size_t more = *room * 2 > wanted ? *room * 2 : wanted + 1024;
  void *bigger = realloc(array, more * item);
  if (bigger) *room = more;
  return bigger;
}

static int room_for_runs(Search *s) {
  Run *runs = grown(s->runs, &s->run_room, s->run_count + 1, sizeof(Run));
  if (runs) s->runs = runs;
  return runs != NULL;
}

static int add_piece(Search *s, i64 start, i64 end, i64 shift) {
  Piece *pieces = grown(s->pieces, &s->piece_room, s->piece_count + 1, sizeof(Piece));
  if (!pieces) return 0;
  s->pieces = pieces;
  pieces[s->piece_count++] = (Piece){start, end, shift};
  return 1;
}

static u32 add_run(Search *s, i64 start, i64 shift) {
  if (!room_for_runs(s)) return NONE;
  s->runs[s->run_count] = (Run){start, shift};
  return (u32)s->run_count++;
}

static int build_index(Search *s) {
  size_t places = s->old_size / s->stride + 1;
  s->bits = 10;
  while (((size_t)1 << s->bits) < places && s->bits < 22) s->bits++;
  s->heads = calloc((size_t)1 << s->bits, sizeof(u32));
  s->links = malloc(places * sizeof(u32));
  s->seen_bits = s->bits + 4;
  s->seen = calloc((size_t)1 << (s->seen_bits - 6), sizeof(u64));
  if (!s->heads || !s->links || !s->seen) return 0;
  if (s->old_size < 8) return 1;
  for (size_t t = (s->old_size - 8) / s->stride + 1; t-- > 0;) {
    size_t i = t * s->stride;
    u64 v = load8(s->old + i);
    /* Of a row of one and the same byte, its beginning is enough. */
    if (v == (v << 8 | v >> 56) && i && s->old[i - 1] == (u8)v) continue;
    u32 bit = mark_of(window(s, s->old + i), s->seen_bits);
    s->seen[bit >> 6] |= 1ull << (bit & 63);
    u32 h = hash_of(window(s, s->old + i), s->bits);
    s->links[t] = s->heads[h];
    s->heads[h] = (u32)t + 1;
  }
  return 1;
}

static int room_for(Search *s, size_t end) {
  size_t wanted = end - s->base + 1, room = s->room;
  u32 *price = grown(s->price, &room, wanted, sizeof(u32));
  if (price) s->price = price;
  u32 *run_at = grown(s->run_at, &s->room, wanted, sizeof(u32));
  if (run_at) s->run_at = run_at;
  return price && run_at;
}

/* How far an alignment goes before a byte differs. */
static size_t run_length(const Search *s, size_t at, i64 shift) {
  i64 from = (i64)at + shift;
  if (from < 0 || from >= (i64)s->old_size) return 0;
  size_t most = s->new_size - at, rest = s->old_size - (size_t)from;
  return equal_bytes(s->new + at, s->old + from, most < rest ? most : rest);
}

/* How many of the next bytes an alignment has right. */
static int right_ahead(const Search *s, size_t at, i64 shift) {
  i64 from = (i64)at + shift;
  if (from < 0 || from >= (i64)s->old_size) return 0;
  size_t n = LOOK_AHEAD, most = s->new_size - at, rest = s->old_size - (size_t)from;
  if (n > most) n = most;
  if (n > rest) n = rest;
  return count_equal(s->new + at, s->old + from, n);
}

static void remember(Search *s, i64 shift) {
  int k = 0;
  while (k < s->recent_count && s->recent[k] != shift) k++;
  if (k == s->recent_count) {
    if (s->recent_count < RECENT) s->recent_count++;
    else k--;
  }
  for (; k > 0; k--) s->recent[k] = s->recent[k - 1];
  s->recent[0] = shift;
}

/* Write down the cheapest path from the base to a place, which becomes the base. */
static int settle(Search *s, size_t at) {
  size_t first = s->piece_count;
  size_t end = at;
  while (end > s->base) {
    Run run = s->runs[s->run_at[end - s->base]];
    if (run.start < (i64)s->base) run.start = (i64)s->base;
    if (!add_piece(s, run.start, (i64)end, run.shift)) return 0;
    end = (size_t)run.start;
  }
  for (size_t a = first, b = s->piece_count; a + 1 < b; a++, b--) {
    Piece swap = s->pieces[a];
    s->pieces[a] = s->pieces[b - 1];
    s->pieces[b - 1] = swap;
  }
  s->total_price += s->price[at - s->base];
  s->base = at;
  s->run_count = 0;
  return 1;
}

static int propose(const Search *s, size_t at, i64 *shifts) {
  int count = 0;
  if (at + 8 > s->new_size) return 0;
  const u8 *here = s->new + at;
  u32 bit = mark_of(window(s, here), s->seen_bits);
  u32 link = 0;
  if (s->seen[bit >> 6] >> (bit & 63) & 1) link = s->heads[hash_of(window(s, here), s->bits)];
  for (int d = s->depth; link && d; d--) {
    size_t t = link - 1, place = t * s->stride;
    link = s->links[t];
    if (window(s, s->old + place) == window(s, here)) shifts[count++] = (i64)place - (i64)at;
  }
  for (int k = 0; k < s->recent_count; k++) {
    i64 from = (i64)at + s->recent[k];
    if (from < 0 || from + 8 > (i64)s->old_size) continue;
    if (memcmp(s->old + from, here, 4) == 0) shifts[count++] = s->recent[k];
  }
  return count;
}

/* Let an alignment in, from the place before where it would best have begun. */
static int admit(Search *s, size_t at, i64 shift) {
  const u32 *price = s->price;
  u32 best = price[at - s->base] + SWITCH, paid = 0;
  size_t start = at;
  u8 differed = 0;
  for (size_t j = at; j-- > s->base;) {
    i64 from = (i64)j + shift;
    if (from < 0 || at - j > LOOK_BACK) break;
    if (s->new[j] != s->old[from]) {
      paid += differed ? NEXT_DIFF : FIRST_DIFF;
      differed = 1;
      if (paid > SWITCH) break;
    } else {
      differed = 0;
    }
    u32 sum = price[j - s->base] + SWITCH + paid;
    if (sum < best) { best = sum; start = j; }
    else if (start - j > 64) break;
  }
  if (s->active_count >= MAX_ALIGNMENTS) {
    int worst = 0;
    for (int k = 1; k < s->active_count; k++)
      if (s->active[k].price >= s->active[worst].price) worst = k;
    if (s->active[worst].price < best) return 1;
    s->active[worst] = s->active[--s->active_count];
  }
  u32 run = add_run(s, (i64)start, shift);
  if (run == NONE) return 0;
  s->active[s->active_count++] = (Alignment){shift, best, run, 0};
  if (best < s->price[at - s->base]) {
    s->price[at - s->base] = best;
    s->run_at[at - s->base] = run;
  }
  return 1;
}

static int admit_all(Search *s, size_t at) {
  i64 shifts[MAX_PROPOSALS + RECENT];
  int count = propose(s, at, shifts);
  if (!count) return 1;
  int right = -1;
  for (int k = 0; k < s->active_count; k++) {
    int n = right_ahead(s, at, s->active[k].shift);
    if (n > right && s->active[k].price <= s->price[at - s->base]) right = n;
  }
  for (int c = 0; c < count; c++) {
    int k = 0;
    while (k < s->active_count && s->active[k].shift != shifts[c]) k++;
    if (k < s->active_count || right_ahead(s, at, shifts[c]) <= right) continue;
    if (!admit(s, at, shifts[c])) return 0;
  }
  return 1;
}

/* Begin anew at a place with one alignment, or none. */
static int restart(Search *s, size_t at, const Alignment *kept, u32 *literal) {
  if (!settle(s, at)) return 0;
  s->active_count = 0;
  s->price[0] = 0;
  *literal = add_run(s, (i64)at, LITERALS);
  if (*literal == NONE) return 0;
  s->run_at[0] = *literal;
  if (kept) {
    u32 run = add_run(s, (i64)at, kept->shift);
    if (run == NONE) return 0;
    s->active[0] = (Alignment){kept->shift, 0, run, 0};
    s->active_count = 1;
    s->run_at[0] = run;
  }
  return 1;
}

/* The alignment among the cheapest that goes on the longest. */
static int longest(const Search *s, size_t at, size_t *length) {
  int found = -1;
  *length = 0;
  for (int k = 0; k < s->active_count; k++) {
    if (s->active[k].price > s->price[at - s->base]) continue;
    size_t n = run_length(s, at, s->active[k].shift);
    if (n > *length) { *length = n; found = k; }
  }
  return found;
}

static u32 step(Search *s, size_t at, u32 best, u32 *run) {
  for (int k = 0; k < s->active_count; k++) {
    Alignment *a = &s->active[k];
    i64 from = (i64)at + a->shift;
    if (from < 0 || from >= (i64)s->old_size) { a->price = UINT32_MAX / 2; continue; }
    if (s->new[at] != s->old[from]) {
      a->price += a->differs ? NEXT_DIFF : FIRST_DIFF;
      a->differs = 1;
      if (a->price <= best + SWITCH) s->last_diff = at;
    } else {
      a->differs = 0;
    }
    if (a->price <= best) { best = a->price; *run = a->run; }
  }
  int kept = 0;
  for (int k = 0; k < s->active_count; k++)
    if (s->active[k].price <= best + SWITCH) s->active[kept++] = s->active[k];
  s->active_count = kept;
  return best;
}

static int search(Search *s) {
  u32 literal_run, literal = 0;
  size_t at = 0;
  if (!room_for(s, 0)) return 0;
  s->price[0] = 0;
  Alignment straight = {0, 0, 0, 0};
  if (!restart(s, 0, &straight, &literal_run)) return 0;
  while (at < s->new_size) {
    size_t length;
    int k = longest(s, at, &length);
    if (length >= SETTLED || (length && at + length == s->new_size)) {
      Alignment kept = s->active[k];
      remember(s, kept.shift);
      if (s->run_at[at - s->base] != kept.run) s->run_at[at - s->base] = kept.run;
      if (!restart(s, at, &kept, &literal_run)) return 0;
      /* Where the run goes on for long, only its end can matter to what comes after. */
      size_t tail = length < LOOK_BACK ? length : LOOK_BACK;
      at += length - tail;
      if (tail < length) {
        if (!add_piece(s, (i64)s->base, (i64)at, kept.shift)) return 0;
        s->base = at;
        s->runs[s->active[0].run].start = (i64)at;
        s->runs[literal_run].start = (i64)at;
      }
      if (!room_for(s, at + tail)) return 0;
      for (size_t n = 1; n <= tail; n++) {
        s->price[n] = 0;
        s->run_at[n] = s->active[0].run;
      }
      at += tail;
      literal = 0;
      if ((literal_run = add_run(s, (i64)at, LITERALS)) == NONE) return 0;
      s->last_diff = at;
      continue;
    }
    if (at - s->base >= MAX_EPOCH) {
      if (!restart(s, at, NULL, &literal_run)) return 0;
      literal = 0;
    }
    if ((at - s->last_diff <= NEAR_DIFF || s->price[at - s->base] == literal) && !admit_all(s, at))
      return 0;
    if (s->price[at - s->base] < literal) {
      literal = s->price[at - s->base];
      if ((literal_run = add_run(s, (i64)at, LITERALS)) == NONE) return 0;
    }
    literal += s->literal;
    if (!room_for(s, at + 1)) return 0;
    u32 run = literal_run, best = step(s, at, literal, &run);
    at++;
    s->price[at - s->base] = best;
    s->run_at[at - s->base] = run;
  }
  return settle(s, s->new_size);
}

/* The patch. */

/* What is made: kept in memory, or handed on to a file now and then. */
typedef struct { u8 *bytes; size_t size, room, gone; int fd; } Out;

static int hand_on(Out *out) {
  size_t done = 0;
  while (done < out->size) {
    ssize_t n = write(out->fd, out->bytes + done, out->size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return 0;
    done += (size_t)n;
  }
  out->gone += done;
  out->size = 0;
  return 1;
}

static int room_in(Out *out, size_t more) {
  if (out->fd >= 0 && out->size + more > HANDED_ON && !hand_on(out)) return 0;
  u8 *bytes = grown(out->bytes, &out->room, out->size + more, 1);
  if (bytes) out->bytes = bytes;
  return bytes != NULL;
}

static int put_number(Out *out, i64 value) {
  if (!room_in(out, 8)) return 0;
  u64 v = value < 0 ? (u64)(-value) | 1ull << 63 : (u64)value;
  for (int k = 0; k < 8; k++) out->bytes[out->size++] = (u8)(v >> (8 * k));
  return 1;
}

static int put_step(Out *out, i64 add, i64 extra, i64 seek) {
  return put_number(out, add) && put_number(out, extra) && put_number(out, seek);
}

static int put_differences(Out *out, const u8 *new, const u8 *old, size_t size) {
  while (size) {
    size_t n = size < HANDED_ON ? size : HANDED_ON;
    if (!room_in(out, n)) return 0;
    u8 *to = out->bytes + out->size;
    for (size_t i = 0; i < n; i++) to[i] = (u8)(new[i] - old[i]);
    out->size += n;
    new += n;
    old += n;
    size -= n;
  }
  return 1;
}

static int put_bytes(Out *out, const u8 *bytes, size_t size) {
  while (size) {
    size_t n = size < HANDED_ON ? size : HANDED_ON;
    if (!room_in(out, n)) return 0;
    memcpy(out->bytes + out->size, bytes, n);
    out->size += n;
    bytes += n;
    size -= n;
  }
  return 1;
}

static int write_patch(const Search *s, Out *out) {
  size_t k = 0;
  i64 from = 0;
  if (s->piece_count && s->pieces[0].shift != LITERALS && s->pieces[0].shift != 0) {
    from = s->pieces[0].shift;
    if (!put_step(out, 0, 0, from)) return 0;
  }
  while (k < s->piece_count) {
    Piece p = s->pieces[k];
    i64 start = p.start, added = p.start, end = p.start;
    if (p.shift == LITERALS) p.shift = from - start;
    /* Copies at the same distance, then literals, are one step. */
    while (k < s->piece_count && s->pieces[k].shift == p.shift) added = s->pieces[k++].end;
    end = added;
    while (k < s->piece_count && s->pieces[k].shift == LITERALS) end = s->pieces[k++].end;
    i64 next = k < s->piece_count ? s->pieces[k].start + s->pieces[k].shift : added + p.shift;
    if (!put_step(out, added - start, end - added, next - (added + p.shift))) return 0;
    from = next;
    if (!put_differences(out, s->new + start, s->old + start + p.shift, (size_t)(added - start)) ||
        !put_bytes(out, s->new + added, (size_t)(end - added)))
      return 0;
  }
  return out->fd < 0 || hand_on(out);
}

static int run_search(Search *s, Out *out) {
  int done = build_index(s) && search(s);
  free(s->heads);
  free(s->links);
  free(s->seen);
  free(s->price);
  free(s->run_at);
  free(s->runs);
  done = done && write_patch(s, out);
  free(s->pieces);
  return done;
}

static PyObject *make_patch(PyObject *self, PyObject *args) {
  Py_buffer old, new;
  int depth, stride, hashed, literal, fd = -1;
  (void)self;
  if (!PyArg_ParseTuple(args, "y*y*iiii|i", &old, &new, &depth, &stride, &hashed, &literal, &fd))
    return NULL;
  PyObject *result = NULL;
  if (depth < 1 || depth > MAX_PROPOSALS || stride < 1 || hashed < 4 || hashed > 8 ||
      literal < 1 || literal > MAX_LITERAL || (size_t)old.len / (size_t)stride >= NONE) {
    PyErr_SetString(PyExc_ValueError, "depth, stride, hashed or literal out of range");
  } else {
    Search s = {0};
    Out out = {.fd = fd};
    int done, error;
    s.old = old.buf;
    s.new = new.buf;
    s.old_size = (size_t)old.len;
    s.new_size = (size_t)new.len;
    s.depth = depth;
    s.stride = (size_t)stride;
    s.literal = (u32)literal;
    s.drop = 64 - 8 * hashed;
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    done = run_search(&s, &out);
    error = errno;
    Py_END_ALLOW_THREADS
    if (done && fd >= 0)
      result = Py_BuildValue("nK", (Py_ssize_t)out.gone,
                             (unsigned long long)(s.total_price / (8 * BIT)));
    else if (done)
      result = Py_BuildValue("y#K", out.bytes ? (const char *)out.bytes : "", (Py_ssize_t)out.size,
                             (unsigned long long)(s.total_price / (8 * BIT)));
    else if (error && error != ENOMEM) {
      errno = error;
      PyErr_SetFromErrno(PyExc_OSError);
    } else
      PyErr_NoMemory();
    free(out.bytes);
  }
  PyBuffer_Release(&old);
  PyBuffer_Release(&new);
  return result;
}

static PyMethodDef methods[] = {
    {"make_patch", make_patch, METH_VARARGS, "Give a patch, or its length where it goes to a file, and about how many bytes it compresses to."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_bsdiff", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__bsdiff(void) { return PyModule_Create(&module); }
