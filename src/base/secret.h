#ifndef LSC_BASE_SECRET_H
#define LSC_BASE_SECRET_H

#include "base/buf.h"

/* Keeps secrets out of what is shown: the dumps, messages with a line of the config. */

/* True when a setting or key of that name may hold a secret: password, token, key, auth … */
bool secret_name(struct str name);

/* Appends `text` with user and password of each URL in it as ***:***. */
void secret_mask_urls(struct str text, struct buf *out);

/*
 * Sets marks[i] for each byte of a line of a config that is not to be shown: users and passwords of
 * URLs, what stands behind the name of a setting or key that is a password, a token or the like,
 * and private keys. `marks` has line.len bytes and is zeroed before.
 */
void secret_mark(struct str line, bool *marks);

#endif
