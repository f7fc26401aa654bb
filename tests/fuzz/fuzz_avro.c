/* Bytes under a schema that has each kind of type; what was read is written again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "event/json.h"
#include "text/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] = "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[{\"name\":"
                                  "\"a\",\"type\":\"long\"},{\"name\":\"b\""
                                  ",\"type\":\"string\"},{\"name\":\"tags\",\"type\":{\"type\":"
                                  "\"array\",\"items\":[\"null\",\"string\""
                                  ",{\"type\":\"map\",\"values\":\"double\"}]}},{\"name\":\"at\","
                                  "\"type\":{\"type\":\"long\",\"logical"
                                  "Type\":\"timestamp-micros\"}},{\"name\":\"next\",\"type\":["
                                  "\"null\",\"Event\"]},{\"name\":\"raw\""
                                  ",\"type\":\"bytes\"},{\"name\":\"e\",\"type\":{\"type\":"
                                  "\"enum\",\"name\":\"E\",\"symbols\":[\"x\",\"y\""
                                  "]}}]}";

/* The first byte is odd: the others are a schema, with which some bytes are read. */
static const struct avro_schema *schema_of(struct arena *a, const uint8_t *data, size_t size)
{
    struct str  text = {schema_text, sizeof(schema_text) - 1};
    const char *why;

    if (data[0] & 1) text = (struct str){(const char *)data + 1, size - 1};
    return avro_schema_read(a, text, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    static struct buf   out;
    struct value        v;
    const char         *why;

    if (size == 0) return 0;
    const struct avro_schema *s = schema_of(&a, data, size);
    if (s && avro_read(s, &a, (struct str){(const char *)data + 1, size - 1}, &v, &why)) {
        buf_clear(&out);
        json_encode(v, &out);
        if (!utf8_valid(buf_view(&out))) abort();
        buf_clear(&out);
        avro_write(s, v, &out);
    }
    arena_reset(&a);
    return 0;
}
