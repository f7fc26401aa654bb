/* Any text as Authorization, as a body for /_node/logging, as a range of ports: only the right
   password passes, levels that were refused are not set, ports are ports. */
#include <stdint.h>
#include <stdlib.h>

#include "api/auth.h"
#include "api/listen.h"
#include "api/logging.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void authorize(struct str text)
{
    static const struct settings s = {.api_auth_type = API_AUTH_BASIC,
                                      .api_auth_basic_username = {"Aladdin", 7},
                                      .api_auth_basic_password = {{"open sesame", 11}}};

    /* The last character of base64 has bits that do not count. */
    if (auth_passes(&s, text) && str_find(text, STR("QWxhZGRpbjpvcGVuIHNlc2FtZ")) < 0) abort();
}

static void set_levels(struct str text)
{
    char    problem[200] = "";
    json_t *before = logging_report();
    bool    done = logging_set(text, problem, sizeof(problem));
    json_t *after = logging_report();

    if (done == (problem[0] != '\0')) abort();
    /* What is refused is refused whole, unless there is no room. */
    if (!done && problem[0] != 't' && !json_equal(before, after)) abort();
    json_decref(before);
    json_decref(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str        text = {(const char *)data, size};
    struct port_range range;

    authorize(text);
    set_levels(text);
    if (listen_range(text, &range) && (range.first == 0 || range.last < range.first)) abort();
    return 0;
}
