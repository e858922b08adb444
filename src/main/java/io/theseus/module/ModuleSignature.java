package io.theseus.module;

import io.theseus.wire.Texts;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The signature of a module, which is the comment of its jar, so that it stays a jar:
 *
 * <pre>
 * theseus-signature: 1 KEY-ID SIGNATURE NOT-AFTER
 * </pre>
 *
 * <p>in ASCII with single spaces and nothing else. KEY-ID is that of {@link ModuleKeys#id},
 * SIGNATURE is Ed25519 (RFC 8032) in Base64 with padding, NOT-AFTER a moment such as {@code
 * 2027-06-30T00:00:00Z}, or {@code -} where the signature doesn't expire. What is signed: the line
 * {@code theseus-signature: 1 KEY-ID NOT-AFTER} with a line feed, then all bytes of the jar without
 * its comment, the two bytes of the comment's length being 0.
 *
 * @param notAfter the last moment at which the module is accepted
 */
record ModuleSignature(String keyId, String signature, Optional<Instant> notAfter) {
  /** A comment that is longer is no signature. */
  static final int MOST_COMMENT = 255;

  private static final String BEGIN = "theseus-signature: 1 ";
  private static final String NEVER = "-";
  private static final String FORM =
      "theseus-signature: 1 KEY-ID SIGNATURE NOT-AFTER, or no comment";
  private static final Pattern COMMENT =
      Pattern.compile(
          Pattern.quote(BEGIN)
              + "([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==) (-|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z)");

  /** The signature of a jar whose end record begins there; empty where it has none. */
  static Optional<ModuleSignature> read(byte[] jar, int endRecord) throws ModuleException {
    int begin = endRecord + StrictZip.END_RECORD;
    if (begin == jar.length) {
      return Optional.empty();
    }
    String comment = new String(jar, begin, jar.length - begin, StandardCharsets.ISO_8859_1);
    Matcher matcher = COMMENT.matcher(comment);
    if (!matcher.matches()) {
      throw new ModuleException("comment: " + Texts.quote(comment) + " (expected: " + FORM + ")");
    }
    ModuleSignature signature =
        new ModuleSignature(
            matcher.group(1), canonical(matcher.group(2)), moment(matcher.group(3)));
    if (!signature.comment().equals(comment)) {
      throw new ModuleException(
          "comment: " + Texts.quote(comment) + " (expected: " + signature.comment() + ")");
    }
    return Optional.of(signature);
  }

  /** The last letter of Base64 has bits that nobody reads: only one way to write them is right. */
  private static String canonical(String signature) {
    return Base64.getEncoder().encodeToString(Base64.getDecoder().decode(signature));
  }

  private static Optional<Instant> moment(String text) throws ModuleException {
    if (text.equals(NEVER)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Instant.parse(text));
    } catch (DateTimeException e) {
      throw new ModuleException(
          "comment: not after " + text + " (expected: a moment, such as 2027-06-30T00:00:00Z)");
    }
  }

  /** The jar with this signature in the place of the one that it may have. */
  static byte[] sign(byte[] jar, int endRecord, ModuleKey key, Optional<Instant> notAfter) {
    Optional<Instant> until = notAfter.map(moment -> moment.truncatedTo(ChronoUnit.SECONDS));
    byte[] plain = withoutComment(jar, endRecord);
    try {
      Signature signer = Signature.getInstance(ModuleKeys.ALGORITHM);
      signer.initSign(key.secret());
      signer.update(attributes(key.id(), until));
      signer.update(plain);
      ModuleSignature signature =
          new ModuleSignature(key.id(), Base64.getEncoder().encodeToString(signer.sign()), until);
      return signature.appendTo(plain);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Ed25519", e);
    }
  }

  /** Whether this is the signature of these bytes by that key. */
  boolean isOf(byte[] jar, int endRecord, PublicKey key) {
    try {
      Signature verifier = Signature.getInstance(ModuleKeys.ALGORITHM);
      verifier.initVerify(key);
      verifier.update(attributes(keyId, notAfter));
      verifier.update(withoutComment(jar, endRecord));
      return verifier.verify(Base64.getDecoder().decode(signature));
    } catch (GeneralSecurityException e) {
      return false; // no point of the curve
    }
  }

  private String comment() {
    return BEGIN + keyId + " " + signature + " " + text(notAfter);
  }

  private byte[] appendTo(byte[] plain) {
    byte[] comment = comment().getBytes(StandardCharsets.US_ASCII);
    byte[] signed = Arrays.copyOf(plain, plain.length + comment.length);
    System.arraycopy(comment, 0, signed, plain.length, comment.length);
    signed[plain.length - 2] = (byte) comment.length; // little-endian, below 256
    return signed;
  }

  private static byte[] withoutComment(byte[] jar, int endRecord) {
    byte[] plain = Arrays.copyOf(jar, endRecord + StrictZip.END_RECORD);
    plain[plain.length - 2] = 0;
    plain[plain.length - 1] = 0;
    return plain;
  }

  private static byte[] attributes(String keyId, Optional<Instant> notAfter) {
    return (BEGIN + keyId + " " + text(notAfter) + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  private static String text(Optional<Instant> notAfter) {
    return notAfter.map(Instant::toString).orElse(NEVER);
  }
}
