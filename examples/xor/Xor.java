import io.theseus.channel.NetworkFunction;
import io.theseus.channel.PayloadUse;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Masks the bytes of a session with a key, by their place in the transfer: what was put through it
 * is stored masked, and a get through it gives the first bytes back. An example, no encryption.
 */
public final class Xor implements NetworkFunction {
  private static final byte[] KEY = {0x5e, 0x1d, 0x73, 0x2a, 0x64, 0x0b, 0x39};

  @Override
  public PayloadUse payloadUse() {
    return PayloadUse.TRANSFORM;
  }

  /** By the offset alone, so there is nothing to hand over. */
  @Override
  public Optional<String> payload(long offset, ByteBuffer bytes) {
    int key = (int) (offset % KEY.length);
    for (int i = bytes.position(); i < bytes.limit(); i++) {
      bytes.put(i, (byte) (bytes.get(i) ^ KEY[key]));
      key = key + 1 == KEY.length ? 0 : key + 1;
    }
    return Optional.empty();
  }
}
