/* tests/causes/media_rows.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"
const struct cause_rows cause_rows_media = { NULL, 0 };
