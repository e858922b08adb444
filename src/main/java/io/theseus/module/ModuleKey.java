package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.EnumSet;
import java.util.Set;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.util.SubjectPublicKeyInfoFactory;

/**
 * The key that signs modules: who has it can run code on every node that has pinned it.
 *
 * @param secret the private half
 * @param open the public half
 */
public record ModuleKey(PrivateKey secret, PublicKey open) {
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.complementOf(
          EnumSet.of(
              PosixFilePermission.OWNER_READ,
              PosixFilePermission.OWNER_WRITE,
              PosixFilePermission.OWNER_EXECUTE));

  /** A new one. */
  public static ModuleKey make() {
    try {
      KeyPair pair = KeyPairGenerator.getInstance(ModuleKeys.ALGORITHM).generateKeyPair();
      return new ModuleKey(pair.getPrivate(), pair.getPublic());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Ed25519", e);
    }
  }

  /**
   * Reads one that stands in PEM, PKCS #8, in a file that nobody else may read.
   *
   * @throws ModuleException where it is something else, or others may read it
   */
  public static ModuleKey read(Path file) throws IOException, ModuleException {
    PosixFileAttributeView permissions =
        Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (permissions != null
        && permissions.readAttributes().permissions().stream().anyMatch(OTHERS::contains)) {
      throw new ModuleException(
          "key: "
              + Texts.quote(file.toString())
              + ": others may read it (expected: only its owner: chmod 600)");
    }
    byte[] content = Pem.read(file, Pem.PRIVATE_KEY);
    try {
      PrivateKey secret =
          KeyFactory.getInstance(ModuleKeys.ALGORITHM)
              .generatePrivate(new PKCS8EncodedKeySpec(content));
      return new ModuleKey(secret, open(secret));
    } catch (GeneralSecurityException e) {
      throw new ModuleException(
          "key: " + Texts.quote(file.toString()) + " (expected: a private key for Ed25519)");
    }
  }

  /** The JDK makes no public key of a private one. */
  private static PublicKey open(PrivateKey secret) throws GeneralSecurityException {
    byte[] seed = ((EdECPrivateKey) secret).getBytes().orElseThrow();
    try {
      SubjectPublicKeyInfo info =
          SubjectPublicKeyInfoFactory.createSubjectPublicKeyInfo(
              new Ed25519PrivateKeyParameters(seed).generatePublicKey());
      return KeyFactory.getInstance(ModuleKeys.ALGORITHM)
          .generatePublic(new X509EncodedKeySpec(info.getEncoded()));
    } catch (IOException e) {
      throw new GeneralSecurityException(e);
    }
  }

  /** What signatures call it. */
  public String id() {
    return ModuleKeys.id(open);
  }

  /** The private half in PEM; for its owner alone. */
  public String secretPem() {
    return Pem.text(Pem.PRIVATE_KEY, secret.getEncoded());
  }

  /** The public half in PEM, as {@code theseus.modules.keys} wants it. */
  public String openPem() {
    return Pem.text(Pem.PUBLIC_KEY, open.getEncoded());
  }

  /** Never the key. */
  @Override
  public String toString() {
    return "module key " + id();
  }
}
