// The least that a server of files can do: epoll and sendfile, one thread, files opened beforehand.
//
//   raw_send --port P --directory DIR --name PREFIX --files F [--turn BYTES] [--buffer BYTES]
//
// A client sends the number of a file, 8 bytes, and gets its bytes; then the next one. Each turn of a
// connection fills its socket, which the kernel lets grow. --turn (at most so many bytes at once) and
// --buffer (SO_SNDBUF) are here to show what makes such a loop slow: a queue that is short when the
// loop leaves it; see bench/peers/notes.md.
#include "common.h"
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

struct connection {
  int fd, file;
  off_t at, end;
  size_t have;
  uint8_t request[8];
};

static int *opened;
static off_t *sizes;
static uint64_t files, turn_bytes, buffer_bytes;

// Whether there is more that can be sent at once.
static bool serve(struct connection *c) {
  if (c->at == c->end) {
    ssize_t got = recv(c->fd, c->request + c->have, 8 - c->have, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      close(c->fd);
      free(c);
      return false;
    }
    c->have += got < 0 ? 0 : (size_t)got;
    if (c->have < 8) {
      return false;
    }
    uint64_t index = get_u64(c->request) % files;
    c->have = 0;
    c->file = opened[index];
    c->at = 0;
    c->end = sizes[index];
  }
  uint64_t left = (uint64_t)(c->end - c->at);
  size_t most = left < turn_bytes ? left : turn_bytes;
  ssize_t sent = sendfile(c->fd, c->file, &c->at, most);
  return sent > 0;
}

static struct connection *accept_one(int listener) {
  struct connection *c = calloc(1, sizeof *c);
  c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (c->fd < 0) {
    die("accept: %s", strerror(errno));
  }
  int on = 1, buffer = (int)buffer_bytes;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (buffer > 0) {
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }
  return c;
}

int main(int count, char **arguments) {
  turn_bytes = number_option(count, arguments, "turn", 1u << 30);
  buffer_bytes = number_option(count, arguments, "buffer", 0);
  files = number_option(count, arguments, "files", 1);
  opened = calloc(files, sizeof *opened);
  sizes = calloc(files, sizeof *sizes);
  for (uint64_t i = 0; i < files; i++) {
    char path[4096];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s%06" PRIu64, text_option(count, arguments, "directory"),
        text_option(count, arguments, "name"), i);
    opened[i] = open(path, O_RDONLY | O_CLOEXEC);
    if (opened[i] < 0 || fstat(opened[i], &status) != 0) {
      die("%s: %s", path, strerror(errno));
    }
    sizes[i] = status.st_size;
  }
  int listener = listen_on(number_option(count, arguments, "port", 0));
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  // those that may go on at once, in turn with the others
  struct connection *again[1024];
  int waiting = 0;
  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, waiting > 0 ? 0 : -1);
    struct connection *turn[1024 + 256];
    int turns = 0;
    for (int i = 0; i < waiting; i++) {
      turn[turns++] = again[i];
    }
    waiting = 0;
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (c == NULL) {
        c = accept_one(listener);
        struct epoll_event both = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &both);
        continue;
      }
      bool there = false;
      for (int j = 0; j < turns && !there; j++) {
        there = turn[j] == c;
      }
      if (!there) {
        turn[turns++] = c;
      }
    }
    for (int i = 0; i < turns; i++) {
      if (serve(turn[i])) {
        again[waiting++] = turn[i];
      }
    }
  }
}
