package io.theseus.access;

import io.theseus.wire.Texts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/**
 * A certificate with the key that belongs to it, and who is trusted.
 *
 * @param chain the certificate, then those that lead to its authority
 * @param authorities whose certificates are accepted; empty where nobody is asked for one
 */
public record Identity(
    List<X509Certificate> chain, PrivateKey key, List<X509Certificate> authorities) {

  public Identity {
    chain = List.copyOf(chain);
    authorities = List.copyOf(authorities);
  }

  /** Makes what is needed of an identity. */
  @FunctionalInterface
  public interface Use<T> {
    /** Throws where it is of no use, saying why. */
    T of(Identity identity) throws IOException;
  }

  /**
   * What a node makes of its certificate, watched in its files.
   *
   * @param what for the log
   * @param authorities a file of certificates whose holders are trusted
   */
  public static <T> Watched<T> watch(
      String what, Path certificate, Path key, Optional<Path> authorities, Clock clock, Use<T> use)
      throws IOException {
    List<Path> files =
        authorities
            .map(path -> List.of(certificate, key, path))
            .orElseGet(() -> List.of(certificate, key));
    AtomicBoolean begun = new AtomicBoolean();
    return new Watched<>(
        what,
        files,
        contents -> {
          Identity read = read(files, contents);
          // at start an expired one is better than none, and status says it
          if (begun.getAndSet(true) && !read.expires().isAfter(clock.instant())) {
            throw new IOException(
                Texts.quote(certificate.toString())
                    + ": expired at "
                    + text(read.expires())
                    + " (expected: a certificate that is valid)");
          }
          return use.of(read);
        });
  }

  private static Identity read(List<Path> files, List<byte[]> contents) throws IOException {
    List<X509Certificate> chain = certificates(files.get(0), contents.get(0));
    PrivateKey key = key(files.get(1), contents.get(1));
    requirePair(files, chain.get(0), key);
    return new Identity(
        chain,
        key,
        files.size() > 2
            ? certificates(files.get(2), contents.get(2))
            : List.<X509Certificate>of());
  }

  /** When the first of the chain to expire does. */
  public Instant expires() {
    return chain.stream()
        .map(each -> each.getNotAfter().toInstant())
        .min(Instant::compareTo)
        .orElseThrow();
  }

  /** A moment as messages show it. */
  public static String text(Instant moment) {
    return moment.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static List<X509Certificate> certificates(Path file, byte[] content) throws IOException {
    String expected = " (expected: certificates in PEM, -----BEGIN CERTIFICATE-----)";
    try {
      List<X509Certificate> all =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(content))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (!all.isEmpty()) {
        return all;
      }
    } catch (CertificateException e) {
      throw new IOException(Texts.quote(file.toString()) + ": " + reason(e) + expected, e);
    }
    throw new IOException(Texts.quote(file.toString()) + ": no certificate" + expected);
  }

  private static PrivateKey key(Path file, byte[] content) throws IOException {
    String name = Texts.quote(file.toString());
    try (Reader text =
            new InputStreamReader(new ByteArrayInputStream(content), StandardCharsets.US_ASCII);
        PEMParser parser = new PEMParser(text)) {
      JcaPEMKeyConverter converter = new JcaPEMKeyConverter();
      Object found;
      // what openssl writes may have parameters of a curve before the key
      while ((found = parser.readObject()) != null) {
        if (found instanceof PrivateKeyInfo info) {
          return converter.getPrivateKey(info);
        }
        if (found instanceof PEMKeyPair pair) {
          return converter.getPrivateKey(pair.getPrivateKeyInfo());
        }
        if (found instanceof PEMEncryptedKeyPair || found instanceof PKCS8EncryptedPrivateKeyInfo) {
          throw new IOException(
              name + ": an encrypted key (expected: a key without a passphrase, mode 0600)");
        }
      }
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).startsWith(name)) {
        throw e;
      }
      // never the text of a key
      throw new IOException(name + ": can't be read as PEM (expected: a private key in PEM)", e);
    }
    throw new IOException(name + ": no private key (expected: a private key in PEM)");
  }

  private static void requirePair(List<Path> files, X509Certificate certificate, PrivateKey key)
      throws IOException {
    boolean fits;
    try {
      Signature signature = Signature.getInstance(algorithm(certificate));
      signature.initSign(key);
      signature.update((byte) 1);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update((byte) 1);
      fits = signature.verify(signed);
    } catch (GeneralSecurityException e) {
      fits = false;
    }
    if (!fits) {
      throw new IOException(
          Texts.quote(files.get(1).toString())
              + ": not the key of the certificate (expected: the one that belongs to "
              + Texts.quote(files.get(0).toString())
              + ")");
    }
  }

  private static String algorithm(X509Certificate certificate) {
    if (certificate.getPublicKey() instanceof ECPublicKey) {
      return "SHA256withECDSA";
    }
    return certificate.getPublicKey() instanceof EdECPublicKey ? "EdDSA" : "SHA256withRSA";
  }

  private static String reason(Exception failure) {
    return Texts.escape(String.valueOf(failure.getMessage()));
  }
}
