package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may change a node: row 16 of the faults. */
class ModuleKeysTest {
  private static final Instant NOW = Instant.parse("2026-11-26T12:00:00Z");

  private final ModuleKey key = ModuleKey.make();
  private final ModuleKeys keys = ModuleKeys.of(key.open());

  private static ModuleArchive module() throws Exception {
    return ModuleArchive.read(TestModules.zip().bytes());
  }

  @Test
  void shouldAcceptWhatAPinnedKeySigned(@TempDir Path directory) throws Exception {
    ModuleArchive signed = module().sign(key, Optional.of(NOW));

    assertThat(keys.verify(signed, NOW).archive()).isSameAs(signed);
    assertThat(signed.signer()).contains(key.id());
    assertThat(signed.notAfter()).contains(NOW);
    assertThat(signed.names()).isEqualTo(module().names());
    // still a jar
    Path file = Files.write(directory.resolve("burst.jar"), signed.bytes());
    try (ZipFile zip = new ZipFile(file.toFile())) {
      assertThat(zip.getComment())
          .matches("theseus-signature: 1 " + key.id() + " \\S{88} 2026-11-26T12:00:00Z");
      assertThat(zip.getEntry("example/Burst.class")).isNotNull();
    }
  }

  @Test
  void shouldReplaceASignature() throws Exception {
    ModuleArchive first = module().sign(ModuleKey.make(), Optional.empty());

    assertThat(first.sign(key, Optional.empty()).bytes())
        .isEqualTo(module().sign(key, Optional.empty()).bytes());
  }

  @Test
  void shouldRefuseWhatNobodySigned() throws Exception {
    refused(module(), "signature: none (expected: one by a pinned key: " + key.id() + ")");
  }

  @Test
  void shouldRefuseWhatAnotherKeySigned() throws Exception {
    ModuleKey other = ModuleKey.make();
    refused(
        module().sign(other, Optional.empty()),
        "signature: by key " + other.id() + " (expected: one by a pinned key: " + key.id() + ")");
  }

  @Test
  void shouldRefuseAnotherKeysSignatureUnderAPinnedId() throws Exception {
    ModuleKey other = ModuleKey.make();
    byte[] jar = module().sign(other, Optional.empty()).bytes();
    refused(replaced(jar, other.id(), key.id()), tampered());
  }

  @Test
  void shouldRefuseALaterExpiry() throws Exception {
    byte[] jar = module().sign(key, Optional.of(NOW)).bytes();
    refused(replaced(jar, "2026-11-26T", "2027-11-26T"), tampered());
  }

  @Test
  void shouldRefuseWhatWasChangedBehindItsSignature() throws Exception {
    byte[] jar = module().sign(key, Optional.empty()).bytes();
    int accepted = 0;
    for (int at = 0; at < jar.length; at++) {
      byte[] changed = jar.clone();
      changed[at] ^= 0x01;
      try {
        keys.verify(ModuleArchive.read(changed), NOW);
        accepted++;
      } catch (ModuleException e) {
        // in the jar's form, or in its signature
      }
    }
    assertThat(accepted).isZero();
  }

  @Test
  void shouldRefuseAnotherModuleWithTheSignatureOfThisOne() throws Exception {
    byte[] signed = module().sign(key, Optional.empty()).bytes();
    Zips other = TestModules.zip();
    other.last().content = new byte[] {9};
    int begin = StrictZip.endRecord(signed) + StrictZip.END_RECORD;
    other.comment = java.util.Arrays.copyOfRange(signed, begin, signed.length);
    refused(ModuleArchive.read(other.bytes()), tampered());
  }

  @Test
  void shouldRefuseWhatHasExpired() throws Exception {
    refused(
        module().sign(key, Optional.of(NOW.minusSeconds(1))),
        "signature: expired at 2026-11-26T11:59:59Z (expected: one that is valid; sign it again)");
  }

  @Test
  void shouldRefuseEverythingWithoutKeys() throws Exception {
    ModuleArchive signed = module().sign(key, Optional.empty());
    assertThatThrownBy(() -> ModuleKeys.none().verify(signed, NOW))
        .isInstanceOf(ModuleException.class)
        .hasMessage(
            "keys: none are pinned, so no module is accepted (expected: files of public keys in"
                + " theseus.modules.keys)");
  }

  @Test
  void shouldReadOneFormOfComment() throws Exception {
    byte[] jar = module().sign(key, Optional.empty()).bytes();
    for (String[] change :
        new String[][] {
          {"signature: 1", "signature: 2"},
          {"signature: 1 ", "signature: 1\t"},
          {" -", " +"},
          {"==", "=A"},
          {"theseus-sig", "Theseus-sig"},
        }) {
      assertThatThrownBy(() -> replaced(jar, change[0], change[1]))
          .as(change[1])
          .isInstanceOf(ModuleException.class)
          .hasMessageStartingWith("comment: ")
          .hasMessageContaining("(expected: theseus-signature: 1 ");
    }
    byte[] dated = module().sign(key, Optional.of(NOW)).bytes();
    assertThatThrownBy(() -> replaced(dated, "2026-11-26T", "2026-13-26T"))
        .hasMessage(
            "comment: not after 2026-13-26T12:00:00Z (expected: a moment, such as"
                + " 2027-06-30T00:00:00Z)");
  }

  @Test
  void shouldReadOneWayToWriteASignature() throws Exception {
    byte[] jar = module().sign(key, Optional.of(NOW)).bytes();
    String comment = new String(jar, StandardCharsets.ISO_8859_1);
    int last = comment.indexOf("==") - 1;
    // Base64 of the same bytes: the bits that it doesn't use are set
    byte[] changed = jar.clone();
    changed[last]++;
    assertThatThrownBy(() -> ModuleArchive.read(changed))
        .isInstanceOf(ModuleException.class)
        .hasMessageStartingWith("comment: \"theseus-signature: 1 ");
    // which java.time takes for the next day
    assertThatThrownBy(() -> replaced(jar, "T12:00:00Z", "T24:00:00Z"))
        .isInstanceOf(ModuleException.class)
        .hasMessageEndingWith(" 2026-11-27T00:00:00Z)");
  }

  private static String tampered() {
    return " (expected: the jar as it was signed)";
  }

  private static ModuleArchive replaced(byte[] jar, String what, String by) throws Exception {
    String text = new String(jar, StandardCharsets.ISO_8859_1);
    int at = text.lastIndexOf(what);
    assertThat(at).isPositive();
    String changed = text.substring(0, at) + by + text.substring(at + what.length());
    return ModuleArchive.read(changed.getBytes(StandardCharsets.ISO_8859_1));
  }

  private void refused(ModuleArchive module, String message) {
    assertThatThrownBy(() -> keys.verify(module, NOW))
        .isInstanceOf(ModuleException.class)
        .hasMessageEndingWith(message);
  }

  // ---- files of keys

  @Test
  void shouldReadItsFiles(@TempDir Path directory) throws Exception {
    Path open = Files.writeString(directory.resolve("key.pub"), key.openPem());
    Path secret = secret(directory.resolve("key"), key.secretPem());

    assertThat(ModuleKeys.read(List.of(open)).ids()).containsExactly(key.id());
    ModuleKey read = ModuleKey.read(secret);
    assertThat(read.open()).isEqualTo(key.open());
    assertThat(read).hasToString("module key " + key.id());
    assertThatCode(() -> keys.verify(module().sign(read, Optional.empty()), NOW))
        .doesNotThrowAnyException();
  }

  @Test
  void shouldRefuseASecretThatOthersMayRead(@TempDir Path directory) throws Exception {
    Path secret = secret(directory.resolve("key"), key.secretPem());
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r-----"));

    assertThatThrownBy(() -> ModuleKey.read(secret))
        .isInstanceOf(ModuleException.class)
        .hasMessage(
            "key: \"" + secret + "\": others may read it (expected: only its owner: chmod 600)");
  }

  @Test
  void shouldRefuseOtherFiles(@TempDir Path directory) throws Exception {
    Path open = Files.writeString(directory.resolve("key.pub"), key.openPem());
    Path secret = secret(directory.resolve("key"), key.secretPem());
    assertThatThrownBy(() -> ModuleKeys.read(List.of(open, secret)))
        .hasMessage(
            "key: \"" + secret + "\" (expected: a file in PEM, -----BEGIN PUBLIC KEY-----)");
    Path wrong = secret(directory.resolve("wrong"), key.openPem());
    assertThatThrownBy(() -> ModuleKey.read(wrong))
        .hasMessage(
            "key: \"" + wrong + "\" (expected: a file in PEM, -----BEGIN PRIVATE KEY-----)");
    java.security.KeyPairGenerator other = java.security.KeyPairGenerator.getInstance("EC");
    Path elliptic =
        Files.writeString(
            directory.resolve("ec"),
            Pem.text(Pem.PUBLIC_KEY, other.generateKeyPair().getPublic().getEncoded()));
    assertThatThrownBy(() -> ModuleKeys.read(List.of(elliptic)))
        .hasMessage("key: \"" + elliptic + "\" (expected: a public key for Ed25519)");
  }

  private static Path secret(Path file, String pem) throws Exception {
    return Files.writeString(
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))),
        pem);
  }

  // ---- of a node

  @Test
  void shouldMakeAndPinALabKeyOnLoopback(@TempDir Path directory) throws Exception {
    Path modules = directory.resolve("modules");
    Path lab = modules.resolve("lab.key");
    ModuleKeys made = ModuleKeys.forNode(List.of(), Optional.of(lab));

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(lab)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(modules)))
        .isEqualTo("rwx------");
    assertThat(made.ids()).containsExactly(ModuleKey.read(lab).id());
    assertThat(ModuleKeys.forNode(List.of(), Optional.of(lab)).ids()).isEqualTo(made.ids());
  }

  @Test
  void shouldPinNothingBeyondLoopback(@TempDir Path directory) throws Exception {
    assertThat(ModuleKeys.forNode(List.of(), Optional.empty()).ids()).isEmpty();
  }

  @Test
  void shouldPinWhatIsConfiguredAlone(@TempDir Path directory) throws Exception {
    Path open = Files.writeString(directory.resolve("key.pub"), key.openPem());
    assertThat(ModuleKeys.forNode(List.of(open), Optional.of(directory.resolve("lab.key"))).ids())
        .containsExactly(key.id());
    assertThat(directory.resolve("lab.key")).doesNotExist();
  }
}
