package io.theseus.net;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.theseus.access.Identity;
import java.io.IOException;
import java.util.List;

/**
 * What the TLS port shows to clients, ready for connections.
 *
 * <p>BoringSSL where there is one for the platform, the JDK's TLS elsewhere: correct, no claim of
 * speed. A connection keeps the one that it began with.
 */
public record ServerTls(Identity identity, SslContext context) {
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  /** Forward secret and authenticated, the cheapest first. */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  /**
   * Makes an identity ready.
   *
   * @throws IOException where TLS has no use for it
   */
  public static ServerTls of(Identity identity) throws IOException {
    return new ServerTls(
        identity,
        SslContextBuilder.forServer(identity.key(), identity.chain())
            .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
            .protocols(PROTOCOLS)
            .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
            .build());
  }
}
