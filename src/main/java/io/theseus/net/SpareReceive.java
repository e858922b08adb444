package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * Buffers to receive into, and where there is no memory for one, the spare one of the event loop:
 * what it holds can't be kept, but the connection is told, and is closed with all input taken. The
 * transport would close it with input left, and a reset would overtake what the client is told.
 */
@SuppressWarnings("deprecation") // the type of the option
final class SpareReceive implements RecvByteBufAllocator {
  private static final int SPARE_BYTES = 64 << 10;

  private static final FastThreadLocal<ByteBuf> SPARE =
      new FastThreadLocal<>() {
        @Override
        protected ByteBuf initialValue() {
          return Unpooled.directBuffer(SPARE_BYTES, SPARE_BYTES);
        }
      };

  private final RecvByteBufAllocator usual;

  /** As another one, while there is memory. */
  SpareReceive(RecvByteBufAllocator usual) {
    this.usual = usual;
  }

  /** Makes the spare buffer of the calling event loop: later there may be no memory. */
  static void prepare() {
    SPARE.get();
  }

  /** Whether the calling event loop has received into its spare buffer: the next one will, too. */
  @SuppressWarnings("ReferenceEquality") // buffers are equal by what they hold
  static boolean used(ByteBuf input) {
    return input == SPARE.get();
  }

  @Override
  public RecvByteBufAllocator.Handle newHandle() {
    return new SpareHandle((ExtendedHandle) usual.newHandle());
  }

  private static final class SpareHandle extends DelegatingHandle implements ExtendedHandle {
    private final ExtendedHandle usual;

    SpareHandle(ExtendedHandle usual) {
      super(usual);
      this.usual = usual;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      try {
        return usual.allocate(allocator);
      } catch (OutOfMemoryError e) { // of direct memory: where the heap is full the process ends
        return SPARE.get().clear().retain();
      }
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
      return usual.continueReading(maybeMore);
    }
  }
}
