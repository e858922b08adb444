package io.theseus.bench;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a server's processes have used, as the kernel counts it. */
public final class Usage {
  /** The C library's function, named as its manual page is. */
  @SuppressWarnings("MethodName") // clock_gettime is its name
  interface C extends Library {
    int clock_gettime(int clock, Memory timespec) throws LastErrorException;
  }

  private static final C LIBRARY = Native.load("c", C.class);

  /**
   * Of a process's clock, which counts threads that have ended, too; see clock_getcpuclockid(3).
   */
  private static final int SCHEDULED = 2;

  /** The unit of /proc/PID/stat, USER_HZ; 100 on all that we run on. */
  private static final double TICKS = 100;

  /** Of /proc/PID/stat, counted behind the name's parenthesis: cutime and cstime. */
  private static final int WAITED_USER = 13;

  private Usage() {}

  /** CPU time of a process, its children, and children of it that have ended. */
  public static double cpuSeconds(ProcessHandle root) throws IOException {
    double waited = 0;
    String[] stat =
        Files.readString(proc(root, "stat")).replaceAll("(?s).*\\) ", "").split(" ", -1);
    for (int i = 0; i < 2; i++) {
      waited += Long.parseLong(stat[WAITED_USER + i]) / TICKS;
    }
    return waited + tree(root).mapToDouble(Usage::ownSeconds).sum();
  }

  private static double ownSeconds(ProcessHandle process) {
    Memory timespec = new Memory(16);
    LIBRARY.clock_gettime((int) (~process.pid() << 3) | SCHEDULED, timespec);
    return timespec.getLong(0) + timespec.getLong(8) / 1e9;
  }

  /** The peak begins anew at what is resident now. */
  public static void resetPeak(ProcessHandle root) throws IOException {
    for (ProcessHandle each : tree(root).toList()) {
      Files.writeString(proc(each, "clear_refs"), "5");
    }
  }

  /** The most that was resident at once, of each process; summed up. */
  public static double peakMib(ProcessHandle root) {
    return tree(root).mapToLong(Usage::peakKib).sum() / 1024.0;
  }

  private static long peakKib(ProcessHandle process) {
    List<String> lines;
    try {
      lines = Files.readAllLines(proc(process, "status"));
    } catch (IOException e) {
      // it has ended: what it had was seen before, or not at all
      return 0;
    }
    return lines.stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")))
        .sum();
  }

  private static Stream<ProcessHandle> tree(ProcessHandle root) {
    return Stream.concat(Stream.of(root), root.descendants());
  }

  private static Path proc(ProcessHandle process, String file) {
    return Path.of("/proc", Long.toString(process.pid()), file);
  }
}
