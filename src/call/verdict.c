/* call/verdict.c - see verdict.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/verdict.h"

slice verdict_certainty_name(enum verdict_certainty certainty)
{
    static const char *const names[] = { "possible", "likely", "sure" };

    return slice_of_string(names[certainty]);
}
