package io.theseus.node;

import akka.remote.artery.tcp.SSLEngineProvider;
import io.theseus.access.Hosts;
import io.theseus.access.Identity;
import io.theseus.access.Watched;
import io.theseus.peer.PeerTls;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * TLS between nodes, verified on both sides.
 *
 * <p>Who connects checks that the certificate is for the host that it asked for. Who is connected
 * to is not told by Artery from where, so it checks that the certificate is for one of the
 * cluster's hosts. Each new connection takes the keys as they are in the files then.
 */
final class RemotingTls implements SSLEngineProvider, PeerTls {
  private static final Logger log = LoggerFactory.getLogger(RemotingTls.class);
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  /** What a node shows to others, ready for connections. */
  record Keys(Identity identity, SSLContext context) {
    static Keys of(Identity identity) throws IOException {
      try {
        char[] none = {};
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("node", identity.key(), none, identity.chain().toArray(new Certificate[0]));
        KeyManagerFactory keys =
            KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, none);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (int i = 0; i < identity.authorities().size(); i++) {
          trusted.setCertificateEntry("ca" + i, identity.authorities().get(i));
        }
        TrustManagerFactory trust =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
            keys.getKeyManagers(),
            new TrustManager[] {new Told((X509ExtendedTrustManager) trust.getTrustManagers()[0])},
            null);
        return new Keys(identity, context);
      } catch (GeneralSecurityException e) {
        throw new IOException("the certificate is of no use for TLS: " + e.getMessage(), e);
      }
    }
  }

  private final Watched<Keys> keys;
  private final Set<String> hosts;

  /**
   * TLS with these keys.
   *
   * @param hosts of the cluster
   */
  RemotingTls(Watched<Keys> keys, Set<String> hosts) {
    this.keys = keys;
    this.hosts = Set.copyOf(hosts);
  }

  @Override
  public SSLEngine createServerSSLEngine(String hostname, int port) {
    SSLEngine engine = keys.get().context().createSSLEngine();
    engine.setUseClientMode(false);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(PROTOCOLS);
    parameters.setNeedClientAuth(true);
    engine.setSSLParameters(parameters);
    return engine;
  }

  @Override
  public SSLEngine createClientSSLEngine(String hostname, int port) {
    SSLEngine engine = keys.get().context().createSSLEngine(hostname, port);
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(PROTOCOLS);
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return engine;
  }

  /** Nothing more: the host was looked at within the handshake. */
  @Override
  public Option<Throwable> verifyClientSession(String hostname, SSLSession session) {
    return Option.empty();
  }

  @Override
  public Option<Throwable> verifyServerSession(String hostname, SSLSession session) {
    try {
      X509Certificate shown = (X509Certificate) session.getPeerCertificates()[0];
      if (Hosts.stands(shown, hosts)) {
        return Option.empty();
      }
      String message =
          "a certificate for "
              + names(shown)
              + " (expected: for a host of the cluster, "
              + String.join(", ", new TreeSet<>(hosts))
              + "; theseus.cluster.tls.hosts names more)";
      log.warn("a node was refused: {}", message);
      return Option.apply(new CertificateException(message));
    } catch (SSLPeerUnverifiedException e) {
      log.warn("a node was refused: it has no certificate (expected: one)");
      return Option.apply(e);
    }
  }

  @Override
  public SSLEngine server() {
    return createServerSSLEngine("", 0);
  }

  @Override
  public SSLEngine client(String host, int port) {
    return createClientSSLEngine(host, port);
  }

  @Override
  public Optional<String> refusal(SSLSession session) {
    Option<Throwable> refusal = verifyServerSession("", session);
    return refusal.isEmpty()
        ? Optional.empty()
        : Optional.of(String.valueOf(refusal.get().getMessage()));
  }

  private static String names(X509Certificate shown) {
    try {
      Collection<java.util.List<?>> names = shown.getSubjectAlternativeNames();
      return names == null
          ? "no host"
          : String.join(
              ", ", names.stream().map(each -> Texts.escape(String.valueOf(each.get(1)))).toList());
    } catch (CertificateParsingException e) {
      return "no host";
    }
  }

  /** Logs whom it does not trust. */
  private static final class Told extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager judge;

    Told(X509ExtendedTrustManager judge) {
      this.judge = judge;
    }

    private interface Check {
      void run() throws CertificateException;
    }

    private static void told(X509Certificate[] chain, Check check) throws CertificateException {
      try {
        check.run();
      } catch (CertificateException e) {
        log.warn(
            "a node was refused: certificate for {}, signed by {} (expected: one of this cluster's"
                + " authority, for the host that was asked for): {}",
            names(chain[0]),
            Texts.quote(chain[0].getIssuerX500Principal().getName()),
            Texts.escape(String.valueOf(e.getMessage())));
        throw e;
      }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      told(chain, () -> judge.checkClientTrusted(chain, type, engine));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      told(chain, () -> judge.checkServerTrusted(chain, type, engine));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      told(chain, () -> judge.checkClientTrusted(chain, type, socket));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      told(chain, () -> judge.checkServerTrusted(chain, type, socket));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      told(chain, () -> judge.checkClientTrusted(chain, type));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      told(chain, () -> judge.checkServerTrusted(chain, type));
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return judge.getAcceptedIssuers();
    }
  }
}
