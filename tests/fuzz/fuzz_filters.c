/*
 * Filters that read texts of strangers: no event, however odd, makes one crash or write text that
 * is no UTF-8. The first byte chooses the filter; the rest is the event as JSON, or else the text
 * of its field "m".
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utf8.h"
#include "tests/filter_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const filters[] = {
    "bytes { source => \"m\" target => \"b\" }",
    "bytes { source => \"m\" target => \"[m][b]\" decimal_separator => \",\" }",
    "urldecode { field => \"m\" }",
    "urldecode { all_fields => true }",
    "urldecode { field => \"m\" charset => \"ISO-8859-1\" }",
    "syslog_pri { syslog_pri_field_name => \"m\" }",
    "cidr { address => [\"%{m}\"] network => [\"10.0.0.0/8\", \"%{n}\"] add_tag => \"in\" }",
    "de_dot { nested => true recursive => true }",
    "de_dot { fields => [\"m\", \"[m][a.b]\", \"[l][0][c.d]\"] recursive => true }",
    "prune { interpolate => true whitelist_names => [\"%{m}\"] blacklist_values => { \"n\" => "
    "\"%{m}\" } }",
    "truncate { length_bytes => 3 }",
    "mutate { convert => { \"m\" => \"integer\" } }",
    "mutate { convert => { \"m\" => \"float_eu\" } }",
    "mutate { convert => { \"m\" => \"boolean\" } }",
    "mutate { convert => { \"m\" => \"string\" } }",
    "mutate { split => { \"m\" => \"\" } join => { \"m\" => \"-\" } copy => { \"m\" => \"[n][m]\" "
    "} }",
    "mutate { rename => { \"%{m}\" => \"%{n}\" } merge => { \"m\" => [\"n\", \"m\"] } }",
    "mutate { capitalize => \"m\" strip => \"m\" split => { \"m\" => \" \" } }",
    "mutate { gsub => [\"m\", \"[^a-z]+\", \"%{n}\"] }",
    "translate { source => \"m\" dictionary => { \"a\" => \"%{m}\" \"[0-9]+\" => 5 } exact => "
    "false }",
    "translate { source => \"m\" iterate_on => \"l\" regex => true fallback => \"%{n}\" dictionary "
    "=> { "
    "\"^a.*b|c+$\" => \"x\" } }",
    "fingerprint { source => [\"m\", \"n\"] method => \"SHA256\" key => \"k\" "
    "concatenate_all_fields => "
    "true }",
    "fingerprint { source => \"m\" method => \"MURMUR3_128\" }",
    "fingerprint { source => \"m\" method => \"PUNCTUATION\" }",
    "anonymize { fields => [\"m\"] algorithm => \"IPV4_NETWORK\" key => \"20\" }",
    "cipher { source => \"m\" algorithm => \"aes-128-cbc\" mode => \"decrypt\" key => \"k\" "
    "iv_random_length => 16 }",
    "throttle { key => \"%{m}\" after_count => 1 period => \"%{n}\" }",
    "alter { condrewrite => [\"m\", \"%{n}\", \"x%{m}\"] coalesce => [\"o\", \"%{m}\", \"%{n}\"] }",
    "range { ranges => [\"m\", 0, 5, \"field:%{n}:%{m}\", \"m\", 6, 7, \"drop\"] }",
    "extractnumbers { source => \"m\" }",
    "i18n { transliterate => [\"m\"] }",
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };

static struct filter_fixture *fixture(unsigned i)
{
    static struct filter_fixture open[FILTERS];

    if (!open[i].node && !filter_fixture_open(&open[i], filters[i], ECS_DISABLED)) abort();
    return &open[i];
}

/* JSON, or a text without what is no UTF-8. */
static struct event *read_event(struct filter_fixture *f, struct str text)
{
    struct value v;

    if (json_decode(&f->batch, text, NULL, &v, NULL) && v.kind == VALUE_MAP)
        return event_from_map(&f->batch, v.as.map, f->cx.now);
    struct event *ev = event_blank(&f->batch, f->cx.now);
    text.len = utf8_valid_prefix(text);
    *map_add(&ev->data, &f->batch, key_make(STR("m"))) = value_string(text);
    return ev;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    log_set_level(NULL, LOG_FATAL);
    struct filter_fixture *f = fixture(data[0] % FILTERS);
    f->event = read_event(f, arena_copy(&f->batch, (struct str){(const char *)data + 1, size - 1}));
    filter_fixture_run_event(f);
    buf_clear(&f->out);
    json_encode_event(f->event, &f->out);
    if (!utf8_valid(buf_view(&f->out))) abort();
    arena_reset(&f->batch);
    return 0;
}
