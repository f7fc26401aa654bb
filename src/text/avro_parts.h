#ifndef LSC_TEXT_AVRO_PARTS_H
#define LSC_TEXT_AVRO_PARTS_H

#include "text/avro.h"

/* The inside of a schema, for text/avro_*.c. */

enum avro_type {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED,
};

enum avro_logical { AVRO_PLAIN, AVRO_DATE, AVRO_MILLIS, AVRO_MICROS };

struct avro_field {
    struct key          name;
    struct avro_schema *type;
    const struct value *preset; /* NULL: none */
};

struct avro_schema {
    enum avro_type       type;
    enum avro_logical    logical;
    uint32_t             len;    /* fields, symbols, branches; bytes of a FIXED */
    struct avro_field   *fields; /* RECORD */
    struct str          *symbols;
    struct avro_schema **branches; /* UNION */
    struct avro_schema  *items;    /* ARRAY, MAP: of the values */
};

enum { AVRO_DEPTH_MAX = 64 };

#endif
