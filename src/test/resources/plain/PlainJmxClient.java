import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
      act("pause", "plain");
      act("resume", "plain");
      act("upgrade", path, "plain");
      act("undo", "", "0", "plain");
      act("upgrade", jar, "5%", "", "0", "plain");
      act("promote", "", "0", "plain");
      act("rollback", "standard", "", "0", "plain");
      verb("rollback", "nothing", "plain");
      verb("act", "unknown");
      verb("history");
      verb("revisions");
      verb("stopAccepting", "", "plain");
      verb("accept", "", "plain");
      verb("kill", session, "plain");
    }
  }

  /** Begins an act, and asks for it until it is over. */
  private static void act(String verb, Object... arguments) throws Exception {
    String act = ask(verb, arguments);
    Matcher id = Pattern.compile("\"id\":\"([^\"]+)\"").matcher(act);
    while (id.find() && Pattern.compile("\"phase\":\"(staging|switching)\"").matcher(act).find()) {
      act = ask("act", id.group(1));
      id.reset();
    }
    System.out.println(verb + " " + act);
  }

  private static void verb(String verb, Object... arguments) throws Exception {
    System.out.println(verb + " " + ask(verb, arguments));
  }

  private static String ask(String verb, Object... arguments) throws Exception {
    String[] signature = new String[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      signature[i] = arguments[i].getClass().getName();
    }
    try {
      return (String) node.invoke(name, verb, arguments, signature);
    } catch (MBeanException | RuntimeMBeanException e) {
      return e.getCause().toString();
    }
  }
}
