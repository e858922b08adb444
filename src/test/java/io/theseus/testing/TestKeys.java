package io.theseus.testing;

import io.theseus.access.Certificates;
import io.theseus.access.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** A certificate authority, and what it signed, in files of a directory. */
public final class TestKeys {
  private static final Duration LONG = Duration.ofDays(90);
  private static final List<String> LOCAL = List.of("localhost", "127.0.0.1", "::1");

  private final Path directory;
  private final Certificates.Made authority;

  private TestKeys(Path directory, Certificates.Made authority) {
    this.directory = directory;
    this.authority = authority;
  }

  /** A new authority, in {@code ca.pem}. */
  public static TestKeys in(Path directory) throws IOException {
    Files.createDirectories(directory);
    Certificates.Made authority =
        Certificates.authority("authority of a test", Instant.now(), LONG);
    Files.writeString(directory.resolve("ca.pem"), authority.certificatePem());
    return new TestKeys(directory, authority);
  }

  /** The file with the authority's certificate. */
  public Path authority() {
    return directory.resolve("ca.pem");
  }

  public Path certificate(String name) {
    return directory.resolve(name + ".pem");
  }

  public Path key(String name) {
    return directory.resolve(name + "-key.pem");
  }

  /** A certificate for loopback, in NAME.pem and NAME-key.pem; what is there is replaced. */
  public TestKeys make(String name) throws IOException {
    return make(name, LOCAL, Instant.now().plus(LONG));
  }

  /** The same for these hosts, until then. */
  public TestKeys make(String name, List<String> hosts, Instant expires) throws IOException {
    Certificates.Made made =
        Certificates.node(authority, name, hosts, expires.minus(LONG).minus(LONG), expires);
    replace(key(name), made.keyPem());
    replace(certificate(name), made.certificatePem());
    return this;
  }

  /** Puts a whole file into the place of another. */
  public static void replace(Path file, String content) throws IOException {
    Path other = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(other, content);
    Files.move(other, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Sockets of a server that shows this certificate. */
  public SSLSocketFactory server(String name) throws IOException {
    return Identity.watch(
            name,
            certificate(name),
            key(name),
            Optional.empty(),
            Clock.systemUTC(),
            identity -> {
              try {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, null);
                store.setKeyEntry(
                    "own",
                    identity.key(),
                    new char[0],
                    identity.chain().toArray(new Certificate[0]));
                KeyManagerFactory keys =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                keys.init(store, new char[0]);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(keys.getKeyManagers(), null, null);
                return context.getSocketFactory();
              } catch (GeneralSecurityException e) {
                throw new IOException(e);
              }
            })
        .get();
  }

  /** Sockets that trust this authority. */
  public SSLSocketFactory clients(String protocol) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      store.setCertificateEntry("ca", authority.certificate());
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance(protocol);
      context.init(null, trust.getTrustManagers(), null);
      return context.getSocketFactory();
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
