/* switch/config_int.h - the table of settings, for the files that make up config.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_CONFIG_INT_H
#define SWITCH_CONFIG_INT_H

#include "switch/config.h"

enum setting_type {                  /* and what stands at its offset */
    SETTING_BOOL,                    /* bool */
    SETTING_COUNT,                   /* uint32_t */
    SETTING_TIME,                    /* int64_t, ns */
    SETTING_BYTES,                   /* uint64_t */
    SETTING_RATE,                    /* struct config_rate */
    SETTING_TEXT,                    /* slice */
    SETTING_PATH,                    /* slice */
    SETTING_DIGITS,                  /* slice */
    SETTING_DOMAIN,                  /* slice, lower case */
    SETTING_CHOICE,                  /* uint8_t */
    SETTING_ADDRESS,                 /* struct address */
    SETTING_HOST,                    /* struct config_host */
    SETTING_ORDER,                   /* struct config_order: choices, each once */
    SETTING_DOMAINS, SETTING_WORDS,  /* struct config_words */
    SETTING_NUMBERS,                 /* struct config_words */
    SETTING_PREFIXES,                /* struct config_words; "any" is the empty prefix */
    SETTING_NETWORKS, SETTING_CODES, SETTING_RULES,
    SETTING_URIS,                    /* struct config_words */
    SETTING_TYPES
};

enum { SETTING_REQUIRED = 1, SETTING_RESTART = 2 };
enum { SECTION_NAMED = 1, SECTION_ENTRIES = 2 };          /* [gateway NAME]; each key is a number */

struct setting {
    const char       *key;
    enum setting_type type;
    uint16_t          offset;
    enum text_id      help;
    const char       *standard;      /* as one would write it; NULL: nothing */
    const char       *example;       /* of the sample, when there is no standard */
    int64_t           min, max;      /* of numbers, times, sizes, in their base unit */
    const char *const *choices;      /* ends with NULL */
    unsigned          flags;
};

struct section {
    const char           *name;
    enum text_id          help;
    unsigned              flags;
    const char           *example;   /* its name in the sample */
    uint16_t              offset;    /* in struct config; of a named one not used */
    uint16_t              size;      /* of the struct of a named one */
    const struct setting *settings;  /* of entries: one, for all */
    size_t                count;
    size_t                most;      /* of named ones */
};

enum section_id { SECTION_SERVER, SECTION_LISTEN, SECTION_TIMERS, SECTION_REGISTRAR, SECTION_CALLS, SECTION_NUMBERS,
                  SECTION_MEDIA, SECTION_GATEWAY, SECTION_SECURITY, SECTION_OVERLOAD, SECTION_GONE, SECTION_MOVED,
                  SECTION_REDIRECT, CONFIG_SECTIONS };
extern const struct section config_sections[CONFIG_SECTIONS];
enum { CONFIG_SETTINGS_MAX = 40 };   /* of one section */

/* What a profile of [timers] says for keys that are not set. */
struct preset { const char *key, *standard[2]; };
extern const struct preset config_presets[3];

/* ---- values ---- */

/* Where a value goes, and what is said when it is none. */
struct value_place {
    struct arena *arena;
    const struct setting *setting;
    void         *field;
    bool          no_memory;
    enum text_id  wrong;             /* set on failure */
    slice         item, near;        /* on failure: the item of a list, and what would be right */
};
/* Lists go on where the field ends. False: `wrong`, or no memory. */
bool config_value_parse(struct value_place *p, slice value);
bool setting_is_list(enum setting_type type);

/* As one would write it; the text is NUL-ended. */
enum { CONFIG_VALUE_MAX = 48, CONFIG_TEXT_VALUE_MAX = 180 };
size_t config_format(enum setting_type type, int64_t number, char text[CONFIG_VALUE_MAX]);

/* ---- a file on its way ---- */

struct entry_node;
struct opened {                      /* a section of the file */
    struct opened        *next;
    const struct section *kind;
    slice                 name;
    unsigned              line;      /* 0: not in the file */
    unsigned              lines[CONFIG_SETTINGS_MAX];     /* of each setting that was set */
    void                 *values;
    struct entry_node    *entries;   /* newest first */
    size_t                entry_count;
};

/* 0 or -ENOMEM. The report keeps copies of the texts, cleaned for a terminal. */
int config_tell(struct config_report *report, const struct config_problem *problem);
/* What only several settings together can have wrong; and what is made of several. */
int config_check(struct config *c, const struct opened *sections, struct config_report *report);

/* The most similar of `count` names; NULL when there is none at all. */
const char *config_nearest(slice name, const char *const *names, size_t count);

#endif
