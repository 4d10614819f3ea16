/* codes/mo_test.c - compiled catalogues, honest and hostile.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/mo.h"
#include "harness/test.h"

struct file { unsigned char bytes[400]; size_t len; };

static void put_u32(struct file *f, size_t at, uint32_t v, bool big)
{
    for (int i = 0; i < 4; i++)
        f->bytes[at + (size_t)i] = (unsigned char)(v >> (big ? 24 - 8 * i : 8 * i));
}

/* A .mo with these pairs, which must be sorted; strings after the tables. */
static struct file make(bool big, const slice (*pairs)[2], uint32_t count)
{
    struct file f = { .len = 28 + (size_t)count * 16 };
    const uint32_t head[] = { 0x950412DE, 0, count, 28, 28 + count * 8, 0, 0 };

    for (size_t i = 0; i < ARRAY_LEN(head); i++)
        put_u32(&f, i * 4, head[i], big);
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < count; i++) {
            slice text = pairs[i][side];
            size_t row = 28 + side * count * 8 + i * 8;

            put_u32(&f, row, (uint32_t)text.len, big);
            put_u32(&f, row + 4, (uint32_t)f.len, big);
            memcpy(f.bytes + f.len, text.ptr, text.len);
            f.len += text.len + 1;
        }
    }
    return f;
}

static const slice pairs[][2] = {
    { SLICE(""), SLICE("Language: fr\nPlural-Forms: nplurals=2; plural=n > 1;\n") },
    { SLICE("a\4Busy"), SLICE("Occup\xC3\xA9") },
    { SLICE("b\4{n} call\0{n} calls"), SLICE("{n} appel\0{n} appels") },
    { SLICE("c"), SLICE("see") },
};

TEST(a_catalogue_of_either_byte_order_is_read)
{
    for (int big = 0; big < 2; big++) {
        struct file f = make(big, pairs, ARRAY_LEN(pairs));
        struct mo mo;

        CHECK(mo_open(slice_of(f.bytes, f.len), &mo));
        CHECK_EQ(mo_find(&mo, SLICE("a\4Busy")), SLICE("Occup\xC3\xA9"));
        CHECK_EQ(mo_find(&mo, SLICE("c")), SLICE("see"));
        CHECK(mo_find(&mo, SLICE("a\4Bus")).ptr == NULL);
        CHECK(mo_find(&mo, SLICE("zzz")).ptr == NULL);
        CHECK_EQ(mo_header(&mo, SLICE("plural-forms")), SLICE("nplurals=2; plural=n > 1;"));
        CHECK(mo_header(&mo, SLICE("X-Nothing")).ptr == NULL);
    }
}

TEST(a_text_with_number_forms_is_found_by_its_singular)
{
    struct file f = make(false, pairs, ARRAY_LEN(pairs));
    struct mo mo;

    CHECK(mo_open(slice_of(f.bytes, f.len), &mo));

    slice forms = mo_find(&mo, SLICE("b\4{n} call"));

    CHECK_EQ(mo_form(forms, 0), SLICE("{n} appel"));
    CHECK_EQ(mo_form(forms, 1), SLICE("{n} appels"));
    CHECK(mo_form(forms, 2).ptr == NULL);
}

TEST(what_is_no_catalogue_is_refused)
{
    struct file good = make(false, pairs, ARRAY_LEN(pairs)), f;
    struct mo mo = { .count = 77 };

    CHECK(!mo_open((slice){0}, &mo));
    CHECK(!mo_open(SLICE("This is not a catalogue at all."), &mo));
    CHECK(!mo_open(slice_of(good.bytes, 27), &mo));
    CHECK(!mo_open(slice_of(good.bytes, 40), &mo));       /* tables cut */
    f = good, put_u32(&f, 8, 0xFFFFFFFF, false);          /* four thousand million strings */
    CHECK(!mo_open(slice_of(f.bytes, f.len), &mo));
    f = good, put_u32(&f, 12, 0xFFFFFFF0, false);         /* a table far away */
    CHECK(!mo_open(slice_of(f.bytes, f.len), &mo));
    f = good, put_u32(&f, 4, 7u << 16, false);            /* a revision to come */
    CHECK(!mo_open(slice_of(f.bytes, f.len), &mo));
    CHECK_EQ(mo.count, 77);
}

TEST(a_catalogue_that_lies_about_its_strings_answers_not_found)
{
    for (size_t at = 28; at < 28 + ARRAY_LEN(pairs) * 16; at += 4) {
        static const uint32_t lies[] = { 0xFFFFFFFF, 0x7FFFFFFF, 0x10000, 399 };

        for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
            struct file f = make(false, pairs, ARRAY_LEN(pairs));
            char *bytes = malloc(f.len);                  /* so that a sanitizer sees the end */
            struct mo mo;

            put_u32(&f, at, lies[i], false);
            memcpy(bytes, f.bytes, f.len);
            CHECK(mo_open(slice_of(bytes, f.len), &mo));
            for (size_t k = 0; k < ARRAY_LEN(pairs); k++) {
                slice singular = pairs[k][0], key = slice_take_until(&singular, '\0');
                slice got = mo_find(&mo, key);

                CHECK(got.ptr == NULL || (got.ptr >= bytes && got.ptr + got.len <= bytes + f.len));
            }
            (void)mo_header(&mo, SLICE("Language"));
            free(bytes);
        }
    }
}
