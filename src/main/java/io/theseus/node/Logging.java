package io.theseus.node;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.EncoderBase;
import java.util.List;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;

/**
 * The log of a process: one line an event, with node id and session id, to standard error, as text
 * or JSON. The session's id comes from the MDC key {@value #SESSION}.
 */
public final class Logging {
  /** The MDC key of the session's id. */
  public static final String SESSION = "session";

  private static final String NODE = "node";

  /** A stack trace, too, stays on the line of its event. */
  static final String PATTERN =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %property{"
          + NODE
          + "} [%X{"
          + SESSION
          + ":--}] %logger{0}: %replace(%msg%replace( | %ex){'^ \\| $', ''}){'[\\r\\n]+\\s*', ' | '}%n%nopex";

  /** Loggers that say at info what only a debugger wants. */
  private static final List<String> CHATTY =
      List.of("akka", "io.netty", "javax.management", "sun.rmi");

  private Logging() {}

  /** Sets up the log of this process; it has one, whatever number of nodes it runs. */
  public static void configure(NodeSettings.Log settings, String node) {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (!(factory instanceof LoggerContext context)) {
      return;
    }
    context.reset();
    context.putProperty(NODE, node);
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(encoder(context, settings.format()));
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.toLevel(settings.level().name()));
    root.addAppender(appender);
    if (settings.level() == NodeSettings.Log.Level.INFO) {
      CHATTY.forEach(name -> context.getLogger(name).setLevel(Level.WARN));
    }
  }

  static Encoder<ILoggingEvent> encoder(LoggerContext context, NodeSettings.Log.Format format) {
    EncoderBase<ILoggingEvent> encoder;
    if (format == NodeSettings.Log.Format.JSON) {
      JsonEncoder json = new JsonEncoder();
      json.setWithSequenceNumber(false);
      json.setWithNanoseconds(false);
      encoder = json;
    } else {
      PatternLayoutEncoder text = new PatternLayoutEncoder();
      text.setPattern(PATTERN);
      encoder = text;
    }
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }
}
