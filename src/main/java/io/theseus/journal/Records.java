package io.theseus.journal;

import akka.actor.ActorRef;
import akka.persistence.PersistentRepr;
import akka.serialization.Serialization;
import akka.serialization.Serializers;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;
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

    static Payload from(ByteBuffer in) {
      return new Payload(in.getInt(), lengthAndBytes(in), lengthAndBytes(in));
    }

    static @Nullable Payload metadataFrom(ByteBuffer in) {
      byte present = in.get();
      if (present != 0 && present != 1) {
        throw new IllegalArgumentException("metadata: " + present + " (expected: 0 or 1)");
      }
      return present == 0 ? null : from(in);
    }

    Object object(Serialization serialization) {
      return serialization
          .deserialize(bytes, serializerId, new String(manifest, StandardCharsets.UTF_8))
          .get();
    }
  }

  static byte[] head(byte[] key, long highestSequenceNr) {
    return sealed(key, record(8).putLong(highestSequenceNr));
  }

  static long highestSequenceNr(byte[] key, byte[] value) {
    return read(key, value, ByteBuffer::getLong);
  }

  static byte[] event(byte[] key, PersistentRepr event, Serialization serialization) {
    return new Event(
            event.timestamp() == 0 ? System.currentTimeMillis() : event.timestamp(),
            utf8(event.writerUuid()),
            utf8(event.manifest()),
            Payload.of(serialization, event.payload()),
            event.metadata().isDefined() ? Payload.of(serialization, event.metadata().get()) : null)
        .value(key);
  }

  static PersistentRepr event(byte[] key, byte[] value, Serialization serialization) {
    Event read = Event.from(key, value);
    PersistentRepr event =
        PersistentRepr.apply(
                read.payload.object(serialization),
                Keys.sequenceNr(key),
                Keys.id(key),
                new String(read.manifest, StandardCharsets.UTF_8),
                false,
                ActorRef.noSender(),
                new String(read.writer, StandardCharsets.UTF_8))
            .withTimestamp(read.writtenMillis);
    return read.metadata == null ? event : event.withMetadata(read.metadata.object(serialization));
  }

  /** What its serializer calls an event. */
  static String manifest(byte[] key, byte[] value) {
    return new String(Event.from(key, value).payload.manifest, StandardCharsets.UTF_8);
  }

  /** An event as it is stored. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
  record Event(
      long writtenMillis,
      byte[] writer,
      byte[] manifest,
      Payload payload,
      @Nullable Payload metadata) {
    static Event from(byte[] key, byte[] value) {
      return read(
          key,
          value,
          in ->
              new Event(
                  in.getLong(),
                  lengthAndBytes(in),
                  lengthAndBytes(in),
                  Payload.from(in),
                  Payload.metadataFrom(in)));
    }

    byte[] value(byte[] key) {
      ByteBuffer out =
          record(16 + writer.length + manifest.length + payload.size() + sizeOf(metadata));
      out.putLong(writtenMillis);
      putBytes(out, writer);
      putBytes(out, manifest);
      payload.putTo(out);
      putMetadata(out, metadata);
      return sealed(key, out);
    }
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

  private record Stored(Payload state, @Nullable Payload metadata) {}

  static Snapshot snapshot(byte[] key, byte[] value, Serialization serialization) {
    Stored stored =
        read(
            key,
            value,
            in -> {
              in.getLong();
              return new Stored(Payload.from(in), Payload.metadataFrom(in));
            });
    return new Snapshot(
        stored.state.object(serialization),
        stored.metadata == null ? null : stored.metadata.object(serialization));
  }

  /** When an event or a snapshot was written, in ms since 1970. */
  static long writtenMillis(byte[] key, byte[] value) {
    ByteBuffer in = body(key, value);
    if (in.remaining() < Long.BYTES) {
      throw new DamagedRecordException(name(key) + " ends too early");
    }
    return in.getLong();
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
    int length = in.getInt();
    if (length < 0 || length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  /**
   * Reads all of a body. One whose checksum holds and which is no record all the same was written
   * by another version, or by somebody else.
   */
  private static <T> T read(byte[] key, byte[] value, Function<ByteBuffer, T> reader) {
    ByteBuffer in = body(key, value);
    T read;
    try {
      read = reader.apply(in);
    } catch (BufferUnderflowException e) {
      throw new DamagedRecordException(name(key) + " ends too early");
    } catch (IllegalArgumentException e) {
      throw new DamagedRecordException(name(key) + " has " + e.getMessage());
    }
    if (in.hasRemaining()) {
      throw new DamagedRecordException(
          name(key) + " has " + in.remaining() + " bytes too many (expected: none behind its end)");
    }
    return read;
  }
}
