/* The answer of a server as values of an event. */
#include "event/json.h"
#include "filters/http.h"
#include "net/http_head.h"
#include "text/lossy.h"
#include "text/rubytext.h"

static struct str small_letters(struct arena *a, struct str name)
{
    char *small = arena_alloc(a, name.len);

    for (size_t i = 0; i < name.len; i++) {
        bool capital = name.data[i] >= 'A' && name.data[i] <= 'Z';
        small[i] = (char)(capital ? name.data[i] | 0x20 : name.data[i]);
    }
    return lossy_utf8(a, (struct str){small, name.len});
}

/* Names in small letters; of several headers with one name, a list. */
static struct value read_headers(const struct http_head *head, struct arena *a)
{
    struct map *m = map_new(a, 16);
    struct str  rest = head->fields, name, value;

    while (http_next_field(&rest, &name, &value)) {
        uint32_t      known = m->len;
        struct value *at = map_add(m, a, key_make(small_letters(a, name)));
        struct value  v = value_string(lossy_utf8(a, arena_copy(a, value)));
        if (m->len > known) {
            *at = v;
            continue;
        }
        if (at->kind != VALUE_LIST) {
            struct list *l = list_new(a, 2);
            list_push(l, a, *at);
            *at = value_list(l);
        }
        list_push(at->as.list, a, v);
    }
    return value_map(m);
}

void http_answer_read(const struct http_answer *answer, struct arena *a, struct http_found *out)
{
    struct http_head head = {0};
    struct str       body = arena_copy(a, buf_view(&answer->body));

    *out = (struct http_found){.headers = value_null(), .body = value_null()};
    if (!http_answer_head(answer, &head)) return;
    out->headers = read_headers(&head, a);
    struct str type = http_field(&head, "Content-Type");
    if (type.data && str_is(http_take(&type, ';'), "application/json")) {
        if (body.len) out->broken = !json_decode(a, body, NULL, &out->body, NULL);
    } else {
        out->body = value_string(ruby_strip(lossy_utf8(a, body)));
    }
}
