// What the load clients and the raw servers share: arguments, addresses, the clock, errors.
#ifndef THESEUS_BENCH_COMMON_H
#define THESEUS_BENCH_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATA_HEADER 13
#define OFFSET_LENGTH 9
enum { PACKET_ERROR = 1, PACKET_INFO = 2, PACKET_DATA = 3, PACKET_OFFSET = 4 };

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static inline double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// The value of --name, or NULL.
static inline const char *option(int count, char **arguments, const char *name) {
  for (int i = 1; i + 1 < count; i += 2) {
    if (strncmp(arguments[i], "--", 2) == 0 && strcmp(arguments[i] + 2, name) == 0) {
      return arguments[i + 1];
    }
  }
  return NULL;
}

static inline const char *text_option(int count, char **arguments, const char *name) {
  const char *value = option(count, arguments, name);
  if (value == NULL) {
    die("--%s is missing", name);
  }
  return value;
}

static inline uint64_t number_option(
    int count, char **arguments, const char *name, uint64_t otherwise) {
  const char *value = option(count, arguments, name);
  if (value == NULL) {
    return otherwise;
  }
  char *end;
  errno = 0;
  uint64_t number = strtoull(value, &end, 10);
  if (errno != 0 || *end != 0 || end == value) {
    die("--%s: %s (expected: a number)", name, value);
  }
  return number;
}

static inline struct sockaddr_in loopback(uint64_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static inline int connect_to(uint64_t port) {
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    die("connect to port %" PRIu64 ": %s", port, strerror(errno));
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static inline int listen_on(uint64_t port) {
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) {
    die("listen on port %" PRIu64 ": %s", port, strerror(errno));
  }
  return fd;
}

static inline void not_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// Sends all of it; for small messages on sockets that have room.
static inline void send_all(int fd, const void *bytes, size_t length) {
  const char *from = bytes;
  while (length > 0) {
    ssize_t sent = send(fd, from, length, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR || errno == EAGAIN) {
        continue;
      }
      die("send: %s", strerror(errno));
    }
    from += sent;
    length -= (size_t)sent;
  }
}

static inline uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t get_u64(const uint8_t *at) {
  return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

static inline void put_u32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24);
  at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8);
  at[3] = (uint8_t)value;
}

static inline void put_u64(uint8_t *at, uint64_t value) {
  put_u32(at, (uint32_t)(value >> 32));
  put_u32(at + 4, (uint32_t)value);
}

static inline size_t put_info(uint8_t *at, const char *text) {
  size_t length = strlen(text);
  at[0] = PACKET_INFO;
  put_u32(at + 1, (uint32_t)length);
  memcpy(at + 5, text, length);
  return 5 + length;
}

static inline size_t put_offset(uint8_t *at, uint64_t offset) {
  at[0] = PACKET_OFFSET;
  put_u64(at + 1, offset);
  return OFFSET_LENGTH;
}

// The one line on standard output that the caller reads.
static inline void report(uint64_t files, uint64_t bytes, double seconds) {
  printf("{\"files\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.6f}\n", files, bytes, seconds);
}
#endif
