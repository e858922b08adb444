package io.theseus.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class FileHashTest {
  private static FileHash.Source source(byte[] content) {
    return (into, position) -> {
      if (position >= content.length) {
        return -1;
      }
      int length = Math.min(into.remaining(), content.length - (int) position);
      into.put(content, (int) position, length);
      return length;
    };
  }

  /** Offers in any order, repeated, with gaps, on another thread or inline: one result. */
  @Property(tries = 200)
  void shouldHashTheFileWhateverIsOffered(@ForAll @LongRange(min = 0, max = 1L << 40) long seed)
      throws Exception {
    Random random = new Random(seed);
    byte[] content = ClientFixture.content(1 + random.nextInt(2_000_000), seed);
    ChunkPool pool = new ChunkPool();
    ExecutorService executor = Executors.newCachedThreadPool();
    try {
      FileHash hash = new FileHash(source(content), executor);
      if (random.nextInt(4) == 0) {
        offer(hash, pool, new byte[content.length], 0, Math.min(100, content.length));
        hash.reset();
      }
      int at = 0;
      for (int i = 0; i < 30; i++) {
        if (random.nextInt(4) == 0) {
          at = random.nextInt(content.length);
        }
        int length = Math.min(1 + random.nextInt(Chunk.BYTES), content.length - at);
        offer(hash, pool, content, at, length);
        at = (at + length) % content.length;
      }
      String expected = ScriptedServer.sha256(content);
      assertThat(hash.finish(content.length, new Cancellation())).isEqualTo(expected);
    } finally {
      executor.shutdownNow();
    }
  }

  private static void offer(FileHash hash, ChunkPool pool, byte[] content, int at, int length) {
    Chunk chunk = pool.take();
    chunk.buffer().put(content, at, length);
    hash.offer(at, chunk, 0, length);
    chunk.release();
  }

  @Test
  void shouldSayWhereTheFileEndsTooEarly() {
    FileHash hash = new FileHash(source(new byte[10]), Runnable::run);
    assertThatThrownBy(() -> hash.finish(11, new Cancellation()))
        .hasMessage("file ends at 10 (expected: at least 11 bytes)");
  }

  @Test
  void shouldKnowTheHashOfNothing() throws Exception {
    FileHash hash = new FileHash(source(new byte[0]), Runnable::run);
    assertThat(hash.finish(0, new Cancellation()))
        .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        .isEqualTo(ScriptedServer.sha256(new byte[0]));
  }
}
