import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Range;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/** The second link of a chain: a token bucket for each session. */
public final class Limiter implements NetworkFunction {
  private static final long BYTES_PER_SECOND = 10L << 20;

  /** What may go at once after a pause. */
  private static final long BUCKET = 4L << 20;

  private static final long LEAST = 64L << 10;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final int STATE_VERSION = 1;

  private long tokens = BUCKET;
  private long filledNanos;
  private boolean begun;

  @Override
  public Passage decide(Range range, long nowNanos) {
    fill(nowNanos);
    long wanted = Math.min(range.length(), LEAST);
    if (tokens < wanted) {
      long nanos = (wanted - tokens) * NANOS_PER_SECOND / BYTES_PER_SECOND;
      return Passage.delay(Duration.ofNanos(nanos).plusMillis(1));
    }
    return Passage.limit((int) Math.min(range.length(), tokens));
  }

  /** A link behind this one may have let less pass. */
  @Override
  public void passed(Range range) {
    tokens -= range.length();
  }

  private void fill(long nowNanos) {
    if (!begun) {
      begun = true;
      filledNanos = nowNanos;
    }
    // beyond a full bucket time makes no difference, and the product stays small
    long nanos = Math.min(nowNanos - filledNanos, BUCKET * NANOS_PER_SECOND / BYTES_PER_SECOND + 1);
    tokens = Math.min(BUCKET, tokens + nanos * BYTES_PER_SECOND / NANOS_PER_SECOND);
    filledNanos = nowNanos;
  }

  /** Without the time: the clock of the successor may be another one. */
  @Override
  public Optional<HandOver> handOver() {
    byte[] state = ByteBuffer.allocate(Long.BYTES).putLong(tokens).array();
    return Optional.of(new HandOver(STATE_VERSION, state));
  }

  @Override
  public boolean takeOver(HandOver state) {
    if (state.version() != STATE_VERSION) {
      return false;
    }
    tokens = Math.min(BUCKET, ByteBuffer.wrap(state.state()).getLong());
    return true;
  }
}
