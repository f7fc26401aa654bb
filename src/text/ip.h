#ifndef LSC_TEXT_IP_H
#define LSC_TEXT_IP_H

#include "base/arena.h"
#include "base/str.h"

/*
 * IP addresses and networks in text form, and sets of networks. An IPv4 address written as IPv6
 * (::ffff:10.0.0.1) is an IPv4 address. Source: Ruby's ipaddr.rb, for what is an address and when
 * a network contains one; RFC 4291 section 2.2 for the forms of IPv6.
 */
struct ip {
    bool     v6;
    uint64_t high, low; /* in host order; IPv4: the lower 32 bits of `low` */
};

/* All addresses from `first` to `last`, which are of one family. */
struct ip_network {
    struct ip first, last;
};

/*
 * Reads "10.1.2.3", "2001:db8::1" or "[2001:db8::1]". False when it is something else: blanks, too
 * few or many parts, zeros before a decimal part, a zone.
 */
bool ip_parse(struct str text, struct ip *out);

/*
 * Reads a network: an address, then "/8" or "/255.0.0.0" or nothing, which means that address
 * alone. Bits behind the mask are ignored.
 */
bool ip_network_parse(struct str text, struct ip_network *out);

bool ip_network_contains(const struct ip_network *n, const struct ip *address);

/* Clears the bits behind the first `prefix`. False when there are not that many. */
bool ip_mask(struct ip *address, int64_t prefix);

/* The address as text in `a`: RFC 5952 for IPv6. */
struct str ip_text(struct arena *a, const struct ip *address);

/* < 0, 0, > 0 as `a` comes before, is, or comes behind `b`; IPv4 comes before IPv6. */
int ip_compare(const struct ip *a, const struct ip *b);

/* Networks for quick look-up: sorted, and joined where they overlap. Constant; any thread. */
struct ip_set {
    uint32_t           len;
    struct ip_network *at;
};

/* Makes a set of `n` networks in their own memory, which is reordered. */
struct ip_set ip_set_of(struct ip_network *networks, uint32_t n);

bool ip_set_contains(const struct ip_set *set, const struct ip *address);

#endif
