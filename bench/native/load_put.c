// Uploads as fast as the server takes: a thread for each connection, payload by sendfile from
// memory, so that the client costs as little as a client can.
//
//   load_put --protocol theseus|http|raw --port P --connections N --files F --size BYTES
//            --name PREFIX [--repeat R] [--fsync DIRECTORY]
//
// A file counts when the server says that it is done and, with --fsync, for a server that does not
// make it durable itself, when DIRECTORY/NAME and DIRECTORY have been fsynced by this client.
// The content is a pattern (of xorshift64, as io.theseus.bench.Pattern makes it) again and
// again, file i beginning at byte i * STEP of it. Its length is no part of the lengths that a server
// works in, so that bytes at a wrong place, or in a wrong file, are found.
#include "common.h"
#include <pthread.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#define PATTERN (2053u << 12)
#define STEP 4093u
#define DATA (1u << 20)

enum protocol { THESEUS, HTTP, RAW };

static enum protocol protocol;
static uint64_t port, files, size, repeat;
static const char *prefix, *directory;
static int pattern;
static _Atomic uint64_t started, finished;

struct input {
  int fd;
  size_t have;
  uint8_t buffer[8192];
};

static int make_pattern(void) {
  int fd = memfd_create("pattern", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, PATTERN) != 0) {
    die("memfd: %s", strerror(errno));
  }
  uint64_t *words = mmap(NULL, PATTERN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i < PATTERN / 8; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    words[i] = state;
  }
  munmap(words, PATTERN);
  return fd;
}

static void send_pattern(int fd, uint64_t index, uint64_t from, uint64_t length) {
  from += index * STEP;
  while (length > 0) {
    off_t at = (off_t)(from % PATTERN);
    uint64_t most = PATTERN - (uint64_t)at < length ? PATTERN - (uint64_t)at : length;
    ssize_t sent = sendfile(fd, pattern, &at, most);
    if (sent <= 0) {
      die("sendfile: %s", strerror(errno));
    }
    from += (uint64_t)sent;
    length -= (uint64_t)sent;
  }
}

static void fill(struct input *in) {
  ssize_t got = recv(in->fd, in->buffer + in->have, sizeof in->buffer - in->have, 0);
  if (got <= 0) {
    die("the server closed a connection in mid-transfer: %s", got < 0 ? strerror(errno) : "");
  }
  in->have += (size_t)got;
}

static void drop(struct input *in, size_t used) {
  memmove(in->buffer, in->buffer + used, in->have - used);
  in->have -= used;
}

// Takes one packet, waits for it; OFFSET gives its number, INFO UINT64_MAX - 1, COMPLETE UINT64_MAX.
#define INFO_TAKEN (UINT64_MAX - 1)
#define COMPLETE_TAKEN UINT64_MAX

static uint64_t take_packet(struct input *in) {
  for (;;) {
    if (in->have >= OFFSET_LENGTH && in->buffer[0] == PACKET_OFFSET) {
      uint64_t offset = get_u64(in->buffer + 1);
      drop(in, OFFSET_LENGTH);
      return offset;
    }
    if (in->have >= 5 && in->buffer[0] != PACKET_OFFSET) {
      uint32_t length = get_u32(in->buffer + 1);
      if (in->have >= 5 + (size_t)length) {
        if (in->buffer[0] != PACKET_INFO) {
          die("packet %d: %.*s", in->buffer[0], (int)length, in->buffer + 5);
        }
        bool complete = length >= 8 && memcmp(in->buffer + 5, "COMPLETE", 8) == 0;
        drop(in, 5 + length);
        return complete ? COMPLETE_TAKEN : INFO_TAKEN;
      }
    }
    fill(in);
  }
}

static bool something_came(struct input *in) {
  struct pollfd poll_for = {.fd = in->fd, .events = POLLIN};
  return in->have >= OFFSET_LENGTH || poll(&poll_for, 1, 0) > 0;
}

static void put_theseus(struct input *in, uint64_t index) {
  uint8_t message[1024];
  char text[512];
  snprintf(text, sizeof text, "PUT %s%06" PRIu64 "\nSize: %" PRIu64 "\n", prefix, index, size);
  send_all(in->fd, message, put_info(message, text));
  uint64_t acked = UINT64_MAX;
  uint64_t window = 16u << 20;
  uint64_t position = 0;
  bool complete = false;
  while (!complete) {
    bool may_send = acked != UINT64_MAX && position < size && position + DATA <= acked + window;
    if (!may_send || something_came(in)) {
      uint64_t packet = take_packet(in);
      complete = packet == COMPLETE_TAKEN;
      if (packet < INFO_TAKEN) {
        acked = packet;
      }
      continue;
    }
    uint64_t length = size - position < DATA ? size - position : DATA;
    message[0] = PACKET_DATA;
    put_u32(message + 1, (uint32_t)length);
    put_u64(message + 5, position);
    if (send(in->fd, message, DATA_HEADER, MSG_MORE | MSG_NOSIGNAL) != DATA_HEADER) {
      die("send: %s", strerror(errno));
    }
    send_pattern(in->fd, index, position, length);
    position += length;
  }
}

static void put_http(struct input *in, uint64_t index) {
  char text[512];
  int length = snprintf(text, sizeof text,
      "PUT /%s%06" PRIu64 " HTTP/1.1\r\nHost: localhost\r\nContent-Length: %" PRIu64 "\r\n\r\n",
      prefix, index, size);
  send(in->fd, text, (size_t)length, MSG_MORE | MSG_NOSIGNAL);
  send_pattern(in->fd, index, 0, size);
  uint8_t *end;
  while ((end = memmem(in->buffer, in->have, "\r\n\r\n", 4)) == NULL) {
    fill(in);
  }
  if (memcmp(in->buffer, "HTTP/1.1 201", 12) != 0 && memcmp(in->buffer, "HTTP/1.1 204", 12) != 0) {
    die("answer: %.*s (expected: 201 or 204)", (int)(end - in->buffer), in->buffer);
  }
  drop(in, (size_t)(end - in->buffer) + 4); // both have no body here (Content-Length: 0)
}

static void put_raw(struct input *in, uint64_t index) {
  uint8_t message[8];
  put_u64(message, index);
  send(in->fd, message, sizeof message, MSG_MORE | MSG_NOSIGNAL);
  send_pattern(in->fd, index, 0, size);
  while (in->have == 0) {
    fill(in);
  }
  drop(in, 1);
}

static void make_durable(uint64_t index) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%06" PRIu64, directory, prefix, index);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync(fd) != 0) {
    die("%s: %s", path, strerror(errno));
  }
  close(fd);
  *strrchr(path, '/') = 0;
  fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fsync(fd) != 0) {
    die("%s: %s", path, strerror(errno));
  }
  close(fd);
}

static void *upload(void *socket) {
  struct input *in = socket;
  for (;;) {
    uint64_t index = started++;
    if (index >= files * repeat) {
      return NULL;
    }
    index %= files;
    switch (protocol) {
      case THESEUS: put_theseus(in, index); break;
      case HTTP: put_http(in, index); break;
      case RAW: put_raw(in, index); break;
    }
    if (directory != NULL) {
      make_durable(index);
    }
    finished++;
  }
}

int main(int count, char **arguments) {
  const char *spoken = text_option(count, arguments, "protocol");
  protocol = strcmp(spoken, "theseus") == 0 ? THESEUS : strcmp(spoken, "http") == 0 ? HTTP : RAW;
  port = number_option(count, arguments, "port", 0);
  files = number_option(count, arguments, "files", 1);
  size = number_option(count, arguments, "size", 0);
  repeat = number_option(count, arguments, "repeat", 1);
  prefix = text_option(count, arguments, "name");
  directory = option(count, arguments, "fsync");
  uint64_t connections = number_option(count, arguments, "connections", 1);
  pattern = make_pattern();
  struct input *inputs = calloc(connections, sizeof *inputs);
  pthread_t *threads = calloc(connections, sizeof *threads);
  for (uint64_t i = 0; i < connections; i++) {
    inputs[i].fd = connect_to(port);
  }
  double began = now_seconds();
  for (uint64_t i = 0; i < connections; i++) {
    pthread_create(&threads[i], NULL, upload, &inputs[i]);
  }
  for (uint64_t i = 0; i < connections; i++) {
    pthread_join(threads[i], NULL);
  }
  report(finished, finished * size, now_seconds() - began);
  return 0;
}
