/* switch/config_text.h - the table of settings in words: a sample file, the manual, what is wrong.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     config_sample(&out, words_english());        // data/serve/signalbox.ini, to the byte
 *     config_manual(&out, words_english());        // the tables of docs/configuration.md
 *     config_say(&out, words, &report.at[0]);      // one sentence, no line number, no LF        */
#ifndef SWITCH_CONFIG_TEXT_H
#define SWITCH_CONFIG_TEXT_H

#include "switch/config.h"

/* Every setting with its help; what holds without the line is commented out. It can be read. */
void config_sample(struct out *o, const struct words *w);
/* Markdown: each section with a table of its settings. */
void config_manual(struct out *o, const struct words *w);
void config_say(struct out *o, const struct words *w, const struct config_problem *problem);

#endif
