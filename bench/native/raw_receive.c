// The least that a server of uploads can do and still promise what COMPLETE promises.
//
//   raw_receive --port P --directory DIR --name PREFIX --size BYTES [--second DIR | --next P]
//               [--tell 1] [--loop 1]
//
// A client sends the number of a file, 8 bytes, and its bytes; it gets one byte when the file is
// durable under its name; then the next one. What comes is written and hashed (SHA-256) and made
// durable every 8 MiB, as our server does before it acknowledges. At the end the staged file is
// synced, renamed, and its directory synced: after the answer a loss of power loses neither content
// nor name, and the name never shows half a file. That is what our COMPLETE gives.
//
// A thread for each connection: syncs of different files then run side by side, which is what makes
// many connections fast. With --loop 1 one thread serves all by epoll, and each sync stops them all.
//
// With --second everything is written to a file there, too, and both are synced at the same time:
// the least that a server on one machine can do for two copies.
//
// With --next everything is sent on from the file to another raw_receive with --tell, and both sync
// at the same time: the least that two servers can do of which one gets the bytes from the other.
// With --tell nothing is hashed, and each sync is answered by a byte, too.
#include "common.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define BUFFER (256u << 10)
#define SYNC_EVERY (8u << 20)

struct connection {
  int fd, next, files[2];
  unsigned number;
  size_t have; // of the request
  uint8_t request[8];
  uint64_t position, synced;
  EVP_MD_CTX *hash;
  char staged[64], name[64];
  uint8_t buffer[BUFFER];
};

static uint64_t size;
static const char *prefix;
static int directories[2];
static int copies = 1;
static uint64_t next_port;
static bool tells;

static void must(bool done, const char *what, const struct connection *c) {
  if (!done) {
    die("%s %s: %s", what, c->name, strerror(errno));
  }
}

static void begin(struct connection *c) {
  snprintf(c->name, sizeof c->name, "%s%06" PRIu64, prefix, get_u64(c->request));
  snprintf(c->staged, sizeof c->staged, ".staged-%u", c->number);
  for (int i = 0; i < copies; i++) {
    c->files[i] =
        openat(directories[i], c->staged, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(c->files[i] >= 0, "open", c);
  }
  if (next_port != 0) {
    send_all(c->next, c->request, sizeof c->request);
  }
  must(tells || EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL) == 1, "hash of", c);
  c->position = 0;
  c->synced = 0;
}

static void *sync_second(void *connection) {
  struct connection *c = connection;
  must(fdatasync(c->files[1]) == 0, "sync", c);
  return NULL;
}

// What the next one says once what it got is durable there: at the end with its name.
static void await_next(struct connection *c) {
  char said;
  must(next_port == 0 || recv(c->next, &said, 1, MSG_WAITALL) == 1, "the next one's answer for", c);
}

static void sync_files(struct connection *c) {
  pthread_t beside;
  if (copies > 1 && pthread_create(&beside, NULL, sync_second, c) != 0) {
    die("a thread for a sync: %s", strerror(errno));
  }
  must(fdatasync(c->files[0]) == 0, "sync", c);
  if (copies > 1) {
    pthread_join(beside, NULL);
  }
}

static void finish(struct connection *c) {
  uint8_t sum[EVP_MAX_MD_SIZE];
  must(tells || EVP_DigestFinal_ex(c->hash, sum, NULL) == 1, "hash of", c);
  sync_files(c);
  await_next(c);
  for (int i = copies - 1; i >= 0; i--) {
    must(renameat(directories[i], c->staged, directories[i], c->name) == 0, "rename", c);
    must(fsync(directories[i]) == 0, "sync of the directory of", c);
    close(c->files[i]);
  }
  c->have = 0;
  send_all(c->fd, "!", 1);
}

static void send_on(struct connection *c, size_t length) {
  off_t at = (off_t)c->position;
  off_t end = at + (off_t)length;
  while (next_port != 0 && at < end) {
    must(sendfile(c->next, c->files[0], &at, (size_t)(end - at)) > 0, "send on", c);
  }
}

static void take(struct connection *c, size_t length) {
  must(tells || EVP_DigestUpdate(c->hash, c->buffer, length) == 1, "hash of", c);
  for (int i = 0; i < copies; i++) {
    size_t at = 0;
    while (at < length) {
      ssize_t written = write(c->files[i], c->buffer + at, length - at);
      must(written > 0, "write", c);
      at += (size_t)written;
    }
  }
  send_on(c, length);
  c->position += length;
  if (c->position == size) {
    finish(c);
  } else if (c->position - c->synced == SYNC_EVERY) {
    sync_files(c);
    await_next(c);
    c->synced = c->position;
    if (tells) {
      send_all(c->fd, "s", 1);
    }
  }
}

// One read, and all that follows from it; false at the end of the connection.
static bool serve(struct connection *c) {
  bool begins = c->have < sizeof c->request;
  size_t missing = sizeof c->request - c->have;
  uint64_t in_file = begins ? size : size - c->position;
  uint64_t to_sync = begins ? SYNC_EVERY : SYNC_EVERY - (c->position - c->synced);
  uint64_t left = in_file < to_sync ? in_file : to_sync;
  struct iovec parts[] = {{c->request + c->have, missing}, {c->buffer, left < BUFFER ? left : BUFFER}};
  ssize_t got = readv(c->fd, parts + !begins, 1 + begins);
  if (got <= 0) {
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }
  size_t length = (size_t)got;
  if (begins) {
    size_t of_request = length < missing ? length : missing;
    c->have += of_request;
    length -= of_request;
    if (c->have == sizeof c->request) {
      begin(c);
    }
  }
  if (length > 0) {
    take(c, length);
  }
  return true;
}

static struct connection *accept_one(int listener, unsigned number) {
  struct connection *c = calloc(1, sizeof *c);
  c->number = number;
  c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  c->next = next_port == 0 ? -1 : connect_to(next_port);
  c->hash = EVP_MD_CTX_new();
  if (c->fd < 0 || c->hash == NULL) {
    die("accept: %s", strerror(errno));
  }
  return c;
}

static void end(struct connection *c) {
  close(c->fd);
  if (next_port != 0) {
    close(c->next);
  }
  EVP_MD_CTX_free(c->hash);
  free(c);
}

static void *serve_all(void *connection) {
  while (serve(connection)) {
  }
  end(connection);
  return NULL;
}

static void loop(int listener) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (unsigned number = 0;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (c == NULL) {
        event.data.ptr = c = accept_one(listener, number++);
        not_blocking(c->fd);
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
      } else if (!serve(c)) {
        end(c);
      }
    }
  }
}

int main(int count, char **arguments) {
  const char *paths[] = {
      text_option(count, arguments, "directory"), option(count, arguments, "second")};
  prefix = text_option(count, arguments, "name");
  size = number_option(count, arguments, "size", 0);
  copies = paths[1] == NULL ? 1 : 2;
  next_port = number_option(count, arguments, "next", 0);
  tells = number_option(count, arguments, "tell", 0) != 0;
  for (int i = 0; i < copies; i++) {
    directories[i] = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directories[i] < 0 || size == 0) {
      die("%s, --size %" PRIu64 " (expected: a directory, at least 1)", paths[i], size);
    }
  }
  int listener = listen_on(number_option(count, arguments, "port", 0));
  if (number_option(count, arguments, "loop", 0) != 0) {
    loop(listener);
  }
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  for (unsigned number = 0;; number++) {
    pthread_t thread;
    if (pthread_create(&thread, &detached, serve_all, accept_one(listener, number)) != 0) {
      die("a thread for a connection: %s", strerror(errno));
    }
  }
}
