/* HTTP/1.1 responses (RFC 9112) as a client of the benchmark that polls needs them.
 *
 * Knows where the first response in a buffer ends, its status and its body. Only Content-Length is understood: none of the servers
 * measured here sends chunks. Knows no socket and no Socket.IO.
 */
#ifndef BENCH_RESPONSES_H
#define BENCH_RESPONSES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 4096, BODY_MAX = 64 << 20 };

struct response {
    int status;
    const uint8_t *body;
    size_t length;
};

/* Bytes of the head, its empty line included; 0: it is not complete yet; SIZE_MAX: too long. */
static inline size_t head_size(const uint8_t *buffer, size_t have)
{
    const uint8_t *blank = memmem(buffer, have, "\r\n\r\n", 4);
    if (blank)
        return (size_t)(blank - buffer) + 4;
    return have > HEAD_MAX ? SIZE_MAX : 0;
}

/* Bytes that the first response of `buffer` takes in all; 0: the head is not complete yet; SIZE_MAX: no response that we understand. */
static inline size_t response_size(const uint8_t *buffer, size_t have)
{
    static const char key[] = "\r\ncontent-length:";
    size_t head = head_size(buffer, have);
    if (head == 0 || head == SIZE_MAX)
        return head;
    for (size_t at = 0; at + sizeof key < head; at++) {
        if (strncasecmp((const char *)buffer + at, key, sizeof key - 1) != 0)
            continue;
        unsigned long length = strtoul((const char *)buffer + at + sizeof key - 1, NULL, 10);
        return length > BODY_MAX ? SIZE_MAX : head + length;
    }
    return SIZE_MAX;
}

/* The response in `size` bytes that `response_size` has measured. */
static inline struct response response_at(const uint8_t *buffer, size_t size)
{
    size_t head = head_size(buffer, size);
    return (struct response){atoi((const char *)buffer + sizeof "HTTP/1.1 " - 1), buffer + head, size - head};
}

#endif
