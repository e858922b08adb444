import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.PayloadUse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Looks for a text in the bytes, across packets too, and ends the session where it stands. */
public final class Pattern implements NetworkFunction {
  private static final byte[] FORBIDDEN = "TOP-SECRET".getBytes(StandardCharsets.US_ASCII);
  private static final int STATE_VERSION = 1;

  /** The last bytes that were seen: the text may have begun there. */
  private byte[] tail = new byte[0];

  /** Where they end. */
  private long reached;

  @Override
  public PayloadUse payloadUse() {
    return PayloadUse.INSPECT;
  }

  @Override
  public Optional<String> payload(long offset, ByteBuffer bytes) {
    byte[] before = offset == reached ? tail : new byte[0]; // a client may go back
    byte[] seen = Arrays.copyOf(before, before.length + bytes.remaining());
    bytes.get(seen, before.length, bytes.remaining());
    int found = find(seen);
    if (found >= 0) {
      return Optional.of("a forbidden text at " + (offset - before.length + found));
    }
    tail = Arrays.copyOfRange(seen, Math.max(0, seen.length - FORBIDDEN.length + 1), seen.length);
    reached = offset + seen.length - before.length;
    return Optional.empty();
  }

  private static int find(byte[] seen) {
    for (int at = 0; at + FORBIDDEN.length <= seen.length; at++) {
      int equal = 0;
      while (equal < FORBIDDEN.length && seen[at + equal] == FORBIDDEN[equal]) {
        equal++;
      }
      if (equal == FORBIDDEN.length) {
        return at;
      }
    }
    return -1;
  }

  @Override
  public Optional<HandOver> handOver() {
    ByteBuffer state = ByteBuffer.allocate(Long.BYTES + tail.length).putLong(reached).put(tail);
    return Optional.of(new HandOver(STATE_VERSION, state.array()));
  }

  @Override
  public boolean takeOver(HandOver state) {
    if (state.version() != STATE_VERSION) {
      return false;
    }
    ByteBuffer saved = ByteBuffer.wrap(state.state());
    reached = saved.getLong();
    tail = new byte[saved.remaining()];
    saved.get(tail);
    return true;
  }
}
