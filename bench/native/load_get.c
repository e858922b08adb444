// Downloads as fast as the server sends: one thread, epoll, payload dropped inside the kernel
// (recv with MSG_TRUNC), so that the client costs as little as a client can.
//
//   load_get --protocol theseus|http|raw --port P --connections N --files F --size BYTES
//            --name PREFIX [--repeat R] [--pipeline 0|1] [--tls 0|1]
//
// File i of F is PREFIX followed by i in six digits. Every connection takes the next file when it
// has one whole, until F * R are done. With --pipeline 1 the next request leaves before the last
// answer is over: behind OFFSET(size) here, one ahead with HTTP. With --tls 1 all of it goes over
// TLS 1.3 with AES-128-GCM, the certificate unchecked; payload is decrypted, then dropped.
#include "common.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#define BUFFER 65536
#define ACKNOWLEDGE (8u << 20)
#define WINDOW (32u << 20)
// Payload up to here is cheaper to copy along with the header than to drop by a call of its own.
#define COPIED 16384

enum protocol { THESEUS, HTTP, RAW };

struct connection {
  int fd;
  SSL *tls;          // NULL: none
  int asked;         // requests sent whose answer is not over
  uint64_t skip;     // payload of the packet or body at hand that has not come yet
  uint64_t position; // bytes of the file that have come
  uint64_t acked;
  bool in_body;      // HTTP, raw: skip counts down to the end of the file
  size_t have;
  uint8_t buffer[BUFFER];
};

static enum protocol protocol;
static uint64_t port, files, size, repeat, started, finished, received;
static bool pipelined;
static SSL_CTX *context;
static uint8_t dropped[1u << 18];
static const char *prefix;

static bool more(void) { return started < files * repeat; }

static size_t put_request(uint8_t *at) {
  char text[512];
  uint64_t index = started++ % files;
  switch (protocol) {
    case THESEUS:
      snprintf(text, sizeof text, "GET %s%06" PRIu64 "\nWindow: %u\n", prefix, index, WINDOW);
      return put_info(at, text);
    case HTTP:
      return (size_t)sprintf((char *)at,
          "GET /%s%06" PRIu64 " HTTP/1.1\r\nHost: localhost\r\n\r\n", prefix, index);
    default:
      put_u64(at, index);
      return 8;
  }
}

static void begin_tls(struct connection *c) {
  c->tls = SSL_new(context);
  if (c->tls == NULL || SSL_set_fd(c->tls, c->fd) != 1 || SSL_connect(c->tls) != 1) {
    die("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
  }
  not_blocking(c->fd);
}

static void say(struct connection *c, const uint8_t *bytes, size_t length) {
  if (c->tls == NULL) {
    send_all(c->fd, bytes, length);
    return;
  }
  int sent;
  while ((sent = SSL_write(c->tls, bytes, (int)length)) <= 0) {
    if (SSL_get_error(c->tls, sent) != SSL_ERROR_WANT_WRITE) {
      die("SSL_write: %s", ERR_error_string(ERR_get_error(), NULL));
    }
  }
}

// As recv does; without a place, payload is dropped.
static ssize_t hear(struct connection *c, uint8_t *into, uint64_t most) {
  if (c->tls == NULL) {
    return recv(c->fd, into, most, MSG_DONTWAIT | (into == NULL ? MSG_TRUNC : 0));
  }
  int got = into == NULL ? SSL_read(c->tls, dropped, (int)(most < sizeof dropped ? most : sizeof dropped))
                         : SSL_read(c->tls, into, (int)most);
  if (got > 0) {
    return got;
  }
  int error = SSL_get_error(c->tls, got);
  if (error == SSL_ERROR_ZERO_RETURN) {
    return 0;
  }
  if (error != SSL_ERROR_WANT_READ) {
    die("SSL_read: %s", ERR_error_string(ERR_get_error(), NULL));
  }
  errno = EAGAIN;
  return -1;
}

static void ask(struct connection *c) {
  uint8_t request[1024];
  c->asked++;
  say(c, request, put_request(request));
}

// A file has come whole; the answer to the next request may be in the buffer already.
static void file_over(struct connection *c) {
  finished++;
  c->asked--;
  c->position = 0;
  c->acked = 0;
  // one ahead; here the next one left with OFFSET(size)
  if (more() && c->asked < (pipelined && protocol != THESEUS ? 2 : 1)) {
    ask(c);
  }
}

static void advance(struct connection *c, uint64_t bytes) {
  c->skip -= bytes;
  c->position += bytes;
  received += bytes;
  if (protocol != THESEUS) {
    if (c->skip == 0) {
      c->in_body = false;
      file_over(c);
    }
    return;
  }
  bool last = c->position == size;
  if (last || c->position - c->acked >= ACKNOWLEDGE) {
    uint8_t message[1024];
    size_t length = put_offset(message, c->position);
    c->acked = c->position;
    if (last && pipelined && more()) {
      c->asked++;
      length += put_request(message + length);
    }
    say(c, message, length);
  }
}

static size_t take_theseus(struct connection *c, const uint8_t *at, size_t length) {
  if (length < 5) {
    return 0;
  }
  uint32_t body = get_u32(at + 1);
  if (at[0] == PACKET_DATA) {
    if (length < DATA_HEADER) {
      return 0;
    }
    if (get_u64(at + 5) != c->position) {
      die("DATA at %" PRIu64 " (expected: %" PRIu64 ")", get_u64(at + 5), c->position);
    }
    c->skip = body;
    return DATA_HEADER;
  }
  if (length < 5 + (size_t)body) {
    return 0;
  }
  if (at[0] != PACKET_INFO) {
    die("packet %d: %.*s", at[0], (int)body, at + 5);
  }
  if (body >= 8 && memcmp(at + 5, "COMPLETE", 8) == 0) {
    file_over(c);
  }
  return 5 + body;
}

static size_t take_http(struct connection *c, const uint8_t *at, size_t length) {
  const uint8_t *end = memmem(at, length, "\r\n\r\n", 4);
  if (end == NULL) {
    return 0;
  }
  const uint8_t *field = memmem(at, (size_t)(end - at), "Content-Length: ", 16);
  if (memcmp(at, "HTTP/1.1 200", 12) != 0 || field == NULL) {
    die("answer: %.*s (expected: 200 with a length)", (int)(end - at), at);
  }
  c->skip = strtoull((const char *)field + 16, NULL, 10);
  if (c->skip != size) {
    die("Content-Length: %" PRIu64 " (expected: %" PRIu64 ")", c->skip, size);
  }
  c->in_body = true;
  return (size_t)(end - at) + 4;
}

static void take_buffer(struct connection *c) {
  size_t at = 0;
  while (at < c->have) {
    if (c->skip > 0) {
      uint64_t there = c->have - at < c->skip ? c->have - at : c->skip;
      at += there;
      advance(c, there);
      continue;
    }
    size_t used = protocol == THESEUS ? take_theseus(c, c->buffer + at, c->have - at)
                                      : take_http(c, c->buffer + at, c->have - at);
    if (used == 0) {
      break;
    }
    at += used;
  }
  memmove(c->buffer, c->buffer + at, c->have - at);
  c->have -= at;
}

static void on_readable(struct connection *c) {
  while (c->asked > 0) {
    if (protocol == RAW && c->skip == 0) {
      c->skip = size;
    }
    ssize_t got;
    if (c->have == 0 && (c->skip > COPIED || (protocol == RAW && c->skip > 0))) {
      uint64_t most = c->skip < (1u << 30) ? c->skip : 1u << 30;
      got = hear(c, NULL, most);
      if (got > 0) {
        advance(c, (uint64_t)got);
        continue;
      }
    } else {
      // of large files no payload is copied but what follows a header in the same segment
      size_t most = size > COPIED && c->have < 512 ? 512 : BUFFER;
      if (c->have == BUFFER) {
        die("an answer longer than %d bytes", BUFFER);
      }
      got = hear(c, c->buffer + c->have, most - c->have);
      if (got > 0) {
        c->have += (size_t)got;
        take_buffer(c);
        continue;
      }
    }
    if (got == 0) {
      die("the server closed a connection in mid-transfer");
    }
    if (errno == EAGAIN) {
      return;
    }
    if (errno != EINTR) {
      die("recv: %s", strerror(errno));
    }
  }
}

int main(int count, char **arguments) {
  const char *spoken = text_option(count, arguments, "protocol");
  protocol = strcmp(spoken, "theseus") == 0 ? THESEUS : strcmp(spoken, "http") == 0 ? HTTP : RAW;
  port = number_option(count, arguments, "port", 0);
  files = number_option(count, arguments, "files", 1);
  size = number_option(count, arguments, "size", 0);
  repeat = number_option(count, arguments, "repeat", 1);
  pipelined = number_option(count, arguments, "pipeline", 0) != 0;
  prefix = text_option(count, arguments, "name");
  uint64_t connections = number_option(count, arguments, "connections", 1);

  bool tls = number_option(count, arguments, "tls", 0) != 0;
  if (tls) {
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1
        || SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) {
      die("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
    }
    SSL_CTX_set_read_ahead(context, 1);
  }

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct connection *all = calloc(connections, sizeof *all);
  for (uint64_t i = 0; i < connections; i++) {
    all[i].fd = connect_to(port);
    if (tls) {
      begin_tls(&all[i]);
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = &all[i]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  double began = now_seconds();
  for (uint64_t i = 0; i < connections && more(); i++) {
    ask(&all[i]);
    if (pipelined && protocol != THESEUS && more()) {
      ask(&all[i]);
    }
  }
  while (finished < files * repeat) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, 30000);
    if (ready == 0) {
      die("nothing came for 30 s: %" PRIu64 " of %" PRIu64 " files", finished, files * repeat);
    }
    for (int i = 0; i < ready; i++) {
      on_readable(events[i].data.ptr);
    }
  }
  report(finished, received, now_seconds() - began);
  return 0;
}
