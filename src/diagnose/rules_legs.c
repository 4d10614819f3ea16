/* diagnose/rules_legs.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_legs = { NULL, 0, 0 };
