/* WebSocket frames (RFC 6455 section 5) as a client of the benchmark needs them.
 *
 * Knows how to build one masked text or pong frame and where the first server frame in a buffer ends. Knows no socket, no
 * Socket.IO and no limits other than FRAME_MAX: whoever calls owns the memory and the bytes.
 */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FRAME_MAX = 64 << 20, MASKED_HEADER_MAX = 14 };

struct frame {
    int opcode;
    const uint8_t *payload;
    size_t length;
};

/* Bytes that the first frame of `buffer` takes in all; 0: the header is not complete yet; SIZE_MAX: no frame of a server. */
static inline size_t frame_size(const uint8_t *buffer, size_t have)
{
    if (have < 2)
        return 0;
    if ((buffer[0] & 0xF0) != 0x80 || (buffer[1] & 0x80))
        return SIZE_MAX; /* fragmented, RSV bits or masked: none of the servers measured here does it */
    size_t length = buffer[1] & 0x7F, header = 2;
    if (length == 126) {
        if (have < 4)
            return 0;
        length = (size_t)buffer[2] << 8 | buffer[3];
        header = 4;
    } else if (length == 127) {
        if (have < 10)
            return 0;
        uint64_t wide = 0;
        for (int i = 2; i < 10; i++)
            wide = wide << 8 | buffer[i];
        if (wide > FRAME_MAX)
            return SIZE_MAX;
        length = (size_t)wide;
        header = 10;
    }
    return header + length;
}

/* The frame in `size` bytes that `frame_size` has measured. */
static inline struct frame frame_at(const uint8_t *buffer, size_t size)
{
    size_t header = (buffer[1] & 0x7F) == 126 ? 4 : (buffer[1] & 0x7F) == 127 ? 10 : 2;
    return (struct frame){buffer[0] & 0x0F, buffer + header, size - header};
}

/* Write one masked frame to `out` (length + MASKED_HEADER_MAX bytes at least) and return its size. */
static inline size_t frame_masked(uint8_t *out, int opcode, const void *payload, size_t length, uint32_t key)
{
    size_t at = 0;
    out[at++] = 0x80 | opcode;
    if (length < 126) {
        out[at++] = 0x80 | length;
    } else if (length < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = length >> 8;
        out[at++] = length;
    } else {
        out[at++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[at++] = (uint64_t)length >> shift;
    }
    uint8_t mask[4];
    memcpy(mask, &key, 4);
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++)
        out[at + i] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    return at + length;
}

#endif
