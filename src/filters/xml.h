#ifndef LSC_FILTERS_XML_H
#define LSC_FILTERS_XML_H

#include <libxml/tree.h>

#include "plugin/plugin.h"

/* The two halves of the filter xml: a document as a value, and XPath. Any worker. */

struct xml_shape {
    bool force_array, force_content, suppress_empty;
};

/* The element as maps, lists and strings in `a`. Source: xml-simple, xml_in. */
struct value xml_store(const struct xml_shape *shape, const xmlNode *element, struct arena *a);

struct xml_query {
    const char         *expression;
    const struct field *into;
};

struct xml_namespace {
    const char *prefix, *uri;
};

/* What the options xpath and namespaces say. */
struct xml_queries {
    uint32_t              len, namespaces_len;
    struct xml_query     *at;
    struct xml_namespace *namespaces; /* none: those that the root declares count */
    bool                  force_array;
    struct xml_compiled  *compiled; /* of each worker; a list under its own lock */
};

/* A worker's share of the state. */
struct xml_worker {
    struct xml_compiled *compiled; /* made at its first event: evaluating changes expressions */
};

/* Why the expression cannot be used, in `a`; NULL when it can. */
const char *xml_query_problem(const char *expression, struct arena *a);

enum xml_found { XML_FOUND, XML_NOT_FOUND, XML_FAILED };

/* Puts what the queries find in `doc` into the event; `doc` may be NULL. XML_FAILED: one of them
   cannot be evaluated, as when its prefix is not declared; the others are nevertheless, and
   `*problem` (constant) says why. */
enum xml_found xml_queries_run(struct xml_queries *q, struct xml_worker *w, xmlDoc *doc,
                               struct event *ev, const char **problem);
/* Frees what workers compiled. */
void xml_queries_release(struct xml_queries *q);

#endif
