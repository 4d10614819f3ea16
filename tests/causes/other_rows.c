/* tests/causes/other_rows.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"
const struct cause_rows cause_rows_other = { NULL, 0 };
