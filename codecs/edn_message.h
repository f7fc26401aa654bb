#ifndef LSC_CODECS_EDN_MESSAGE_H
#define LSC_CODECS_EDN_MESSAGE_H

#include "plugin/plugin.h"
#include "text/edn.h"

/*
 * The events of one message of EDN, as the codecs edn and edn_lines read it: each map is an event.
 * From the first element on that is none, the rest of the message is the text of one event, which
 * has no tag, as in Logstash; a line is logged for `component`. Any thread.
 */
void edn_message_read(struct str bytes, const struct field *target, const char *component,
                      struct decode *to);

#endif
