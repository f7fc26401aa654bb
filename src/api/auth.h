#ifndef LSC_API_AUTH_H
#define LSC_API_AUTH_H

#include "settings.h"

/* True when `header`, the value of Authorization, carries the user and password of the settings,
   or when none are asked for. The time it takes does not tell how much of them is right. */
bool auth_passes(const struct settings *s, struct str header);

#endif
