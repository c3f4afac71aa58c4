/* The floor: what one send(2) per client per message costs with nothing above it. TCP_NODELAY is set: without it the kernel
 * batches by itself (Nagle) and the figure means something else.
 *
 * Usage: floor PORT [LOSE]. One epoll loop that speaks as much WebSocket, Engine.IO and Socket.IO as the load generator needs and no
 * more: it checks nothing, so never serve people with it. A `msg` event is relayed to everybody as it came. With LOSE every
 * LOSE-th delivery is left out, so that a test can see that the load generator notices.
 */
#define _GNU_SOURCE
#include "../load/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 20000, BUFFER = 1 << 16, OUT_MAX = 16 << 20 };

struct client {
    int fd, place; /* its place among the members; -1 before CONNECT */
    bool upgraded;
    uint8_t *in, *out; /* allocated only while something waits in them */
    size_t in_length, out_length;
};

static struct client *members[CLIENTS_MAX];
static int epoll, member_count;
static unsigned long lose, deliveries;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void leave(struct client *c)
{
    if (c->place >= 0) {
        members[c->place] = members[--member_count];
        members[c->place]->place = c->place;
        c->place = -1;
    }
    close(c->fd);
    c->fd = -1; /* freed by the loop, because a broadcast may be using it */
}

static void watch(struct client *c, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event) < 0)
        fail("epoll_ctl");
}

/* Returns whether the client is still there. */
static bool send_bytes(struct client *c, const uint8_t *bytes, size_t length)
{
    ssize_t sent = c->out_length ? 0 : send(c->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0)
        sent = errno == EAGAIN ? 0 : -1;
    if (sent < 0 || c->out_length + length > OUT_MAX) {
        leave(c);
        return false;
    }
    size_t rest = length - (size_t)sent;
    if (rest) {
        if (!c->out_length)
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        c->out = realloc(c->out, c->out_length + rest);
        if (!c->out)
            fail("realloc");
        memcpy(c->out + c->out_length, bytes + sent, rest);
        c->out_length += rest;
    }
    return true;
}

static void flush(struct client *c)
{
    ssize_t sent = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN)
            leave(c);
        return;
    }
    c->out_length -= (size_t)sent;
    memmove(c->out, c->out + sent, c->out_length);
    if (!c->out_length)
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static size_t text_frame(uint8_t *out, const void *text, size_t length)
{
    size_t header = length < 126 ? 2 : 4; /* BUFFER keeps it below 64 KiB */
    out[0] = 0x81;
    out[1] = length < 126 ? (uint8_t)length : 126;
    if (header == 4) {
        out[2] = (uint8_t)(length >> 8);
        out[3] = (uint8_t)length;
    }
    memcpy(out + header, text, length);
    return header + length;
}

static bool say(struct client *c, const char *text)
{
    uint8_t frame[300];
    return send_bytes(c, frame, text_frame(frame, text, strlen(text)));
}

static void relay(const uint8_t *text, size_t length)
{
    static uint8_t frame[BUFFER + 10];
    size_t size = text_frame(frame, text, length);
    for (int i = member_count - 1; i >= 0; i--) /* backwards: one that leaves is replaced by one already served */
        if (!lose || ++deliveries % lose)
            send_bytes(members[i], frame, size);
}

static void heard(struct client *c, const uint8_t *text, size_t length)
{
    if (length >= 2 && memcmp(text, "40", 2) == 0 && c->place < 0 && member_count < CLIENTS_MAX) {
        if (say(c, "40{\"sid\":\"floor\"}")) {
            c->place = member_count;
            members[member_count++] = c;
        }
    } else if (length >= 2 && memcmp(text, "42", 2) == 0) {
        relay(text, length);
    }
}

/* Unmask and handle the frames that are whole; return how many bytes they took. */
static size_t take_frames(struct client *c, uint8_t *bytes, size_t length)
{
    size_t at = 0;
    while (c->fd >= 0 && length - at >= 6) {
        size_t payload = bytes[at + 1] & 0x7F, header = 2;
        if (payload == 126) {
            payload = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
            header = 4;
        }
        if (at + header + 4 + payload > length)
            break;
        uint8_t *mask = bytes + at + header, *text = mask + 4;
        for (size_t i = 0; i < payload; i++)
            text[i] ^= mask[i & 3];
        if ((bytes[at] & 0x0F) == OP_TEXT)
            heard(c, text, payload);
        else if ((bytes[at] & 0x0F) == OP_CLOSE)
            leave(c);
        at += header + 4 + payload;
    }
    return at;
}

static void greet(struct client *c)
{
    static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    c->upgraded = true;
    if (send_bytes(c, (const uint8_t *)head, sizeof head - 1))
        say(c, "0{\"sid\":\"floor\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}");
}

static void read_client(struct client *c)
{
    static uint8_t buffer[BUFFER];
    if (c->in_length)
        memcpy(buffer, c->in, c->in_length);
    ssize_t got = recv(c->fd, buffer + c->in_length, sizeof buffer - c->in_length, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            leave(c);
        return;
    }
    size_t length = c->in_length + (size_t)got, used = 0;
    if (c->upgraded) {
        used = take_frames(c, buffer, length);
    } else if (memmem(buffer, length, "\r\n\r\n", 4)) {
        greet(c); /* the client waits for the answer: nothing follows its request */
        used = length;
    }
    c->in_length = length - used;
    free(c->in);
    c->in = c->in_length ? malloc(c->in_length) : NULL;
    if (c->in_length)
        memcpy(c->in, buffer + used, c->in_length);
}

static void accept_clients(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct client *c = calloc(1, sizeof *c);
        if (!c)
            fail("calloc");
        c->fd = fd;
        c->place = -1;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return fputs("usage: floor PORT [LOSE]\n", stderr), 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    lose = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 4096) < 0)
        fail("listen");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[256], listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) < 0)
        fail("epoll");
    for (;;) {
        int count = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            struct client *c = ready[i].data.ptr;
            if (!c) {
                accept_clients(listener);
                continue;
            }
            if (c->fd >= 0 && (ready[i].events & EPOLLOUT))
                flush(c);
            if (c->fd >= 0 && (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
                read_client(c);
            if (c->fd < 0) {
                free(c->in);
                free(c->out);
                free(c);
            }
        }
    }
}
