/*
 * XPath expressions over a document, and where their results go in the event.
 *
 * Source: logstash-filter-xml, xml.rb; Nokogiri's Node#xpath and to_s.
 * Threads: any worker, each with expressions of its own; a mutex over the list of them.
 */
#include <libxml/xmlsave.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "filters/xml.h"

enum { WORK_MAX = 10000000 }; /* steps of one evaluation: an expression can be made to take hours */

struct xml_compiled {
    struct xml_compiled *next;
    xmlXPathCompExprPtr  at[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_quiet(void *ctx, xmlErrorPtr error)
{
    (void)ctx;
    (void)error;
}

/* libxml2 tells where it stopped, in no words. */
static void keep_place(void *place, xmlErrorPtr error)
{
    if (error) *(int *)place = error->int1;
}

const char *xml_query_problem(const char *expression, struct arena *a)
{
    int                place = 0;
    xmlXPathContextPtr cx = xmlXPathNewContext(NULL);

    if (!cx) fatal_memory();
    cx->error = keep_place;
    cx->userData = &place;
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(cx, (const xmlChar *)expression);
    xmlXPathFreeContext(cx);
    if (!compiled)
        return arena_printf(a, "it cannot be understood behind \"%.*s\"", place, expression).data;
    xmlXPathFreeCompExpr(compiled);
    return NULL;
}

static struct xml_compiled *compile_all(struct xml_queries *q)
{
    struct xml_compiled *c = xcalloc(1, sizeof(*c) + q->len * sizeof(c->at[0]));

    for (uint32_t i = 0; i < q->len; i++)
        c->at[i] = xmlXPathCompile((const xmlChar *)q->at[i].expression);
    pthread_mutex_lock(&lock);
    c->next = q->compiled;
    q->compiled = c;
    pthread_mutex_unlock(&lock);
    return c;
}

void xml_queries_release(struct xml_queries *q)
{
    struct xml_compiled *next;

    for (struct xml_compiled *c = q->compiled; c; c = next) {
        next = c->next;
        for (uint32_t i = 0; i < q->len; i++)
            xmlXPathFreeCompExpr(c->at[i]);
        free(c);
    }
    q->compiled = NULL;
}

/* ---- results ---- */

/* A result joins what the field has; alone it is a list, or with force_array off a text. */
static bool add_result(const struct xml_queries *q, struct event *ev, const struct field *into,
                       struct str text)
{
    struct value  v = value_string(text);
    struct value *old = event_get(ev, into);

    if (old && old->kind == VALUE_LIST) {
        list_push(old->as.list, ev->arena, v);
        return true;
    }
    bool any = old && old->kind != VALUE_NULL;
    if (!any && !q->force_array) return event_set(ev, into, v);
    struct list *l = list_new(ev->arena, 2);
    if (any) list_push(l, ev->arena, *old);
    list_push(l, ev->arena, v);
    return event_set(ev, into, value_list(l));
}

/* Elements as XML, attributes as their value, texts escaped as XML has them. */
static struct str node_text(xmlNode *n, struct arena *a)
{
    if (n->type == XML_ATTRIBUTE_NODE || n->type == XML_NAMESPACE_DECL) {
        xmlChar   *content = xmlNodeGetContent(n);
        struct str text = arena_copy(a, content ? str_of((const char *)content) : STR(""));
        xmlFree(content);
        return text;
    }
    xmlBufferPtr   b = xmlBufferCreate();
    xmlSaveCtxtPtr save = xmlSaveToBuffer(b, "UTF-8", XML_SAVE_AS_XML | XML_SAVE_NO_DECL);
    if (!b || !save) fatal_memory();
    xmlSaveTree(save, n);
    xmlSaveClose(save);
    struct str text =
        arena_copy(a, (struct str){(const char *)xmlBufferContent(b), (size_t)xmlBufferLength(b)});
    xmlBufferFree(b);
    return text;
}

/* A string, number or boolean. */
static struct str scalar_text(const xmlXPathObject *o, struct arena *a)
{
    struct buf b = {0};

    if (o->type == XPATH_STRING)
        buf_str(&b, str_of((const char *)o->stringval));
    else
        value_text(
            o->type == XPATH_BOOLEAN ? value_bool(o->boolval != 0) : value_float(o->floatval), &b);
    struct str text = arena_copy(a, buf_view(&b));
    buf_release(&b);
    return text;
}

static enum xml_found add_results(const struct xml_queries *q, const struct xml_query *query,
                                  const xmlXPathObject *o, struct event *ev)
{
    bool placed = true;

    if (o->type == XPATH_BOOLEAN || o->type == XPATH_NUMBER || o->type == XPATH_STRING)
        return add_result(q, ev, query->into, scalar_text(o, ev->arena)) ? XML_FOUND : XML_FAILED;
    int len = o->type == XPATH_NODESET && o->nodesetval ? o->nodesetval->nodeNr : 0;
    for (int i = 0; i < len; i++)
        placed &= add_result(q, ev, query->into, node_text(o->nodesetval->nodeTab[i], ev->arena));
    return !placed ? XML_FAILED : len ? XML_FOUND : XML_NOT_FOUND;
}

/* ---- evaluating ---- */

/* Prefixes that expressions may use: as given, or else those of the root, where the namespace
   without a prefix is called xmlns. */
static void register_namespaces(const struct xml_queries *q, xmlXPathContextPtr cx,
                                const xmlNode *root)
{
    for (uint32_t i = 0; i < q->namespaces_len; i++)
        xmlXPathRegisterNs(cx, (const xmlChar *)q->namespaces[i].prefix,
                           (const xmlChar *)q->namespaces[i].uri);
    if (q->namespaces_len || !root) return;
    for (const xmlNs *ns = root->nsDef; ns; ns = ns->next)
        xmlXPathRegisterNs(cx, ns->prefix ? ns->prefix : (const xmlChar *)"xmlns", ns->href);
}

static enum xml_found run_one(const struct xml_queries *q, const struct xml_query *query,
                              xmlXPathCompExprPtr compiled, xmlXPathContextPtr cx, struct event *ev,
                              const char **problem)
{
    xmlXPathObjectPtr o = xmlXPathCompiledEval(compiled, cx);

    if (!o) {
        *problem = "an xpath expression cannot be evaluated";
        return XML_FAILED;
    }
    enum xml_found found = add_results(q, query, o, ev);
    if (found == XML_FAILED) *problem = "a result of xpath cannot be put into its field";
    xmlXPathFreeObject(o);
    return found;
}

enum xml_found xml_queries_run(struct xml_queries *q, struct xml_worker *w, xmlDoc *doc,
                               struct event *ev, const char **problem)
{
    enum xml_found all = XML_NOT_FOUND;

    if (!doc || q->len == 0) return XML_NOT_FOUND;
    if (!w->compiled) w->compiled = compile_all(q);
    xmlXPathContextPtr cx = xmlXPathNewContext(doc);
    if (!cx) fatal_memory();
    cx->error = keep_quiet;
    cx->node = (xmlNode *)doc;
    register_namespaces(q, cx, xmlDocGetRootElement(doc));
    for (uint32_t i = 0; i < q->len; i++) {
        cx->opLimit = WORK_MAX;
        cx->opCount = 0;
        enum xml_found one = run_one(q, &q->at[i], w->compiled->at[i], cx, ev, problem);
        if (one == XML_FAILED || (one == XML_FOUND && all == XML_NOT_FOUND)) all = one;
    }
    xmlXPathFreeContext(cx);
    return all;
}
