/* Every table of every plugin: rows that can be documented and bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/option_parts.h"
#include "plugin/plugin.h"

static void fail_row(const struct plugin *p, const struct option *o, const char *what)
{
    fail_msg("%s %s, \"%s\": %s", p ? plugin_kind_name(p->kind) : "every", p ? p->name : "plugin",
             o->name, what);
}

static void check_row(const struct plugin *p, const struct option *o, struct plugin_open *cx)
{
    uint64_t room[16] = {0}; /* for the largest member */

    if (!o->doc || !str_ends(str_of(o->doc), STR("."))) fail_row(p, o, "doc has no full stop");
    if (o->type == OPT_ENUM && !o->choices) fail_row(p, o, "an enumeration without choices");
    if (o->offset == SIZE_MAX && !o->obsolete && !o->not_built && !o->no_effect)
        fail_row(p, o, "neither a member nor a reason");
    if (o->required && o->preset) fail_row(p, o, "required, and yet a default");
    if (o->offset == SIZE_MAX || !o->preset) return;
    const struct ast_value *preset = option_preset(o, cx);
    if (!preset || !option_convert(o, preset, room, cx))
        fail_row(p, o, "the default does not bind");
    if (cx->diags->warnings) fail_row(p, o, "the default gives a warning");
    struct option at_start = *o;
    at_start.offset = 0;
    struct option table[] = {at_start, OPT_END};
    options_release(table, room);
}

static void rows_are_documented_and_defaults_bind(void **state)
{
    struct arena         arena = {0};
    struct diags         d = {.out = NULL};
    struct plugin_open   cx = {.arena = &arena, .diags = &d, .ecs = ECS_V8};
    const struct plugin *p;

    (void)state;
    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++)
        for (const struct option *o = p->options; o && o->name; o++)
            check_row(p, o, &cx);
    for (int kind = PLUGIN_INPUT; kind <= PLUGIN_OUTPUT; kind++)
        for (const struct option *o = plugin_common_options((enum plugin_kind)kind); o->name; o++)
            check_row(NULL, o, &cx);
    arena_release(&arena);
}

static void metrics_are_documented_and_grouped(void **state)
{
    const struct plugin *p;

    (void)state;
    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++) {
        const struct metric_row *before = NULL;
        for (const struct metric_row *m = p->metrics.rows; m && m->name; before = m++) {
            if (!str_ends(str_of(m->doc), STR("."))) fail_msg("%s: no full stop", m->name);
            assert_true(m->offset < p->metrics.size);
            if (before) assert_string_not_equal(before->name, m->name);
        }
        assert_true(!p->metrics.rows || p->metrics.take);
    }
}

static void a_metrics_text_is_cut_between_characters(void **state)
{
    struct metric_text t;
    char               wide[2 * METRIC_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(wide); i += 2)
        memcpy(wide + i, "\xc3\xa4", 2);
    metric_text_set(&t, (struct str){wide, sizeof(wide)});
    assert_int_equal(strlen(t.at), METRIC_TEXT_MAX - 2);
    metric_text_set(&t, STR(""));
    assert_string_equal(t.at, "");
}

static void a_peer_that_invents_codes_takes_no_more_room(void **state)
{
    struct metric_codes m = {0};

    (void)state;
    for (uint32_t code = 3000; code < 5000; code++)
        metric_codes_add(&m, code);
    metric_codes_add(&m, 3000);
    assert_int_equal(m.len, METRIC_CODES_MAX);
    assert_int_equal(m.at[0].code, 3000);
    assert_int_equal(m.at[0].count, 2);
    assert_int_equal(m.others, 2000 - METRIC_CODES_MAX);
}

static void names_are_sorted_and_found(void **state)
{
    const struct plugin *p, *before = NULL;

    (void)state;
    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; before = p, i++) {
        assert_true(str_ends(str_of(p->summary), STR(".")));
        assert_ptr_equal(plugin_find(p->kind, str_of(p->name)), p);
        if (before && before->kind == p->kind) assert_true(strcmp(before->name, p->name) < 0);
        if (before) assert_true(before->kind <= p->kind);
    }
    assert_non_null(before);
    assert_null(plugin_find(PLUGIN_FILTER, STR("stdin")));
    assert_string_equal(plugin_nearest(PLUGIN_FILTER, STR("mutat")), "mutate");
}

/* Each can be bound, and its kind's operation is there. */
static void operations_are_there(void **state)
{
    const struct plugin *p;

    (void)state;
    for (uint32_t i = 0; (p = plugin_at(i)) != NULL; i++) {
        if (p->kind == PLUGIN_FILTER) assert_non_null(p->filter.run);
        if (p->kind == PLUGIN_OUTPUT) assert_non_null(p->output.write);
        if (p->kind == PLUGIN_INPUT) assert_true(!p->input.run != !p->input.listen);
        if (p->kind == PLUGIN_CODEC)
            assert_true(p->codec_ops.decode || p->codec_ops.feed || p->codec_ops.encode);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_documented_and_defaults_bind),
        cmocka_unit_test(metrics_are_documented_and_grouped),
        cmocka_unit_test(a_metrics_text_is_cut_between_characters),
        cmocka_unit_test(a_peer_that_invents_codes_takes_no_more_room),
        cmocka_unit_test(names_are_sorted_and_found),
        cmocka_unit_test(operations_are_there),
    };

    return cmocka_run_group_tests_name("plugins", tests, NULL, NULL);
}
