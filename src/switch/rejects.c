/* switch/rejects.c - see rejects.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/rejects.h"

#include "sip/uri.h"
#include "switch/plan.h"

static bool is_between(char c) { return c == ' ' || c == ','; }

bool rejects_next(slice *rest, slice *ret)
{
    size_t len = 0;

    while (rest->len && is_between(*rest->ptr))
        *rest = slice_skip(*rest, 1);
    while (len < rest->len && !is_between(rest->ptr[len]))
        len++;
    *ret = slice_head(*rest, len);
    *rest = slice_skip(*rest, len);
    return len != 0;
}

/* Everything behind the last '@', or nothing. */
static slice take_host(slice *word)
{
    for (size_t at = word->len; at > 0; at--)
        if (word->ptr[at - 1] == '@') {
            slice host = slice_skip(*word, at);

            *word = slice_head(*word, at - 1);
            return host;
        }
    return (slice){ 0 };
}

bool rejects_have(slice list, const struct config_numbers *numbers, slice user, slice host)
{
    char name_room[PLAN_NAME_MAX + 1], number_room[PLAN_NAME_MAX + 1], other_room[PLAN_NAME_MAX + 1];
    slice params = user, word, bare = slice_take_until(&params, ';');
    slice name = sip_unescape(bare, name_room, sizeof name_room), number = plan_number(numbers, user, number_room);

    while (rejects_next(&list, &word)) {
        slice of = take_host(&word);

        if (of.len && !slice_eq_nocase(of, host))
            continue;
        if (name.len && slice_eq(word, name))
            return true;
        if (number.len && slice_eq(plan_number(numbers, word, other_room), number))
            return true;
    }
    return false;
}
