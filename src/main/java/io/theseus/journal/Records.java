package io.theseus.journal;

import akka.actor.ActorRef;
import akka.persistence.PersistentRepr;
import akka.serialization.Serialization;
import akka.serialization.Serializers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The layout of values, all numbers big-endian.
 *
 * <pre>
 * record:   version (1) = 1 | CRC32C of key, version and body (4) | body
 * head:     highest sequence number (8)
 * event:    written, ms since 1970 (8) | writer (string) | adapter's manifest (string) | payload
 *           | metadata
 * snapshot: written, ms since 1970 (8) | payload | metadata
 * payload:  serializer id (4) | manifest (string) | length (4) | bytes
 * metadata: 0 (1), or 1 (1) and a payload
 * string:   length (4) | UTF-8
 * </pre>
 */
final class Records {
  private static final byte VERSION = 1;
  private static final int HEADER = 5;

  private Records() {}

  /** A payload as Akka serialization made it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
  record Payload(int serializerId, byte[] manifest, byte[] bytes) {
    static Payload of(Serialization serialization, Object object) {
      var serializer = serialization.findSerializerFor(object);
      return new Payload(
          serializer.identifier(),
          utf8(Serializers.manifestFor(serializer, object)),
          serialization.serialize(object).get());
    }

    int size() {
      return 12 + manifest.length + bytes.length;
    }

    void putTo(ByteBuffer out) {
      out.putInt(serializerId);
      putBytes(out, manifest);
      putBytes(out, bytes);
    }

    static Object objectFrom(ByteBuffer in, Serialization serialization) {
      int serializerId = in.getInt();
      String manifest = string(in);
      return serialization.deserialize(lengthAndBytes(in), serializerId, manifest).get();
    }
  }

  static byte[] head(byte[] key, long highestSequenceNr) {
    return sealed(key, record(8).putLong(highestSequenceNr));
  }

  static long highestSequenceNr(byte[] key, byte[] value) {
    return body(key, value).getLong();
  }

  static byte[] event(byte[] key, PersistentRepr event, Serialization serialization) {
    byte[] writer = utf8(event.writerUuid());
    byte[] manifest = utf8(event.manifest());
    Payload payload = Payload.of(serialization, event.payload());
    @Nullable Payload metadata =
        event.metadata().isDefined() ? Payload.of(serialization, event.metadata().get()) : null;
    ByteBuffer out =
        record(16 + writer.length + manifest.length + payload.size() + sizeOf(metadata));
    out.putLong(event.timestamp() == 0 ? System.currentTimeMillis() : event.timestamp());
    putBytes(out, writer);
    putBytes(out, manifest);
    payload.putTo(out);
    putMetadata(out, metadata);
    return sealed(key, out);
  }

  static PersistentRepr event(byte[] key, byte[] value, Serialization serialization) {
    ByteBuffer in = body(key, value);
    long timestamp = in.getLong();
    String writer = string(in);
    String manifest = string(in);
    PersistentRepr event =
        PersistentRepr.apply(
                Payload.objectFrom(in, serialization),
                Keys.sequenceNr(key),
                Keys.id(key),
                manifest,
                false,
                ActorRef.noSender(),
                writer)
            .withTimestamp(timestamp);
    return in.get() == 0 ? event : event.withMetadata(Payload.objectFrom(in, serialization));
  }

  static byte[] snapshot(
      byte[] key, Object snapshot, @Nullable Object metadata, Serialization serialization) {
    Payload payload = Payload.of(serialization, snapshot);
    @Nullable Payload more = metadata == null ? null : Payload.of(serialization, metadata);
    ByteBuffer out = record(8 + payload.size() + sizeOf(more));
    out.putLong(System.currentTimeMillis());
    payload.putTo(out);
    putMetadata(out, more);
    return sealed(key, out);
  }

  /** A snapshot read back; metadata is null where there was none. */
  record Snapshot(Object state, @Nullable Object metadata) {}

  static Snapshot snapshot(byte[] key, byte[] value, Serialization serialization) {
    ByteBuffer in = body(key, value);
    in.getLong();
    Object state = Payload.objectFrom(in, serialization);
    return new Snapshot(state, in.get() == 0 ? null : Payload.objectFrom(in, serialization));
  }

  /** When an event or a snapshot was written, in ms since 1970. */
  static long writtenMillis(byte[] key, byte[] value) {
    return body(key, value).getLong();
  }

  /**
   * The body of a record whose checksum holds.
   *
   * @throws DamagedRecordException with the key and what is wrong, where it doesn't
   */
  static ByteBuffer body(byte[] key, byte[] value) {
    if (!Keys.wellFormed(key)) {
      throw new DamagedRecordException("unknown key " + Arrays.toString(key));
    }
    if (value.length < HEADER) {
      throw new DamagedRecordException(
          name(key) + " has " + value.length + " bytes (expected: >= " + HEADER + ")");
    }
    ByteBuffer in = ByteBuffer.wrap(value);
    byte version = in.get();
    if (version != VERSION) {
      throw new DamagedRecordException(
          name(key) + " has version " + version + " (expected: " + VERSION + ")");
    }
    int stored = in.getInt();
    int computed = checksum(key, value);
    if (stored != computed) {
      throw new DamagedRecordException(
          "%s has checksum %08x (expected: %08x)".formatted(name(key), stored, computed));
    }
    return in;
  }

  /** A record that isn't what was written; turned into a refusal where the directory is known. */
  static final class DamagedRecordException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DamagedRecordException(String message) {
      super(message);
    }
  }

  private static String name(byte[] key) {
    return switch (Keys.kind(key)) {
      case Keys.EVENT -> "event " + Keys.sequenceNr(key) + " of " + Keys.id(key);
      case Keys.SNAPSHOT -> "snapshot " + Keys.sequenceNr(key) + " of " + Keys.id(key);
      default -> "highest sequence number of " + Keys.id(key);
    };
  }

  private static ByteBuffer record(int bodySize) {
    return ByteBuffer.allocate(HEADER + bodySize).put(VERSION).putInt(0);
  }

  @SuppressWarnings("ByteBufferBackingArray") // allocated by record() alone
  private static byte[] sealed(byte[] key, ByteBuffer out) {
    byte[] value = out.array();
    out.putInt(1, checksum(key, value));
    return value;
  }

  private static int checksum(byte[] key, byte[] value) {
    CRC32C crc = new CRC32C();
    crc.update(key);
    crc.update(value, 0, 1);
    crc.update(value, HEADER, value.length - HEADER);
    return (int) crc.getValue();
  }

  private static int sizeOf(@Nullable Payload metadata) {
    return metadata == null ? 1 : 1 + metadata.size();
  }

  private static void putMetadata(ByteBuffer out, @Nullable Payload metadata) {
    if (metadata == null) {
      out.put((byte) 0);
    } else {
      metadata.putTo(out.put((byte) 1));
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void putBytes(ByteBuffer out, byte[] bytes) {
    out.putInt(bytes.length).put(bytes);
  }

  private static byte[] lengthAndBytes(ByteBuffer in) {
    byte[] bytes = new byte[in.getInt()];
    in.get(bytes);
    return bytes;
  }

  private static String string(ByteBuffer in) {
    return new String(lengthAndBytes(in), StandardCharsets.UTF_8);
  }
}
