/*
 * xml: a text of XML as fields, whole or by XPath. A module: filter_xml, with libxml2.
 *
 * Entities are not expanded, but for the five of XML itself, no DTD is loaded and nothing is
 * fetched: texts come from strangers. libxml2's own limits hold: 10 MB of text, 256 levels.
 *
 * Source: logstash-filter-xml, lib/logstash/filters/xml.rb.
 * Threads: any worker; see xml_xpath.c.
 */
#include "filters/xml.h"

#include <libxml/parser.h>

#include "base/fatal.h"
#include "plugin/failure.h"
#include "plugin/module.h"

enum { TEXT_MAX = 64 << 20 };

struct xml {
    const struct field *source, *target;
    bool                store_xml, force_array, force_content, suppress_empty, remove_namespaces;
    struct pairs        xpath, namespaces;
    struct str          parse_options;
    int                 flags; /* of libxml2, for XPath */
    bool                must_be_well_formed;
    struct xml_queries *queries; /* their compiled forms grow while running */
};

static const struct option xml_options[] = {
    OPT(struct xml, OPT_FIELD, source, .required = true,
        .doc = "The field with the text: a string, or a list of one. An event without it, or with "
               "blanks only, is left alone; other values give the tag _xmlparsefailure."),
    OPT(struct xml, OPT_FIELD, target,
        .doc = "The field that gets the whole document as maps, lists and strings; overwritten "
               "when it exists. Required unless store_xml is false."),
    OPT(struct xml, OPT_BOOL, store_xml, .preset = "true",
        .doc = "Stores the document in target. Only well-formed texts can be stored; others give "
               "the tag _xmlparsefailure."),
    OPT(struct xml, OPT_PAIRS, xpath,
        .doc = "XPath expressions and the fields that get what they find: elements as XML, "
               "attributes as their value, texts with their entities. Results are added to a list. "
               "Texts that are not well-formed are searched as far as they can be understood."),
    OPT(struct xml, OPT_PAIRS, namespaces,
        .doc = "Prefixes for the expressions of xpath and the URIs they stand for. When not given, "
               "the prefixes that the root declares count, and xmlns for its default namespace."),
    OPT(struct xml, OPT_BOOL, remove_namespaces, .preset = "false",
        .doc = "Takes all namespaces away before the expressions of xpath are evaluated."),
    OPT(struct xml, OPT_BOOL, force_array, .preset = "true",
        .doc =
            "Makes a list of every child element, and of every result of xpath, even of a single "
            "one."),
    OPT(struct xml, OPT_BOOL, force_content, .preset = "false",
        .doc = "Makes a map with the member content of every text, as of one with attributes."),
    OPT(struct xml, OPT_BOOL, suppress_empty, .preset = "true",
        .doc = "Leaves out elements that are empty; otherwise they become empty maps."),
    OPT(struct xml, OPT_STRING, parse_options,
        .doc = "How texts are read for xpath: names of libxml2's options, separated by | or "
               "commas: strict (only well-formed texts), recover, noblanks, nocdata, nsclean, "
               "compact, pedantic, noerror, nowarning, nonet. Options that expand entities, load "
               "DTDs or lift limits are refused."),
    OPT_END,
};

/* ---- opening ---- */

struct parse_option {
    const char *name;
    int         flag;
    bool        refused;
};

static const struct parse_option parse_options[] = {
    {"STRICT", 0, false},
    {"RECOVER", XML_PARSE_RECOVER, false},
    {"NOERROR", XML_PARSE_NOERROR, false},
    {"NOWARNING", XML_PARSE_NOWARNING, false},
    {"PEDANTIC", XML_PARSE_PEDANTIC, false},
    {"NOBLANKS", XML_PARSE_NOBLANKS, false},
    {"SAX1", XML_PARSE_SAX1, false},
    {"NONET", XML_PARSE_NONET, false},
    {"NODICT", XML_PARSE_NODICT, false},
    {"NSCLEAN", XML_PARSE_NSCLEAN, false},
    {"NOCDATA", XML_PARSE_NOCDATA, false},
    {"COMPACT", XML_PARSE_COMPACT, false},
    {"OLD10", XML_PARSE_OLD10, false},
    {"NOBASEFIX", XML_PARSE_NOBASEFIX, false},
    {"BIGLINES", XML_PARSE_BIG_LINES, false},
    {"DEFAULTXML", XML_PARSE_RECOVER | XML_PARSE_NONET, false},
    {"NOENT", 0, true},
    {"DTDLOAD", 0, true},
    {"DTDATTR", 0, true},
    {"DTDVALID", 0, true},
    {"XINCLUDE", 0, true},
    {"NOXINCNODE", 0, true},
    {"HUGE", 0, true},
};
enum { PARSE_OPTIONS = sizeof(parse_options) / sizeof(parse_options[0]) };

/* `NO_BLANKS` and `noblanks` are the same. */
static bool same_name(struct str given, const char *name)
{
    for (size_t i = 0; i < given.len; i++) {
        char c = given.data[i];
        if (c == '_') continue;
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        if (c != *name++) return false;
    }
    return *name == '\0';
}

static bool add_parse_option(struct xml *x, struct plugin_open *cx, struct str name)
{
    for (int i = 0; i < PARSE_OPTIONS; i++) {
        if (!same_name(name, parse_options[i].name)) continue;
        if (parse_options[i].refused)
            return plugin_error(cx, "parse_options",
                                "lsc reads XML without entities, DTDs and inclusions, and with "
                                "limits: it does not have the parse option \"%.*s\"",
                                STR_ARG(name));
        x->flags |= parse_options[i].flag;
        return true;
    }
    return plugin_error(cx, "parse_options", "there is no parse option \"%.*s\"", STR_ARG(name));
}

static bool read_parse_options(struct xml *x, struct plugin_open *cx)
{
    struct str rest = x->parse_options;

    if (!rest.data) {
        x->flags = XML_PARSE_RECOVER;
        return true;
    }
    while (rest.len > 0) {
        size_t end = 0;
        while (end < rest.len && rest.data[end] != '|' && rest.data[end] != ',')
            end++;
        struct str name = {rest.data, end};
        while (name.len && name.data[0] == ' ')
            name = str_from(name, 1);
        while (name.len && name.data[name.len - 1] == ' ')
            name.len--;
        if (name.len && !add_parse_option(x, cx, name)) return false;
        rest = str_from(rest, end + 1);
    }
    x->must_be_well_formed = !(x->flags & XML_PARSE_RECOVER);
    return true;
}

static bool read_query(struct xml_query *q, const struct pair *p, struct plugin_open *cx)
{
    struct str  into = ast_text(p->value);
    const char *problem;

    q->expression = arena_cstr(cx->arena, p->key);
    problem = xml_query_problem(q->expression, cx->arena);
    if (problem) {
        diag(cx->diags, DIAG_ERROR, p->key_loc, "not an XPath expression: %s", problem);
        return false;
    }
    q->into = into.data ? field_parse(cx->arena, into, &problem, NULL) : NULL;
    if (q->into) return true;
    diag(cx->diags, DIAG_ERROR, p->value->loc, "the result of an expression needs one field");
    return false;
}

static bool read_queries(struct xml *x, struct plugin_open *cx)
{
    struct xml_queries *q = arena_zalloc(cx->arena, sizeof(*q));
    bool                good = true;

    x->queries = q;
    q->force_array = x->force_array;
    q->len = x->xpath.len;
    q->at = arena_zalloc(cx->arena, q->len * sizeof(*q->at));
    for (uint32_t i = 0; i < q->len; i++)
        good &= read_query(&q->at[i], &x->xpath.at[i], cx);
    q->namespaces_len = x->namespaces.len;
    q->namespaces = arena_zalloc(cx->arena, q->namespaces_len * sizeof(*q->namespaces));
    for (uint32_t i = 0; i < q->namespaces_len; i++) {
        q->namespaces[i].prefix = arena_cstr(cx->arena, x->namespaces.at[i].key);
        q->namespaces[i].uri =
            arena_cstr(cx->arena, ast_to_s(cx->arena, x->namespaces.at[i].value));
    }
    return good;
}

static bool xml_open(void *self, struct plugin_open *cx)
{
    struct xml *x = self;

    xmlInitParser();
    if (x->store_xml && !x->target)
        return plugin_error(cx, "store_xml", "target is needed when store_xml is true");
    bool options = read_parse_options(x, cx), queries = read_queries(x, cx);
    return options && queries;
}

static void xml_close(void *self)
{
    xml_queries_release(((struct xml *)self)->queries);
}

/* ---- reading ---- */

/* Every name of an entity is accepted, and none has a content: references stay as written. */
static xmlEntityPtr no_entity(void *ctx, const xmlChar *name)
{
    xmlParserCtxtPtr parser = ctx;
    xmlEntityPtr     own = parser->_private, known = xmlGetPredefinedEntity(name);

    if (known) return known;
    own->name = name;
    return own;
}

struct document {
    xmlDoc *doc; /* NULL: nothing can be read */
    bool    well_formed, namespaces_declared;
};

static struct document read_text(struct str text, int flags)
{
    xmlChar          nothing[] = "";
    xmlEntity        entity = {.type = XML_ENTITY_DECL,
                               .etype = XML_INTERNAL_GENERAL_ENTITY,
                               .content = nothing,
                               .orig = nothing,
                               .checked = 2};
    xmlParserCtxtPtr parser = xmlNewParserCtxt();

    if (!parser) fatal_memory();
    parser->_private = &entity;
    parser->sax->getEntity = no_entity;
    flags |= XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC;
    struct document d = {
        .doc = xmlCtxtReadMemory(parser, text.data, (int)text.len, NULL, "UTF-8", flags)};
    d.well_formed = parser->wellFormed != 0;
    d.namespaces_declared = parser->nsWellFormed != 0;
    xmlFreeParserCtxt(parser);
    return d;
}

static void remove_namespaces(xmlNode *n)
{
    for (; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE) continue;
        n->ns = NULL;
        for (xmlAttr *attr = n->properties; attr; attr = attr->next)
            attr->ns = NULL;
        remove_namespaces(n->children);
    }
}

/* ---- running ---- */

static enum verdict failed(struct event *ev, struct filter_context *cx, const char *why,
                           struct str text)
{
    static struct log_limit limit;

    event_tag(ev, STR("_xmlparsefailure"));
    filter_failed(cx, &limit, "filter.xml", why, text);
    return FILTER_PASS;
}

/* The whole document, for target; false when the text is not well-formed. */
static bool whole(const struct xml *x, const struct document *d, struct str text, struct arena *a,
                  struct value *out)
{
    const struct xml_shape shape = {x->force_array, x->force_content, x->suppress_empty};
    int                    plain = XML_PARSE_RECOVER;
    bool                   again = (x->flags & ~plain) != 0; /* options are for xpath only */
    struct document        own = again ? read_text(text, plain) : *d;
    const xmlNode         *root = own.doc ? xmlDocGetRootElement(own.doc) : NULL;
    bool                   good = root && own.well_formed && own.namespaces_declared;

    if (good) *out = xml_store(&shape, root, a);
    if (again) xmlFreeDoc(own.doc);
    return good;
}

static enum verdict run_document(const struct xml *x, struct document *d, struct str text,
                                 struct event *ev, struct filter_context *cx)
{
    struct value stored = value_null();
    const char  *problem = NULL;

    if (x->must_be_well_formed && !d->well_formed)
        return failed(ev, cx, "the text is not well-formed", text);
    bool good = x->store_xml && whole(x, d, text, ev->arena, &stored);
    if (x->remove_namespaces && d->doc) remove_namespaces(xmlDocGetRootElement(d->doc));
    enum xml_found found = xml_queries_run(x->queries, cx->state, d->doc, ev, &problem);
    if (x->store_xml && !good) return failed(ev, cx, "the text is not well-formed", text);
    if (x->store_xml && !event_set(ev, x->target, stored))
        return failed(ev, cx, "the target cannot be set", x->target->text);
    if (found == XML_FAILED) return failed(ev, cx, problem, text);
    return x->store_xml || found == XML_FOUND ? FILTER_MATCH : FILTER_PASS;
}

static bool blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != ' ' && s.data[i] != '\0' && (s.data[i] < '\t' || s.data[i] > '\r'))
            return false;
    return true;
}

static enum verdict xml_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct xml   *x = self;
    const struct value *v = event_get(ev, x->source);

    if (!v) return FILTER_PASS;
    if (v->kind == VALUE_LIST && v->as.list->len == 1) v = &v->as.list->items[0];
    if (v->kind != VALUE_STRING) return failed(ev, cx, "not a text", x->source->text);
    struct str text = value_str(*v);
    if (blank(text)) return FILTER_PASS;
    if (text.len > TEXT_MAX) return failed(ev, cx, "the text is too long", x->source->text);
    struct document d = read_text(text, x->flags);
    enum verdict    verdict = run_document(x, &d, text, ev, cx);
    xmlFreeDoc(d.doc);
    return verdict;
}

PLUGIN_MODULE;

extern const struct plugin filter_xml;

const struct plugin filter_xml = {
    .kind = PLUGIN_FILTER,
    .name = "xml",
    .summary = "Takes XML apart into fields, whole or by XPath.",
    .size = sizeof(struct xml),
    .options = xml_options,
    .open = xml_open,
    .close = xml_close,
    .filter = {.run = xml_run, .worker_size = sizeof(struct xml_worker)},
};
