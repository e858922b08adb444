package io.theseus.module;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The public keys whose modules a node accepts; nothing is taken from a module but by them. */
public final class ModuleKeys {
  static final String ALGORITHM = "Ed25519";

  /** The usual name of the key that a node on loopback makes for itself. */
  public static final String LAB_KEY = "lab.key";

  private static final Logger LOG = LoggerFactory.getLogger(ModuleKeys.class);
  private static final int ID_LENGTH = 16;

  private final Map<String, PublicKey> byId;

  private ModuleKeys(Map<String, PublicKey> byId) {
    this.byId = byId;
  }

  /** None at all: every module is refused. */
  public static ModuleKeys none() {
    return new ModuleKeys(Map.of());
  }

  /** One alone. */
  public static ModuleKeys of(PublicKey key) {
    return new ModuleKeys(Map.of(id(key), key));
  }

  /**
   * The keys in these files, X.509 in PEM.
   *
   * @throws ModuleException naming the file that is something else
   */
  public static ModuleKeys read(List<Path> files) throws IOException, ModuleException {
    Map<String, PublicKey> keys = new TreeMap<>();
    for (Path file : files) {
      PublicKey key = readOpen(file);
      keys.put(id(key), key);
    }
    return new ModuleKeys(keys);
  }

  private static PublicKey readOpen(Path file) throws IOException, ModuleException {
    byte[] content = Pem.read(file, Pem.PUBLIC_KEY);
    try {
      return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(content));
    } catch (GeneralSecurityException e) {
      throw new ModuleException(
          "key: " + Texts.quote(file.toString()) + " (expected: a public key for Ed25519)");
    }
  }

  /**
   * The keys of a node: those that it is configured with; where there are none and it can be
   * reached on this host only, the lab key, which is made where it is missing.
   *
   * @param lab the file of the lab key; empty where none will do
   */
  public static ModuleKeys forNode(List<Path> files, Optional<Path> lab)
      throws IOException, ModuleException {
    if (!files.isEmpty()) {
      return read(files);
    }
    if (lab.isEmpty()) {
      return none();
    }
    if (!Files.exists(lab.get())) {
      Path directory = lab.get().toAbsolutePath().getParent();
      if (directory != null && !Files.exists(directory)) {
        OwnFiles.createDirectory(directory);
      }
      OwnFiles.writeIfAbsent(
          lab.get(), ModuleKey.make().secretPem().getBytes(StandardCharsets.US_ASCII));
    }
    ModuleKey key = ModuleKey.read(lab.get());
    LOG.info(
        "modules are accepted that the lab key {} signed, {}; theseus.modules.keys pins others in its"
            + " place",
        key.id(),
        lab.get());
    return of(key.open());
  }

  /** The ids of the keys that are pinned. */
  public Set<String> ids() {
    return Set.copyOf(byId.keySet());
  }

  /**
   * A module whose signature is that of a pinned key, over these very bytes, and has not expired.
   *
   * @throws ModuleException which of this is not so
   */
  public VerifiedModule verify(ModuleArchive module, Instant now) throws ModuleException {
    if (byId.isEmpty()) {
      throw new ModuleException(
          "keys: none are pinned, so no module is accepted (expected: files of public keys in"
              + " theseus.modules.keys)");
    }
    String pinned = String.join(", ", byId.keySet());
    ModuleSignature signature =
        module
            .signature()
            .orElseThrow(
                () ->
                    new ModuleException(
                        "signature: none (expected: one by a pinned key: " + pinned + ")"));
    PublicKey key = byId.get(signature.keyId());
    if (key == null) {
      throw new ModuleException(
          "signature: by key "
              + signature.keyId()
              + " (expected: one by a pinned key: "
              + pinned
              + ")");
    }
    if (!module.isSignedBy(key)) {
      throw new ModuleException(
          "signature: not of these bytes by key "
              + signature.keyId()
              + " (expected: the jar as it was signed)");
    }
    if (signature.notAfter().isPresent() && now.isAfter(signature.notAfter().get())) {
      throw new ModuleException(
          "signature: expired at "
              + signature.notAfter().get()
              + " (expected: one that is valid; sign it again)");
    }
    return new VerifiedModule(module);
  }

  /** The first 16 hex digits of the SHA-256 of the key as X.509 has it. */
  static String id(PublicKey key) {
    return sha256(key.getEncoded()).substring(0, ID_LENGTH);
  }

  /** In lower-case hex. */
  public static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("SHA-256", e);
    }
  }
}
