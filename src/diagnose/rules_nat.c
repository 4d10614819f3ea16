/* diagnose/rules_nat.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_nat = { NULL, 0, 0 };
