package io.theseus.access;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Makes certificates: an authority, and what it signs for nodes. ECDSA on P-256, which every client
 * knows and which costs a server least.
 */
public final class Certificates {
  /** Clocks of two hosts may differ. */
  private static final Duration EARLIER = Duration.ofHours(1);

  private static final SecureRandom RANDOM = new SecureRandom();

  /** A certificate and its key. */
  public record Made(X509Certificate certificate, PrivateKey key) {
    public String certificatePem() {
      try {
        return pem("CERTIFICATE", certificate.getEncoded());
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }

    /** PKCS #8, not encrypted. */
    public String keyPem() {
      return pem("PRIVATE KEY", key.getEncoded());
    }

    private static String pem(String type, byte[] content) {
      return "-----BEGIN "
          + type
          + "-----\n"
          + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
          + "\n-----END "
          + type
          + "-----\n";
    }
  }

  private Certificates() {}

  /** A certificate authority that signs itself. */
  public static Made authority(String name, Instant now, Duration validity) {
    KeyPair pair = keys();
    return make(
        new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, name).build(),
        pair.getPublic(),
        List.of(),
        new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, name).build(),
        pair.getPrivate(),
        pair.getPublic(),
        pair.getPrivate(),
        now,
        now.plus(validity));
  }

  /**
   * A certificate for a node, as server and as client.
   *
   * @param hosts names and addresses by which it is reached
   */
  public static Made node(
      Made authority, String name, List<String> hosts, Instant now, Instant expires) {
    KeyPair pair = keys();
    return make(
        new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, name).build(),
        pair.getPublic(),
        hosts,
        X500Name.getInstance(authority.certificate().getSubjectX500Principal().getEncoded()),
        authority.key(),
        authority.certificate().getPublicKey(),
        pair.getPrivate(),
        now,
        expires);
  }

  private static Made make(
      X500Name subject,
      PublicKey subjectKey,
      List<String> hosts,
      X500Name issuer,
      PrivateKey issuerKey,
      PublicKey issuerPublic,
      PrivateKey own,
      Instant now,
      Instant expires) {
    boolean authority = hosts.isEmpty();
    try {
      JcaX509ExtensionUtils identifiers = new JcaX509ExtensionUtils();
      JcaX509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              issuer,
              new BigInteger(127, RANDOM).setBit(126),
              Date.from(now.minus(EARLIER)),
              Date.from(expires),
              subject,
              subjectKey);
      builder.addExtension(
          Extension.basicConstraints,
          /* isCritical= */ true,
          authority
              ? new BasicConstraints(/* pathLenConstraint= */ 0)
              : new BasicConstraints(false));
      builder.addExtension(
          Extension.keyUsage,
          /* isCritical= */ true,
          new KeyUsage(
              authority ? KeyUsage.keyCertSign | KeyUsage.cRLSign : KeyUsage.digitalSignature));
      builder.addExtension(
          Extension.subjectKeyIdentifier,
          /* isCritical= */ false,
          identifiers.createSubjectKeyIdentifier(subjectKey));
      builder.addExtension(
          Extension.authorityKeyIdentifier,
          /* isCritical= */ false,
          identifiers.createAuthorityKeyIdentifier(issuerPublic));
      if (!authority) {
        builder.addExtension(
            Extension.extendedKeyUsage,
            /* isCritical= */ false,
            new ExtendedKeyUsage(
                new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}));
        builder.addExtension(
            Extension.subjectAlternativeName,
            /* isCritical= */ false,
            new GeneralNames(
                hosts.stream().map(Certificates::generalName).toArray(GeneralName[]::new)));
      }
      X509Certificate certificate =
          new JcaX509CertificateConverter()
              .getCertificate(
                  builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKey)));
      return new Made(certificate, own);
    } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static GeneralName generalName(String host) {
    return Hosts.literal(host)
        .map(InetAddress::getHostAddress)
        .map(address -> new GeneralName(GeneralName.iPAddress, address))
        .orElseGet(() -> new GeneralName(GeneralName.dNSName, host));
  }

  private static KeyPair keys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
