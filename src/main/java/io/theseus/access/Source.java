package io.theseus.access;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Where a client comes from, as far as it counts: an IPv4 address, or the /64 that an IPv6 host can
 * choose its addresses from.
 */
public record Source(String name) {
  private static final int PREFIX_BYTES = 8;

  /** The source of a connection. */
  public static Source of(@Nullable SocketAddress remote) {
    if (!(remote instanceof InetSocketAddress address) || address.getAddress() == null) {
      return new Source("?");
    }
    InetAddress host = address.getAddress();
    if (host instanceof Inet6Address && !host.isLoopbackAddress()) {
      return new Source(
          HexFormat.of().formatHex(Arrays.copyOf(host.getAddress(), PREFIX_BYTES)) + "/64");
    }
    return new Source(host.getHostAddress());
  }

  @Override
  public String toString() {
    return name;
  }
}
