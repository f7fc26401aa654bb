#ifndef LSC_NET_DNS_H
#define LSC_NET_DNS_H

#include <netinet/in.h>

#include "base/arena.h"
#include "text/ip.h"

/*
 * Questions to name servers, asked by UDP and waited for, with a limit. For worker threads; all
 * functions may be called on any thread. Source: RFC 1035, RFC 3596.
 */
enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28 };
enum { DNS_SERVERS_MAX = 8, DNS_SEARCH_MAX = 6, DNS_NAME_MAX = 253, DNS_MESSAGE_MAX = 4096 };

/* Whom to ask, and how names are completed. Constant. */
struct dns_config {
    uint32_t                servers_len;
    struct sockaddr_storage servers[DNS_SERVERS_MAX];
    uint32_t                search_len;
    struct str              search[DNS_SEARCH_MAX];
    int64_t ndots; /* names with fewer dots are tried with the search domains first */
    int64_t timeout_ns;
    int64_t retries;
};

/* Reads "10.0.0.1", "::1", "10.0.0.1:5353" or "[::1]:5353" as the next server; false: none of
   them, or too many. */
bool dns_add_server(struct dns_config *c, struct str text);
/* Reads a file like /etc/resolv.conf: nameserver, search, domain, options ndots. False when it
   cannot be read. Strings go to `a`. */
bool dns_read_resolv_conf(struct dns_config *c, const char *path, struct arena *a);

struct stop;
enum dns_result { DNS_FOUND, DNS_NOT_FOUND, DNS_TIMEOUT, DNS_FAILED };

/* The first address of a host name, IPv4 before IPv6, as text in `a`. `stop` (may be NULL) ends
   waiting. */
enum dns_result dns_address(const struct dns_config *c, struct str name, struct stop *stop,
                            struct arena *a, struct str *out);
/* The name of an address. */
enum dns_result dns_name(const struct dns_config *c, const struct ip *address, struct stop *stop,
                         struct arena *a, struct str *out);

/* ---- messages: net/dns_message.c ---- */

/* Writes a question to `out`, which has room for 512 bytes; returns its length, 0 when `name` is no
   name. */
size_t dns_question(unsigned char *out, uint16_t id, struct str name, uint16_t type);

/*
 * Reads what came in answer to `question`. FOUND: the first record of the type asked for, as text
 * in `a`. FAILED: the server could not answer. DNS_NOT_MINE: not an answer to this question.
 */
enum { DNS_NOT_MINE = DNS_FAILED + 1 };
int dns_answer(struct str question, struct str answer, struct arena *a, struct str *out);

/* "1.2.0.192.in-addr.arpa" of 192.0.2.1, and so on, in `a`. */
struct str dns_reverse_name(struct arena *a, const struct ip *address);

#endif
