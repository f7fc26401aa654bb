/* Answers of name servers: none, however odd, makes reading one crash. The first byte chooses the
   type that was asked for; the rest comes behind the question. */
#include <stdint.h>

#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t types[] = {DNS_A, DNS_AAAA, DNS_PTR};
    unsigned char         question[512];
    struct arena          a = {0};
    struct str            out;

    if (size == 0) return 0;
    size_t len = dns_question(question, 7, STR("a.example.org"), types[data[0] % 3]);
    char  *answer = arena_alloc(&a, len + size);
    memcpy(answer, question, len);
    answer[2] = (char)0x81, answer[3] = (char)0x80, answer[7] = 3;
    memcpy(answer + len, data + 1, size - 1);
    dns_answer((struct str){(char *)question, len}, (struct str){answer, len + size - 1}, &a, &out);
    arena_release(&a);
    return 0;
}
