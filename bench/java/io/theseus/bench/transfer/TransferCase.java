package io.theseus.bench.transfer;

import io.theseus.bench.LoadRun;
import java.util.List;
import java.util.Locale;

/**
 * What is moved, over how many connections.
 *
 * @param ahead whether the next request is sent before the last answer is over, where the server
 *     takes it
 * @param tls whether all of it goes over TLS
 * @param repeat how often all files are moved in one round, so that it takes a second at least
 * @param warmUps rounds of a JVM that don't count, see {@link #all}; 0: nothing is warmed up
 */
record TransferCase(
    String name,
    Way way,
    int connections,
    int files,
    long bytes,
    boolean ahead,
    boolean tls,
    int repeat,
    int warmUps) {

  /** Which way the bytes go. */
  enum Way {
    GET,
    PUT
  }

  private static final long KIB = 1L << 10;
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** Files up to here are counted, larger ones are weighed. */
  private static final long SMALL = 64 * KIB;

  /**
   * All cases, by their public names.
   *
   * <p>How many rounds warm a JVM up was found by watching the CPU time of each round from its
   * start: one large file at a time became no cheaper after 96 GiB (0.46, 0.30, 0.23, 0.22 s/GiB,
   * then less and less, to 0.17), 64 of them after 140 GiB, as there are few calls for each byte
   * (0.28, 0.20, 0.17, 0.18, after ten rounds 0.13, after 16 0.11), small files after 560,000 of
   * them (1.27, 0.41, 0.31, 0.38, 0.37 s/10,000, then 0.29). A PUT moves less in a round and
   * compiles beside its fsyncs: it became no cheaper after 50,000 small files (1,060, 1,320, 1,180,
   * 3,390, 4,100 a second, then 4,400), or 4 GiB (5.7, 3.3, 3.0, 2.6 s of CPU, then 2.1), and has
   * twice that. Peers have one round, for the page cache and what they keep themselves.
   */
  static List<TransferCase> all(boolean quick) {
    return quick
        ? List.of(
            get("get-1x1GiB", 1, 1, 16 * MIB, false, 1, 0),
            get("get-64x64MiB", 64, 64, 256 * KIB, false, 1, 0),
            get("get-1x1GiB-tls", 1, 1, 16 * MIB, false, 1, 0).overTls(),
            get("get-64x64MiB-tls", 64, 64, 256 * KIB, false, 1, 0).overTls(),
            get("get-small-4KiB", 64, 200, 4 * KIB, false, 1, 0),
            get("get-small-4KiB-pipelined", 64, 200, 4 * KIB, true, 1, 0),
            put("put-1x1GiB", 1, 1, 10 * MIB, 0),
            put("put-64x16MiB", 64, 64, 128 * KIB, 0),
            put("put-small-4KiB", 64, 100, 4 * KIB, 0))
        : List.of(
            get("get-1x1GiB", 1, 1, GIB, false, 8, 12),
            get("get-64x64MiB", 64, 64, 64 * MIB, false, 2, 18),
            get("get-1x1GiB-tls", 1, 1, GIB, false, 4, 8).overTls(),
            get("get-64x64MiB-tls", 64, 64, 64 * MIB, false, 1, 8).overTls(),
            get("get-small-4KiB", 64, 10_000, 4 * KIB, false, 8, 8),
            get("get-small-4KiB-pipelined", 64, 10_000, 4 * KIB, true, 8, 8),
            put("put-1x1GiB", 1, 1, GIB, 8),
            put("put-64x16MiB", 64, 64, 16 * MIB, 8),
            put("put-small-4KiB", 64, 10_000, 4 * KIB, 10));
  }

  private static TransferCase get(
      String name, int connections, int files, long bytes, boolean ahead, int repeat, int warmUps) {
    return new TransferCase(
        name, Way.GET, connections, files, bytes, ahead, /* tls= */ false, repeat, warmUps);
  }

  private static TransferCase put(
      String name, int connections, int files, long bytes, int warmUps) {
    return new TransferCase(
        name, Way.PUT, connections, files, bytes, false, /* tls= */ false, 1, warmUps);
  }

  boolean small() {
    return bytes <= SMALL;
  }

  /** The same, with requests sent ahead or not. */
  TransferCase ahead(boolean value) {
    return new TransferCase(name, way, connections, files, bytes, value, tls, repeat, warmUps);
  }

  private TransferCase overTls() {
    return new TransferCase(name, way, connections, files, bytes, ahead, true, repeat, warmUps);
  }

  String rateUnit() {
    return small() ? "files/s" : "GB/s";
  }

  double rate(LoadRun run) {
    return (small() ? run.files() : run.bytes() / 1e9) / run.seconds();
  }

  String cpuUnit() {
    return small() ? "s/10,000 files" : "s/GiB";
  }

  double cpu(LoadRun run, double seconds) {
    return seconds / (small() ? run.files() / 1e4 : run.bytes() / (double) GIB);
  }

  /** The name of a file, below its folder. */
  static String fileName(int index) {
    return String.format(Locale.ROOT, "%06d", index);
  }
}
