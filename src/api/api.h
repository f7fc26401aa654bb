#ifndef LSC_API_API_H
#define LSC_API_API_H

#include "pipeline/pipeline.h"
#include "settings.h"

/*
 * The monitoring API: HTTP on a thread of its own, with Logstash's paths and names. NULL, where no
 * API is wanted, is fine for every function. Functions are for the agent's thread.
 */
struct api;

/*
 * Binds the address and reads the keystore, but serves nothing yet. False after logging why, when
 * the process must not start: the keystore or the port that was asked for cannot be had. `*out` is
 * NULL when the API is switched off, or when no port of the default range is free: then the
 * pipeline runs without, as in Logstash.
 */
bool api_open(const struct settings *s, struct api **out);
/* Begins to serve. A failure is logged. */
void api_start(struct api *a);
void api_stop(struct api *a); /* and frees */

/* A pipeline has started; it must live until api_pipeline_ended(). */
void api_pipeline_started(struct api *a, struct pipeline *p, uint64_t config_hash);
/* It will be freed; does not return while a reply is made from it. */
void api_pipeline_ended(struct api *a);
/* A reload has ended well (`error` NULL) or not; `error` is a constant text. */
void api_reloaded(struct api *a, const char *error);

#endif
