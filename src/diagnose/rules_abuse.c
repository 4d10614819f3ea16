/* diagnose/rules_abuse.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_abuse = { NULL, 0, 0 };
