// A crowd of downloads whose arrivals are stamped by the kernel: one thread, epoll. What came last
// is kept in memory, and written down where the caller asks for a stretch of it.
//
//   load_upgrade --port P --connections N --name FILE --kind exchange|paced|saturating|idle
//                --window BYTES [--interval MICROSECONDS] [--seed S]
//
// exchange, paced: each connection acknowledges a whole window every interval, whatever the others
// do, and gets the next one in one DATA. A connection whose DATA is late acknowledges as soon as it
// is there, and its waiting counts from when it was due: a slow server doesn't slow the load. What
// this program is late with counts for nobody: a wait begins when the acknowledgement leaves.
// saturating: acknowledges half windows as they come; payload is dropped in the kernel.
// idle: gets the first window and never acknowledges.
//
// Says "ready" when each connection has got its first DATA. Commands on standard input, a line each:
//   begin               forgets which sessions were told RESUMED; answers "begun"
//   pace MICROS         another interval, from now on
//   stall PID MICROS    at the next RESUMED, stops that process for so long (SIGSTOP, SIGCONT);
//                       answers "armed"
//   count               answers "count N STALLED": sessions that were told RESUMED since begin, or
//                       ended or began, so that they may never be; and when (nanoseconds of the wall
//                       clock) a stall began; 0 for none
//   dump FROM TO FILE   writes what was due between two times, and all RESUMED since the first;
//                       answers "dumped N"
// End of input ends it.
//
// A record: i64 due, i64 arrived (nanoseconds of the wall clock), u32 connection, u32 bytes, all in
// this machine's order. due: when the wait began; for saturating the arrival before. bytes 0:
// RESUMED. arrived 0: has not come yet.
#include "common.h"
#include <signal.h>
#include <sys/epoll.h>

#define BUFFER 512
#define KEPT (1u << 21)
#define PIECE (64u << 10)
// Pieces of one connection before the others get their turn.
#define TURN 16
#define NANOS 1000000000ll

enum kind { EXCHANGE, PACED, SATURATING, IDLE };

struct connection {
  int fd;
  bool answered;    // the first DATA is there
  bool waits;       // acknowledged, and the DATA has not come whole
  int64_t overdue;  // since when it is to acknowledge as soon as it has; 0: is not
  int64_t due;      // when the wait began; 0 for one that counts for nothing
  int64_t last;     // the last arrival
  uint64_t skip;    // payload of the packet at hand that has not come
  uint64_t position;
  uint64_t acked;
  uint64_t size;
  uint32_t bytes;   // of the window at hand, so far
  bool resumed;
  size_t have;
  uint8_t buffer[BUFFER];
};

struct record {
  int64_t due;
  int64_t arrived;
  uint32_t connection;
  uint32_t bytes;
};

static enum kind kind;
static uint64_t count, window;
static uint64_t ticked;
static int64_t pace_began, step;
static const char *name;
static struct connection *all;
static struct record *kept;
static uint64_t recorded;
static uint64_t answered, resumed;
static pid_t stall_pid;
static int64_t stall_nanos, stall_began, stall_end;

static int64_t wall(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * NANOS + now.tv_nsec;
}

static void record(struct connection *c, int64_t due, int64_t arrived, uint32_t bytes) {
  kept[recorded++ % KEPT] = (struct record){due, arrived, (uint32_t)(c - all), bytes};
}

// A session that is told RESUMED, is over, or has just begun (maybe behind the switch, when it has
// nothing to follow) is not waited for.
static void counted(struct connection *c) {
  if (!c->resumed) {
    c->resumed = true;
    resumed++;
  }
}

static void ask(struct connection *c) {
  char text[512];
  uint8_t request[600];
  snprintf(text, sizeof text, "GET %s\nWindow: %" PRIu64 "\n", name, window);
  c->position = c->acked = 0;
  c->size = UINT64_MAX;
  send_all(c->fd, request, put_info(request, text));
}

static void acknowledge(struct connection *c, int64_t due) {
  uint8_t message[OFFSET_LENGTH];
  c->acked = c->position;
  c->waits = c->position < c->size;
  c->due = due;
  c->bytes = 0;
  send_all(c->fd, message, put_offset(message, c->position));
}

// Its time has come.
static void tick(struct connection *c) {
  if (!c->waits) {
    acknowledge(c, wall());
  } else if (c->overdue == 0) {
    c->overdue = wall();
  }
}

static void on_resumed(struct connection *c, int64_t arrived) {
  record(c, arrived, arrived, 0);
  counted(c);
  if (stall_pid != 0 && stall_began == 0) {
    stall_began = wall();
    stall_end = stall_began + stall_nanos;
    kill(stall_pid, SIGSTOP);
  }
}

// Payload has come.
static void advance(struct connection *c, uint64_t bytes, int64_t arrived) {
  c->skip -= bytes;
  c->position += bytes;
  c->bytes += (uint32_t)bytes;
  bool whole = c->skip == 0 && (c->position - c->acked >= window || c->position == c->size);
  if (!c->answered && c->skip == 0) {
    c->answered = true;
    answered++;
  }
  if (kind == SATURATING) {
    if (c->last != 0) {
      record(c, c->last, arrived, (uint32_t)bytes);
    }
    c->last = arrived;
    if (c->position == c->size || c->position - c->acked >= window / 2) {
      acknowledge(c, 0);
    }
    return;
  }
  if (!whole) {
    return;
  }
  if (c->waits && c->due != 0) {
    record(c, c->due, arrived, c->bytes);
  }
  c->waits = false;
  if (c->position == c->size) {
    acknowledge(c, 0); // ends it; the next GET follows COMPLETE
  } else if (c->overdue != 0) {
    acknowledge(c, c->overdue);
    c->overdue = 0;
  }
}

static uint64_t size_in(const uint8_t *text, size_t length) {
  const uint8_t *at = memmem(text, length, "\nSize: ", 7);
  return at == NULL ? UINT64_MAX : strtoull((const char *)at + 7, NULL, 10);
}

static size_t take_packet(struct connection *c, const uint8_t *at, size_t length, int64_t arrived) {
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
  if (5 + (size_t)body > BUFFER) {
    die("packet %d of %" PRIu32 " bytes (expected: at most %d)", at[0], body, BUFFER - 5);
  }
  if (length < 5 + (size_t)body) {
    return 0;
  }
  if (at[0] != PACKET_INFO) {
    die("packet %d: %.*s", at[0], (int)body, at + 5);
  }
  if (body >= 5 && memcmp(at + 5, "READY", 5) == 0) {
    c->size = size_in(at + 5, body);
    counted(c);
  } else if (body >= 7 && memcmp(at + 5, "RESUMED", 7) == 0) {
    on_resumed(c, arrived);
  } else if (body >= 8 && memcmp(at + 5, "COMPLETE", 8) == 0) {
    counted(c);
    ask(c);
  } else if (body >= 7 && memcmp(at + 5, "RESTART", 7) == 0) {
    die("the file was changed");
  }
  return 5 + body;
}

// As recv, with when the kernel took the last byte of it in.
static ssize_t hear(struct connection *c, void *into, size_t most, int flags, int64_t *arrived) {
  char control[CMSG_SPACE(sizeof(struct timespec))];
  struct iovec part = {into, most};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(c->fd, &message, MSG_DONTWAIT | flags);
  if (got <= 0) {
    return got;
  }
  *arrived = 0;
  for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each != NULL; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(each), sizeof stamp);
      *arrived = stamp.tv_sec * NANOS + stamp.tv_nsec;
    }
  }
  if (*arrived == 0) {
    die("bytes without a time (expected: one from the kernel, see SO_TIMESTAMPNS in socket(7))");
  }
  return got;
}

static void take_buffer(struct connection *c, int64_t arrived) {
  size_t at = 0;
  while (at < c->have) {
    if (c->skip > 0) {
      uint64_t there = c->have - at < c->skip ? c->have - at : c->skip;
      at += there;
      advance(c, there, arrived);
      continue;
    }
    size_t used = take_packet(c, c->buffer + at, c->have - at, arrived);
    if (used == 0) {
      break;
    }
    at += used;
  }
  memmove(c->buffer, c->buffer + at, c->have - at);
  c->have -= at;
}

// What is left is there at the next turn, too, where a connection can fill one: see EPOLLET in main.
static void on_readable(struct connection *c) {
  for (int turn = 0; kind != SATURATING || turn < TURN; turn++) {
    ssize_t got;
    int64_t arrived;
    if (c->have == 0 && c->skip > 0) {
      // a piece at a time: only the last segment of what is taken at once has a time
      uint64_t most = c->skip < PIECE ? c->skip : PIECE;
      got = hear(c, NULL, most, MSG_TRUNC, &arrived);
      if (got > 0) {
        advance(c, (uint64_t)got, arrived);
        continue;
      }
    } else {
      got = hear(c, c->buffer + c->have, BUFFER - c->have, 0, &arrived);
      if (got > 0) {
        c->have += (size_t)got;
        take_buffer(c, arrived);
        continue;
      }
    }
    if (got == 0) {
      die("the server closed a connection");
    }
    if (errno == EAGAIN) {
      return;
    }
    if (errno != EINTR) {
      die("recvmsg: %s", strerror(errno));
    }
  }
}

// ---- commands

static void dump(int64_t from, int64_t to, const char *file) {
  FILE *out = fopen(file, "wb");
  if (out == NULL) {
    die("%s: %s", file, strerror(errno));
  }
  uint64_t first = recorded > KEPT ? recorded - KEPT : 0, written = 0;
  for (uint64_t i = first; i < recorded; i++) {
    struct record *each = &kept[i % KEPT];
    if (each->due >= from && (each->due < to || each->bytes == 0)) {
      fwrite(each, sizeof *each, 1, out);
      written++;
    }
  }
  for (uint64_t i = 0; i < count; i++) {
    struct connection *c = &all[i];
    int64_t due = kind == SATURATING ? c->last : c->waits ? c->due : 0;
    if (due >= from && due < to) {
      struct record pending = {due, 0, (uint32_t)i, (uint32_t)window};
      fwrite(&pending, sizeof pending, 1, out);
      written++;
    }
  }
  if (fclose(out) != 0) {
    die("%s: %s", file, strerror(errno));
  }
  printf("dumped %" PRIu64 "\n", written);
}

static void pace(uint64_t interval_micros) {
  step = (int64_t)(interval_micros * 1000 / count);
  if (step == 0) {
    step = 1;
  }
  ticked = 0;
  pace_began = wall();
}

static void obey(char *line) {
  int64_t from, to;
  int pid;
  char file[4096];
  if (strcmp(line, "begin") == 0) {
    for (uint64_t i = 0; i < count; i++) {
      all[i].resumed = false;
    }
    resumed = 0;
    stall_pid = 0;
    stall_began = 0;
    puts("begun");
  } else if (sscanf(line, "pace %" SCNd64, &from) == 1) {
    pace((uint64_t)from);
  } else if (sscanf(line, "stall %d %" SCNd64, &pid, &from) == 2) {
    stall_nanos = from * 1000;
    stall_pid = pid;
    puts("armed");
  } else if (strcmp(line, "count") == 0) {
    printf("count %" PRIu64 " %" PRId64 "\n", resumed, stall_began);
  } else if (sscanf(line, "dump %" SCNd64 " %" SCNd64 " %4095[^\n]", &from, &to, file) == 3) {
    dump(from, to, file);
  } else {
    die("command: %s (expected: begin, pace, stall, count or dump)", line);
  }
  fflush(stdout);
}

static void on_commands(void) {
  static char text[8192];
  static size_t have;
  ssize_t got = read(STDIN_FILENO, text + have, sizeof text - have);
  if (got <= 0) {
    exit(0);
  }
  have += (size_t)got;
  char *end;
  while ((end = memchr(text, '\n', have)) != NULL) {
    *end = 0;
    size_t length = (size_t)(end - text) + 1;
    obey(text);
    memmove(text, text + length, have - length);
    have -= length;
  }
}

static void shuffle(uint32_t *order, uint64_t seed) {
  for (uint64_t i = 0; i < count; i++) {
    order[i] = (uint32_t)i;
  }
  srand48((long)seed);
  for (uint64_t i = count - 1; i > 0; i--) {
    uint64_t j = (uint64_t)(drand48() * (double)(i + 1));
    uint32_t swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
}

int main(int argc, char **arguments) {
  const char *of = text_option(argc, arguments, "kind");
  kind = strcmp(of, "exchange") == 0  ? EXCHANGE
      : strcmp(of, "paced") == 0      ? PACED
      : strcmp(of, "saturating") == 0 ? SATURATING
                                      : IDLE;
  uint64_t port = number_option(argc, arguments, "port", 0);
  count = number_option(argc, arguments, "connections", 1);
  window = number_option(argc, arguments, "window", 64);
  uint64_t interval_micros = number_option(argc, arguments, "interval", 100000);
  name = text_option(argc, arguments, "name");
  bool ticks = kind == EXCHANGE || kind == PACED;

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  all = calloc(count, sizeof *all);
  kept = calloc(KEPT, sizeof *kept);
  uint32_t *order = calloc(count, sizeof *order);
  shuffle(order, number_option(argc, arguments, "seed", 1));
  for (uint64_t i = 0; i < count; i++) {
    struct connection *c = &all[i];
    int on = 1;
    c->fd = connect_to(port);
    if (setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) {
      die("SO_TIMESTAMPNS: %s", strerror(errno));
    }
    struct epoll_event event = {.events = EPOLLIN | (kind == SATURATING ? 0 : EPOLLET), .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
  }
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);

  // GETs are begun a few at a time, then the pace begins
  uint64_t asked = 0;
  for (;;) {
    while (asked < count && asked < answered + 64) {
      ask(&all[asked++]);
    }
    if (pace_began == 0 && answered == count) {
      pace(interval_micros);
      puts("ready");
      fflush(stdout);
    }
    int64_t now = wall(), next = now + NANOS;
    if (ticks && pace_began != 0) {
      while (pace_began + (int64_t)ticked * step <= now) {
        tick(&all[order[ticked++ % count]]);
      }
      next = pace_began + (int64_t)ticked * step;
    }
    if (stall_end != 0) {
      if (now >= stall_end) {
        kill(stall_pid, SIGCONT);
        stall_end = 0;
      } else if (stall_end < next) {
        next = stall_end;
      }
    }
    now = wall();
    int64_t left = next > now ? next - now : 0;
    struct timespec timeout = {left / NANOS, left % NANOS};
    struct epoll_event events[256];
    int ready = epoll_pwait2(epoll, events, 256, &timeout, NULL);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.ptr == NULL) {
        on_commands();
      } else {
        on_readable(events[i].data.ptr);
      }
    }
  }
}
