#ifndef LSC_TEXT_GROK_LIBRARY_H
#define LSC_TEXT_GROK_LIBRARY_H

#include "text/grok_expand.h"

/*
 * The grok patterns that come with lsc (patterns/ in the sources): those of Logstash's ECS set, or
 * those of its legacy set. Read once per process from the build tree that the program lies in, or
 * else from where they are installed; kept for ever, and never changed, so they serve as a base.
 * NULL with `*problem` filled when they cannot be read. The thread that opens plugins.
 */
const struct grok_patterns *grok_library(bool ecs, struct str *problem);

#endif
