import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.management.MBeanException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Does every verb of a node with what Java alone knows of JMX, and prints what came of each:
 * arguments are url, secret, object name, a session's id and the path of a jar.
 */
public final class PlainJmxClient {
  private static MBeanServerConnection node;
  private static ObjectName name;

  public static void main(String[] arguments) throws Exception {
    try (JMXConnector connector =
        JMXConnectorFactory.connect(
            new JMXServiceURL(arguments[0]), Map.of(JMXConnector.CREDENTIALS, arguments[1]))) {
      node = connector.getMBeanServerConnection();
      name = new ObjectName(arguments[2]);
      String session = arguments[3];
      String path = arguments[4];
      byte[] jar = Files.readAllBytes(Path.of(path));
      System.out.println("Status " + node.getAttribute(name, "Status"));
      verb("sessions");
      verb("preview", path);
      verb("preview", jar);
      verb("upgrade", path, "plain");
      verb("upgrade", jar, "", "", "1", "plain");
      verb("promote", "plain");
      verb("rollback", "standard", "plain");
      verb("undo", "plain");
      verb("pause", "plain");
      verb("resume", "plain");
      verb("act", "unknown");
      verb("history");
      verb("revisions");
      verb("stopAccepting", "", "plain");
      verb("accept", "", "plain");
      verb("kill", session, "plain");
    }
  }

  private static void verb(String verb, Object... arguments) throws Exception {
    String[] signature = new String[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      signature[i] = arguments[i].getClass().getName();
    }
    String answer;
    try {
      answer = (String) node.invoke(name, verb, arguments, signature);
    } catch (MBeanException | RuntimeMBeanException e) {
      answer = e.getCause().toString();
    }
    System.out.println(verb + " " + answer);
  }
}
