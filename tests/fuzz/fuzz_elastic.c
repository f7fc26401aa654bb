/* What an Elasticsearch may answer: a reply to a search, or why it refused. The first byte chooses
   the settings. */
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utf8.h"
#include "filters/elasticsearch.h"
#include "tests/filter_fixture.h"
#include "tests/modules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const filters[] = {
    "elasticsearch { query => \"*\" fields => { \"a\" => \"b\" \"[a][b]\" => \"[c][d]\" } }",
    "elasticsearch { query => \"*\" fields => { \"a\" => \"tags\" \"b\" => \"@timestamp\" } }",
    "elasticsearch { query => \"*\" target => \"[t][u]\" fields => { \"[a][b]\" => \"c\" } "
    "docinfo_fields => { \"_id\" => \"i\" \"_source\" => \"all\" } "
    "aggregation_fields => { \"n\" => \"[c][n]\" } }",
    "elasticsearch { query => \"FROM\" query_type => \"esql\" fields => { \"a\" => \"tags\" } }",
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };

/* NULL: there is no libcurl to make a client with. */
static struct filter_fixture *fixture(unsigned i)
{
    static struct filter_fixture open[FILTERS];
    static bool                  tried[FILTERS];

    modules_of_build_tree();
    if (!tried[i] && !filter_fixture_open(&open[i], filters[i], ECS_DISABLED))
        filter_fixture_close(&open[i]);
    tried[i] = true;
    return open[i].node ? &open[i] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct value       reply;
    const char        *problem;
    struct http_answer answer = {.status = 500};

    if (size == 0) return 0;
    log_set_level(NULL, LOG_FATAL);
    struct filter_fixture *f = fixture(data[0] % FILTERS);
    if (!f) return 0;
    struct str text = arena_copy(&f->batch, (struct str){(const char *)data + 1, size - 1});
    f->event = event_blank(&f->batch, f->cx.now);
    buf_str(&answer.body, text);
    buf_clear(&f->out);
    elastic_explain(&answer, &f->scratch, &f->out);
    if (json_decode(&f->batch, text, NULL, &reply, NULL))
        elastic_reply_copy(f->node->self, reply, f->event, &problem);
    buf_clear(&f->out);
    json_encode_event(f->event, &f->out);
    if (!utf8_valid(buf_view(&f->out))) abort();
    buf_release(&answer.body);
    arena_reset(&f->batch);
    arena_reset(&f->scratch);
    return 0;
}
