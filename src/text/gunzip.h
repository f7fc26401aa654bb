#ifndef LSC_TEXT_GUNZIP_H
#define LSC_TEXT_GUNZIP_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Appends what the gzip members in `packed` (RFC 1952; one or more, nothing behind them) hold to
 * `out`, at most `max` bytes. False with `*why` set when they are broken, end too early or hold
 * more; `out` then has what came before. Any thread.
 */
bool gunzip(struct str packed, size_t max, struct buf *out, const char **why);

#endif
