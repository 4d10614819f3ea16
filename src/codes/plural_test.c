/* codes/plural_test.c - number forms of real languages, and rules that are no rules.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/plural.h"
#include "harness/test.h"

TEST(numbers_take_the_form_that_their_language_asks_for)
{
    static const struct { slice rule; uint64_t n; unsigned form; } rows[] = {
        { SLICE("nplurals=2; plural=n != 1;"), 0, 1 },                          /* English */
        { SLICE("nplurals=2; plural=n != 1;"), 1, 0 },
        { SLICE("nplurals=2; plural=n != 1;"), 2, 1 },
        { SLICE("nplurals=2; plural=n > 1;"), 0, 0 },                           /* French  */
        { SLICE("nplurals=2; plural=(n > 1)"), 1, 0 },
        { SLICE("nplurals=2; plural=n>1;"), 2, 1 },
        { SLICE("nplurals=1; plural=0;"), 5, 0 },                               /* Chinese */
#define RUSSIAN SLICE("nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && " \
                      "(n%100<10 || n%100>=20) ? 1 : 2;")
        { RUSSIAN, 1, 0 }, { RUSSIAN, 21, 0 }, { RUSSIAN, 11, 2 }, { RUSSIAN, 111, 2 },
        { RUSSIAN, 2, 1 }, { RUSSIAN, 24, 1 }, { RUSSIAN, 12, 2 }, { RUSSIAN, 5, 2 },
        { RUSSIAN, 0, 2 }, { RUSSIAN, 1000000000000000001u, 0 },
#define ARABIC SLICE("nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 " \
                     "? 3 : n%100>=11 ? 4 : 5;")
        { ARABIC, 0, 0 }, { ARABIC, 1, 1 }, { ARABIC, 2, 2 }, { ARABIC, 3, 3 }, { ARABIC, 10, 3 },
        { ARABIC, 11, 4 }, { ARABIC, 99, 4 }, { ARABIC, 100, 5 }, { ARABIC, 102, 5 },
        { ARABIC, 103, 3 }, { ARABIC, 111, 4 },
        { SLICE("nplurals=4; plural=(n==1 || n==11) ? 0 : (n==2 || n==12) ? 1 : (n > 2 && n < 20)"
                " ? 2 : 3;"), 12, 1 },                                           /* Gaelic  */
        { SLICE("nplurals=2; plural=!(n==1);"), 1, 0 },
        { SLICE("nplurals=2; plural=!!n;"), 7, 1 },
        { SLICE("nplurals=8; plural=1+2*3;"), 0, 7 },
        { SLICE("nplurals=8; plural=7-2-1;"), 0, 4 },
        { SLICE("nplurals=8; plural=n/10;"), 35, 3 },
        { SLICE("nplurals=2; plural=n/0;"), 3, 0 },                             /* no crash */
        { SLICE("nplurals=2; plural=n%(n-n);"), 3, 0 },
        { SLICE("nplurals=2; plural=n;"), 7, 0 },                               /* too large */
        { SLICE("nplurals=2; plural=n-1;"), 0, 0 },                             /* wraps     */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plural rule;

        CHECK_ROW(i, plural_parse(rows[i].rule, &rule));
        CHECK_ROW_EQ(i, plural_form(&rule, rows[i].n), rows[i].form);
    }
}

TEST(what_is_no_rule_is_refused)
{
    static const slice rows[] = {
        SLICE(""), SLICE("nplurals=2"), SLICE("nplurals=; plural=0;"), SLICE("nplurals=0; plural=0;"),
        SLICE("nplurals=9; plural=0;"), SLICE("nplurals=2; plural=;"), SLICE("nplurals=2; plural=m;"),
        SLICE("nplurals=2; plural=n >;"), SLICE("nplurals=2; plural=(n;"),
        SLICE("nplurals=2; plural=n ? 1;"), SLICE("nplurals=2; plural=n n;"),
        SLICE("nplurals=2; plural=99999999999999999999999;"), SLICE("nplurals=2; plural=n = 1;"),
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plural rule = { .forms = 77 };

        CHECK_ROW(i, !plural_parse(rows[i], &rule));
        CHECK_ROW_EQ(i, rule.forms, 77);
    }
}

TEST(a_rule_cannot_exhaust_the_stack)
{
    char deep[1000] = "nplurals=2; plural=";
    struct plural rule;
    size_t len = strlen(deep);

    memset(deep + len, '(', sizeof deep - len);
    CHECK(!plural_parse(slice_of(deep, sizeof deep), &rule));
    memset(deep + len, '!', sizeof deep - len);
    CHECK(!plural_parse(slice_of(deep, sizeof deep), &rule));
    for (size_t i = len; i + 2 <= sizeof deep; i += 2)
        memcpy(deep + i, "n?", 2);
    CHECK(!plural_parse(slice_of(deep, sizeof deep), &rule));
}
