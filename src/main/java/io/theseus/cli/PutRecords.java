package io.theseus.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Under which session each unfinished put runs, on this side, so that {@code put --continue} finds
 * it after the program was killed.
 *
 * <p>One small file for each, in {@code $XDG_STATE_HOME/theseus/puts} (default {@code
 * ~/.local/state}), for the owner only: who knows a session's id can go on with it. Files under 8
 * MiB aren't worth a record. Nothing here is needed for correctness: without it a put begins anew.
 */
final class PutRecords {
  /** What is put where; the same file with another stamp is another file. */
  record Key(String servers, String name, Path file, Stamp stamp) {}

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final long LEAST_BYTES = 8L << 20;

  private final @Nullable Path directory;

  PutRecords(@Nullable Path directory) {
    this.directory = directory;
  }

  static PutRecords of(Map<String, String> environment) {
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    String home = environment.getOrDefault("HOME", "");
    if (state.startsWith("/")) {
      return new PutRecords(Path.of(state, "theseus", "puts"));
    }
    return new PutRecords(
        home.isEmpty() ? null : Path.of(home, ".local", "state", "theseus", "puts"));
  }

  /** The session that the same file, unchanged since, was put under. */
  Optional<UUID> find(Key key) {
    Path path = path(key);
    if (path == null) {
      return Optional.empty();
    }
    try {
      JsonNode record = MAPPER.readTree(path.toFile());
      Stamp stamp =
          new Stamp(
              record.path("size").asLong(-1), Instant.parse(record.path("modified").asText()));
      return stamp.equals(key.stamp())
          ? Optional.of(UUID.fromString(record.path("session").asText()))
          : Optional.empty();
    } catch (IOException | RuntimeException e) {
      // none, or one that can't be read: the put begins anew
      return Optional.empty();
    }
  }

  /** Notes the session; replaced atomically. */
  void remember(Key key, UUID session) {
    Path path = path(key);
    if (path == null || directory == null || key.stamp().size() < LEAST_BYTES) {
      return;
    }
    String record =
        new JsonLine()
            .put("session", session.toString())
            .put("name", key.name())
            .put("file", absolute(key))
            .put("servers", key.servers())
            .put("size", key.stamp().size())
            .put("modified", key.stamp().modified().toString())
            .toString();
    Path fresh = directory.resolve("." + session);
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      try (var channel =
          Files.newByteChannel(
              fresh,
              Set.of(
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE,
                  StandardOpenOption.TRUNCATE_EXISTING),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
        channel.write(StandardCharsets.UTF_8.encode(record));
      }
      Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | UnsupportedOperationException e) {
      // a convenience: the put itself goes on
    }
  }

  /** The put is complete, or can't be gone on with. */
  void forget(Key key) {
    Path path = path(key);
    if (path != null) {
      try {
        Files.deleteIfExists(path);
      } catch (IOException e) {
        // a record too many is found out by its stamp, or by the node
      }
    }
  }

  private @Nullable Path path(Key key) {
    if (directory == null) {
      return null;
    }
    String all = key.servers() + '\n' + key.name() + '\n' + absolute(key);
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(all.getBytes(StandardCharsets.UTF_8));
      return directory.resolve(HexFormat.of().formatHex(hash, 0, 16) + ".json");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static String absolute(Key key) {
    return key.file().toAbsolutePath().normalize().toString();
  }
}
