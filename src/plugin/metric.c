#include "plugin/metric.h"

#include <string.h>

#include "base/utf8.h"

const char *metric_type_name(enum metric_type type)
{
    static const char *const names[] = {
        [METRIC_COUNT] = "a count",
        [METRIC_GAUGE] = "a gauge",
        [METRIC_TIME] = "a time or null",
        [METRIC_TEXT] = "a text or null",
        [METRIC_CODES] = "a count for each code that came",
    };

    return names[type];
}

void metric_text_set(struct metric_text *t, struct str text)
{
    size_t n = utf8_floor(text, sizeof(t->at) - 1);

    if (n) memcpy(t->at, text.data, n);
    t->at[n] = '\0';
}

void metric_codes_add(struct metric_codes *m, uint32_t code)
{
    for (uint32_t i = 0; i < m->len; i++) {
        if (m->at[i].code != code) continue;
        m->at[i].count++;
        return;
    }
    if (m->len == METRIC_CODES_MAX) {
        m->others++;
        return;
    }
    m->at[m->len].code = code;
    m->at[m->len++].count = 1;
}
