/* diagnose/rules_capture.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_capture = { NULL, 0, 0 };
