/*
 * heartbeat: makes an event at fixed intervals, to see that the pipeline works.
 *
 * Source: logstash-input-heartbeat, lib/logstash/inputs/heartbeat.rb.
 * Threads: one. `threads` copies of the input beat in it together, which gives the same events.
 */
#include "base/log.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

enum sequence { SEQUENCE_NONE, SEQUENCE_EPOCH, SEQUENCE_COUNT };

struct heartbeat {
    int64_t             count;
    int                 ecs_compatibility;
    struct duration     interval;
    struct str          message;
    int                 sequence;
    int64_t             threads;
    bool                has_message;
    const struct field *host_field, *message_field, *sequence_field;
};

static const char *const sequences[] = {"none", "epoch", "sequence", NULL};

static const struct option heartbeat_options[] = {
    OPT(struct heartbeat, OPT_INT, count, .preset = "-1",
        .doc =
            "How many times to send, then the input ends. With -1, the default, it goes on until "
            "it is stopped."),
    OPT(struct heartbeat, OPT_ECS, ecs_compatibility,
        .doc = "Field names. With disabled the name of this host goes to [host] and the number to "
               "[clock]; with v1 and v8 to [host][name] and [event][sequence]. The default is "
               "pipeline.ecs_compatibility."),
    OPT(struct heartbeat, OPT_SECONDS, interval, .preset = "60",
        .doc = "Seconds from one event to the next. The default is 60."),
    OPT(struct heartbeat, OPT_STRING, message, .preset = "ok",
        .doc = "The text of [message]. With ecs_compatibility disabled, and sequence not given, "
               "epoch and sequence mean what they mean for sequence, and there is no [message]; "
               "this is deprecated. The default is ok."),
    OPT(struct heartbeat, OPT_ENUM, sequence, .preset = "none", .choices = sequences,
        .doc = "Adds a number: epoch is the time in seconds since 1970, sequence counts the events "
               "from 1, none, the default, adds nothing."),
    OPT(struct heartbeat, OPT_INT, threads, .preset = "1", .min = 1, .max = 1024,
        .doc = "How many copies of this input there are: each event is sent that many times. The "
               "default is 1. All copies run in one thread."),
    OPT_END,
};

static enum sequence sequence_of(struct str message)
{
    if (str_is(message, "epoch")) return SEQUENCE_EPOCH;
    if (str_is(message, "sequence")) return SEQUENCE_COUNT;
    return SEQUENCE_NONE;
}

static bool heartbeat_open(void *self, struct plugin_open *cx)
{
    struct heartbeat *h = self;
    bool              ecs = h->ecs_compatibility != ECS_DISABLED;
    enum sequence     in_message = sequence_of(h->message);

    if (!plugin_setting(cx, "sequence") && in_message != SEQUENCE_NONE) {
        plugin_warning(cx, "message", "use the setting \"sequence\" for this%s",
                       ecs ? "; with ECS compatibility the message stays as it is" : "");
        if (!ecs) h->sequence = in_message;
    }
    h->has_message = h->sequence == SEQUENCE_NONE || in_message == SEQUENCE_NONE;
    h->host_field = field_parse(cx->arena, ecs ? STR("[host][name]") : STR("host"), NULL, NULL);
    h->message_field = field_parse(cx->arena, STR("message"), NULL, NULL);
    h->sequence_field =
        field_parse(cx->arena, ecs ? STR("[event][sequence]") : STR("clock"), NULL, NULL);
    return true;
}

static bool beat(const struct heartbeat *h, struct intake *to, int64_t number)
{
    struct timestamp now = clock_now();
    struct event    *ev = event_blank(intake_arena(to), now);

    event_set(ev, h->host_field, value_string(intake_host(to)));
    if (h->sequence != SEQUENCE_NONE)
        event_set(ev, h->sequence_field,
                  value_int(h->sequence == SEQUENCE_EPOCH ? now.sec : number));
    if (h->has_message) event_set(ev, h->message_field, value_string(h->message));
    return intake_event(to, ev, NULL);
}

static bool heartbeat_run(void *self, struct intake *to, struct stop *stop)
{
    const struct heartbeat *h = self;
    int64_t                 due = clock_monotonic_ns();

    for (int64_t number = 1; !stop_requested(stop); number++) {
        for (int64_t copy = 0; copy < h->threads; copy++)
            if (!beat(h, to, number)) return true;
        intake_flush(to);
        if (number == h->count) return true;

        /* Beats that were missed while the pipeline was full are not made up for. */
        int64_t now = clock_monotonic_ns();
        due = due + h->interval.ns > now ? due + h->interval.ns : now;
        if (stop_sleep(stop, due - now)) return true;
    }
    return true;
}

const struct plugin input_heartbeat = {
    .kind = PLUGIN_INPUT,
    .name = "heartbeat",
    .summary = "Makes an event at fixed intervals.",
    .size = sizeof(struct heartbeat),
    .options = heartbeat_options,
    .open = heartbeat_open,
    .codec = "plain",
    .input = {.run = heartbeat_run},
};
