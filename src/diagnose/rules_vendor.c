/* diagnose/rules_vendor.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_vendor = { NULL, 0, 0 };
