/* tests/harness/test.h - how tests are written here: a thin layer over cmocka
 *
 *     #include "harness/test.h"
 *
 *     TEST(a_number_stops_at_the_first_letter)
 *     {
 *         CHECK_EQ(number_of("12ab"), 12);
 *     }
 *
 * TEST registers itself; the name is a sentence that can be false. After each test whatever
 * it allocated (malloc, calloc, realloc, strdup, ... called from our code) must be freed, or
 * the test fails.
 *
 * TORTURE is a TEST that, once passed, runs again with the 1st, then the 2nd, the 3rd ...
 * allocation failing, until a run sees no failure. Such a run must neither crash nor leak.
 * Where a result depends on memory, CHECK_OR_GOTO leaves the body quietly in those runs:
 *
 *     TORTURE(a_list_can_be_copied)
 *     {
 *         struct list *l = list_new();
 *         CHECK_OR_GOTO(l != NULL, out);
 *         CHECK_OR_GOTO(list_add(l, 1) == 0, out);
 *     out:
 *         list_free(l);
 *     }
 *
 * A check that fails ends its test. A program takes words as arguments and runs the tests
 * whose names contain one of them; `-l` lists the names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HARNESS_TEST_H
#define TESTS_HARNESS_TEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

#ifndef ARRAY_LEN
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#endif

struct test {
    const char *name;
    const char *file;
    void (*body)(void);
    bool torture;
    struct test *next;
};

#define TEST(sentence) TEST_DEFINE(sentence, false)
#define TORTURE(sentence) TEST_DEFINE(sentence, true)

#define TEST_DEFINE(sentence, is_torture)                                                          \
    static void sentence(void);                                                                    \
    __attribute__((constructor)) static void test_register_##sentence(void)                        \
    {                                                                                              \
        static struct test me = {                                                                  \
            .name = #sentence, .file = __FILE__, .body = sentence, .torture = is_torture           \
        };                                                                                         \
        test_register(&me);                                                                        \
    }                                                                                              \
    static void sentence(void)

/* A question that must be answered yes. */
#define CHECK(cond) test_check((cond), -1, #cond, __FILE__, __LINE__)

/* The same in a loop over rows: the number of the failing row is printed. */
#define CHECK_ROW(row, cond) test_check((cond), (long long)(row), #cond, __FILE__, __LINE__)

/* Both sides are printed when they differ. Numbers compare by value whatever their types;
 * slices and strings compare as text, with each other too; other pointers by address. */
#define CHECK_EQ(a, b)                                                                             \
    test_check_eq(TEST_VALUE(a), TEST_VALUE(b), -1, #a " == " #b, __FILE__, __LINE__)
#define CHECK_ROW_EQ(row, a, b)                                                                    \
    test_check_eq(TEST_VALUE(a), TEST_VALUE(b), (long long)(row), #a " == " #b, __FILE__, __LINE__)
#define CHECK_STR_EQ(a, b)                                                                         \
    test_check_eq(test_value_string(a), test_value_string(b), -1, #a " == " #b, __FILE__, __LINE__)

/* Bytes: two pointers and one length. The first difference is printed. */
#define CHECK_MEM_EQ(a, b, len) test_check_mem((a), (b), (len), #a " == " #b, __FILE__, __LINE__)

/* Numbers with a fraction: |a - b| <= within. */
#define CHECK_NEAR(a, b, within)                                                                   \
    test_check_near((a), (b), (within), #a " near " #b, __FILE__, __LINE__)

/* For what may fail only because memory ran out. An ordinary run fails as CHECK does; a run
 * in which an allocation was made to fail leaves the body, or jumps to its cleanup. */
#define CHECK_OR_RETURN(cond)                                                                      \
    do {                                                                                           \
        if (!test_check_memory((cond), #cond, __FILE__, __LINE__))                                 \
            return;                                                                                \
    } while (0)
#define CHECK_OR_GOTO(cond, label)                                                                 \
    do {                                                                                           \
        if (!test_check_memory((cond), #cond, __FILE__, __LINE__))                                 \
            goto label;                                                                            \
    } while (0)

/* Ends the test as skipped; `why` (a printf format) is shown in the report. */
#define SKIP(...) test_skip(__VA_ARGS__)

/* Ends the test as failed, with a reason. */
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* True in a run of TORTURE once an allocation has been made to fail. */
bool test_memory_failed(void);

/* Whole file as text, for tests only; free() it. Skips the test when the file is not there.
 * A NUL stands after the last byte and is not counted. */
char *test_read_file(const char *path, size_t *ret_len);

/* ---- what the macros stand on ---- */

enum test_kind { TEST_NUMBER, TEST_TEXT, TEST_POINTER, TEST_REAL };

struct test_value {
    enum test_kind kind;
    __int128 number;
    double real;
    slice text; /* ptr NULL: a string that is NULL */
    const void *pointer;
};

struct test_value test_value_signed(long long v);
struct test_value test_value_unsigned(unsigned long long v);
struct test_value test_value_real(double v);
struct test_value test_value_string(const char *v);
struct test_value test_value_slice(slice v);
struct test_value test_value_pointer(const void *v);

#define TEST_VALUE(v)                                                                              \
    _Generic((v),                                                                                  \
        _Bool: test_value_unsigned,                                                                \
        char: test_value_signed,                                                                   \
        signed char: test_value_signed,                                                            \
        unsigned char: test_value_unsigned,                                                        \
        short: test_value_signed,                                                                  \
        unsigned short: test_value_unsigned,                                                       \
        int: test_value_signed,                                                                    \
        unsigned int: test_value_unsigned,                                                         \
        long: test_value_signed,                                                                   \
        unsigned long: test_value_unsigned,                                                        \
        long long: test_value_signed,                                                              \
        unsigned long long: test_value_unsigned,                                                   \
        float: test_value_real,                                                                    \
        double: test_value_real,                                                                   \
        char *: test_value_string,                                                                 \
        const char *: test_value_string,                                                           \
        slice: test_value_slice,                                                                   \
        default: test_value_pointer)(v)

void test_register(struct test *t);
void test_check(bool ok, long long row, const char *what, const char *file, int line);
void test_check_eq(struct test_value a, struct test_value b, long long row, const char *what,
                   const char *file, int line);
void test_check_mem(const void *a, const void *b, size_t len, const char *what, const char *file,
                    int line);
void test_check_near(double a, double b, double within, const char *what, const char *file,
                     int line);
bool test_check_memory(bool ok, const char *what, const char *file, int line);
_Noreturn void test_skip(const char *why, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void test_fail(const char *file, int line, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

#endif
