import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Range;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The last link of a chain: counts what a session moves, and ends it at a limit. */
public final class Counter implements NetworkFunction {
  private static final long MOST_BYTES = 1L << 40;
  private static final int STATE_VERSION = 1;

  private long ranges;
  private long bytes;

  @Override
  public Passage decide(Range range, long nowNanos) {
    if (bytes + range.length() > MOST_BYTES) {
      return Passage.deny(bytes + " bytes moved (expected: at most " + MOST_BYTES + ")");
    }
    return Passage.pass();
  }

  @Override
  public void passed(Range range) {
    ranges++;
    bytes += range.length();
  }

  @Override
  public Optional<HandOver> handOver() {
    byte[] counts = ByteBuffer.allocate(2 * Long.BYTES).putLong(ranges).putLong(bytes).array();
    return Optional.of(new HandOver(STATE_VERSION, counts));
  }

  @Override
  public boolean takeOver(HandOver state) {
    if (state.version() != STATE_VERSION) {
      return false;
    }
    ByteBuffer counts = ByteBuffer.wrap(state.state());
    ranges = counts.getLong();
    bytes = counts.getLong();
    return true;
  }
}
