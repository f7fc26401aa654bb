#ifndef LSC_TEXT_UUID_H
#define LSC_TEXT_UUID_H

#include "base/arena.h"
#include "base/uuid.h"

/* Random bytes, which it changes, as the text of a version 4 UUID in `a`, in small letters.
   Source: RFC 9562 section 5.4. */
struct str uuid_text(struct arena *a, unsigned char bytes[UUID_BYTES]);

#endif
