/*
 * An XML element as a value, in the shape that Logstash gives it.
 *
 * Source: the gem xml-simple, lib/xmlsimple.rb: collapse, merge. Threads: any worker.
 */
#include "filters/xml.h"

/* An array of this name that is all an element has stands for the element. */
static const struct str anonymous = {"anon", 4};
static const struct str content_key = {"content", 7};

static bool is_text(const xmlNode *n)
{
    return n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE ||
           n->type == XML_ENTITY_REF_NODE;
}

static size_t put(char *at, size_t used, struct str s)
{
    if (at) memcpy(at + used, s.data, s.len);
    return s.len;
}

/* Appends the text of a node to `at`, or only measures it when that is NULL. References to entities
   stay as they are written, and with `raw` so do the characters that mean markup. */
static size_t put_text(char *at, const xmlNode *n, bool raw)
{
    const char *text = (const char *)(n->type == XML_ENTITY_REF_NODE ? n->name : n->content);
    bool        reference = n->type == XML_ENTITY_REF_NODE;
    size_t      len = 0;

    raw = raw && n->type == XML_TEXT_NODE;
    if (reference) len += put(at, len, STR("&"));
    for (; text && *text; text++) {
        struct str as = raw && *text == '&'   ? STR("&amp;")
                        : raw && *text == '<' ? STR("&lt;")
                        : raw && *text == '>' ? STR("&gt;")
                                              : (struct str){text, 1};
        len += put(at, len, as);
    }
    if (reference) len += put(at, len, STR(";"));
    return len;
}

/* The text of the nodes from `first` to before `end` in one string. */
static struct str texts_of(const xmlNode *first, const xmlNode *end, bool raw, struct arena *a)
{
    size_t len = 0;

    for (const xmlNode *n = first; n != end; n = n->next)
        if (is_text(n)) len += put_text(NULL, n, raw);
    char *all = arena_alloc(a, len + 1), *at = all;
    for (const xmlNode *n = first; n != end; n = n->next)
        if (is_text(n)) at += put_text(at, n, raw);
    return (struct str){all, len};
}

static struct str all_text(const xmlNode *first, struct arena *a)
{
    return texts_of(first, NULL, false, a);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool all_blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_blank(s.data[i])) return false;
    return true;
}

/* Whether some line is blank: then Logstash takes text between elements for mere layout. */
static bool has_blank_line(struct str s)
{
    bool blank = true;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\n' && blank) return true;
        blank = s.data[i] == '\n' || (blank && is_blank(s.data[i]));
    }
    return s.len == 0 || (blank && s.data[s.len - 1] != '\n');
}

/* ---- maps ---- */

static bool is_empty(struct value v)
{
    if (v.kind == VALUE_MAP) return v.as.map->len == 0;
    if (v.kind == VALUE_STRING) return all_blank(value_str(v));
    return v.kind == VALUE_NULL;
}

static struct value list_of(struct value v, struct arena *a)
{
    struct list *l = list_new(a, 2);

    list_push(l, a, v);
    return value_list(l);
}

/* Adds a member; a second one of the name makes a list. */
static void merge(const struct xml_shape *shape, struct map *m, struct str name, struct value v,
                  struct arena *a)
{
    struct key    key = key_make(name);
    struct value *old = map_get(m, key);

    if (!old) {
        bool listed = v.kind == VALUE_LIST || (shape->force_array && !str_eq(name, content_key));
        *map_append(m, a, key) = listed ? list_of(v, a) : v;
        return;
    }
    if (old->kind != VALUE_LIST) *old = list_of(*old, a);
    list_push(old->as.list, a, v);
}

static struct str qualified(const xmlNs *ns, const xmlChar *name, struct arena *a)
{
    if (!ns || !ns->prefix) return arena_copy(a, str_of((const char *)name));
    return arena_printf(a, "%s:%s", (const char *)ns->prefix, (const char *)name);
}

/* Declarations of namespaces count as attributes. */
static struct map *attributes(const xmlNode *element, struct arena *a)
{
    struct map *m = map_new(a, 4);

    for (const xmlAttr *attr = element->properties; attr; attr = attr->next)
        *map_add(m, a, key_make(qualified(attr->ns, attr->name, a))) =
            value_string(all_text(attr->children, a));
    for (const xmlNs *ns = element->nsDef; ns; ns = ns->next) {
        struct str name =
            ns->prefix ? arena_printf(a, "xmlns:%s", (const char *)ns->prefix) : STR("xmlns");
        struct str uri = ns->href ? str_of((const char *)ns->href) : STR("");
        *map_add(m, a, key_make(name)) = value_string(arena_copy(a, uri));
    }
    return m;
}

/* ---- elements ---- */

/* The end of the text that begins with `n`: a CDATA section is one of its own. */
static const xmlNode *text_end(const xmlNode *n)
{
    if (n->type == XML_CDATA_SECTION_NODE) return n->next;
    while (n && is_text(n) && n->type != XML_CDATA_SECTION_NODE)
        n = n->next;
    return n;
}

/* The texts between elements: Logstash keeps them as they are written. */
static struct value mixed_content(const xmlNode *first, struct arena *a)
{
    struct list *texts = list_new(a, 4);

    for (const xmlNode *n = first; n;) {
        const xmlNode *end = is_text(n) ? text_end(n) : n->next;
        if (is_text(n)) list_push(texts, a, value_string(texts_of(n, end, true, a)));
        n = end;
    }
    return texts->len == 1 ? texts->items[0] : value_list(texts);
}

static struct value text_only(const struct xml_shape *shape, const xmlNode *element, struct map *m,
                              struct arena *a)
{
    struct value text = value_string(all_text(element->children, a));

    if (is_empty(text)) return value_map(map_new(a, 0));
    if (m->len == 0 && !shape->force_content) return text;
    merge(shape, m, content_key, text, a);
    return value_map(m);
}

static void add_children(const struct xml_shape *shape, const xmlNode *element, struct map *m,
                         struct arena *a)
{
    bool bare = m->len == 0; /* of attributes: only then are empty children left out */

    for (const xmlNode *n = element->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE) continue;
        struct value v = xml_store(shape, n, a);
        if (shape->suppress_empty && bare && is_empty(v)) continue;
        merge(shape, m, arena_copy(a, str_of((const char *)n->name)), v, a);
    }
}

/* The list named «anon» when it is the only list. */
static struct value *only_anonymous(const struct map *m)
{
    struct value *anon = map_get(m, key_make(anonymous));
    uint32_t      lists = 0;

    if (!anon || anon->kind != VALUE_LIST) return NULL;
    for (uint32_t i = 0; i < m->len; i++)
        lists += m->members[i].value.kind == VALUE_LIST;
    return lists == 1 ? anon : NULL;
}

struct value xml_store(const struct xml_shape *shape, const xmlNode *element, struct arena *a)
{
    struct map *m = attributes(element, a);
    bool        has_elements = false, has_text = false;

    for (const xmlNode *n = element->children; n; n = n->next) {
        has_elements |= n->type == XML_ELEMENT_NODE;
        has_text |= is_text(n);
    }
    if (has_elements) {
        add_children(shape, element, m, a);
        if (has_text && !has_blank_line(all_text(element->children, a)))
            *map_add(m, a, key_make(content_key)) = mixed_content(element->children, a);
    } else if (has_text) {
        return text_only(shape, element, m, a);
    }
    const struct value *anon = only_anonymous(m);
    if (anon) return *anon;
    if (m->len == 0 && shape->suppress_empty) return value_null();
    return value_map(m);
}
