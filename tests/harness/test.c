/* tests/harness/test.c - runner, checks, leak count and torture runs (see test.h)
 *
 * Every allocation that the code under test makes comes through the __wrap_ functions below
 * (the linker's --wrap). Live blocks stand in an open-addressed table, so that what a test
 * leaves behind can be counted, and pointers that libc allocated for itself are let through.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>

#include <cmocka.h>

/* ---- allocations ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void __real_free(void *old);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __wrap_posix_memalign(void **ret, size_t align, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *old);

struct block {
    void *ptr; /* NULL: free slot */
    size_t size;
};

static struct {
    pthread_mutex_t lock;
    struct block *slots;
    size_t capacity; /* a power of two */
    size_t used;
    bool counting;    /* only what a test body allocates is remembered */
    size_t countdown; /* the allocation that fails, counted from 1; 0: none */
    bool failed;      /* it has failed */
} heap = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t heap_slot(const struct block *slots, size_t capacity, const void *ptr)
{
    size_t i = (size_t)(((uintptr_t)ptr >> 4) * 0x9e3779b97f4a7c15u) & (capacity - 1);

    while (slots[i].ptr != NULL && slots[i].ptr != ptr)
        i = (i + 1) & (capacity - 1);
    return i;
}

static void heap_grow(void)
{
    size_t capacity = heap.capacity ? heap.capacity * 2 : 1024;
    struct block *slots = __real_calloc(capacity, sizeof(*slots));

    if (!slots)
        abort();
    for (size_t i = 0; i < heap.capacity; i++)
        if (heap.slots[i].ptr)
            slots[heap_slot(slots, capacity, heap.slots[i].ptr)] = heap.slots[i];
    __real_free(heap.slots);
    heap.slots = slots;
    heap.capacity = capacity;
}

static void heap_forget_locked(const void *ptr)
{
    if (heap.used == 0)
        return;
    size_t hole = heap_slot(heap.slots, heap.capacity, ptr);
    if (heap.slots[hole].ptr == NULL)
        return;

    heap.slots[hole].ptr = NULL;
    heap.used--;
    for (size_t i = (hole + 1) & (heap.capacity - 1); heap.slots[i].ptr;
         i = (i + 1) & (heap.capacity - 1)) {
        struct block moved = heap.slots[i]; /* it may have stood there because of the hole */

        heap.slots[i].ptr = NULL;
        heap.slots[heap_slot(heap.slots, heap.capacity, moved.ptr)] = moved;
    }
}

static void heap_forget(const void *ptr)
{
    pthread_mutex_lock(&heap.lock);
    heap_forget_locked(ptr);
    pthread_mutex_unlock(&heap.lock);
}

static void *heap_remember(void *ptr, size_t size)
{
    pthread_mutex_lock(&heap.lock);
    if (ptr && heap.counting) {
        if (heap.used * 2 >= heap.capacity)
            heap_grow();
        size_t i = heap_slot(heap.slots, heap.capacity, ptr);
        heap.used += heap.slots[i].ptr == NULL;
        heap.slots[i] = (struct block){ .ptr = ptr, .size = size };
    }
    pthread_mutex_unlock(&heap.lock);
    return ptr;
}

/* Is this the allocation that has to fail? */
static bool heap_fails(void)
{
    bool fails;

    pthread_mutex_lock(&heap.lock);
    fails = heap.counting && heap.countdown > 0 && --heap.countdown == 0;
    heap.failed |= fails;
    pthread_mutex_unlock(&heap.lock);
    if (fails)
        errno = ENOMEM;
    return fails;
}

void *__wrap_malloc(size_t size)
{
    return heap_fails() ? NULL : heap_remember(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return heap_fails() ? NULL : heap_remember(__real_calloc(count, size), count * size);
}

void *__wrap_realloc(void *old, size_t size)
{
    if (heap_fails())
        return NULL;
    heap_forget(old); /* before, since another thread may be given the same address */

    void *new = __real_realloc(old, size);
    if (!new && size > 0)
        heap_remember(old, 0);
    return heap_remember(new, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return heap_fails() ? NULL : heap_remember(__real_aligned_alloc(align, size), size);
}

int __wrap_posix_memalign(void **ret, size_t align, size_t size)
{
    void *got = __wrap_aligned_alloc(align, (size + align - 1) / align * align);

    if (!got)
        return ENOMEM;
    *ret = got;
    return 0;
}

char *__wrap_strndup(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    char *copy = __wrap_malloc(len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX - 1);
}

void __wrap_free(void *old)
{
    if (old)
        heap_forget(old);
    __real_free(old);
}

static void heap_begin(size_t failing)
{
    heap.used = 0;
    if (heap.slots)
        memset(heap.slots, 0, heap.capacity * sizeof(*heap.slots));
    heap.countdown = failing;
    heap.failed = false;
    heap.counting = true;
}

static void heap_end(void)
{
    heap.counting = false;
}

bool test_memory_failed(void)
{
    return heap.failed;
}

/* ---- results ---- */

static struct {
    struct test *first, **last;
    struct test *running;
    size_t round; /* which allocation fails in this run; 0: an ordinary run */
    unsigned started, passed, skipped;
} tests = { .last = &tests.first };

/* A line of diagnosis; "#" makes it a comment of the TAP output around it. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;

    fputs("# ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void test_register(struct test *t)
{
    *tests.last = t;
    tests.last = &t->next;
}

/* Ends the running test as failed, after the reason was printed. */
static _Noreturn void test_stop(const char *file, int line)
{
    heap_end();
    if (tests.round > 0)
        say("  in the run in which allocation %zu fails\n", tests.round);
    _fail(file, line);
    abort(); /* _fail does not return, but does not say so */
}

void test_fail(const char *file, int line, const char *why, ...)
{
    char text[1000];
    va_list args;

    heap_end();
    va_start(args, why);
    vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    say("%s\n", text);
    test_stop(file, line);
}

void test_skip(const char *why, ...)
{
    char text[1000];
    va_list args;

    heap_end();
    va_start(args, why);
    vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    say("skipped %s: %s\n", tests.running->name, text);
    tests.skipped++;
    _skip(tests.running->file, 0);
    abort(); /* _skip does not return either */
}

static void print_failed(const char *what, long long row)
{
    heap_end();
    if (row >= 0)
        say("row %lld: not true: %s\n", row, what);
    else
        say("not true: %s\n", what);
}

void test_check(bool ok, long long row, const char *what, const char *file, int line)
{
    if (ok)
        return;
    print_failed(what, row);
    test_stop(file, line);
}

bool test_check_memory(bool ok, const char *what, const char *file, int line)
{
    if (!ok && !heap.failed)
        test_check(ok, -1, what, file, line);
    return ok;
}

struct test_value test_value_signed(long long v)
{
    return (struct test_value){ .kind = TEST_NUMBER, .number = v };
}

struct test_value test_value_unsigned(unsigned long long v)
{
    return (struct test_value){ .kind = TEST_NUMBER, .number = (__int128)v };
}

struct test_value test_value_real(double v)
{
    return (struct test_value){ .kind = TEST_REAL, .real = v };
}

struct test_value test_value_slice(slice v)
{
    static const char empty[] = "";

    if (v.len == 0)
        v.ptr = empty; /* an absent slice and an empty one are equal text */
    return (struct test_value){ .kind = TEST_TEXT, .text = v };
}

struct test_value test_value_string(const char *v)
{
    return (struct test_value){ .kind = TEST_TEXT,
                                .text = { .ptr = v, .len = v ? strlen(v) : 0 } };
}

struct test_value test_value_pointer(const void *v)
{
    return (struct test_value){ .kind = TEST_POINTER, .pointer = v };
}

static bool text_equal(slice a, slice b)
{
    if (!a.ptr || !b.ptr)
        return a.ptr == b.ptr;
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* A number beside a real is compared as a real; a NULL constant may come as a number. */
static struct test_value value_as(enum test_kind kind, struct test_value v)
{
    if (kind == TEST_REAL && v.kind == TEST_NUMBER)
        return test_value_real((double)v.number);
    if (kind == TEST_TEXT && v.kind == TEST_POINTER && v.pointer == NULL)
        return test_value_string(NULL);
    if (kind == TEST_POINTER && v.kind == TEST_NUMBER && v.number == 0)
        return test_value_pointer(NULL);
    if (kind == TEST_POINTER && v.kind == TEST_TEXT)
        return test_value_pointer(v.text.ptr);
    return v;
}

static bool value_equal(struct test_value a, struct test_value b)
{
    a = value_as(b.kind, a);
    b = value_as(a.kind, b);
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case TEST_NUMBER:
        return a.number == b.number;
    case TEST_REAL:
        return a.real == b.real;
    case TEST_TEXT:
        return text_equal(a.text, b.text);
    case TEST_POINTER:
        return a.pointer == b.pointer;
    }
    return false;
}

/* Text as it stands in C source, so that a lost CR or a NUL is seen. */
static void print_text(const char *side, slice text)
{
    char out[2000];
    size_t n = 0;

    if (!text.ptr) {
        say("  %s: NULL\n", side);
        return;
    }
    for (size_t i = 0; i < text.len && n < sizeof(out) - 8; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, sizeof(out) - n, "\\x%02x", c);
    }
    say("  %s: \"%.*s\" (%zu bytes)\n", side, (int)n, out, text.len);
}

static void print_value(const char *side, struct test_value v)
{
    switch (v.kind) {
    case TEST_NUMBER:
        if (v.number < 0)
            say("  %s: %lld\n", side, (long long)v.number);
        else
            say("  %s: %llu (0x%llx)\n", side, (unsigned long long)v.number,
                        (unsigned long long)v.number);
        break;
    case TEST_REAL:
        say("  %s: %.17g\n", side, v.real);
        break;
    case TEST_TEXT:
        print_text(side, v.text);
        break;
    case TEST_POINTER:
        say("  %s: %p\n", side, v.pointer);
        break;
    }
}

void test_check_eq(struct test_value a, struct test_value b, long long row, const char *what,
                   const char *file, int line)
{
    if (value_equal(a, b))
        return;
    print_failed(what, row);
    print_value("left ", a);
    print_value("right", b);
    test_stop(file, line);
}

void test_check_mem(const void *a, const void *b, size_t len, const char *what, const char *file,
                    int line)
{
    const unsigned char *x = a, *y = b;
    size_t i = 0;

    while (i < len && x[i] == y[i])
        i++;
    if (i == len)
        return;
    print_failed(what, -1);
    say("  byte %zu of %zu: 0x%02x and 0x%02x\n", i, len, x[i], y[i]);
    test_stop(file, line);
}

void test_check_near(double a, double b, double within, const char *what, const char *file,
                     int line)
{
    if (fabs(a - b) <= within)
        return;
    print_failed(what, -1);
    say("  left : %.9g\n  right: %.9g\n  more than %.9g apart\n", a, b, within);
    test_stop(file, line);
}

char *test_read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0, room = 0, got = 0;

    if (!f)
        test_skip("%s is not there", path);
    do {
        room = room ? room * 2 : 65536;
        char *more = realloc(text, room + 1);
        if (!more)
            break; /* only in a torture run */
        text = more;
        got = fread(text + len, 1, room - len, f);
        len += got;
    } while (len == room);
    (void)fclose(f);
    if (test_memory_failed()) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

/* ---- runs ---- */

enum { TORTURE_ROUNDS_MAX = 20000, LEAKS_SHOWN_MAX = 5 };

static void check_no_leak(const struct test *t)
{
    size_t shown = 0;

    if (heap.used == 0)
        return;
    say("%zu blocks were not freed\n", heap.used);
    for (size_t i = 0; i < heap.capacity && shown < LEAKS_SHOWN_MAX; i++)
        if (heap.slots[i].ptr) {
            say("  %zu bytes at %p\n", heap.slots[i].size, heap.slots[i].ptr);
            shown++;
        }
    test_stop(t->file, 0);
}

static void run_once(const struct test *t, size_t failing)
{
    tests.round = failing;
    heap_begin(failing);
    t->body();
    heap_end();
    check_no_leak(t);
}

static void run(void **state)
{
    struct test *t = *state;

    tests.running = t;
    tests.started++;
    run_once(t, 0);
    if (t->torture) {
        size_t n = 0;

        do
            run_once(t, ++n);
        while (heap.failed && n < TORTURE_ROUNDS_MAX);
        if (heap.failed)
            test_fail(t->file, 0, "still allocating after %zu runs", n);
    }
    tests.passed++;
}

static bool wanted(const struct test *t, int argc, char **argv)
{
    bool any = argc <= 1;

    for (int i = 1; i < argc && !any; i++)
        any = strstr(t->name, argv[i]) != NULL;
    return any;
}

/* A crash inside a test must reach the sanitizer, which knows where, and not cmocka, which
 * would only call the test failed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=2:handle_sigbus=2:handle_sigill=2:handle_sigfpe=2:"
           "detect_stack_use_after_return=1:allocator_may_return_null=1";
}

int main(int argc, char **argv)
{
    struct CMUnitTest *list = NULL;
    size_t count = 0;
    bool names_only = argc == 2 && strcmp(argv[1], "-l") == 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct test *t = tests.first; t; t = t->next) {
        if (names_only) {
            printf("%s\n", t->name);
            continue;
        }
        if (!wanted(t, argc, argv))
            continue;
        list = __real_realloc(list, (count + 1) * sizeof(*list));
        if (!list)
            abort();
        list[count++] =
            (struct CMUnitTest){ .name = t->name, .test_func = run, .initial_state = t };
    }
    if (names_only)
        return 0;

    cmocka_set_message_output(CM_OUTPUT_TAP);
    if (count > 0)
        (void)_cmocka_run_group_tests(SB_TEST_NAME, list, count, NULL, NULL);
    __real_free(list);
    __real_free(heap.slots);

    unsigned failed = tests.started - tests.passed - tests.skipped;
    say("%s: %u passed, %u failed, %u skipped\n", SB_TEST_NAME, tests.passed, failed,
           tests.skipped);
    if (tests.started != count || count == 0) {
        say("%s: %zu tests should have run\n", SB_TEST_NAME, count);
        return 2;
    }
    return failed > 0;
}
