package io.theseus.bench.transfer;

import java.util.OptionalDouble;

/** The ratios that are asked for: what a change must not make worse. */
final class Goals {
  private Goals() {}

  /** Throughput: at least so much of the peer's. */
  static OptionalDouble throughput(TransferCase what, String peer) {
    boolean nginx = peer.equals(NginxServer.NAME) || peer.equals(Contenders.NGINX_AHEAD);
    double goal =
        switch (what.way()) {
          case GET ->
              nginx ? what.small() ? what.ahead() ? 0.8 : 0.5 : what.tls() ? 0.8 : 0.9 : Double.NaN;
          case PUT ->
              nginx
                  ? what.small() ? 0.5 : 0.9
                  : peer.equals(RawServer.NAME) && !what.small() ? 0.85 : Double.NaN;
        };
    return Double.isNaN(goal) ? OptionalDouble.empty() : OptionalDouble.of(goal);
  }

  /** CPU time: at most so much of the peer's. */
  static OptionalDouble cpu(TransferCase what, String peer) {
    return what.way() == TransferCase.Way.GET
            && !what.small()
            && !what.tls()
            && peer.equals(NginxServer.NAME)
        ? OptionalDouble.of(1.3)
        : OptionalDouble.empty();
  }
}
