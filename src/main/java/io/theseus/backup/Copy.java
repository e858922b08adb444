package io.theseus.backup;

import io.theseus.peer.Intake;
import io.theseus.peer.PeerPort;
import io.theseus.store.Salvage;
import io.theseus.store.Source;
import io.theseus.store.Upload;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that another node receives, on its way into an upload of this one. Asks for as much as may
 * be in flight, ahead of what is there; compares the sums of all blocks. By any thread; whoever
 * listens must not be kept.
 */
final class Copy implements Intake {
  /** Bytes that are asked for and not yet written. */
  private static final long CREDIT = 16L << 20;

  private static final long RANGE = 4L << 20;
  private static final int MOST_NAMED = 20;
  private static final Logger LOG = LoggerFactory.getLogger(Copy.class);

  /** Who is told how it goes. */
  interface Listener {
    /** What was waited for is here. */
    void reached(long received);

    /**
     * Nothing more comes by itself.
     *
     * @param refused whether the owner said so: it will say what it wants; otherwise to be begun
     *     again
     */
    void interrupted(String reason, boolean refused);

    /** It is of no use: what came is not what was sent. */
    void corrupt(String reason);
  }

  private final PeerPort port;
  private final PeerPort.Address from;
  private final Epoch epoch;
  private final Upload upload;
  private final Upload.Writer writer;
  private final long end;
  private final Optional<Salvage> salvage;
  private final Executor disk;
  private final Listener listener;

  // guarded by this
  private boolean salvaging;

  /** Of what is salvaged: blocks that are not as they should be. */
  private final BitSet rotten = new BitSet();

  private long asked;
  private long taken;
  private long written;
  private long goal = Long.MAX_VALUE;
  private int[] theirs = new int[16];
  private int known;
  private int compared;
  private int goalBlocks = Integer.MAX_VALUE;
  private boolean over;

  /**
   * Goes on behind what the upload has.
   *
   * @param size bytes, where known
   * @param salvage what is taken from here where it is as it should be
   * @param disk runs what waits for that
   */
  Copy(
      PeerPort port,
      PeerPort.Address from,
      Epoch epoch,
      Upload upload,
      OptionalLong size,
      Optional<Salvage> salvage,
      Executor disk,
      Listener listener) {
    this.port = port;
    this.from = from;
    this.epoch = epoch;
    this.upload = upload;
    this.writer = upload.takeOver();
    this.end = size.orElse(Long.MAX_VALUE);
    this.salvage = salvage;
    this.disk = disk;
    this.listener = listener;
    this.asked = upload.received();
    this.taken = asked;
    this.written = asked;
  }

  /** Asks for the first bytes; where all are here, for the last one, as the sums come before it. */
  void begin() {
    if (asked >= end && end > 0) {
      port.pull(from, upload.session(), epoch, end - 1, end, this);
    }
    pull();
  }

  /** Whether so many blocks are known to be what they should be; otherwise that is told, once. */
  boolean isCompared(int blocks) {
    compare(); // what was hashed since the last bytes came
    synchronized (this) {
      goalBlocks = compared < blocks ? blocks : Integer.MAX_VALUE;
      return compared >= blocks;
    }
  }

  /** Asks for no more. */
  void stop() {
    synchronized (this) {
      over = true;
    }
    port.stop(from, upload.session(), this);
  }

  /** Tells, once, when so many bytes are here; at once where they are. */
  void await(long bytes) {
    long now;
    synchronized (this) {
      goal = bytes;
      now = taken;
      if (now >= goal) {
        goal = Long.MAX_VALUE;
      }
    }
    if (now >= bytes) {
      listener.reached(now);
    }
  }

  private void pull() {
    while (true) {
      long first;
      long last;
      boolean here = false;
      synchronized (this) {
        if (over || salvaging || asked >= end || asked - written >= CREDIT) {
          return;
        }
        first = asked;
        last = Math.min(end, first + RANGE);
        if (salvage.isPresent()) {
          int block = (int) (first / Source.BLOCK_BYTES);
          here = first % Source.BLOCK_BYTES == 0 && isSound(block);
          if (asked > taken && (here || known == 0)) {
            return; // goes on once that is here; with the first block come the sums
          }
          salvaging = here;
          last = Math.min(end, (block + 1L) * Source.BLOCK_BYTES);
        }
        asked = last;
      }
      if (here) {
        salvage((int) (first / Source.BLOCK_BYTES), first);
      } else {
        port.pull(from, upload.session(), epoch, first, last, this);
      }
    }
  }

  /** Whether what is here of a block is what it is there. */
  private boolean isSound(int block) {
    if (block >= known || rotten.get(block)) {
      return false;
    }
    boolean sound = salvage.orElseThrow().has(block, theirs[block]);
    rotten.set(block, !sound);
    return sound;
  }

  private void salvage(int block, long first) {
    ByteBuffer bytes;
    try {
      bytes = salvage.orElseThrow().read(block);
    } catch (IOException | ProtocolException e) {
      LOG.info("block {} can't be read, and is fetched: {}", block, e.getMessage());
      synchronized (this) {
        rotten.set(block);
        asked = first;
        salvaging = false;
      }
      return;
    }
    int length = bytes.remaining();
    if (!writer.write(bytes, () -> released(length))) {
      end("it can't be written", /* refused= */ false);
      return;
    }
    took(length);
    synchronized (this) {
      salvaging = false;
    }
  }

  @Override
  public void data(long offset, ByteBuffer bytes, Runnable release) {
    int length = bytes.remaining();
    boolean expected;
    synchronized (this) {
      expected = !over && offset == taken;
    }
    if (!expected) {
      release.run();
      return;
    }
    boolean accepted =
        writer.write(
            bytes,
            () -> {
              release.run();
              released(length);
            });
    if (!accepted) {
      end("it can't be written", /* refused= */ false);
      return;
    }
    took(length);
    if (salvage.isPresent()) {
      disk.execute(this::pull);
    }
  }

  private void took(int length) {
    long reached = -1;
    BitSet fetched = new BitSet();
    synchronized (this) {
      taken += length;
      if (taken >= goal) {
        goal = Long.MAX_VALUE;
        reached = taken;
      }
      if (taken == end) {
        fetched.or(rotten);
      }
    }
    if (!fetched.isEmpty()) {
      LOG.warn(
          "{}: {} blocks of 1 MiB were rotten, and come from node {}: {}",
          Texts.quote(upload.name().value()),
          fetched.cardinality(),
          from.node(),
          fetched.stream().limit(MOST_NAMED).boxed().toList());
    }
    if (reached >= 0) {
      listener.reached(reached);
    }
  }

  private void released(int length) {
    synchronized (this) {
      written += length;
    }
    pull();
    compare();
  }

  @Override
  public void sums(int firstBlock, int[] sums) {
    synchronized (this) {
      int end = firstBlock + sums.length;
      if (firstBlock > known) {
        return; // a gap: they come again with the next connection
      }
      if (end > theirs.length) {
        theirs = Arrays.copyOf(theirs, Math.max(end, 2 * theirs.length));
      }
      System.arraycopy(sums, 0, theirs, firstBlock, sums.length);
      known = Math.max(known, end);
    }
    compare();
  }

  /** Compares blocks whose sums are known at both ends. */
  private void compare() {
    int bad = -1;
    long reached = -1;
    synchronized (this) {
      int upTo = Math.min(known, upload.summed());
      int[] ours = upload.sums(compared, Math.max(0, upTo - compared));
      for (int i = 0; i < ours.length && bad < 0; i++) {
        if (ours[i] != theirs[compared + i]) {
          bad = compared + i;
        }
      }
      compared = bad < 0 ? compared + ours.length : bad; // never past one that differs
      over |= bad >= 0;
      if (bad < 0 && compared >= goalBlocks) {
        goalBlocks = Integer.MAX_VALUE;
        reached = taken;
      }
    }
    if (reached >= 0) {
      listener.reached(reached);
    }
    if (bad >= 0) {
      listener.corrupt("block " + bad + " of 1 MiB has another CRC32C than where it came from");
    }
  }

  @Override
  public void failed(ErrorCode code, String reason) {
    end(code.label() + ": " + reason, /* refused= */ true);
  }

  @Override
  public void lost(String reason) {
    end(reason, /* refused= */ false);
  }

  private void end(String reason, boolean refused) {
    synchronized (this) {
      if (over) {
        return;
      }
      over = true;
    }
    listener.interrupted(reason, refused);
  }
}
