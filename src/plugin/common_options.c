#include "plugin/common.h"

/* Rows that plugins of a kind share. What they do is done by the engine: see decorate.c. */

#define ROW_ID                                                                                     \
    OPT(struct common, OPT_STRING, id,                                                             \
        .doc = "Name of this plugin in logs and in the monitoring API. It must be unique in its "  \
               "pipeline. When not given, one is made up.")
#define ROW_ENABLE_METRIC                                                                          \
    OPT(struct common, OPT_BOOL, enable_metric, .preset = "true",                                  \
        .doc = "Whether this plugin counts events and time for the monitoring API.")
#define ROW_ECS                                                                                    \
    OPT(struct common, OPT_ECS, ecs_compatibility,                                                 \
        .doc = "Accepted by every plugin, as in Logstash. This plugin sets no fields of its own "  \
               "choosing, so it changes nothing here.")

static const struct option input_rows[] = {
    OPT(struct common, OPT_PAIRS, add_field,
        .doc = "Fields to add to every event. Names and values may hold %{field} references. A "
               "field that exists becomes a list with the new value at its end."),
    OPT_REFUSED("charset", .obsolete = "give the codec a charset instead.",
                .doc = "Gone: the charset is an option of the codec."),
    OPT(struct common, OPT_CODEC, codec,
        .doc = "How the bytes that arrive become events: the name of a codec, or a codec with "
               "options of its own in braces."),
    OPT_REFUSED("debug", .obsolete = "it has had no effect for long; take it out.",
                .doc = "Gone: it has no effect."),
    ROW_ECS,
    ROW_ENABLE_METRIC,
    OPT_REFUSED("format", .obsolete = "use \"codec\".", .doc = "Gone: use codec."),
    ROW_ID,
    OPT_REFUSED("message_format", .obsolete = "it is no longer valid; take it out.",
                .doc = "Gone: it is no longer valid."),
    OPT(struct common, OPT_TEMPLATES, tags,
        .doc = "Tags to add to every event. They may hold %{field} references."),
    OPT(struct common, OPT_STRING, type,
        .doc = "Value for the field type of events that have none yet."),
    OPT_END,
};

static const struct option codec_rows[] = {
    ROW_ECS,
    ROW_ENABLE_METRIC,
    ROW_ID,
    OPT_END,
};

static const struct option filter_rows[] = {
    OPT(struct common, OPT_PAIRS, add_field,
        .doc = "Fields to add when the filter succeeded. Names and values may hold %{field} "
               "references. A field that exists becomes a list with the new value at its end."),
    OPT(struct common, OPT_TEMPLATES, add_tag,
        .doc = "Tags to add when the filter succeeded. They may hold %{field} references; a tag "
               "that is there already is added again."),
    ROW_ECS,
    ROW_ENABLE_METRIC,
    OPT_REFUSED("exclude_tags", .obsolete = "write if \"tag\" not in [tags] { … } around it.",
                .doc = "Gone: use a condition."),
    ROW_ID,
    OPT(struct common, OPT_BOOL, periodic_flush, .preset = "false",
        .doc = "Whether the filter's flush is called every 5 seconds, for filters that hold "
               "events back."),
    OPT(struct common, OPT_TEMPLATES, remove_field,
        .doc = "Fields to remove when the filter succeeded. Names may hold %{field} references."),
    OPT(struct common, OPT_TEMPLATES, remove_tag,
        .doc = "Tags to remove when the filter succeeded. They may hold %{field} references."),
    OPT_REFUSED("tags", .obsolete = "write if \"tag\" in [tags] { … } around it.",
                .doc = "Gone: use a condition."),
    OPT_REFUSED("type", .obsolete = "write if [type] == \"…\" { … } around it.",
                .doc = "Gone: use a condition."),
    OPT_END,
};

static const struct option output_rows[] = {
    OPT(struct common, OPT_CODEC, codec,
        .doc = "How events become bytes: the name of a codec, or a codec with options of its own "
               "in braces."),
    ROW_ECS,
    ROW_ENABLE_METRIC,
    OPT_REFUSED("exclude_tags", .obsolete = "write if \"tag\" not in [tags] { … } around it.",
                .doc = "Gone: use a condition."),
    ROW_ID,
    OPT_REFUSED("tags", .obsolete = "write if \"tag\" in [tags] { … } around it.",
                .doc = "Gone: use a condition."),
    OPT_REFUSED("type", .obsolete = "write if [type] == \"…\" { … } around it.",
                .doc = "Gone: use a condition."),
    OPT(struct common, OPT_INT, workers, .preset = "1", .min = 1, .max = 1024,
        .no_effect = "every worker of the pipeline writes, and an output orders its own writes.",
        .doc = "Has no effect: the workers of the pipeline share one instance of the output."),
    OPT_END,
};

const struct option *plugin_common_options(enum plugin_kind kind)
{
    static const struct option *const rows[] = {
        [PLUGIN_INPUT] = input_rows,
        [PLUGIN_CODEC] = codec_rows,
        [PLUGIN_FILTER] = filter_rows,
        [PLUGIN_OUTPUT] = output_rows,
    };

    return rows[kind];
}
