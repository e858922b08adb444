package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import org.junit.jupiter.api.Test;

@SuppressWarnings("deprecation") // the type of the option
final class SpareReceiveTest {
  private final RecvByteBufAllocator.Handle handle =
      new SpareReceive(new FixedRecvByteBufAllocator(100)).newHandle();

  @Test
  void shouldReceiveAsUsualWhileThereIsMemory() {
    ByteBuf buffer = handle.allocate(UnpooledByteBufAllocator.DEFAULT);
    assertThat(buffer.capacity()).isEqualTo(100);
    assertThat(SpareReceive.used(buffer)).isFalse();
    buffer.release();
  }

  @Test
  void shouldReceiveIntoOneBufferWhereThereIsNoMemory() {
    for (int i = 0; i < 3; i++) {
      ByteBuf buffer = handle.allocate(new NoMemory());
      assertThat(SpareReceive.used(buffer)).isTrue();
      assertThat(buffer.isDirect()).isTrue();
      assertThat(buffer.refCnt()).isEqualTo(2);
      assertThat(buffer.readableBytes()).isZero();
      buffer.writeBytes(new byte[1000]);
      buffer.release();
    }
    assertThat(SpareReceive.used(Unpooled.buffer())).isFalse();
  }

  private static final class NoMemory extends AbstractByteBufAllocator {
    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      throw new OutOfMemoryError("planted");
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      throw new OutOfMemoryError("planted");
    }

    @Override
    public CompositeByteBuf compositeDirectBuffer(int maxNumComponents) {
      throw new OutOfMemoryError("planted");
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }
}
