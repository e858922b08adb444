package io.theseus.access;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Names and addresses of hosts, and which of them a certificate stands for. */
public final class Hosts {
  private static final Pattern LITERAL = Pattern.compile("[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");
  private static final int DNS_NAME = 2;
  private static final int IP_ADDRESS = 7;

  private Hosts() {}

  /** An address that is written as one; a name is not looked up. */
  public static Optional<InetAddress> literal(String host) {
    if (!LITERAL.matcher(host).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.getByName(host));
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  /** Whether everything that this host means is on loopback; a name is looked up. */
  public static boolean isLoopback(String host) {
    try {
      return Arrays.stream(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress);
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** Whether a certificate names one of these hosts as an alternative name, literally. */
  public static boolean stands(X509Certificate certificate, Collection<String> hosts) {
    Collection<List<?>> names;
    try {
      names = certificate.getSubjectAlternativeNames();
    } catch (CertificateParsingException e) {
      return false;
    }
    return names != null
        && names.stream().anyMatch(name -> hosts.stream().anyMatch(host -> is(name, host)));
  }

  private static boolean is(List<?> name, String host) {
    String value = String.valueOf(name.get(1));
    if (name.get(0).equals(DNS_NAME)) {
      return value.equalsIgnoreCase(host);
    }
    return name.get(0).equals(IP_ADDRESS)
        && literal(host).isPresent()
        && literal(host).equals(literal(value));
  }
}
