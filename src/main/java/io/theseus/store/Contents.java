package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What files that have their names hold: whether it is still what was stored, and the file as
 * something to be copied. A file that is found to hold something else is rotten: until it is
 * replaced it is not served, and counts as none.
 */
public final class Contents {
  private static final Logger LOG = LoggerFactory.getLogger(Contents.class);
  private static final int READ_BYTES = 256 << 10;

  /** Slows a reader down. */
  @FunctionalInterface
  public interface Pacing {
    /**
     * Waits until so many more bytes may be read.
     *
     * @throws InterruptedException where nothing more is to be read
     */
    void await(int bytes) throws InterruptedException;
  }

  private record Open(FileChannel channel, Facts facts) {}

  private final FileStore store;
  private final Tree tree;
  private final RottenFiles rotten;

  Contents(FileStore store, Tree tree, RottenFiles rotten) {
    this.store = store;
    this.tree = tree;
    this.rotten = rotten;
  }

  // ---- looking

  /**
   * What was said of a file at its commit.
   *
   * @return empty where a person put or changed it since
   * @throws ProtocolException {@code not-found}
   */
  public Optional<Committed> committed(FileName name) throws ProtocolException {
    return store.inFolderOf(
        name, (folder, component) -> committed(name, facts(name, folder.find(component))));
  }

  private Facts facts(FileName name, @Nullable BasicFileAttributes found) throws ProtocolException {
    return Facts.of(FileStore.requireFile(name, found), tree.path(name.value()));
  }

  private Optional<Committed> committed(FileName name, Facts facts) {
    return facts
        .valid()
        .map(
            each ->
                new Committed(
                    name,
                    facts.version(tree.path(name.value())),
                    each.session(),
                    each.size(),
                    each.modified(),
                    each.sha256(),
                    each.received(),
                    each.committed()));
  }

  /**
   * Reads a file from its first byte to its last; waits for the disk. One that can't be read is
   * rotten, too, where it is known what it should be. What wasn't in the page cache before isn't
   * behind it.
   *
   * @throws ProtocolException {@code not-found}, and {@code busy} where it changes meanwhile
   * @throws InterruptedException where the pacing ends it
   */
  public Checked check(FileName name, Pacing pacing)
      throws ProtocolException, InterruptedException {
    return check(name, pacing, FileChannel::read, /* keep= */ false);
  }

  /** The same for a file that is read once more if it is sound: it may stay in the page cache. */
  public Checked checkBeforeCopy(FileName name, Pacing pacing)
      throws ProtocolException, InterruptedException {
    return check(name, pacing, FileChannel::read, /* keep= */ true);
  }

  /** Reads some bytes. */
  @FunctionalInterface
  interface Reading {
    int read(FileChannel file, ByteBuffer into, long at) throws IOException;
  }

  Checked check(FileName name, Pacing pacing, Reading reading, boolean keep)
      throws ProtocolException, InterruptedException {
    Open open = open(name);
    ContentSums sums = new ContentSums(UploadRequest.Hashing.SHA256);
    Optional<IOException> failure = Optional.empty();
    try (FileChannel channel = open.channel()) {
      // the kernel does what it reads ahead in one go, during which no other thread has its
      // processor
      Native.readsOnlyWhatIsAsked(channel);
      ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);
      long at = 0;
      while (at < open.facts().size()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), open.facts().size() - at));
        pacing.await(buffer.remaining());
        boolean forget = !keep && Native.isUncached(channel, at, buffer.remaining());
        int n = reading.read(channel, buffer, at);
        if (n < 0) {
          throw changed(name);
        }
        if (forget) {
          Native.dontNeed(channel, at, n);
        }
        sums.update(buffer.flip());
        at += n;
      }
    } catch (IOException e) {
      failure = Optional.of(e);
    }
    Facts now = store.inFolderOf(name, (folder, component) -> facts(name, folder.find(component)));
    if (!now.equals(open.facts())) {
      throw changed(name);
    }
    Optional<Committed> committed = committed(name, now);
    if (failure.isPresent() && committed.isEmpty()) {
      throw Refusals.io(name, "reading", failure.get());
    }
    int whole = sums.blocks().whole();
    Checked checked =
        new Checked(
            now,
            committed,
            now.version(tree.path(name.value())),
            failure.map(Refusals::reason),
            sums.sha256(),
            sums.blocks().whole(0, whole));
    if (!checked.isRotten()) {
      rotten.remove(name); // what was found before was not so
    }
    return checked;
  }

  private Open open(FileName name) throws ProtocolException {
    return store.inFolderOf(
        name,
        (folder, component) -> {
          Facts facts = facts(name, folder.find(component));
          return new Open(folder.file(component, StandardOpenOption.READ), facts);
        });
  }

  private static ProtocolException changed(FileName name) {
    return new ProtocolException(
        ErrorCode.BUSY,
        Texts.quote(name.value()) + " changed while it was read (expected: a moment of peace)");
  }

  /**
   * Takes a file that a person has put or changed for what it is now: its SHA-256 and version stay
   * with it from now on, and it can be copied. Its identity stays as it was.
   *
   * @return empty where it is something else by now, or the file system has no attributes
   */
  public Optional<Committed> adopt(FileName name, Checked checked) throws ProtocolException {
    Facts facts = checked.facts();
    Attribute attribute =
        new Attribute(
            UUID.nameUUIDFromBytes(
                (name.value() + "\n" + checked.version()).getBytes(StandardCharsets.UTF_8)),
            facts.size(),
            facts.modified(),
            checked.sha256(),
            Optional.empty(),
            Instant.EPOCH, // by no session that may come back
            Optional.of(checked.version()));
    if (!store.say(name, facts, attribute)) {
      return Optional.empty();
    }
    return committed(name).filter(each -> each.session().equals(attribute.session()));
  }

  // ---- copying

  /**
   * A file as something to be copied.
   *
   * @param checked what was found in it, where it was read just now: whoever copies it can then
   *     compare block by block
   */
  public Original original(Committed file, Optional<Checked> checked) {
    return original(file, checked, UnaryOperator.identity());
  }

  /**
   * The same, at a pace.
   *
   * @param pacing gives what shows the bytes of a file when they may be read
   */
  public Original original(
      Committed file, Optional<Checked> checked, UnaryOperator<Source> pacing) {
    int[] sums = checked.map(Checked::sums).orElse(new int[0]);
    return new Original() {
      @Override
      public UUID session() {
        return file.session();
      }

      @Override
      public FileName name() {
        return file.name();
      }

      @Override
      public OptionalLong size() {
        return OptionalLong.of(file.size());
      }

      @Override
      public Optional<Instant> modified() {
        return Optional.of(file.modified());
      }

      @Override
      public long durable() {
        return file.size();
      }

      @Override
      public int lastSum() {
        return 0;
      }

      @Override
      public Source source() throws ProtocolException {
        return pacing.apply(Contents.this.source(file, sums));
      }
    };
  }

  private Source source(Committed file, int[] sums) throws ProtocolException {
    Open open = open(file.name());
    Optional<Committed> now = committed(file.name(), open.facts());
    if (!now.equals(Optional.of(file))) {
      close(open.channel());
      throw Refusals.notFound(file.name(), "has another version by now");
    }
    return new Whole(open.channel(), file.size(), sums);
  }

  /** A file that stays as it is. */
  private static final class Whole implements Source {
    private final FileChannel channel;
    private final long size;
    private final int[] sums;
    private final AtomicBoolean closed = new AtomicBoolean();

    Whole(FileChannel channel, long size, int[] sums) {
      this.channel = channel;
      this.size = size;
      this.sums = sums;
    }

    @Override
    public FileChannel channel() {
      return channel;
    }

    @Override
    public long available() {
      return size;
    }

    @Override
    public int summed() {
      return sums.length;
    }

    @Override
    public int[] sums(int firstBlock, int count) {
      return Arrays.copyOfRange(sums, firstBlock, firstBlock + count);
    }

    @Override
    public Optional<ProtocolException> failure() {
      return Optional.empty();
    }

    @Override
    public void onChange(Runnable watcher) {
      // all is there
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        Contents.close(channel);
      }
    }
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.warn("a file could not be closed: {}", Refusals.reason(e));
    }
  }

  // ---- rotten

  /**
   * From now on the file is not served, also after a restart; waits for the disk.
   *
   * @throws ProtocolException where that can't be remembered: then until the restart
   */
  public void condemn(FileName name, Checked checked) throws ProtocolException {
    Committed stored = checked.committed().orElseThrow();
    LOG.error(
        "{} is rotten: {} (expected: SHA-256 {}, with which it was stored); it is not served until"
            + " it is repaired",
        Texts.quote(name.value()),
        checked
            .unreadable()
            .map(reason -> "it can't be read, " + reason)
            .orElse("its SHA-256 is " + checked.sha256()),
        stored.sha256());
    try {
      rotten.add(name, checked.facts(), checked.sums());
    } catch (IOException e) {
      throw store.forceFailed(name, e);
    }
  }

  /** Whether what is there is known to be rotten. */
  public boolean isRotten(FileName name) {
    if (!isMarked(name)) {
      return false;
    }
    try {
      Facts now =
          store.inFolderOf(name, (folder, component) -> facts(name, folder.find(component)));
      return isRotten(name, now);
    } catch (ProtocolException e) {
      return false; // gone
    }
  }

  boolean isRotten(FileName name, Facts now) {
    RottenFiles.Mark mark = rotten.find(name);
    return mark != null && mark.isOf(now);
  }

  /** Whether it may be: never waits for the disk. */
  boolean isMarked(FileName name) {
    return rotten.find(name) != null;
  }

  /** Those that are. */
  public List<FileName> rotten() {
    return rotten.names().stream().filter(this::isRotten).sorted().toList();
  }

  /** Another file has taken the place, or none. */
  void replaced(FileName name) {
    rotten.remove(name);
  }

  /** What is left of a rotten file that came by a session; empty for any other one. */
  public Optional<Salvage> salvage(FileName name, UUID session) {
    RottenFiles.Mark mark = rotten.find(name);
    return mark != null && mark.stored.session().equals(session) && isRotten(name)
        ? Optional.of(new Salvage(() -> open(name).channel(), mark.sums))
        : Optional.empty();
  }
}
