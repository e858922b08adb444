package io.theseus.admin.jmx;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.Canary;
import io.theseus.admin.Operations.Order;
import io.theseus.module.ModuleArchive;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Operations} and the status as the MBean offers them: texts in, JSON out, and exceptions of
 * Java's own alone, as a client need not have our classes.
 */
record NodeBean(Supplier<NodeStatus> status, Operations operations) implements TheseusMXBean {
  private static final Logger log = LoggerFactory.getLogger(NodeBean.class);
  private static final String NOBODY = "jmx";
  private static final Pattern SECONDS = Pattern.compile("\\d{1,12}");

  /** An operation, before its failures are put into words. */
  private interface Asked {
    Object answer() throws OperationException;
  }

  @Override
  public String getNode() {
    return status.get().node();
  }

  @Override
  public String getVersion() {
    return status.get().version();
  }

  @Override
  public long getUptimeSeconds() {
    return status.get().uptimeSeconds();
  }

  @Override
  public boolean isNormal() {
    return status.get().isNormal();
  }

  @Override
  public String[] getReasons() {
    return status.get().parts().stream()
        .filter(part -> !part.isNormal())
        .map(part -> part.name() + ": " + part.state() + ": " + part.reason())
        .toArray(String[]::new);
  }

  @Override
  public Map<String, Long> getSessions() {
    return status.get().sessions();
  }

  @Override
  public Map<String, Long> getCounters() {
    return status.get().counters();
  }

  @Override
  public Map<String, Long> getErrors() {
    return status.get().errors();
  }

  @Override
  public Map<String, Long> getFailures() {
    return status.get().failures();
  }

  @Override
  public String getWaitsFor() {
    return status.get().cluster().waitsFor();
  }

  @Override
  public long getFreeBytes() {
    return status.get().freeBytes();
  }

  @Override
  public String getStatus() {
    return status.get().toJson();
  }

  // ---- upgrades

  @Override
  public String preview(String path) throws ConnectException {
    return json(() -> operations.preview(read(path)));
  }

  @Override
  public String preview(byte[] jar) throws ConnectException {
    return json(() -> operations.preview(jar));
  }

  @Override
  public String upgrade(String path, String canary, String without, String watchSeconds, String who)
      throws ConnectException {
    return json(
        () -> operations.upgrade(read(path), canary(canary), order(without, watchSeconds, who)));
  }

  @Override
  public String upgrade(byte[] jar, String canary, String without, String watchSeconds, String who)
      throws ConnectException {
    return json(() -> operations.upgrade(jar, canary(canary), order(without, watchSeconds, who)));
  }

  @Override
  public String promote(String without, String watchSeconds, String who) throws ConnectException {
    return json(() -> operations.promote(order(without, watchSeconds, who)));
  }

  @Override
  public String rollback(String revision, String without, String watchSeconds, String who)
      throws ConnectException {
    return json(() -> operations.rollback(revision, order(without, watchSeconds, who)));
  }

  @Override
  public String undo(String without, String watchSeconds, String who) throws ConnectException {
    return json(() -> operations.undo(order(without, watchSeconds, who)));
  }

  @Override
  public String pause(String without, String watchSeconds, String who) throws ConnectException {
    return json(() -> operations.pause(order(without, watchSeconds, who)));
  }

  @Override
  public String resume(String without, String watchSeconds, String who) throws ConnectException {
    return json(() -> operations.resume(order(without, watchSeconds, who)));
  }

  @Override
  public String act(String id) throws ConnectException {
    return json(() -> operations.act(id).map(Json::write).orElse(""));
  }

  @Override
  public String history() throws ConnectException {
    return json(() -> new Json.Acts(operations.history()));
  }

  @Override
  public String revisions() throws ConnectException {
    return json(() -> new Json.Revisions(operations.revisions()));
  }

  // ---- sessions

  @Override
  public String sessions() throws ConnectException {
    return json(operations::sessions);
  }

  @Override
  public String kill(String session, String who) throws ConnectException {
    return json(() -> new Json.Killed(operations.kill(session(session), order("", "", who))));
  }

  @Override
  public String stopAccepting(String nodes, String who) throws ConnectException {
    return accept(/* accept= */ false, nodes, who);
  }

  @Override
  public String accept(String nodes, String who) throws ConnectException {
    return accept(/* accept= */ true, nodes, who);
  }

  private String accept(boolean accept, String nodes, String who) throws ConnectException {
    return json(
        () -> new Json.Accepted(operations.accept(accept, names(nodes), order("", "", who))));
  }

  // ---- backups

  @Override
  public String backups() throws ConnectException {
    return json(operations::backups);
  }

  @Override
  public String drainBackup(String node, String who) throws ConnectException {
    return json(() -> operations.drain(node.strip(), /* drain= */ true, order("", "", who)));
  }

  @Override
  public String undrainBackup(String node, String who) throws ConnectException {
    return json(() -> operations.drain(node.strip(), /* drain= */ false, order("", "", who)));
  }

  @Override
  public String closeRegistration(String who) throws ConnectException {
    return register(/* open= */ false, who);
  }

  @Override
  public String openRegistration(String who) throws ConnectException {
    return register(/* open= */ true, who);
  }

  private String register(boolean open, String who) throws ConnectException {
    return json(() -> new Json.Accepted(operations.register(open, order("", "", who))));
  }

  // ---- files

  @Override
  public String verify(String prefix, String who) throws ConnectException {
    return json(() -> new Json.Readings(operations.verify(prefix, order("", "", who))));
  }

  @Override
  public String verification() throws ConnectException {
    return json(() -> new Json.Readings(operations.verification()));
  }

  // ---- what goes in, what comes out

  private static String json(Asked asked) throws ConnectException {
    try {
      Object answer = asked.answer();
      return answer instanceof String text ? text : Json.write(answer);
    } catch (OperationException e) {
      String message = String.valueOf(e.getMessage());
      if (e.isUnreachable()) {
        throw new ConnectException(message);
      }
      throw failure(message);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(e.getMessage()); // a cause may be of any class
    } catch (RuntimeException e) {
      log.error("an operation failed", e);
      throw failure("a fault of the node, whose log says more: " + e);
    }
  }

  private static IllegalStateException failure(String message) {
    return new IllegalStateException(message);
  }

  private static Order order(String without, String watchSeconds, String who) {
    return new Order(who.isBlank() ? NOBODY : who.strip(), names(without), watch(watchSeconds));
  }

  private static Set<String> names(String commas) {
    return Arrays.stream(commas.split(",", -1))
        .map(String::strip)
        .filter(each -> !each.isEmpty())
        .collect(Collectors.toUnmodifiableSet());
  }

  private static Optional<Duration> watch(String seconds) {
    if (seconds.isBlank()) {
      return Optional.empty();
    }
    if (!SECONDS.matcher(seconds.strip()).matches()) {
      throw new IllegalArgumentException(
          "watchSeconds: " + Texts.quote(seconds) + " (expected: a number of seconds, or nothing)");
    }
    return Optional.of(Duration.ofSeconds(Long.parseLong(seconds.strip())));
  }

  private static Optional<Canary> canary(String text) {
    return text.isBlank() ? Optional.empty() : Optional.of(Canary.parse(text.strip()));
  }

  private static UUID session(String text) {
    try {
      return UUID.fromString(text.strip());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "session: " + Texts.quote(text) + " (expected: its id, as `sessions` shows it)", e);
    }
  }

  /** A jar of this host. Nothing of another file is told, but that it is none. */
  private static byte[] read(String path) {
    try {
      Path file = Path.of(path);
      if (!Files.isRegularFile(file)) {
        throw noJar(path, "a file of this node's host");
      }
      try (InputStream in = Files.newInputStream(file)) {
        byte[] jar = in.readNBytes(ModuleArchive.MOST_BYTES + 1);
        if (jar.length > ModuleArchive.MOST_BYTES) {
          throw noJar(path, "at most " + ModuleArchive.MOST_BYTES + " bytes");
        }
        return jar;
      }
    } catch (IOException | InvalidPathException e) {
      throw noJar(path, "a file that this node can read");
    }
  }

  private static IllegalArgumentException noJar(String path, String expected) {
    return new IllegalArgumentException(
        "path: " + Texts.quote(path) + " (expected: " + expected + ")");
  }
}
