/* The load generator: thousands of Socket.IO clients, over WebSocket or polling, in one process, one core, one epoll.
 *
 * It connects them, has them all join, has some of them send, and counts: every message must reach every member of its room once,
 * in its sender's order. It prints what it found as one JSON object. It knows the wire (protocol.md section 1, the plain part that
 * any Socket.IO chat has) and nothing of the server. It judges nothing: `bench/` does.
 *
 * A message's text is `~`, sender (8 hex digits), sequence number (8), the time of sending in ns (16), and padding up to the size.
 */
#define _GNU_SOURCE
#include "frames.h"
#include "measure.h"
#include "responses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { SEPARATOR = 0x1E }; /* between the packets of one payload */
enum {
    SHARED_BUFFER = 1 << 20,
    TEXT_MAX = 60000,
    QUEUE_MAX = 1 << 20,
    UNTOLD_MS = 5000,
    WARMUP_MAX_S = 30,
    MARK = 33, /* `~` and 32 digits */
};

static struct {
    int port, server_pid, clients, ramp, senders, rooms, bytes, count, stall, quiet_ms, warmup_messages;
    double rate, warmup_s, seconds, deadline_s, drain_s;
    bool wait_for_all, ack, delta, login, hold, polling, rosters;
} want = {.quiet_ms = 400, .clients = 1, .ramp = 256, .rooms = 1, .bytes = 100, .warmup_s = 0.5, .seconds = 1, .deadline_s = 60, .drain_s = 10};

enum state { CONNECTING, HANDSHAKE, OPENING, ENTERING, READY, CLOSED };

/* How a client that polls sends, as a browser does: on a connection of its own, one POST at a time, with all that waits in it. */
struct post {
    bool in_flight;
    char *queue; /* packets, with a separator between them */
    size_t length;
    char sid[64];
};

struct client {
    int fd, index;
    enum state state;
    bool stalled;
    uint8_t *part; /* the beginning of a frame whose end has not come yet */
    size_t part_length, part_room;
    uint8_t *out; /* what the kernel would not take yet */
    size_t out_length;
    uint32_t *next;      /* per sender: the sequence number that must come next */
    uint64_t order;      /* hash over all messages in the order of their arrival */
    int people;          /* the `count` of the last login or roster frame */
    struct post *post;      /* NULL: not polling */
    struct client *sending; /* the connection of its POSTs, opened for the first */
    struct client *owner;   /* of such a connection: whose POSTs it carries */
};

struct speaker {
    uint32_t sent;       /* messages so far; the last one's sequence number is sent - 1 */
    int missing;         /* members that the last one has not reached yet */
    bool in_flight, own_missing, ack_missing;
};

static struct client *clients;
static struct speaker *speakers;
static int epoll, opened, ready, closed, pending;
static uint8_t shared[SHARED_BUFFER];

/* What is counted. `window` is what was counted when the measured window began; differences are the result. */
static struct counters {
    uint64_t deliveries, bytes_in, acks;
    int64_t at_ns, cpu_ns, own_cpu_ns;
} total, begin, end;
static uint64_t messages, lost, repeated, refused, completions;
static int http_refused, kicked, stalled_dropped, unexpectedly_closed;
static int64_t longest_turn_ns, worst_lateness_ns, first_send_ns, last_completion_ns;
static int64_t turn_ns; /* the time at which this turn's bytes were read */
static bool talking, measuring;
static struct histogram latency, echo;
static char first_refusal[200];

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *grown(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (!memory)
        fail("out of memory");
    return memory;
}

/* ---- sockets ---- */

static void watch(struct client *c, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

/* The connection of a client's POSTs is gone. Servers end those that are idle; the next POST opens another one. */
static void close_sending(struct client *c)
{
    c->sending->state = CLOSED;
    close(c->sending->fd);
    c->sending = NULL; /* not freed: this turn may have more events for it */
}

static void close_client(struct client *c)
{
    if (c->state == CLOSED)
        return;
    if (c->owner) {
        c = c->owner;
        if (!c->post->in_flight) {
            close_sending(c);
            return;
        }
    }
    if (c->sending)
        close_sending(c);
    if (c->state < READY)
        pending--;
    else
        ready--;
    if (c->stalled)
        stalled_dropped++;
    else
        unexpectedly_closed++;
    c->state = CLOSED;
    closed++;
    close(c->fd);
    free(c->part);
    free(c->out);
    c->part = c->out = NULL;
    c->part_length = c->out_length = 0;
}

/* Send now what the kernel takes and keep the rest for EPOLLOUT. */
static void send_bytes(struct client *c, const uint8_t *bytes, size_t length)
{
    if (c->state == CLOSED)
        return;
    if (!c->out_length) {
        ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            close_client(c);
            return;
        }
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
        if (!length)
            return;
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    if (c->out_length + length > 1 << 20)
        fail("the server has stopped reading");
    c->out = grown(c->out, c->out_length + length);
    memcpy(c->out + c->out_length, bytes, length);
    c->out_length += length;
}

static void flush(struct client *c)
{
    ssize_t sent = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN)
            close_client(c);
        return;
    }
    c->out_length -= (size_t)sent;
    memmove(c->out, c->out + sent, c->out_length);
    if (!c->out_length)
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void send_frame(struct client *c, int opcode, const void *payload, size_t length)
{
    static uint8_t frame[TEXT_MAX + 1000];
    static uint32_t key = 0x9E3779B9;
    key = key * 1664525 + 1013904223;
    send_bytes(c, frame, frame_masked(frame, opcode, payload, length, key));
}

static void open_socket(struct client *c)
{
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        fail("socket: %s (%d of %d open)", strerror(errno), opened, want.clients);
    int on = 1;
    struct linger reset = {1, 0}; /* leave no thousands of TIME_WAIT behind */
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)want.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void connect_client(struct client *c)
{
    open_socket(c);
    opened++;
    pending++;
}

/* ---- polling ---- */

static void send_get(struct client *c)
{
    char head[200];
    int length = sprintf(head, "GET /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", c->post->sid[0] ? "&sid=" : "",
                         c->post->sid, want.port);
    send_bytes(c, (uint8_t *)head, (size_t)length);
}

/* Send what waits, unless the last POST has not been answered yet. */
static void send_post(struct client *c)
{
    struct post *post = c->post;
    if (post->in_flight || !post->length || !c->sending || c->sending->state != READY)
        return;
    char head[300];
    int length = sprintf(head,
                         "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                         "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n",
                         post->sid, want.port, post->length);
    size_t total_length = (size_t)length + post->length;
    uint8_t *request = grown(NULL, total_length);
    memcpy(request, head, (size_t)length);
    memcpy(request + length, post->queue, post->length);
    post->in_flight = true;
    post->length = 0;
    send_bytes(c->sending, request, total_length);
    free(request);
}

static void queue_packet(struct client *c, const void *packet, size_t length)
{
    struct post *post = c->post;
    if (post->length + length + 1 > QUEUE_MAX)
        fail("the server answers no POST");
    post->queue = grown(post->queue, post->length + length + 1);
    if (post->length)
        post->queue[post->length++] = SEPARATOR;
    memcpy(post->queue + post->length, packet, length);
    post->length += length;
    if (!c->sending) {
        c->sending = calloc(1, sizeof *c->sending);
        if (!c->sending)
            fail("out of memory");
        c->sending->owner = c;
        c->sending->index = c->index;
        open_socket(c->sending);
    }
    send_post(c);
}

static void send_packet(struct client *c, const void *packet, size_t length)
{
    if (c->post)
        queue_packet(c, packet, length);
    else
        send_frame(c, OP_TEXT, packet, length);
}

/* ---- sending messages ---- */

static int room_of(int client) { return client % want.rooms; }

static void speak(int index, int64_t stamp)
{
    static char text[TEXT_MAX + 200];
    struct client *c = &clients[index];
    struct speaker *s = &speakers[index];
    if (c->state != READY)
        return;
    int at = want.ack ? sprintf(text, "42%u", s->sent) : sprintf(text, "42");
    at += sprintf(text + at, "[\"msg\",{\"action\":\"message\",\"msg\":\"~%08x%08x%016llx", index, s->sent, (unsigned long long)stamp);
    memset(text + at, 'x', (size_t)(want.bytes - MARK));
    at += want.bytes - MARK;
    at += sprintf(text + at, "\"}]");
    s->sent++;
    s->in_flight = s->own_missing = true;
    s->ack_missing = want.ack;
    s->missing = 0;
    for (int i = room_of(index); want.wait_for_all && i < want.clients; i += want.rooms)
        s->missing += !clients[i].stalled;
    messages++;
    if (!first_send_ns)
        first_send_ns = stamp;
    send_packet(c, text, (size_t)at);
}

/* In a closed loop the next message is sent when the last one is acked, back at its sender and, if so wanted, has reached everyone. */
static void speak_on(int index)
{
    struct speaker *s = &speakers[index];
    if (!s->in_flight || s->own_missing || s->ack_missing || s->missing > 0)
        return;
    s->in_flight = false;
    completions++;
    last_completion_ns = turn_ns;
    if (talking && !want.rate && (!want.count || s->sent < (uint32_t)want.count))
        speak(index, now_ns());
}

/* ---- receiving messages ---- */

static uint64_t hex(const uint8_t *digits, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 4 | ((digits[i] & 0xF) + (digits[i] >> 6) * 9);
    return value;
}

/* Where the marked text of a message begins in an event's payload; NULL: it is no message. Servers put it at the same offset
 * again and again, so the last one's is tried first. */
static const uint8_t *marked_text(const uint8_t *payload, size_t length)
{
    static size_t last;
    if (last + MARK <= length && payload[last] == '~' && payload[last - 1] == '"')
        return payload + last;
    const uint8_t *found = memmem(payload, length, "\"~", 2);
    if (!found || found + 1 + MARK > payload + length)
        return NULL;
    last = (size_t)(found + 1 - payload);
    return found + 1;
}

static void heard_message(struct client *c, const uint8_t *text)
{
    uint32_t from = (uint32_t)hex(text + 1, 8), number = (uint32_t)hex(text + 9, 8);
    if (from >= (uint32_t)want.senders || room_of((int)from) != room_of(c->index))
        fail("client %d was sent a message of speaker %u, who is not in its room", c->index, from);
    if (number < c->next[from]) {
        repeated++;
        return;
    }
    lost += number - c->next[from];
    c->next[from] = number + 1;
    c->order = (c->order ^ ((uint64_t)from << 32 | number)) * 0x9E3779B97F4A7C15;
    total.deliveries++;
    int64_t took = turn_ns - (int64_t)hex(text + 17, 16);
    if (measuring && !c->stalled)
        histogram_add(&latency, took);
    struct speaker *s = &speakers[from];
    if (number + 1 != s->sent)
        return;
    s->missing--;
    if ((int)from == c->index) {
        s->own_missing = false;
        if (measuring)
            histogram_add(&echo, took);
    }
    speak_on((int)from);
}

/* Note the number of people in a login or roster frame; in a long one it may be at either end. */
static void heard_roster(struct client *c, const uint8_t *payload, size_t length)
{
    static const char key[] = "\"count\":";
    const uint8_t *found = memmem(payload, length < 300 ? length : 300, key, sizeof key - 1);
    if (!found)
        found = memmem(payload, length, key, sizeof key - 1);
    if (found)
        c->people = atoi((const char *)found + sizeof key - 1);
}

static void now_ready(struct client *c)
{
    if (c->state == READY)
        return;
    c->state = READY;
    pending--;
    ready++;
}

static void refuse(const uint8_t *payload, size_t length)
{
    refused++;
    if (!first_refusal[0])
        for (size_t i = 0; i < length && i < sizeof first_refusal - 1; i++)
            first_refusal[i] = payload[i] == '"' || payload[i] == '\\' || payload[i] < ' ' ? '\'' : (char)payload[i];
}

static void heard_event(struct client *c, const uint8_t *payload, size_t length)
{
    const uint8_t *text;
    if (c->state == READY && (text = marked_text(payload, length))) {
        heard_message(c, text);
        return;
    }
    if (memmem(payload, length < 60 ? length : 60, "\"notice\"", 8))
        refuse(payload, length);
    heard_roster(c, payload, length);
    if (want.login && c->state == ENTERING)
        now_ready(c);
}

static void heard_ack(struct client *c, const uint8_t *payload, size_t length)
{
    if (c->index >= want.senders)
        fail("client %d was sent an ack that it never asked for", c->index);
    total.acks++;
    if (!memmem(payload, length, "\"ok\":true", 9))
        refuse(payload, length);
    struct speaker *s = &speakers[c->index];
    if (strtoul((const char *)payload + 2, NULL, 10) == s->sent - 1) {
        s->ack_missing = false;
        speak_on(c->index);
    }
}

static void enter(struct client *c)
{
    char packet[200];
    int at = sprintf(packet, "40");
    if (want.delta || want.rooms > 1) {
        at += sprintf(packet + at, "{");
        if (want.delta)
            at += sprintf(packet + at, "\"v\":1,\"roster\":\"delta\"%s", want.rooms > 1 ? "," : "");
        if (want.rooms > 1)
            at += sprintf(packet + at, "\"room\":\"bench-%d\"", room_of(c->index));
        at += sprintf(packet + at, "}");
    }
    c->state = ENTERING;
    send_packet(c, packet, (size_t)at);
}

static void heard_packet(struct client *c, const uint8_t *p, size_t length)
{
    if (p[0] == '2') {
        send_packet(c, "3", 1);
    } else if (p[0] == '0' && c->state == OPENING) {
        enter(c);
    } else if (length >= 2 && p[0] == '4' && p[1] == '2') {
        heard_event(c, p, length);
    } else if (length >= 2 && p[0] == '4' && p[1] == '3') {
        heard_ack(c, p, length);
    } else if (length >= 2 && p[0] == '4' && p[1] == '0') {
        if (!want.login)
            now_ready(c);
    } else if (length >= 2 && p[0] == '4' && p[1] == '4') {
        refuse(p, length);
        close_client(c);
    } else if (length >= 2 && p[0] == '4' && p[1] == '1') {
        kicked++;
        close_client(c);
    } else if (p[0] == '1') {
        close_client(c);
    } else if (p[0] != '6') {
        fail("client %d was sent an unknown packet: %.*s", c->index, (int)(length < 80 ? length : 80), (const char *)p);
    }
}

static void heard_frame(struct client *c, struct frame frame)
{
    if (frame.opcode == OP_PING)
        send_frame(c, OP_PONG, frame.payload, frame.length);
    else if (frame.opcode == OP_CLOSE)
        close_client(c);
    else if (frame.opcode != OP_TEXT || frame.length < 1)
        fail("client %d was sent a frame with opcode %d and %zu bytes", c->index, frame.opcode, frame.length);
    else
        heard_packet(c, frame.payload, frame.length);
}

/* Remember the session id of `0{"sid":"…",…}`. */
static void heard_open(struct client *c, const uint8_t *packet, size_t length)
{
    static const char key[] = "\"sid\":\"";
    const uint8_t *found = memmem(packet, length, key, sizeof key - 1);
    const uint8_t *sid = found ? found + sizeof key - 1 : packet + length;
    const uint8_t *quote = memchr(sid, '"', (size_t)(packet + length - sid));
    if (!quote || (size_t)(quote - sid) >= sizeof c->post->sid)
        fail("client %d was given no session id: %.*s", c->index, (int)(length < 80 ? length : 80), (const char *)packet);
    memcpy(c->post->sid, sid, (size_t)(quote - sid));
    c->state = OPENING;
}

/* A GET's answer has packets, and the next GET follows at once; a POST's lets the next one go. */
static void heard_response(struct client *c, struct response response)
{
    if (response.status != 200) {
        http_refused++;
        refuse(response.body, response.length);
        close_client(c);
        return;
    }
    if (c->owner) {
        c->owner->post->in_flight = false;
        send_post(c->owner);
        return;
    }
    if (c->state == HANDSHAKE)
        heard_open(c, response.body, response.length);
    const uint8_t *at = response.body, *stop = response.body + response.length;
    while (c->state != CLOSED && at < stop) {
        const uint8_t *separator = memchr(at, SEPARATOR, (size_t)(stop - at));
        const uint8_t *packet_end = separator ? separator : stop;
        if (packet_end > at)
            heard_packet(c, at, (size_t)(packet_end - at));
        at = packet_end + 1;
    }
    if (c->state != CLOSED)
        send_get(c);
}

static void start_handshake(struct client *c)
{
    static const char request[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YmVuY2htYXJrLWNsaWVudA==\r\n\r\n";
    char head[sizeof request + 10];
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    if (c->owner) {
        c->state = READY;
        send_post(c->owner);
        return;
    }
    c->state = HANDSHAKE;
    if (c->post) {
        send_get(c);
        return;
    }
    int length = sprintf(head, request, want.port);
    send_bytes(c, (uint8_t *)head, (size_t)length);
}

/* How many bytes of the response's head are used up; 0: it is not whole yet. */
static size_t take_response(struct client *c, const uint8_t *bytes, size_t length)
{
    size_t head = head_size(bytes, length);
    if (head == SIZE_MAX)
        fail("a response head without an end");
    if (head == 0)
        return 0;
    if (memcmp(bytes, "HTTP/1.1 101", 12) != 0) {
        http_refused++;
        refuse(bytes, head - 4);
        close_client(c);
        return length;
    }
    c->state = OPENING;
    return head;
}

/* What `frame_size` says of the next frame, or `response_size` of the next response. */
static size_t next_size(const uint8_t *bytes, size_t length)
{
    return want.polling ? response_size(bytes, length) : frame_size(bytes, length);
}

/* Use up what is whole in `bytes`; return how much that was. */
static size_t take(struct client *c, const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    if (c->state == HANDSHAKE && !want.polling && (at = take_response(c, bytes, length)) == 0)
        return 0;
    while (c->state != CLOSED && at < length) {
        size_t size = next_size(bytes + at, length - at);
        if (size == SIZE_MAX)
            fail("client %d was sent something that is no %s", c->index, want.polling ? "response with a Content-Length" : "frame");
        if (size == 0 || size > length - at)
            return at;
        if (want.polling)
            heard_response(c, response_at(bytes + at, size));
        else
            heard_frame(c, frame_at(bytes + at, size));
        at += size;
    }
    return length;
}

/* Make room for the rest of the frame that `part` begins. */
static void reserve(struct client *c)
{
    size_t size = c->state == HANDSHAKE && !want.polling ? HEAD_MAX + 1024 : next_size(c->part, c->part_length);
    if (size == 0)
        size = c->part_length + 1024;
    if (c->part_room < size) {
        c->part = grown(c->part, size);
        c->part_room = size;
    }
}

static void read_client(struct client *c)
{
    uint8_t *into = shared;
    size_t room = sizeof shared, have = 0;
    if (c->part_length) {
        reserve(c);
        into = c->part;
        have = c->part_length;
        room = c->part_room;
    }
    ssize_t got = recv(c->fd, into + have, room - have, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close_client(c);
        return;
    }
    turn_ns = now_ns();
    total.bytes_in += (uint64_t)got;
    size_t length = have + (size_t)got, used = take(c, into, length);
    if (c->state == CLOSED)
        return;
    size_t rest = length - used;
    if (rest && into == shared) {
        c->part = grown(c->part, rest);
        c->part_room = rest;
        memcpy(c->part, shared + used, rest);
    } else if (rest) {
        memmove(c->part, c->part + used, rest);
    } else if (c->part) {
        free(c->part);
        c->part = NULL;
        c->part_room = 0;
    }
    c->part_length = rest;
}

/* ---- the loop ---- */

/* One turn: wait at most `wait_ms`, then serve whatever is ready. Returns the number of events. */
static int turn(int wait_ms)
{
    static struct epoll_event events[1024];
    int count = epoll_wait(epoll, events, 1024, wait_ms);
    if (count < 0 && errno != EINTR)
        fail("epoll_wait: %s", strerror(errno));
    int64_t began = now_ns();
    for (int i = 0; i < count; i++) {
        struct client *c = events[i].data.ptr;
        uint32_t what = events[i].events;
        if (!c || c->state == CLOSED)
            continue;
        if (c->state == CONNECTING) {
            if (what & (EPOLLERR | EPOLLHUP))
                close_client(c);
            else if (what & EPOLLOUT)
                start_handshake(c);
            continue;
        }
        if (what & EPOLLOUT)
            flush(c);
        if (c->state != CLOSED && (what & (EPOLLIN | EPOLLERR | EPOLLHUP)))
            read_client(c);
    }
    int64_t took = now_ns() - began;
    if (measuring && took > longest_turn_ns)
        longest_turn_ns = took;
    return count;
}

static void mark(struct counters *at)
{
    *at = total;
    at->at_ns = now_ns();
    at->cpu_ns = process_cpu_ns(want.server_pid);
    at->own_cpu_ns = own_cpu_ns();
    if (want.server_pid && at->cpu_ns < 0)
        fail("the server (pid %d) has gone", want.server_pid);
}

static int least_people(void)
{
    int least = clients[0].people;
    for (int i = 1; i < want.clients; i++)
        least = clients[i].people < least ? clients[i].people : least;
    return least;
}

/* Nothing has come since `last_ns`: it is quiet, or no roster with more people is to be expected any more. */
static bool is_quiet(int64_t last_ns)
{
    int64_t silence_ns = now_ns() - last_ns;
    bool complete = !want.rosters || least_people() >= want.clients;
    return silence_ns >= (complete ? want.quiet_ms : UNTOLD_MS) * 1000000ll;
}

static void until_quiet(int64_t give_up_ns)
{
    int64_t last = now_ns();
    uint64_t seen = total.bytes_in;
    while (now_ns() < give_up_ns && !is_quiet(last)) {
        turn(20);
        if (total.bytes_in != seen) {
            seen = total.bytes_in;
            last = now_ns();
        }
    }
}

static void connect_all(int64_t deadline_ns)
{
    while (ready + closed < want.clients) {
        while (opened < want.clients && pending < want.ramp)
            connect_client(&clients[opened]);
        turn(20);
        if (now_ns() > deadline_ns)
            fail("only %d of %d clients entered in time", ready, want.clients);
    }
    until_quiet(deadline_ns);
}

/* Keep everyone connected until the orchestrator has measured and closes our standard input. */
static void hold(int64_t deadline_ns)
{
    printf("holding %d\n", ready);
    fflush(stdout);
    struct pollfd command = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&command, 1, 0) == 0 && now_ns() < deadline_ns)
        turn(20);
}

static bool everybody_has_all(void)
{
    for (int i = 0; i < want.clients; i++)
        for (int s = 0; s < want.senders; s++)
            if (!clients[i].stalled && room_of(i) == room_of(s) && clients[i].next[s] != speakers[s].sent)
                return false;
    return true;
}

/* Readers that stop: the kernel and the server keep for them what they do not fetch. */
static void stall(void)
{
    for (int i = want.clients - want.stall; i < want.clients; i++) {
        clients[i].stalled = true;
        watch(&clients[i], EPOLL_CTL_DEL, 0);
    }
}

static void resume_stalled(void)
{
    for (int i = want.clients - want.stall; i < want.clients; i++)
        watch(&clients[i], EPOLL_CTL_ADD, EPOLLIN);
    int64_t give_up = now_ns() + 3000000000ll;
    while (stalled_dropped < want.stall && now_ns() < give_up)
        turn(20);
}

static void speak_by_the_clock(int timer, int64_t first_due_ns, int64_t stop_ns)
{
    static int next;
    static int64_t due;
    int64_t interval = (int64_t)(1e9 / want.rate);
    uint64_t expirations;
    if (!due)
        due = first_due_ns;
    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        fail("timer: %s", strerror(errno));
    for (int64_t now = now_ns(); due <= now && due < stop_ns; due += interval) {
        if (measuring && now - due > worst_lateness_ns)
            worst_lateness_ns = now - due;
        speak(next, due); /* by the plan's time, so that our own lateness counts as latency */
        next = (next + 1) % want.senders;
    }
}

static struct timespec as_timespec(int64_t ns) { return (struct timespec){ns / 1000000000, ns % 1000000000}; }

/* It goes off at the very moments at which `speak_by_the_clock` finds something due: a plan of its own would make us late by
 * the difference of the two, and the lateness would count as latency. */
static int clock_timer(int64_t first_due_ns)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec plan = {as_timespec((int64_t)(1e9 / want.rate)), as_timespec(first_due_ns)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (timer < 0 || timerfd_settime(timer, TFD_TIMER_ABSTIME, &plan, NULL) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) < 0)
        fail("timer: %s", strerror(errno));
    return timer;
}

/* The warm-up is over: its time and, unless that takes too long, its messages. */
static bool is_warm(int64_t from_ns)
{
    int64_t now = now_ns();
    return now >= from_ns && (completions >= (uint64_t)want.warmup_messages || now >= from_ns + WARMUP_MAX_S * 1000000000ll);
}

static void talk(void)
{
    int64_t start = now_ns(), from = start + (int64_t)(want.warmup_s * 1e9), to = from + (int64_t)(want.seconds * 1e9);
    int64_t first_due = start + (int64_t)(want.rate > 0 ? 1e9 / want.rate : 0);
    int timer = want.rate > 0 ? clock_timer(first_due) : -1;
    talking = true;
    if (want.count) {
        mark(&begin);
        measuring = true;
    }
    if (!want.rate)
        for (int i = 0; i < want.senders; i++)
            speak(i, now_ns());
    while (want.count ? completions < (uint64_t)want.count * want.senders && now_ns() < to : !measuring || now_ns() < to) {
        turn(10);
        if (want.rate > 0)
            speak_by_the_clock(timer, first_due, to);
        if (!measuring && is_warm(from)) {
            mark(&begin);
            measuring = true;
            if (!want.rate)
                to = begin.at_ns + (int64_t)(want.seconds * 1e9);
        }
    }
    mark(&end);
    measuring = talking = false;
    if (timer >= 0)
        close(timer); /* nothing reads it any more, and it would end every wait at once */
    int64_t give_up = now_ns() + (int64_t)(want.drain_s * 1e9);
    while (!everybody_has_all() && now_ns() < give_up)
        turn(20);
    if (want.stall)
        resume_stalled();
}

/* ---- the report ---- */

static uint64_t still_missing(void)
{
    uint64_t missing = lost;
    for (int i = 0; i < want.clients; i++)
        for (int s = 0; s < want.senders; s++)
            if (!clients[i].stalled && room_of(i) == room_of(s))
                missing += speakers[s].sent - clients[i].next[s];
    return missing;
}

static bool same_order(void)
{
    for (int i = want.rooms; i < want.clients; i++)
        if (!clients[i].stalled && clients[i].order != clients[i % want.rooms].order)
            return false;
    return true;
}

static void report(const struct counters *start, const struct counters *entered, uint64_t talk_missing, bool ordered)
{
    double wall = (double)(end.at_ns - begin.at_ns) / 1e9;
    printf("{\"clients\": %d, \"http_refused\": %d, \"refused\": %llu, \"first_refusal\": \"%s\", \"closed\": %d, \"kicked\": %d,", want.clients,
           http_refused, (unsigned long long)refused, first_refusal, unexpectedly_closed, kicked);
    printf(" \"enter_wall_s\": %.6f, \"enter_cpu_s\": %.6f, \"enter_bytes\": %llu, \"least_people\": %d,",
           (double)(entered->at_ns - start->at_ns) / 1e9 - want.quiet_ms / 1e3, (double)(entered->cpu_ns - start->cpu_ns) / 1e9,
           (unsigned long long)entered->bytes_in, least_people());
    printf(" \"messages\": %llu, \"deliveries\": %llu, \"all_deliveries\": %llu, \"acks\": %llu, \"bytes_in\": %llu,", (unsigned long long)messages,
           (unsigned long long)(end.deliveries - begin.deliveries), (unsigned long long)total.deliveries,
           (unsigned long long)(end.acks - begin.acks), (unsigned long long)(end.bytes_in - begin.bytes_in));
    printf(" \"missing\": %llu, \"repeated\": %llu, \"same_order\": %s,", (unsigned long long)talk_missing, (unsigned long long)repeated,
           ordered ? "true" : "false");
    printf(" \"wall_s\": %.6f, \"server_cpu_s\": %.6f, \"load_cpu_s\": %.6f,", wall, (double)(end.cpu_ns - begin.cpu_ns) / 1e9,
           (double)(end.own_cpu_ns - begin.own_cpu_ns) / 1e9);
    printf(" \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"echo_p50_ms\": %.3f, \"echo_p99_ms\": %.3f,", histogram_ms(&latency, 0.5),
           histogram_ms(&latency, 0.99), (double)latency.highest_ns / 1e6, histogram_ms(&echo, 0.5), histogram_ms(&echo, 0.99));
    printf(" \"longest_turn_ms\": %.3f, \"lateness_ms\": %.3f, \"all_took_ms\": %.3f,", (double)longest_turn_ns / 1e6, (double)worst_lateness_ns / 1e6,
           first_send_ns ? (double)(last_completion_ns - first_send_ns) / 1e6 : 0.0);
    printf(" \"stalled_dropped\": %d}\n", stalled_dropped);
}

enum option_name { PORT = 1, PID, CLIENTS, RAMP, SENDERS, ROOMS, BYTES, COUNT, STALL, RATE, WARMUP, SECONDS, DEADLINE, DRAIN, ALL, ACK, DELTA, LOGIN, HOLD, POLLING, QUIET, ROSTERS, WARMUP_MESSAGES };

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, 0, PORT}, {"server-pid", 1, 0, PID}, {"clients", 1, 0, CLIENTS}, {"ramp", 1, 0, RAMP}, {"senders", 1, 0, SENDERS},
        {"rooms", 1, 0, ROOMS}, {"bytes", 1, 0, BYTES}, {"count", 1, 0, COUNT}, {"stall", 1, 0, STALL}, {"rate", 1, 0, RATE},
        {"warmup-s", 1, 0, WARMUP}, {"seconds", 1, 0, SECONDS}, {"deadline-s", 1, 0, DEADLINE}, {"drain-s", 1, 0, DRAIN},
        {"wait-for-all", 0, 0, ALL}, {"ack", 0, 0, ACK}, {"delta", 0, 0, DELTA}, {"login", 0, 0, LOGIN}, {"hold", 0, 0, HOLD},
        {"polling", 0, 0, POLLING}, {"quiet-ms", 1, 0, QUIET}, {"rosters", 0, 0, ROSTERS},
        {"warmup-messages", 1, 0, WARMUP_MESSAGES}, {0}};
    for (int name; (name = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (name) {
        case PORT: want.port = atoi(optarg); break;
        case PID: want.server_pid = atoi(optarg); break;
        case CLIENTS: want.clients = atoi(optarg); break;
        case RAMP: want.ramp = atoi(optarg); break;
        case SENDERS: want.senders = atoi(optarg); break;
        case ROOMS: want.rooms = atoi(optarg); break;
        case BYTES: want.bytes = atoi(optarg); break;
        case COUNT: want.count = atoi(optarg); break;
        case STALL: want.stall = atoi(optarg); break;
        case RATE: want.rate = atof(optarg); break;
        case WARMUP: want.warmup_s = atof(optarg); break;
        case SECONDS: want.seconds = atof(optarg); break;
        case DEADLINE: want.deadline_s = atof(optarg); break;
        case DRAIN: want.drain_s = atof(optarg); break;
        case ALL: want.wait_for_all = true; break;
        case ACK: want.ack = true; break;
        case DELTA: want.delta = true; break;
        case LOGIN: want.login = true; break;
        case HOLD: want.hold = true; break;
        case POLLING: want.polling = true; break;
        case QUIET: want.quiet_ms = atoi(optarg); break;
        case ROSTERS: want.rosters = true; break;
        case WARMUP_MESSAGES: want.warmup_messages = atoi(optarg); break;
        default: exit(2);
        }
    }
    if (want.port < 1 || want.clients < 1 || want.senders < 0 || want.senders + want.stall > want.clients || want.rooms < 1 || want.ramp < 1
        || want.bytes < MARK || want.bytes > TEXT_MAX || (want.rate > 0 && want.senders < 1) || (want.polling && want.stall)
        || (want.rate > 0 && want.warmup_messages))
        fail("these options do not go together");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)(want.deadline_s + want.seconds + want.warmup_s + want.drain_s + WARMUP_MAX_S + 30)); /* the last resort; SIGALRM ends us */
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if ((rlim_t)want.clients * (want.polling ? 2 : 1) + 20 > files.rlim_max)
        fail("%d clients need more than the %llu descriptors that are allowed", want.clients, (unsigned long long)files.rlim_max);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    clients = calloc((size_t)want.clients, sizeof *clients);
    speakers = calloc((size_t)want.senders + 1, sizeof *speakers);
    uint32_t *expected = calloc((size_t)want.clients * (size_t)(want.senders + 1), sizeof *expected);
    if (epoll < 0 || !clients || !speakers || !expected)
        fail("out of memory");
    for (int i = 0; i < want.clients; i++) {
        clients[i].index = i;
        clients[i].next = expected + (size_t)i * (size_t)want.senders;
        if (want.polling && !(clients[i].post = calloc(1, sizeof *clients[i].post)))
            fail("out of memory");
    }
    int64_t deadline_ns = now_ns() + (int64_t)(want.deadline_s * 1e9);
    struct counters start, entered;
    mark(&start);
    connect_all(deadline_ns);
    mark(&entered);
    uint64_t talk_missing = 0;
    bool ordered = true;
    if (want.hold)
        hold(deadline_ns);
    if (want.senders) {
        if (want.stall)
            stall();
        talk();
        talk_missing = still_missing();
        ordered = same_order();
    }
    report(&start, &entered, talk_missing, ordered);
    return 0;
}
