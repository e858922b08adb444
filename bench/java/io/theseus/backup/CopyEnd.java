package io.theseus.backup;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.AskPattern;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.MemberStatus;
import akka.cluster.typed.Cluster;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.theseus.bench.Lab;
import io.theseus.bench.Pattern;
import io.theseus.peer.PeerPort;
import io.theseus.peer.PeerSettings;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.Source;
import io.theseus.store.StoreSettings;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.StreamSupport;

/**
 * A process that has files, or one that copies them, of two that are one cluster; configured as a
 * node is. The one that has them is told by lines on standard input what to do:
 *
 * <ul>
 *   <li>{@code stage FILES BYTES}: receives so many files, as a node receives uploads, and keeps
 *       them staged and whole
 *   <li>{@code copy}: has them copied; the answer is that of a load client
 *   <li>{@code remove}: has the copies removed
 * </ul>
 */
public final class CopyEnd {
  /** Who has files, and who copies them; ids of these nodes. */
  public static final String GIVES = "gives";

  /** See {@link #GIVES}. */
  public static final String TAKES = "takes";

  static final String HOST = "127.0.0.1";

  private static final String SYSTEM = "copies";
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int STAGED_AT_ONCE = 1 << 20;

  /** What both tell each other beside the bytes. */
  interface Remote {}

  private final Config config;
  private final String role;
  private final int[] ports;
  private final int pieceBytes;
  private final FileStore store;
  private final PeerPort port;
  private final ExecutorService disk;
  private final Map<UUID, Upload> staged = new LinkedHashMap<>();
  private final Map<UUID, Source> given = new LinkedHashMap<>();

  private CopyEnd(String role, Path directory, int[] ports, int pieceBytes) throws IOException {
    this.role = role;
    this.ports = ports.clone();
    this.pieceBytes = pieceBytes;
    config = config();
    disk = Executors.newFixedThreadPool(config.getInt("theseus.threads.disk"));
    store =
        FileStore.open(
            StoreSettings.of(
                directory.resolve("files"), directory.resolve("records"), 0, Duration.ofHours(1)),
            disk,
            Clock.systemUTC(),
            Steps.NONE);
    port =
        PeerPort.open(
            new PeerSettings(
                role,
                Set.of(GIVES, TAKES),
                HOST,
                /* port= */ 0,
                /* advertise= */ "",
                config.getBytes("theseus.peers.most-held-bytes")),
            this::source,
            disk,
            /* tls= */ null);
  }

  /**
   * The lane for large messages as it suits these, heartbeats often enough to see some; else ours.
   */
  private Config config() {
    return ConfigFactory.parseString(
            """
            akka {
              # it warns of each heartbeat that is late, and here some will be
              loglevel = ERROR
              actor.serializers.piece = "io.theseus.backup.Piece$Serializer"
              actor.serialization-bindings {
                "io.theseus.backup.Piece" = piece
                "io.theseus.backup.CopyEnd$Remote" = jackson-cbor
              }
              remote.artery {
                canonical.hostname = "%s"
                canonical.port = %d
                large-message-destinations = ["/user/%s"]
                advanced.maximum-large-frame-size = %d
                advanced.outbound-large-message-queue-size = 4096
              }
              cluster.seed-nodes = ["%s"]
              cluster.failure-detector.heartbeat-interval = 100ms
            }
            """
                .formatted(
                    HOST,
                    ports[role.equals(GIVES) ? 0 : 1],
                    CopyTaker.NAME,
                    // and what stands before a piece
                    pieceBytes + (4 << 10),
                    system(0)))
        .withFallback(ConfigFactory.load());
  }

  private String system(int of) {
    return "akka://%s@%s:%d".formatted(SYSTEM, HOST, ports[of]);
  }

  private Source source(UUID session, Epoch epoch) throws ProtocolException {
    Upload upload = staged.get(session);
    if (upload == null) {
      throw new ProtocolException(
          ErrorCode.UNKNOWN_SESSION, "session " + session + " (expected: one of this node)");
    }
    return upload.source();
  }

  // ---- who copies

  private void take() {
    var unused =
        ActorSystem.create(
            Behaviors.setup(
                context -> {
                  context.spawn(CopyTaker.create(store, port, disk), CopyTaker.NAME);
                  return Behaviors.empty();
                }),
            SYSTEM,
            config);
  }

  // ---- who has the files

  private void give(boolean pieces) throws IOException {
    ActorSystem<CopyGiver.Command> system =
        ActorSystem.create(
            Behaviors.setup(
                context -> {
                  ActorRef<Object> taker =
                      ActorRefResolver.get(context.getSystem())
                          .resolveActorRef(system(1) + "/user/" + CopyTaker.NAME);
                  return CopyGiver.create(taker, pieces ? 0 : port.port(), pieceBytes);
                }),
            SYSTEM,
            config);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (up(system) < 2) {
      if (System.nanoTime() > deadline) {
        throw new IOException("the other end does not come (expected: a cluster of two)");
      }
      Lab.pause();
    }
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String answer;
      try {
        answer = answer(system, line.split(" ", -1));
      } catch (ProtocolException | CompletionException e) {
        answer = String.valueOf(e.getMessage());
      }
      System.out.println(answer);
    }
    system.terminate();
  }

  private static long up(ActorSystem<?> system) {
    return StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
        .filter(each -> each.status() == MemberStatus.up())
        .count();
  }

  private String answer(ActorSystem<CopyGiver.Command> system, String[] words)
      throws IOException, ProtocolException {
    return switch (words[0]) {
      case "stage" -> stage(Integer.parseInt(words[1]), Long.parseLong(words[2]));
      case "copy" -> copy(system);
      default -> {
        String removed = ask(system, CopyGiver.RemoveAll::new);
        given.values().forEach(Source::close);
        given.clear();
        yield removed;
      }
    };
  }

  private String stage(int files, long bytes) throws IOException, ProtocolException {
    for (Upload before : staged.values()) {
      before.discard().toCompletableFuture().join();
    }
    staged.clear();
    for (int i = 0; i < files; i++) {
      Upload upload =
          store.begin(
              new UploadRequest(
                  new UUID(0, i),
                  new FileName("file" + i),
                  OptionalLong.of(bytes),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty()));
      fill(upload, i, bytes);
      staged.put(upload.session(), upload);
    }
    return "";
  }

  private static void fill(Upload upload, int index, long bytes) throws IOException {
    Upload.Writer writer = upload.takeOver();
    ByteBuffer buffer = ByteBuffer.allocateDirect(STAGED_AT_ONCE);
    for (long at = 0; at < bytes; at += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - at));
      Pattern.each(index, at, buffer.limit(), buffer::put);
      CompletableFuture<Void> written = new CompletableFuture<>();
      writer.write(buffer.flip().duplicate(), () -> written.complete(null));
      written.join();
    }
    upload.sync().toCompletableFuture().join();
  }

  private String copy(ActorSystem<CopyGiver.Command> system) throws ProtocolException {
    for (Upload each : staged.values()) {
      given.put(each.session(), each.source());
    }
    long bytes = given.values().stream().mapToLong(Source::available).sum();
    long began = System.nanoTime();
    String failure = ask(system, replyTo -> new CopyGiver.CopyAll(Map.copyOf(given), replyTo));
    double seconds = (System.nanoTime() - began) / 1e9;
    return failure.isEmpty()
        ? "{\"files\": %d, \"bytes\": %d, \"seconds\": %s}".formatted(given.size(), bytes, seconds)
        : failure;
  }

  /** That of a file, by its number. */
  public static String session(int index) {
    return new UUID(0, index).toString();
  }

  private static String ask(
      ActorSystem<CopyGiver.Command> system,
      Function<ActorRef<String>, CopyGiver.Command> question) {
    return AskPattern.ask(system, question::apply, PATIENCE, system.scheduler())
        .toCompletableFuture()
        .join();
  }

  /**
   * Runs one end.
   *
   * @param arguments {@code gives} or {@code takes}, the directory, the ports of both for the
   *     cluster, {@code pull} or {@code pieces}, bytes of a piece
   */
  public static void main(String[] arguments) throws IOException {
    String role = arguments[0];
    int[] ports = {Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3])};
    CopyEnd end = new CopyEnd(role, Path.of(arguments[1]), ports, Integer.parseInt(arguments[5]));
    if (role.equals(TAKES)) {
      end.take();
    } else {
      end.give(arguments[4].equals("pieces"));
      System.exit(0);
    }
  }
}
