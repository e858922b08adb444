package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartFileTest {
  private static final int MOST = 256 << 10;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void shouldWriteAllInShortPiecesWhateverTheKernelTakesOfThem(long seed) throws IOException {
    Random random = new Random(seed);
    Path path = directory.resolve("part");
    ByteBuffer[] buffers = new ByteBuffer[1 + random.nextInt(8)];
    ByteBuffer expected = ByteBuffer.allocate(buffers.length * 4 * MOST);
    for (int i = 0; i < buffers.length; i++) {
      byte[] bytes = new byte[random.nextInt(4 * MOST)];
      random.nextBytes(bytes);
      buffers[i] = ByteBuffer.allocateDirect(bytes.length + 2).position(1).put(bytes).flip();
      buffers[i].position(1);
      expected.put(bytes);
    }
    long at = random.nextInt(10_000);

    try (Folder folder = Folder.open(directory);
        Reluctant channel =
            new Reluctant(
                FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                random)) {
      new PartFile(folder, "part", channel).write(at, buffers);

      assertThat(channel.asked).as("bytes of each write").allMatch(bytes -> bytes <= MOST);
    }
    for (ByteBuffer buffer : buffers) {
      assertThat(buffer.remaining()).isZero();
      assertThat(buffer.limit()).as("left as it was").isEqualTo(buffer.capacity() - 1);
    }
    ByteBuffer written = ByteBuffer.wrap(Files.readAllBytes(path));
    assertThat(written.position((int) at).slice()).as("seed %d", seed).isEqualTo(expected.flip());
  }

  /** A file that takes, of what it is given, as much as it likes. */
  private static final class Reluctant extends FileChannel {
    final List<Long> asked = new ArrayList<>();
    private final FileChannel file;
    private final Random random;

    Reluctant(FileChannel file, Random random) {
      this.file = file;
      this.random = random;
    }

    @Override
    public long write(ByteBuffer[] buffers, int first, int count) throws IOException {
      long all = 0;
      for (int i = first; i < first + count; i++) {
        all += buffers[i].remaining();
      }
      asked.add(all);
      long most = random.nextBoolean() ? all : random.nextLong(all + 1);
      long taken = 0;
      for (int i = first; i < first + count && taken < most; i++) {
        int limit = buffers[i].limit();
        buffers[i].limit((int) Math.min(limit, buffers[i].position() + most - taken));
        taken += file.write(buffers[i]);
        buffers[i].limit(limit);
      }
      return taken;
    }

    @Override
    public FileChannel position(long position) throws IOException {
      file.position(position);
      return this;
    }

    @Override
    protected void implCloseChannel() throws IOException {
      file.close();
    }

    @Override
    public int read(ByteBuffer into) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] into, int first, int count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer buffer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      throw new UnsupportedOperationException();
    }

    @Override
    public long size() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel truncate(long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void force(boolean metaData) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel from, long position, long count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer into, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer buffer, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }
  }
}
