package io.theseus.client;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * TLS as the client speaks it: 1.3 or 1.2, and with nodes alone whose certificate a trusted
 * authority has signed for the host that was asked for.
 */
public final class ClientTls {
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  private final SSLContext context;

  private ClientTls(@Nullable KeyStore authorities) {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(authorities);
      TrustManager[] explained =
          Stream.of(factory.getTrustManagers())
              .map(each -> new Explained((X509ExtendedTrustManager) each))
              .toArray(TrustManager[]::new);
      context = SSLContext.getInstance("TLS");
      context.init(null, explained, null);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Trusts the authorities that this Java trusts. */
  public static ClientTls trustingSystem() {
    return new ClientTls(null);
  }

  /**
   * Trusts these authorities and no others.
   *
   * @param file their certificates in PEM
   * @throws IOException where it has none
   */
  public static ClientTls trusting(Path file) throws IOException {
    String name = Texts.quote(file.toString());
    String expected = " (expected: a file with certificates in PEM)";
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> all =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (all.isEmpty()) {
        throw new IOException(name + ": no certificate" + expected);
      }
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int number = 0;
      for (Certificate each : all) {
        store.setCertificateEntry(String.valueOf(number++), each);
      }
      return new ClientTls(store);
    } catch (NoSuchFileException e) {
      throw new IOException(name + ": missing" + expected, e);
    } catch (GeneralSecurityException e) {
      throw new IOException(name + ": no certificate" + expected, e);
    }
  }

  /** An engine for one connection. */
  SSLEngine engine(NodeAddress node) {
    SSLEngine engine = context.createSSLEngine(node.host(), node.port());
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    parameters.setProtocols(PROTOCOLS);
    engine.setSSLParameters(parameters);
    return engine;
  }

  /** Says in words what is wrong with a certificate. */
  private static final class Explained extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager judge;

    Explained(X509ExtendedTrustManager judge) {
      this.judge = judge;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      try {
        judge.checkServerTrusted(chain, type, engine);
      } catch (CertificateException e) {
        throw new CertificateException(explain(chain[0], engine.getPeerHost(), e), e);
      }
    }

    private static String explain(X509Certificate shown, String host, CertificateException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof CertificateExpiredException) {
          return "its certificate expired at "
              + shown.getNotAfter().toInstant().truncatedTo(ChronoUnit.SECONDS)
              + " (expected: one that is valid now)";
        }
        if (cause instanceof CertificateNotYetValidException) {
          return "its certificate begins at "
              + shown.getNotBefore().toInstant().truncatedTo(ChronoUnit.SECONDS)
              + " (expected: one that is valid now; is the clock right?)";
        }
      }
      String message = String.valueOf(e.getMessage());
      if (message.startsWith("No subject alternative") || message.startsWith("No name matching")) {
        return "its certificate is for " + names(shown) + " (expected: for " + host + ")";
      }
      return "its certificate is signed by "
          + Texts.quote(shown.getIssuerX500Principal().getName())
          + " (expected: by an authority that is trusted)";
    }

    private static String names(X509Certificate shown) {
      try {
        Collection<List<?>> names = shown.getSubjectAlternativeNames();
        return names == null || names.isEmpty()
            ? "no host"
            : names.stream()
                .map(each -> Texts.escape(String.valueOf(each.get(1))))
                .collect(Collectors.joining(", "));
      } catch (CertificateException e) {
        return "no host";
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      judge.checkServerTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      judge.checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      judge.checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      judge.checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      judge.checkClientTrusted(chain, type, engine);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return judge.getAcceptedIssuers();
    }
  }
}
