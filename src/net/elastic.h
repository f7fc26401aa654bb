#ifndef LSC_NET_ELASTIC_H
#define LSC_NET_ELASTIC_H

#include "net/http_settings.h"

/*
 * What plugins that talk to Elasticsearch share: where it is and who we are, by the names of
 * Logstash's plugins. The rows are in elastic.def; a plugin has the settings as its member
 * `elastic`, and those of HTTP and TLS as `connection`. Source: logstash-filter-elasticsearch,
 * lib/logstash/filters/elasticsearch.rb and client.rb; the gem elasticsearch-transport.
 */

/* A server of the cluster. */
struct elastic_node {
    struct str base;           /* scheme, host, port and path, without a slash at the end */
    struct str user, password; /* of its URL; user.data NULL: none */
};

struct elastic_settings {
    struct strings  hosts;
    struct str      cloud_id, user, ca_trusted_fingerprint;
    struct password cloud_auth, password, api_key;
    struct pairs    custom_headers;
    bool            ssl_enabled;

    /* made from them by elastic_open() */
    uint32_t             nodes_len;
    struct elastic_node *nodes;
    struct http_line    *headers; /* of every request: Authorization, Content-Type … */
    size_t               headers_len;
};

/* Checks the settings, also those of `connection`, and makes its client. `origin` tells the cluster
   which plugin asks. False after plugin_error(). */
bool elastic_open(struct elastic_settings *e, struct http_settings *connection, const char *origin,
                  struct plugin_open *cx);

/* A host as a setting gives it, made a node in `a`: HOST, HOST:PORT or a URL; the port is 9200
   unless given, or 443 of an https URL. False with a reason. */
bool elastic_node_read(struct arena *a, struct str text, bool tls, struct elastic_node *out,
                       const char **problem);

/* The node of a Cloud ID. False with a reason. Source: logstash-core, cloud_setting_id.rb. */
bool elastic_cloud_read(struct arena *a, struct str cloud_id, struct elastic_node *out,
                        const char **problem);

/* One thread's choice of nodes: in turn, those that failed not for a while. */
struct elastic_turns {
    uint32_t next;
    int64_t *dead_until_ns; /* of each node */
};
void     elastic_turns_init(struct elastic_turns *t, const struct elastic_settings *e);
void     elastic_turns_release(struct elastic_turns *t);
uint32_t elastic_turns_next(struct elastic_turns *t, const struct elastic_settings *e);
void     elastic_turns_failed(struct elastic_turns *t, uint32_t node);

/* Whether the server of an answer to a search is an Elasticsearch, by its header; and for those
   before 7.14, which have none, by the body of an answer to GET /. Source: the gem elasticsearch
   7.17, lib/elasticsearch.rb. */
bool elastic_is_product(const struct http_answer *answer);
bool elastic_was_product(struct value info);

/* Why the cluster refused, from the body of its answer: "[404] type: reason". */
void elastic_explain(const struct http_answer *answer, struct arena *scratch, struct buf *out);

#endif
