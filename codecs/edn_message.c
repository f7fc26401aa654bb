#include "codecs/edn_message.h"

#include "text/lossy.h"
#include "text/message.h"

/* The event of the element at the start of `rest`; NULL with `*why` set when there is none. */
static struct event *next_event(struct str rest, const struct field *target, struct decode *to,
                                size_t *used, const char **why)
{
    struct value v;

    if (edn_read(to->arena, rest, &v, used, why) != EDN_DONE) return NULL;
    *why = "not a map";
    if (v.kind != VALUE_MAP) return NULL;
    *why = "the target or @metadata cannot be set";
    return message_map_event(to->arena, v.as.map, target, to->now);
}

void edn_message_read(struct str bytes, const struct field *target, const char *component,
                      struct decode *to)
{
    static struct log_limit limit;
    struct str              rest = lossy_utf8(to->arena, bytes);
    size_t                  used;

    while (rest.len > 0) {
        const char   *why = "";
        struct event *ev = next_event(rest, target, to, &used, &why);
        if (!ev && *why == '\0') return; /* nothing but blanks */
        if (!ev) {
            message_warn(&limit, component, "EDN parse error, original data now in message field",
                         why, rest);
            ++*to->failures;
            ev = message_event(to->arena, rest, NULL, to->now);
            used = rest.len;
        }
        decode_emit(to, ev);
        rest = str_from(rest, used);
    }
}
