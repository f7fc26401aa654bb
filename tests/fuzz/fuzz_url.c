/* Any text as a URL: what is taken is whole, and no password shows in what is logged. Or as a line
   of a config, of which secrets are hidden. */
#include <stdint.h>
#include <stdlib.h>

#include "base/secret.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    struct str          text = {(const char *)data, size};
    struct url          u, again;
    const char         *problem = NULL;

    secret_mark(text, arena_zalloc(&a, size + 1));
    if (url_parse(&a, text, &u, &problem)) {
        if (u.host.len == 0 || u.port == 0 || u.target.len == 0 || u.target.data[0] != '/') abort();
        if (u.has_userinfo && str_find(u.masked, STR("***:***@")) < 0) abort();
        if (!url_parse(&a, u.masked, &again, &problem) || !str_eq(again.host, u.host)) abort();
    } else if (!problem) {
        abort();
    }
    arena_reset(&a);
    return 0;
}
