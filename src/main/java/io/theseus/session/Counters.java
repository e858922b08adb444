package io.theseus.session;

import io.theseus.wire.ErrorCode;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a node has done since it started, as numbers that only grow. Any thread may count; counting
 * is one addition without contention, so it may be done for each packet.
 */
public final class Counters {
  /** What is counted, by the name that operators see. */
  public enum Count {
    /** Those that were let in; who was turned away is counted as refused. */
    CONNECTIONS_ACCEPTED("connections-accepted"),
    /** GETs that were answered by READY, resumed ones too. */
    DOWNLOADS_BEGUN("downloads-begun"),
    DOWNLOADS_COMPLETED("downloads-completed"),
    /** PUTs that were answered by READY, resumed ones too. */
    UPLOADS_BEGUN("uploads-begun"),
    UPLOADS_COMPLETED("uploads-completed"),
    /** Content in DATA packets, headers apart. */
    BYTES_RECEIVED("bytes-received"),
    BYTES_SENT("bytes-sent"),
    /** Offsets that were made durable with their bytes, each by one fdatasync or none. */
    CHECKPOINTS("checkpoints"),
    /** Offsets that were written to the journal. */
    MARKS("marks");

    private final String label;

    Count(String label) {
      this.label = label;
    }
  }

  private final Map<Count, LongAdder> counts = new EnumMap<>(Count.class);
  private final Map<ErrorCode, LongAdder> errors = new EnumMap<>(ErrorCode.class);
  private final Map<ErrorCode, LongAdder> failures = new EnumMap<>(ErrorCode.class);

  /** All at 0. */
  public Counters() {
    // the maps are never changed from here on: only their adders are
    Arrays.stream(Count.values()).forEach(each -> counts.put(each, new LongAdder()));
    for (ErrorCode code : ErrorCode.values()) {
      errors.put(code, new LongAdder());
      failures.put(code, new LongAdder());
    }
  }

  /** The adder itself, for who counts often. */
  public LongAdder of(Count count) {
    return adder(counts, count);
  }

  /** Counts one. */
  public void add(Count count) {
    of(count).increment();
  }

  /**
   * Counts an ERROR that was sent.
   *
   * @param ofSession whether a GET or PUT failed by it, not a command of another kind
   */
  public void error(ErrorCode code, boolean ofSession) {
    adder(errors, code).increment();
    if (ofSession) {
      adder(failures, code).increment();
    }
  }

  /** All numbers by name, those at 0 too. */
  public Map<String, Long> values() {
    Map<String, Long> values = new LinkedHashMap<>();
    counts.forEach((count, adder) -> values.put(count.label, adder.sum()));
    return Collections.unmodifiableMap(values);
  }

  /** ERRORs that were sent, by code; codes that never were are left out. */
  public Map<String, Long> errors() {
    return byCode(errors);
  }

  /** The same of GETs and PUTs alone. */
  public Map<String, Long> failures() {
    return byCode(failures);
  }

  private static Map<String, Long> byCode(Map<ErrorCode, LongAdder> adders) {
    Map<String, Long> values = new TreeMap<>();
    adders.forEach(
        (code, adder) -> {
          long sum = adder.sum();
          if (sum > 0) {
            values.put(code.label(), sum);
          }
        });
    return Collections.unmodifiableMap(values);
  }

  private static <K> LongAdder adder(Map<K, LongAdder> adders, K key) {
    LongAdder adder = adders.get(key);
    if (adder == null) {
      throw new IllegalStateException("uncounted: " + key);
    }
    return adder;
  }
}
