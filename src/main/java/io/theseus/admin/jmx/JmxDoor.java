package io.theseus.admin.jmx;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.Operations;
import io.theseus.module.ModuleArchive;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.remote.JMXAuthenticator;
import javax.management.remote.JMXConnectorServer;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXPrincipal;
import javax.management.remote.JMXServiceURL;
import javax.management.remote.rmi.RMIConnectorServer;
import javax.security.auth.Subject;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's MBean, and a JMX connector for it: on loopback, on a free port, for who has the secret.
 * No RMI registry: the address holds the stub. What a client may send is a closed list of classes.
 */
public final class JmxDoor implements AutoCloseable {
  /**
   * The property of Java that says which host stands in the stub, read once in a process. Where it
   * is {@link #LOOPBACK} any JMX client can use the door; otherwise the stub has to bring along the
   * class that connects to loopback, and only a client that has that class can.
   */
  public static final String STUB_HOST = "java.rmi.server.hostname";

  public static final String LOOPBACK = "127.0.0.1";

  private static final Logger log = LoggerFactory.getLogger(JmxDoor.class);
  private static final int SECRET_BYTES = 32;

  /** A secret, and nothing else, before it is known who asks. */
  private static final String CREDENTIALS = "java.lang.String;!*";

  /** The longest jar, and what is around it. */
  private static final int MOST_BYTES = ModuleArchive.MOST_BYTES + 100_000;

  /** Reading and setting of attributes, operations with open types, notifications. */
  private static final String ARGUMENTS =
      "maxdepth=20;maxarray="
          + MOST_BYTES
          + ";maxbytes="
          + MOST_BYTES
          + ";java.lang.*;java.util.*;java.math.*;"
          + "java.rmi.MarshalledObject;javax.management.*;javax.management.openmbean.*;"
          + "javax.management.remote.*;javax.security.auth.Subject;!*";

  private final MBeanServer server;
  private final ObjectName name;
  private final JMXConnectorServer connector;
  private final String secret;

  private JmxDoor(
      MBeanServer server, ObjectName name, JMXConnectorServer connector, String secret) {
    this.server = server;
    this.name = name;
    this.connector = connector;
    this.secret = secret;
  }

  /** Registers the MBean and begins to listen. */
  public static JmxDoor open(String node, Supplier<NodeStatus> status, Operations operations)
      throws IOException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    byte[] random = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(random);
    String secret = HexFormat.of().formatHex(random);
    ObjectName name = register(server, node, new NamedBean(new NodeBean(status, operations)));
    try {
      LoopbackSockets sockets = new LoopbackSockets();
      Map<String, Object> environment = new HashMap<>();
      if (!LOOPBACK.equals(System.getProperty(STUB_HOST))) {
        environment.put(RMIConnectorServer.RMI_CLIENT_SOCKET_FACTORY_ATTRIBUTE, sockets);
      }
      environment.put(RMIConnectorServer.RMI_SERVER_SOCKET_FACTORY_ATTRIBUTE, sockets);
      environment.put(RMIConnectorServer.CREDENTIALS_FILTER_PATTERN, CREDENTIALS);
      environment.put(RMIConnectorServer.SERIAL_FILTER_PATTERN, ARGUMENTS);
      environment.put(JMXConnectorServer.AUTHENTICATOR, authenticator(secret));
      JMXConnectorServer connector =
          JMXConnectorServerFactory.newJMXConnectorServer(
              new JMXServiceURL("rmi", LOOPBACK, 0), environment, server);
      connector.start();
      return new JmxDoor(server, name, connector, secret);
    } catch (IOException | RuntimeException e) {
      unregister(server, name);
      throw e;
    }
  }

  /** Where it listens; the stub is in it. */
  public String url() {
    return connector.getAddress().toString();
  }

  /** What it asks for. */
  public String secret() {
    return secret;
  }

  public String objectName() {
    return name.toString();
  }

  @Override
  public void close() {
    try {
      connector.stop();
    } catch (IOException e) {
      log.debug("the JMX connector did not stop cleanly", e);
    }
    unregister(server, name);
  }

  /** Named by its node; the second of the same name in a process gets a number. */
  private static ObjectName register(MBeanServer server, String node, NamedBean bean)
      throws IOException {
    for (int instance = 1; ; instance++) {
      try {
        ObjectName name =
            new ObjectName(
                "io.theseus:type=Node,node="
                    + node
                    + (instance == 1 ? "" : ",instance=" + instance));
        server.registerMBean(bean, name);
        return name;
      } catch (InstanceAlreadyExistsException e) {
        // the next number
      } catch (JMException e) {
        throw new IOException("the MBean of node " + node + " can't be registered", e);
      }
    }
  }

  private static void unregister(MBeanServer server, ObjectName name) {
    try {
      server.unregisterMBean(name);
    } catch (InstanceNotFoundException e) {
      // gone already
    } catch (JMException e) {
      log.debug("the MBean {} could not be removed", name, e);
    }
  }

  private static JMXAuthenticator authenticator(String secret) {
    byte[] expected = secret.getBytes(StandardCharsets.UTF_8);
    return credentials -> {
      if (credentials instanceof String given
          && MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), expected)) {
        return new Subject(true, Set.of(new JMXPrincipal("owner")), Set.of(), Set.of());
      }
      throw new SecurityException("secret (expected: that of data-dir/run/node.json)");
    };
  }
}
