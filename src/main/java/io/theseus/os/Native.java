package io.theseus.os;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Platform;
import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.time.temporal.ChronoField;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The system calls that the Java library lacks: all of them are here. On 64-bit Linux only; where
 * they are missing, attributes take the library's longer way, read-ahead is left out, and a FIFO is
 * no live source.
 */
public final class Native {
  /** The C library's functions, named as their manual pages are. */
  @SuppressWarnings({"MethodName", "checkstyle:MethodName"}) // posix_fadvise is its name
  interface C extends Library {
    int lsetxattr(byte[] path, byte[] name, byte[] value, long size, int flags)
        throws LastErrorException;

    int posix_fadvise(int fd, long offset, long length, int advice);

    int open(byte[] path, int flags) throws LastErrorException;

    long read(int fd, Memory into, long count) throws LastErrorException;

    int poll(Memory fds, long count, int timeoutMillis) throws LastErrorException;

    int getpagesize();

    int futimens(int fd, byte[] times) throws LastErrorException;

    int setpriority(int which, int who, int priority) throws LastErrorException;

    int kill(int pid, int signal);
  }

  /**
   * Called for every file that is opened: without reflection, and without an exception for none.
   */
  private static final class Direct {
    private Direct() {}

    static native long lgetxattr(byte[] path, byte[] name, byte[] value, long size);

    static native int statx(int directory, byte[] path, int flags, int mask, byte[] into);

    /** Of those that have no functions of their own. */
    static native long syscall(
        long number, int fd, byte[] first, byte @Nullable [] second, long third);

    static native int close(int fd);

    static native int fremovexattr(int fd, byte[] name);

    static native int lremovexattr(byte[] path, byte[] name);
  }

  private static final Logger LOG = LoggerFactory.getLogger(Native.class);
  private static final String ATTRIBUTE = "theseus";
  private static final byte[] ATTRIBUTE_NAME = terminated("user." + ATTRIBUTE);
  private static final byte[] NO_ATTRIBUTE_NAME = terminated("user." + ATTRIBUTE + ".none");
  private static final int MOST_ATTRIBUTE_BYTES = 1024;
  private static final int POSIX_FADV_RANDOM = 1;
  private static final int POSIX_FADV_WILLNEED = 3;
  private static final int POSIX_FADV_DONTNEED = 4;
  private static final int TIMESPEC_BYTES = 16;
  private static final long UTIME_OMIT = (1L << 30) - 2;
  private static final int AT_FDCWD = -100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_CTIME = 0x80;
  private static final int STATX_INO = 0x100;
  private static final int STATX_BYTES = 256;

  // offsets in struct statx, see statx(2)
  private static final int STX_INO = 32;
  private static final int STX_CTIME_SECONDS = 96;
  private static final int STX_CTIME_NANOS = 104;
  private static final int STX_DEV = 136;

  private static final long SYS_OPENAT2 = 437; // on every architecture
  private static final long SYS_CACHESTAT = 451; // the same

  /** -1 where its number isn't known. */
  private static final long SYS_SCHED_SETATTR =
      switch (Platform.ARCH) {
        case "x86-64" -> 314;
        case "aarch64" -> 274;
        default -> -1;
      };

  private static final int SCHED_ATTR_BYTES = 48;
  private static final int SCHED_OTHER = 0;
  private static final long SCHED_FLAG_RESET_ON_FORK = 1;
  private static final long SHORTEST_TURN_NANOS = 100_000;
  private static final int CACHESTAT_RANGE_BYTES = 16;
  private static final int CACHESTAT_BYTES = 40; // the first 8 count the pages in memory
  private static final long RESOLVE_NO_SYMLINKS = 0x04;
  private static final long RESOLVE_CACHED = 0x20;
  private static final byte[] NO_PATH = {0};
  private static final int O_RDONLY = 0;
  private static final int O_NONBLOCK = 0x800;
  private static final int O_CLOEXEC = 0x80000;
  private static final int O_PATH = 0x200000;
  private static final int PRIO_PROCESS = 0; // on Linux who 0 is the thread
  private static final int SIGKILL = 9;
  private static final int EINTR = 4;
  private static final int EIO = 5;
  private static final int EROFS = 30;
  private static final int EAGAIN = 11;
  private static final short POLLIN = 1;
  private static final byte[] NO_LINKS = how(O_PATH | O_CLOEXEC, RESOLVE_NO_SYMLINKS);
  private static final byte[] NO_LINKS_NO_DISK =
      how(O_PATH | O_CLOEXEC, RESOLVE_NO_SYMLINKS | RESOLVE_CACHED);

  private static final @Nullable C LIBRARY = load();
  private static final long PAGE_BYTES = LIBRARY == null ? 1 : LIBRARY.getpagesize();
  private static final @Nullable Field CHANNEL_DESCRIPTOR = field(FileChannelFields.CHANNEL);
  private static final @Nullable Field DESCRIPTOR_NUMBER = field(FileChannelFields.NUMBER);

  private Native() {}

  /** Whether the calls are there at all. */
  public static boolean available() {
    return LIBRARY != null;
  }

  /**
   * Ends this process at once, with exit code 137: nothing of it runs any more. ({@link
   * Runtime#halt}, which stands in where the call is missing, waits 0.3 s for threads that are in
   * native code.)
   */
  public static void killSelf() {
    if (LIBRARY != null) {
      LIBRARY.kill((int) ProcessHandle.current().pid(), SIGKILL);
    }
    Runtime.getRuntime().halt(128 + SIGKILL);
  }

  // ---- the attribute user.theseus

  /** The attribute's text; empty where there is none, or no way to have one. */
  public static Optional<String> attribute(Path file) {
    if (LIBRARY != null) {
      byte[] value = new byte[MOST_ATTRIBUTE_BYTES];
      long length =
          Direct.lgetxattr(terminated(file.toString()), ATTRIBUTE_NAME, value, value.length);
      return length < 0
          ? Optional.empty()
          : Optional.of(new String(value, 0, (int) length, StandardCharsets.UTF_8));
    }
    try {
      ByteBuffer value = ByteBuffer.allocate(MOST_ATTRIBUTE_BYTES);
      view(file).read(ATTRIBUTE, value);
      return Optional.of(StandardCharsets.UTF_8.decode(value.flip()).toString());
    } catch (IOException e) {
      // none, one that is not ours (too long), or a file that is gone: all mean that nothing is
      // known
      return Optional.empty();
    }
  }

  /** Sets the attribute; false where the file system has none, or no room for it. */
  public static boolean setAttribute(Path file, String text) {
    byte[] value = text.getBytes(StandardCharsets.UTF_8);
    C c = LIBRARY;
    try {
      if (c != null) {
        c.lsetxattr(terminated(file.toString()), ATTRIBUTE_NAME, value, value.length, 0);
      } else {
        view(file).write(ATTRIBUTE, ByteBuffer.wrap(value));
      }
      return true;
    } catch (LastErrorException | IOException | UnsupportedOperationException e) {
      LOG.debug("attribute of {} not set: {}", file.getFileName(), e.getMessage());
      return false;
    }
  }

  private static UserDefinedFileAttributeView view(Path file) throws IOException {
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(
            file, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (view == null) {
      throw new IOException("no user attributes");
    }
    return view;
  }

  // ---- whether a file system takes writes

  /** False where the file system of an open file has given up writing; true where nobody knows. */
  public static boolean standing(FileChannel channel) {
    int fd = LIBRARY == null ? -1 : descriptor(channel);
    return fd < 0 || stands(Direct.fremovexattr(fd, NO_ATTRIBUTE_NAME));
  }

  /** The same of a path. */
  public static boolean standing(Path path) {
    return LIBRARY == null
        || stands(Direct.lremovexattr(terminated(path.toString()), NO_ATTRIBUTE_NAME));
  }

  private static boolean stands(int result) {
    int error = result == 0 ? 0 : com.sun.jna.Native.getLastError();
    return error != EROFS && error != EIO;
  }

  // ---- stamps

  /**
   * Which file it is, and when the kernel last saw it, or what is known of it, change: a time that
   * nobody can set, as a modification time can be.
   */
  public record Stamp(long device, long inode, Instant changed) {}

  /** Of an open file; empty where there is no way to know. */
  public static Optional<Stamp> stamp(FileChannel channel) {
    return LIBRARY == null ? Optional.empty() : stamp(descriptor(channel));
  }

  /**
   * Of what is at an absolute path; empty where nothing is there or a link is on the way, or where
   * there is no way to know (Linux before 5.6).
   *
   * @param path ends with 0
   * @param mayWait whether the disk may be asked; otherwise it is empty, too, where the kernel does
   *     not have the path in memory
   */
  public static Optional<Stamp> stamp(byte[] path, boolean mayWait) {
    if (LIBRARY == null) {
      return Optional.empty();
    }
    byte[] how = mayWait ? NO_LINKS : NO_LINKS_NO_DISK;
    int fd = (int) Direct.syscall(SYS_OPENAT2, AT_FDCWD, path, how, how.length);
    if (fd < 0) {
      return Optional.empty();
    }
    try {
      return stamp(fd);
    } finally {
      close(fd);
    }
  }

  private static Optional<Stamp> stamp(int fd) {
    byte[] found = new byte[STATX_BYTES];
    if (fd < 0 || Direct.statx(fd, NO_PATH, AT_EMPTY_PATH, STATX_INO | STATX_CTIME, found) != 0) {
      return Optional.empty();
    }
    ByteBuffer fields = ByteBuffer.wrap(found).order(ByteOrder.nativeOrder());
    return Optional.of(
        new Stamp(
            fields.getLong(STX_DEV),
            fields.getLong(STX_INO),
            Instant.ofEpochSecond(
                fields.getLong(STX_CTIME_SECONDS), fields.getInt(STX_CTIME_NANOS))));
  }

  /** A struct open_how, see openat2(2). */
  private static byte[] how(long flags, long resolve) {
    return ByteBuffer.allocate(24)
        .order(ByteOrder.nativeOrder())
        .putLong(flags)
        .putLong(0)
        .putLong(resolve)
        .array();
  }

  // ---- read-ahead

  /** Asks for read-ahead of a range. A hint: what can't be done is left out. */
  public static void willNeed(FileChannel channel, long offset, long length) {
    advise(channel, offset, length, POSIX_FADV_WILLNEED);
  }

  /** Asks for no read-ahead: what is read by this channel is read as it is asked for. A hint. */
  public static void readsOnlyWhatIsAsked(FileChannel channel) {
    advise(channel, 0, 0, POSIX_FADV_RANDOM);
  }

  /** Lets go of the memory that the kernel has a range in, where it is on disk, too. A hint. */
  public static void dontNeed(FileChannel channel, long offset, long length) {
    advise(channel, offset, length, POSIX_FADV_DONTNEED);
  }

  private static void advise(FileChannel channel, long offset, long length, int advice) {
    C c = LIBRARY;
    int fd = descriptor(channel);
    if (c != null && fd >= 0) {
      c.posix_fadvise(fd, offset, length, advice);
    }
  }

  /**
   * Whether the kernel has all of a range in memory, so that there is nothing to read ahead; never
   * waits for the disk. False where there is no way to know (Linux before 6.5, a file of somebody
   * else's).
   */
  public static boolean isCached(FileChannel channel, long offset, long length) {
    long pages = (offset + length - 1) / PAGE_BYTES - offset / PAGE_BYTES + 1;
    return cachedPages(channel, offset, length) >= pages;
  }

  /** Whether the kernel has nothing of a range in memory. False where there is no way to know. */
  public static boolean isUncached(FileChannel channel, long offset, long length) {
    return cachedPages(channel, offset, length) == 0;
  }

  /** -1 where there is no way to know. */
  private static long cachedPages(FileChannel channel, long offset, long length) {
    int fd = descriptor(channel);
    if (LIBRARY == null || fd < 0) {
      return -1;
    }
    byte[] range =
        ByteBuffer.allocate(CACHESTAT_RANGE_BYTES)
            .order(ByteOrder.nativeOrder())
            .putLong(offset)
            .putLong(length)
            .array();
    byte[] found = new byte[CACHESTAT_BYTES];
    if (Direct.syscall(SYS_CACHESTAT, fd, range, found, 0) != 0) {
      return -1;
    }
    return ByteBuffer.wrap(found).order(ByteOrder.nativeOrder()).getLong(0);
  }

  /** When an open file was last modified; empty where its descriptor's number is not to be had. */
  public static Optional<Instant> modified(FileChannel channel) throws IOException {
    int fd = descriptor(channel);
    return fd < 0
        ? Optional.empty()
        : Optional.of(Files.getLastModifiedTime(Path.of("/proc/self/fd/" + fd)).toInstant());
  }

  /**
   * Sets when an open file was last modified, to the nanosecond, which the library rounds to
   * microseconds; false where there is no way to.
   */
  public static boolean setModified(FileChannel channel, Instant time) throws IOException {
    C c = LIBRARY;
    int fd = descriptor(channel);
    if (c == null || fd < 0) {
      return false;
    }
    byte[] times =
        ByteBuffer.allocate(2 * TIMESPEC_BYTES)
            .order(ByteOrder.nativeOrder())
            .putLong(0)
            .putLong(UTIME_OMIT) // that of the last access stays
            .putLong(time.getEpochSecond())
            .putLong(time.getLong(ChronoField.NANO_OF_SECOND))
            .array();
    try {
      int unused = c.futimens(fd, times);
      return true;
    } catch (LastErrorException e) {
      throw failed("futimens", e);
    }
  }

  /** The number of a channel's descriptor; -1 where the runtime doesn't show it. */
  public static int descriptor(FileChannel channel) {
    Field ofChannel = CHANNEL_DESCRIPTOR;
    Field number = DESCRIPTOR_NUMBER;
    if (ofChannel == null
        || number == null
        || !ofChannel.getDeclaringClass().isInstance(channel)
        || !channel.isOpen()) {
      return -1;
    }
    try {
      return number.getInt(ofChannel.get(channel));
    } catch (IllegalAccessException e) {
      return -1;
    }
  }

  /** The two private fields between a FileChannel and its number, the same that Netty reads. */
  private enum FileChannelFields {
    CHANNEL("sun.nio.ch.FileChannelImpl"),
    NUMBER(FileDescriptor.class.getName());

    private final String owner;

    FileChannelFields(String owner) {
      this.owner = owner;
    }
  }

  private static @Nullable Field field(FileChannelFields which) {
    try {
      Field field = Class.forName(which.owner).getDeclaredField("fd");
      field.setAccessible(true);
      return field;
    } catch (ReflectiveOperationException | RuntimeException e) {
      // RuntimeException: InaccessibleObjectException, the package is not opened to us
      LOG.info(
          "no read-ahead of files: {} is closed (expected: the manifest's Add-Opens, by java -jar)",
          which.owner);
      return null;
    }
  }

  // ---- FIFOs

  /** Opens for reading without waiting for a writer. */
  public static int openNonBlocking(Path path) throws IOException {
    try {
      return library().open(terminated(path.toString()), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    } catch (LastErrorException e) {
      throw failed("open", e);
    }
  }

  /** Waits for input or for the end of all writers; false when the time is over. */
  public static boolean awaitInput(int fd, int timeoutMillis) throws IOException {
    try (Memory poll = new Memory(8)) {
      poll.setInt(0, fd);
      poll.setShort(4, POLLIN);
      poll.setShort(6, (short) 0);
      return library().poll(poll, 1, timeoutMillis) > 0;
    } catch (LastErrorException e) {
      if (e.getErrorCode() == EINTR) {
        return false;
      }
      throw failed("poll", e);
    }
  }

  /** Reads what is there; 0 at the end, -1 where there is nothing right now. */
  public static int read(int fd, Memory into, int most) throws IOException {
    try {
      return (int) library().read(fd, into, most);
    } catch (LastErrorException e) {
      if (e.getErrorCode() == EINTR || e.getErrorCode() == EAGAIN) {
        return -1;
      }
      throw failed("read", e);
    }
  }

  public static void close(int fd) {
    if (Direct.close(fd) != 0) {
      LOG.warn("descriptor {} was not open", fd);
    }
  }

  // ---- threads

  /**
   * Gives the calling thread a nice value. One that is to go before others gets the shortest turns,
   * too, where there are such (Linux 6.12): others may otherwise end theirs first, of milliseconds.
   * Threads that it makes don't go before others; those that go behind others make such as do, too.
   *
   * @param nice -20, before all others, to 19
   * @throws IOException where it may not have that, or there is no such call here
   */
  public static void setNice(int nice) throws IOException {
    try {
      int unused = library().setpriority(PRIO_PROCESS, /* who= */ 0, nice);
    } catch (LastErrorException e) {
      throw failed("setpriority", e);
    }
    if (nice < 0 && SYS_SCHED_SETATTR >= 0) {
      byte[] attributes =
          ByteBuffer.allocate(SCHED_ATTR_BYTES)
              .order(ByteOrder.nativeOrder())
              .putInt(SCHED_ATTR_BYTES)
              .putInt(SCHED_OTHER)
              .putLong(SCHED_FLAG_RESET_ON_FORK)
              .putInt(nice)
              .putInt(/* priority= */ 0)
              .putLong(SHORTEST_TURN_NANOS)
              .array();
      // of thread 0, which is the calling one
      if (Direct.syscall(SYS_SCHED_SETATTR, 0, attributes, null, 0) != 0) {
        LOG.debug("turns of a thread stay as long as they are");
      }
    }
  }

  // ---- loading

  private static C library() throws IOException {
    C c = LIBRARY;
    if (c == null) {
      throw new IOException(
          "native calls are not available here (expected: 64-bit Linux with JNA)");
    }
    return c;
  }

  private static @Nullable C load() {
    if (!Platform.isLinux() || !Platform.is64Bit()) {
      return null;
    }
    try {
      com.sun.jna.Native.register(Direct.class, "c");
      return com.sun.jna.Native.load("c", C.class);
    } catch (LinkageError | RuntimeException e) {
      LOG.warn("native calls are not available: {}", e.toString());
      return null;
    }
  }

  private static IOException failed(String call, LastErrorException e) {
    return new IOException(call + ": " + e.getMessage(), e);
  }

  /** As C has it: UTF-8, then 0. */
  public static byte[] terminated(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return Arrays.copyOf(bytes, bytes.length + 1);
  }
}
