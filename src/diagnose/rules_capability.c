/* diagnose/rules_capability.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_capability = { NULL, 0, 0 };
