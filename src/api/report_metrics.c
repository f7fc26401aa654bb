/*
 * What a plugin counts for itself, in its entry of /_node/stats.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "base/fatal.h"

static json_t *codes(const struct metric_codes *m)
{
    json_t *out = json_object();
    char    name[16];

    for (uint32_t i = 0; i < m->len; i++) {
        snprintf(name, sizeof(name), "%u", m->at[i].code);
        json_object_set_new(out, name, reply_int(m->at[i].count));
    }
    if (m->others > 0) json_object_set_new(out, "others", reply_int(m->others));
    return out;
}

static json_t *value_of(const struct metric_row *row, const void *values)
{
    const void *at = (const char *)values + row->offset;

    switch (row->type) {
    case METRIC_COUNT:
    case METRIC_GAUGE:
        return reply_int(*(const uint64_t *)at);
    case METRIC_TIME:
        return reply_time(*(const struct timestamp *)at);
    case METRIC_TEXT: {
        const struct metric_text *text = at;
        return text->at[0] ? reply_str(str_of(text->at)) : json_null();
    }
    case METRIC_CODES:
        return codes(at);
    }
    return json_null();
}

/* The object that the row belongs into: of "disconnects.idle", "disconnects". The rest of its name
   goes to `*name`. */
static json_t *group_of(const struct metric_row *row, json_t *out, const char **name)
{
    const char *dot = strchr(row->name, '.');

    *name = dot ? dot + 1 : row->name;
    if (!dot) return out;
    size_t  len = (size_t)(dot - row->name);
    json_t *group = json_object_getn(out, row->name, len);
    if (!group) {
        json_object_setn_new(out, row->name, len, json_object());
        group = json_object_getn(out, row->name, len);
    }
    return group;
}

void report_own_metrics(const struct node *n, json_t *out)
{
    const struct plugin_metrics *m = &n->plugin->metrics;
    const char                  *name;

    if (!m->rows || !n->metrics.enabled) return;
    void *values = xcalloc(1, m->size);
    m->take(n->self, values);
    for (const struct metric_row *row = m->rows; row->name; row++) {
        json_t *group = group_of(row, out, &name);
        json_object_set_new(group, name, value_of(row, values));
    }
    free(values);
}
