/*
 * Texts of strangers through the filter xml: no text makes it crash, or write what is no UTF-8. The
 * first byte chooses the options.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utf8.h"
#include "tests/filter_fixture.h"
#include "tests/modules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const filters[] = {
    "xml { source => \"m\" target => \"t\" }",
    "xml { source => \"m\" target => \"t\" force_array => false suppress_empty => false }",
    "xml { source => \"m\" target => \"m\" force_content => true remove_namespaces => true xpath "
    "=> { \"//a\" => \"a\" \"//@*\" => \"b\" \"count(//*)\" => \"c\" } }",
    "xml { source => \"m\" store_xml => false xpath => { \"//text()\" => \"a\" \"/r/b\" => \"m\" "
    "\"//n:x\" => \"n\" } }",
    "xml { source => \"m\" store_xml => false namespaces => { \"n\" => \"u\" } parse_options => "
    "\"recover|noblanks|nocdata\" xpath => { \"//n:*\" => \"a\" } }",
    "xml { source => \"m\" target => \"t\" parse_options => \"strict\" xpath => { \"//comment()\" "
    "=> \"a\" } }",
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };

/* NULL: there is no module to test. */
static struct filter_fixture *fixture(unsigned i)
{
    static struct filter_fixture open[FILTERS];

    if (module_missing("xml")) return NULL;
    if (!open[i].node && !filter_fixture_open(&open[i], filters[i], ECS_DISABLED)) abort();
    return &open[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    log_set_level(NULL, LOG_FATAL);
    struct filter_fixture *f = fixture(data[0] % FILTERS);
    if (!f) return 0;
    struct str text = {(const char *)data + 1, size - 1};
    text.len = utf8_valid_prefix(text);
    f->event = event_blank(&f->batch, f->cx.now);
    *map_add(&f->event->data, &f->batch, key_make(STR("m"))) =
        value_string(arena_copy(&f->batch, text));
    filter_fixture_run_event(f);
    buf_clear(&f->out);
    json_encode_event(f->event, &f->out);
    if (!utf8_valid(buf_view(&f->out))) abort();
    arena_reset(&f->batch);
    return 0;
}
