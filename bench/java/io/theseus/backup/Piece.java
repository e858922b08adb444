package io.theseus.backup;

import akka.serialization.ByteBufferSerializer;
import akka.serialization.SerializerWithStringManifest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.UUID;

/**
 * Bytes of a file as a message of Artery's. They are read right into the buffer that Artery sends,
 * and copied once from the one that it received, as that is Artery's own.
 */
sealed interface Piece {
  /** As it leaves: bytes of a file. */
  record Leaving(UUID session, long offset, int length, FileChannel file) implements Piece {}

  /** As it comes: who takes it releases the bytes. */
  record Arrived(UUID session, long offset, ByteBuf bytes) implements Piece, CopyTaker.Command {}

  /** Writes the one, reads the other. */
  final class Serializer extends SerializerWithStringManifest implements ByteBufferSerializer {
    private static final int IDENTIFIER = 7411;

    @Override
    public int identifier() {
      return IDENTIFIER;
    }

    @Override
    public String manifest(Object message) {
      return "";
    }

    @Override
    public void toBinary(Object message, ByteBuffer into) {
      Leaving piece = (Leaving) message;
      into.putLong(piece.session.getMostSignificantBits());
      into.putLong(piece.session.getLeastSignificantBits());
      into.putLong(piece.offset);
      into.limit(into.position() + piece.length);
      try {
        for (long at = piece.offset; into.hasRemaining(); ) {
          int read = piece.file.read(into, at);
          if (read < 0) {
            throw new IOException(
                "the file ends at " + at + " (expected: " + (piece.offset + piece.length) + ")");
          }
          at += read;
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public Object fromBinary(ByteBuffer from, String manifest) {
      UUID session = new UUID(from.getLong(), from.getLong());
      long offset = from.getLong();
      return new Arrived(
          session,
          offset,
          PooledByteBufAllocator.DEFAULT.directBuffer(from.remaining()).writeBytes(from));
    }

    @Override
    public byte[] toBinary(Object message) {
      throw new UnsupportedOperationException("only Artery asks, and that for a buffer");
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) {
      return fromBinary(ByteBuffer.wrap(bytes), manifest);
    }
  }
}
