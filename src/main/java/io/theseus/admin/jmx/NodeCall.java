package io.theseus.admin.jmx;

import io.theseus.admin.jmx.StatusClient.UnreachableException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.management.JMException;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** One call of a node over JMX, on a connection and a thread of its own: a node may be silent. */
final class NodeCall {
  /** What is asked on the connection. */
  interface Question<T> {
    T ask(MBeanServerConnection connection) throws IOException, JMException;
  }

  private NodeCall() {}

  static <T> T ask(RunFile node, Duration patience, Question<T> question)
      throws UnreachableException {
    FutureTask<T> task = new FutureTask<>(() -> ask(node, question));
    Thread thread = new Thread(task, "theseus-jmx");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnreachableException("interrupted while " + node + " was asked", false);
    } catch (TimeoutException e) {
      throw new UnreachableException(
          node + " has not answered within " + patience.toSeconds() + " s; is it paused?", false);
    } catch (ExecutionException e) {
      throw new UnreachableException(node + " does not answer: " + e.getCause(), false);
    }
  }

  /**
   * Asks over JMX. The address holds a serialized stub, which is why it is only ever taken from a
   * run file of this user's own.
   */
  @SuppressWarnings("BanJNDI")
  private static <T> T ask(RunFile node, Question<T> question) throws IOException, JMException {
    try (JMXConnector connector =
        JMXConnectorFactory.connect(
            new JMXServiceURL(node.url()), Map.of(JMXConnector.CREDENTIALS, node.secret()))) {
      return question.ask(connector.getMBeanServerConnection());
    }
  }
}
