package io.theseus.journal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The layout of keys, all numbers big-endian so that LevelDB's byte order is the wanted order.
 *
 * <pre>
 * id length (2) | id, UTF-8 | kind (1) | kind 0, head:     -
 *                                        kind 1, event:    sequence number (8)
 *                                        kind 2, snapshot: sequence number (8) | timestamp (8)
 * </pre>
 *
 * <p>The length in front keeps one id from being a prefix of another, so all keys of an id are
 * neighbours and no table of ids is needed.
 */
final class Keys {
  static final byte HEAD = 0;
  static final byte EVENT = 1;
  static final byte SNAPSHOT = 2;
  private static final byte AFTER_ALL = 3;
  private static final int MAX_ID_BYTES = 0xffff;

  private Keys() {}

  static byte[] head(String id) {
    return key(id, HEAD, 0).array();
  }

  static byte[] event(String id, long sequenceNr) {
    return key(id, EVENT, 8).putLong(sequenceNr).array();
  }

  static byte[] snapshot(String id, long sequenceNr, long timestamp) {
    return key(id, SNAPSHOT, 16).putLong(sequenceNr).putLong(timestamp).array();
  }

  /** The least key that an id can have. */
  static byte[] first(String id) {
    return head(id);
  }

  /** A key behind all events of an id and before its snapshots. */
  static byte[] afterEvents(String id) {
    return key(id, SNAPSHOT, 0).array();
  }

  /** A key behind all keys of an id. */
  static byte[] afterAll(String id) {
    return key(id, AFTER_ALL, 0).array();
  }

  static String id(byte[] key) {
    return new String(key, 2, idLength(key), StandardCharsets.UTF_8);
  }

  static boolean sameId(byte[] key, byte[] other) {
    int end = 2 + idLength(key);
    return other.length >= end && Arrays.equals(key, 0, end, other, 0, end);
  }

  static byte kind(byte[] key) {
    return key[2 + idLength(key)];
  }

  static long sequenceNr(byte[] key) {
    return ByteBuffer.wrap(key).getLong(3 + idLength(key));
  }

  static long timestamp(byte[] key) {
    return ByteBuffer.wrap(key).getLong(11 + idLength(key));
  }

  /** Whether a key is one of this layout; the first thing to ask about a key from the disk. */
  static boolean wellFormed(byte[] key) {
    if (key.length < 3 || key.length < 3 + idLength(key)) {
      return false;
    }
    int rest = key.length - 3 - idLength(key);
    return switch (kind(key)) {
      case HEAD -> rest == 0;
      case EVENT -> rest == 8;
      case SNAPSHOT -> rest == 16;
      default -> false;
    };
  }

  private static int idLength(byte[] key) {
    return (key[0] & 0xff) << 8 | (key[1] & 0xff);
  }

  private static ByteBuffer key(String id, byte kind, int more) {
    byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_ID_BYTES) {
      throw new IllegalArgumentException(
          "persistence id: " + bytes.length + " bytes (expected: <= " + MAX_ID_BYTES + ")");
    }
    return ByteBuffer.allocate(3 + bytes.length + more)
        .putShort((short) bytes.length)
        .put(bytes)
        .put(kind);
  }
}
