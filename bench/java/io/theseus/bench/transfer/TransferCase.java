package io.theseus.bench.transfer;

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
   * <p>How many rounds warm a JVM up was found by watching one from its start: small files became
   * no faster after 160,000 of them (four runs of 40,000: 2,500, 3,900, 5,500, 6,000 a second, then
   * the same), one large file at a time after 8 GiB. What is given here is twice that. With 64 of
   * them there are few calls for each byte: the compilers still had 15 % of the processor after 32
   * GiB. A PUT moves less in a round and compiles beside its fsyncs: it became no cheaper after
   * 50,000 small files (1,060, 1,320, 1,180, 3,390, 4,100 a second, then 4,400), or 4 GiB (5.7,
   * 3.3, 3.0, 2.6 s of CPU, then 2.1), and has twice that, too. Peers have one round, for the page
   * cache and what they keep themselves.
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
            get("get-1x1GiB", 1, 1, GIB, false, 8, 3),
            get("get-64x64MiB", 64, 64, 64 * MIB, false, 2, 12),
            get("get-1x1GiB-tls", 1, 1, GIB, false, 4, 3).overTls(),
            get("get-64x64MiB-tls", 64, 64, 64 * MIB, false, 1, 3).overTls(),
            get("get-small-4KiB", 64, 10_000, 4 * KIB, false, 8, 4),
            get("get-small-4KiB-pipelined", 64, 10_000, 4 * KIB, true, 8, 4),
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
