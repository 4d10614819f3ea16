/* switch/prefixes.c - see prefixes.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/prefixes.h"

#include <errno.h>
#include <stdlib.h>

static int step_of(char c)
{
    if (is_digit(c))
        return c - '0';
    return c == '+' ? 10 : c == '*' ? 11 : c == '#' ? 12 : -1;
}

/* Room for one more at the end; NULL: no memory. */
static void *grown(void *at, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t more = *room ? 2 * *room : 16;

    if (count < *room)
        return at;
    at = count > UINT32_MAX / 4 ? NULL : reallocarray(at, more, size);
    if (at)
        *room = more;
    return at;
}

static bool add_node(struct prefixes *p)
{
    struct prefix_node *nodes = grown(p->nodes, p->node_count, &p->node_room, sizeof *nodes);

    if (!nodes)
        return false;
    p->nodes = nodes;
    p->nodes[p->node_count++] = (struct prefix_node){ 0 };
    return true;
}

static int mark(struct prefixes *p, uint32_t node, uint16_t owner, bool allowed)
{
    for (uint32_t m = p->nodes[node].first_mark; m; m = p->marks[m - 1].next)
        if (p->marks[m - 1].owner == owner) {
            p->marks[m - 1].allowed = p->marks[m - 1].allowed && allowed;
            return 0;
        }
    struct prefix_mark *marks = grown(p->marks, p->mark_count, &p->mark_room, sizeof *marks);

    if (!marks)
        return -ENOMEM;
    p->marks = marks;
    p->marks[p->mark_count++] = (struct prefix_mark){ p->nodes[node].first_mark, owner, allowed };
    p->nodes[node].first_mark = p->mark_count;
    return 0;
}

int prefixes_add(struct prefixes *p, slice prefix, uint16_t owner, bool allowed)
{
    uint32_t node = 0;

    for (size_t i = 0; i < prefix.len; i++)
        if (step_of(prefix.ptr[i]) < 0)
            return -EINVAL;
    if (!p->node_count && !add_node(p))
        return -ENOMEM;
    for (size_t i = 0; i < prefix.len; i++) {
        int step = step_of(prefix.ptr[i]);

        if (!p->nodes[node].next[step]) {
            if (!add_node(p))
                return -ENOMEM;
            p->nodes[node].next[step] = p->node_count - 1;
        }
        node = p->nodes[node].next[step];
    }
    return mark(p, node, owner, allowed);
}

void prefixes_done(struct prefixes *p)
{
    free(p->nodes);
    free(p->marks);
    *p = (struct prefixes){ 0 };
}

static bool has_next(const struct prefix_node *node)
{
    for (size_t i = 0; i < PREFIX_STEPS; i++)
        if (node->next[i])
            return true;
    return false;
}

bool prefixes_judge(const struct prefixes *p, slice number, uint8_t *verdicts)
{
    const struct prefix_node *node = p->nodes;

    if (!p->node_count)
        return false;
    for (;;) {
        for (uint32_t m = node->first_mark; m; m = p->marks[m - 1].next)
            verdicts[p->marks[m - 1].owner] = p->marks[m - 1].allowed ? PREFIX_ALLOWED : PREFIX_DENIED;
        if (!number.len)
            return has_next(node);
        int step = step_of(number.ptr[0]);

        if (step < 0 || !node->next[step])
            return false;
        node = &p->nodes[node->next[step]];
        number = slice_skip(number, 1);
    }
}
