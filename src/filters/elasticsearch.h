#ifndef LSC_FILTERS_ELASTICSEARCH_H
#define LSC_FILTERS_ELASTICSEARCH_H

#include "net/elastic.h"

/* The filter elasticsearch: its settings and its way through a batch (elasticsearch.c), what a
   setting copies from a reply (elasticsearch_reply.c). */

/* Something of a reply and the field that gets it. */
struct elastic_copy {
    uint32_t            depth;
    struct key         *path; /* in the reply: names, one in the other */
    const struct field *into;
};
struct elastic_copies {
    uint32_t             len;
    struct elastic_copy *at;
};

enum { ELASTIC_DSL, ELASTIC_ESQL }; /* query_type */

/* A parameter of an ES|QL query and the field that holds it. */
struct elastic_parameter {
    struct key          name;
    const struct field *field;
};

struct elasticsearch {
    struct elastic_settings elastic;
    struct http_settings    connection;
    struct str              sort, target;
    const struct template  *index, *query;
    struct str              query_template;
    const struct ast_value *fields, *docinfo_fields, *aggregation_fields;
    bool                    enable_sort;
    int                     query_type;
    int64_t                 result_size, retry_on_failure;
    struct strings          retry_on_status, tag_on_failure;
    struct pairs            query_params;

    const struct template    *body;       /* of query_template; NULL: `query` */
    struct str                esql;       /* the query of ES|QL; data NULL: of the DSL */
    struct elastic_parameter *parameters; /* as query_params */
    struct elastic_copies     from_source, from_hit, from_aggregations;
    const struct field       *total; /* [@metadata][total_hits], of ES|QL [total_values] */
    struct owned             *workers;
};

/* Compiles `v`, a hash or a list of pairs; `paths`: what is copied may be a path such as [a][b].
   False after plugin_error(). */
bool elastic_copies_read(const struct ast_value *v, const char *setting, struct str target,
                         bool paths, struct elastic_copies *out, struct plugin_open *cx);

enum elastic_verdict {
    ELASTIC_NOTHING, /* there are no hits */
    ELASTIC_FOUND,
    ELASTIC_FAILED, /* the reply is none, or says so: `*problem` */
};

/* Copies what the settings say from the reply to a search, which lies in the event's arena and
   belongs to the event from now on. Source: logstash-filter-elasticsearch, dsl_executor.rb and
   esql_executor.rb. */
enum elastic_verdict elastic_reply_copy(const struct elasticsearch *e, struct value reply,
                                        struct event *ev, const char **problem);

#endif
