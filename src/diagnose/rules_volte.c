/* diagnose/rules_volte.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_volte = { NULL, 0, 0 };
