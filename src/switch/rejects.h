/* switch/rejects.h - whose calls a user does not want.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A list is words with blanks or commas between them: a name ("spam"), a name with its host
 * ("spam@example.com"), or a number, in whatever form it is written: +4930123, 0049 30 would be two
 * words, 030-123 is one. */
#ifndef SWITCH_REJECTS_H
#define SWITCH_REJECTS_H

#include "switch/config.h"

enum { REJECTS_MAX = 4096 };         /* bytes of a list */

bool rejects_next(slice *rest, slice *ret_word);
/* Does it name that caller? `user` as it stands in a URI, with its escapes. */
bool rejects_have(slice list, const struct config_numbers *numbers, slice user, slice host);

#endif
