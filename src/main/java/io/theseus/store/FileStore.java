package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.steps.Steps;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.ObjLongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one node: reads them, lists them, begins uploads.
 *
 * <p>Its methods block: they are called from disk threads, which nobody interrupts (an interrupt
 * closes a file for all its readers). Refusals are {@link ProtocolException}s with the protocol's
 * codes. Nothing below the root is reached through a link, and nothing but regular files is a name.
 */
public final class FileStore implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(FileStore.class);
  private static final String LOCK = "lock";
  private static final String PROBE = "probe";
  private static final String PART = ".part";
  private static final String DELETED = "deleted";
  private static final String ROTTEN = "rotten";

  /** Beside what is staged: no names, and never removed. */
  static final String ASIDE = "aside";

  /** How often a file is looked at anew that is replaced while it is being opened. */
  private static final int OPEN_ATTEMPTS = 20;

  /** Files up to so many bytes are asked for when they are opened. */
  private static final int READ_AHEAD = 256 * 1024;

  /** Most bytes of small files to keep in memory, of those that the process may have. */
  private static final long MOST_IN_MEMORY = 64L << 20;

  private static final int PART_OF_MEMORY = 8;

  private final LiveSources live;
  private final Executor disk;
  private final Steps steps;
  private final Tree tree;
  private final Folder staging;
  private final Path stagingPath;
  private final FileChannel lock;
  private final Records records;
  private final Tombstones tombstones;
  private final Space space;
  private final Quota quota;
  private final Commits commits;
  private final Contents contents;
  private final SharedFiles shared = new SharedFiles();
  private final SmallFiles small;
  private final Map<UUID, Upload> uploads = new ConcurrentHashMap<>();
  // with those whose upload is being made
  private final Set<UUID> sessions = ConcurrentHashMap.newKeySet();
  private volatile @Nullable ProtocolException failure;

  /** Opens a store without live sources. */
  public static FileStore open(StoreSettings settings, Executor disk, Clock clock, Steps steps)
      throws IOException {
    return open(settings, LiveSources.NONE, disk, clock, steps);
  }

  /**
   * Opens a store; makes its directories where they are missing.
   *
   * @param disk runs what waits for the disk; it outlives the store, and its threads are never
   *     interrupted
   * @throws IOException naming the directory and what it should be
   */
  public static FileStore open(
      StoreSettings settings, LiveSources live, Executor disk, Clock clock, Steps steps)
      throws IOException {
    return open(settings, live, disk, clock, steps, true);
  }

  /** The same; without attributes on request, as on a file system that has none. */
  static FileStore open(
      StoreSettings settings,
      LiveSources live,
      Executor disk,
      Clock clock,
      Steps steps,
      boolean useAttributes)
      throws IOException {
    Path root = directory(settings.root());
    Path stagingPath = directory(settings.staging());
    if (!Files.getAttribute(root, "unix:dev").equals(Files.getAttribute(stagingPath, "unix:dev"))) {
      throw new IOException(
          "staging: "
              + stagingPath
              + " (expected: a directory on the file system of the root, "
              + root
              + ")");
    }
    FileChannel lock = lock(stagingPath);
    try {
      return new FileStore(
          settings, root, stagingPath, lock, live, disk, clock, steps, useAttributes);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private FileStore(
      StoreSettings settings,
      Path root,
      Path stagingPath,
      FileChannel lock,
      LiveSources live,
      Executor disk,
      Clock clock,
      Steps steps,
      boolean useAttributes)
      throws IOException {
    this.live = live;
    this.disk = disk;
    this.steps = steps;
    this.lock = lock;
    this.tree =
        new Tree(root, stagingPath.startsWith(root) ? root.relativize(stagingPath).toString() : "");
    this.staging = Folder.open(stagingPath);
    this.stagingPath = stagingPath;
    this.records = Records.open(settings.records(), clock, steps);
    this.tombstones = new Tombstones(settings.records().resolve(DELETED), clock);
    this.space = new Space(root.toFile()::getUsableSpace, settings.restBytes());
    this.small =
        new SmallFiles(
            Math.min(MOST_IN_MEMORY, Runtime.getRuntime().maxMemory() / PART_OF_MEMORY), clock);
    this.quota = new Quota(settings.maxBytes(), settings.maxFiles());
    quota.count(tree);
    boolean attributes = useAttributes && attributesWork(stagingPath);
    if (!attributes) {
      LOG.warn(
          "{} has no user attributes: a file's identity is its size and time, and no SHA-256 is"
              + " kept",
          root);
    }
    this.contents = new Contents(this, tree, RottenFiles.in(settings.records().resolve(ROTTEN)));
    this.commits =
        new Commits(
            this,
            tree,
            staging,
            stagingPath,
            records,
            tombstones,
            contents,
            quota,
            settings.keep(),
            clock,
            attributes);
  }

  private static Path directory(Path path) throws IOException {
    try {
      Files.createDirectories(path);
      return path.toRealPath();
    } catch (IOException e) {
      throw new IOException(
          path + ": " + Refusals.reason(e) + " (expected: a directory, or leave to make it)", e);
    }
  }

  private static FileChannel lock(Path stagingPath) throws IOException {
    FileChannel channel =
        FileChannel.open(
            stagingPath.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock held = null;
    try {
      held = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      LOG.debug("{} is locked by this process", stagingPath);
    } finally {
      if (held == null) {
        channel.close();
      }
    }
    if (held == null) {
      throw new IOException(
          stagingPath + ": another process uploads here (expected: one node for each directory)");
    }
    return channel;
  }

  private static boolean attributesWork(Path stagingPath) throws IOException {
    Path probe = stagingPath.resolve(PROBE);
    Files.deleteIfExists(probe);
    Files.createFile(probe);
    try {
      return Native.setAttribute(probe, PROBE)
          && Native.attribute(probe).equals(Optional.of(PROBE));
    } finally {
      Files.delete(probe);
    }
  }

  // ---- reading

  /**
   * The live source of that name, started anew, or joined where it is spooled; empty where the name
   * is none.
   *
   * @param fromStart whether the reader wants the first byte
   */
  public Optional<LiveStream> openLive(FileName name, boolean fromStart) throws ProtocolException {
    return live.open(name, fromStart);
  }

  /**
   * A small file that was read lately and is still the same, as {@link #openFile} would open it.
   * Never waits for the disk: empty where that would be needed to know.
   */
  public Optional<StoredFile> openKnown(FileName name) {
    return live.contains(name) || contents.isMarked(name)
        ? Optional.empty()
        : Optional.ofNullable(small.find(name, /* mayWait= */ false));
  }

  /** Opens a regular file below the root, without following links. */
  public StoredFile openFile(FileName name) throws ProtocolException {
    if (contents.isRotten(name)) {
      throw Refusals.internal(
          Texts.quote(name.value())
              + " is rotten: it is not what was stored (expected: a repair from another node, or an"
              + " upload anew)");
    }
    StoredFile known = small.find(name, /* mayWait= */ true);
    if (known != null) {
      return known;
    }
    return inFolderOf(
        name,
        (folder, component) -> {
          for (int i = 0; i < OPEN_ATTEMPTS; i++) {
            BasicFileAttributes found = requireFile(name, folder.find(component));
            SharedFiles.Shared one = shared.join(found.fileKey());
            if (one != null) {
              if (one.facts().sameAs(found)) {
                return new StoredFile(name, one);
              }
              one.release();
            }
            Optional<StoredFile> opened = openAnew(name, folder, component, found);
            if (opened.isPresent()) {
              return opened.get();
            }
          }
          throw new ProtocolException(
              ErrorCode.BUSY,
              Texts.quote(name.value())
                  + " was replaced "
                  + OPEN_ATTEMPTS
                  + " times while it was opened (expected: a moment of peace)");
        });
  }

  /** Opens what was found; empty where it is something else by now. */
  private Optional<StoredFile> openAnew(
      FileName name, Folder folder, String component, BasicFileAttributes found)
      throws IOException {
    FileChannel channel;
    try {
      channel = folder.file(component, StandardOpenOption.READ);
    } catch (IOException e) {
      BasicFileAttributes now = folder.find(component);
      if (!Folder.metLink(e)
          && now != null
          && now.isRegularFile()
          && Facts.of(found, tree.path(name.value())).sameAs(now)) {
        throw e;
      }
      return Optional.empty();
    }
    boolean kept = false;
    try {
      Facts facts = Facts.of(found, tree.path(name.value()));
      boolean whole = facts.size() <= SmallFiles.MOST;
      Optional<Native.Stamp> stamp = whole ? Native.stamp(channel) : Optional.empty();
      ByteBuffer content = content(channel, whole ? (int) facts.size() : 0);
      BasicFileAttributes now = folder.find(component);
      // what was opened, and read, is what was there before and after
      if (now == null || !now.isRegularFile() || !facts.sameAs(now)) {
        return Optional.empty();
      }
      if (whole) {
        StoredFile file = new StoredFile(name, facts, content);
        if (stamp.isPresent() && stamp.equals(Native.stamp(channel))) {
          small.add(file, tree.path(name.value()).toString(), stamp.get());
        }
        return Optional.of(file);
      }
      if (facts.size() <= READ_AHEAD) {
        Native.willNeed(channel, 0, facts.size()); // of larger ones with each grant
      }
      kept = true;
      return Optional.of(new StoredFile(name, shared.add(channel, facts)));
    } finally {
      if (!kept) {
        channel.close();
      }
    }
  }

  /** The first bytes of a file; fewer than asked for where it became shorter. */
  private static ByteBuffer content(FileChannel channel, int length) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(length);
    int read = 0;
    while (content.hasRemaining() && read >= 0) {
      read = channel.read(content, content.position());
    }
    return content.flip();
  }

  /** Size, identity and time of a file or live source. */
  public FileStat stat(FileName name) throws ProtocolException {
    if (live.contains(name)) {
      return FileStat.live(name);
    }
    return inFolderOf(
        name,
        (folder, component) ->
            Facts.of(requireFile(name, folder.find(component)), tree.path(name.value()))
                .stat(name));
  }

  /**
   * The names that begin with a prefix, in byte order.
   *
   * @param maxBytes bound of the lines of LIST together, each with its line feed; one entry is
   *     given at least
   */
  public Listing list(String prefix, Optional<String> after, int maxBytes)
      throws ProtocolException {
    try {
      return new Lister(tree, new TreeSet<>(live.names()), prefix, after.orElse(""), maxBytes)
          .list();
    } catch (IOException e) {
      throw Refusals.internal("LIST " + Texts.quote(prefix) + " failed: " + Refusals.reason(e));
    }
  }

  static BasicFileAttributes requireFile(FileName name, @Nullable BasicFileAttributes found)
      throws ProtocolException {
    if (found == null) {
      throw Refusals.notFound(name, "nothing is there");
    }
    if (!found.isRegularFile()) {
      throw Refusals.notFound(name, kind(found));
    }
    return found;
  }

  /** What a thing that is no regular file is called in messages. */
  static String kind(BasicFileAttributes found) {
    if (found.isDirectory()) {
      return "is a folder";
    }
    return found.isSymbolicLink()
        ? "is a symbolic link"
        : "is a special file (FIFO, socket or device)";
  }

  /** Something that is done with a name's last component in the folder that holds it. */
  @FunctionalInterface
  interface InFolder<T> {
    T apply(Folder folder, String component) throws IOException, ProtocolException;
  }

  <T> T inFolderOf(FileName name, InFolder<T> action) throws ProtocolException {
    tree.requireEncodable(name);
    if (tree.isHidden(name.value())) {
      throw Refusals.notFound(name, "is where the store keeps unfinished uploads");
    }
    String[] components = name.components();
    try (Folder folder = tree.parent(components)) {
      return action.apply(folder, components[components.length - 1]);
    } catch (NoSuchFileException e) {
      throw Refusals.notFound(name, "nothing is there");
    } catch (NotDirectoryException e) {
      throw Refusals.notFound(name, "goes through what is no folder");
    } catch (IOException e) {
      throw Refusals.io(name, "opening", e);
    }
  }

  // ---- changing

  /** Removes a file, durably, and gives the identity of what is gone. */
  public String delete(FileName name, Optional<String> ifIdentity) throws ProtocolException {
    requireWritable(name);
    return commits.delete(name, ifIdentity);
  }

  /** What this node knows of a name. */
  public Entry entry(FileName name) throws ProtocolException {
    if (live.contains(name)) {
      return new Entry(Entry.Kind.LIVE, "", Optional.of(FileStat.live(name)));
    }
    tree.requireEncodable(name);
    return tree.isHidden(name.value()) ? Entry.NONE : commits.entry(name);
  }

  /**
   * Why the name can't be an upload's, whatever it holds: it is a folder, say, or a live source's.
   */
  public Optional<ProtocolException> obstacle(FileName name) {
    try {
      requireNameable(name);
      commits.requireUploadable(name, Optional.empty());
      return Optional.empty();
    } catch (ProtocolException e) {
      return switch (e.code()) {
        case EXISTS, DENIED, BAD_NAME -> Optional.of(e);
        default -> Optional.empty(); // a fault of this node
      };
    }
  }

  /** Whether a session has committed a name here; see {@link #completed}. */
  public boolean hasCompleted(UUID session, FileName name) throws ProtocolException {
    try {
      return completed(session, name).isPresent();
    } catch (ProtocolException e) {
      if (e.code() == ErrorCode.BAD_FIELD) {
        return true; // another name, which who asks is told here
      }
      throw e;
    }
  }

  /**
   * Makes sure that nothing is here, durably, that is older than a version of the name elsewhere.
   *
   * @param deleted whether that version is a deletion; it is remembered here
   * @return what is known of the name then
   */
  public Entry supersede(FileName name, String version, boolean deleted) throws ProtocolException {
    requireWritable(name);
    return commits.supersede(name, version, deleted, /* keeps= */ false);
  }

  /**
   * The same for what is found to be older only now: a file that was here before the node had to do
   * with others, or that somebody put here, is set aside, not removed.
   */
  public Entry giveWay(FileName name, String version, boolean deleted) throws ProtocolException {
    requireWritable(name);
    return commits.supersede(name, version, deleted, /* keeps= */ true);
  }

  /**
   * Sets a file aside that has that version still.
   *
   * @return whether it had
   */
  public boolean setAside(FileName name, String version) throws ProtocolException {
    requireWritable(name);
    return commits.setAside(name, version);
  }

  /** Files that were set aside, and where they are. */
  public SetAside setAside() {
    Path path = stagingPath.resolve(ASIDE);
    long files = 0;
    try (DirectoryStream<Path> all = Files.newDirectoryStream(path)) {
      for (Path each : all) {
        files += Files.isRegularFile(each) ? 1 : 0;
      }
    } catch (NoSuchFileException e) {
      LOG.trace("none", e);
    } catch (IOException e) {
      LOG.debug("{} can't be read: {}", path, Refusals.reason(e));
    }
    return new SetAside(files, path);
  }

  /** What files hold. */
  public Contents contents() {
    return contents;
  }

  /** See {@link Commits#say}. */
  boolean say(FileName name, Facts known, Attribute attribute) throws ProtocolException {
    return commits.say(name, known, attribute);
  }

  /**
   * Whether a name's file is here and may be served, or what says that it was deleted. A session
   * may have completed a name of which nothing is here any more: it was let go of.
   */
  public boolean has(FileName name) throws ProtocolException {
    Entry.Kind kind = commits.entry(name).kind();
    return kind != Entry.Kind.NONE && !(kind == Entry.Kind.FILE && contents.isRotten(name));
  }

  /**
   * Removes a file that is on enough other nodes; nothing where it has another version by now.
   *
   * @return whether it is gone
   */
  public boolean letGo(FileName name, String version) throws ProtocolException {
    requireWritable(name);
    return commits.letGo(name, version);
  }

  /**
   * Visits all files with their sizes, in no order; what is put here or removed meanwhile may be
   * among them.
   */
  public void forEachFile(ObjLongConsumer<Named> visitor) throws IOException {
    tree.forEachFile(
        (text, found) -> {
          try {
            FileName name = FileName.parse(text);
            Path path = tree.path(text);
            visitor.accept(new Named(name, Facts.of(found, path).version(path)), found.size());
          } catch (ProtocolException e) {
            LOG.debug("{} is no name", Texts.escape(text)); // and not served
          }
        });
  }

  /** When the last deletion was that is forgotten; long ago where none is. */
  public Instant forgottenDeletion() throws IOException {
    return tombstones.forgotten();
  }

  /** Forgets the deletions that are older; gives how many they were. */
  public int forgetDeleted(Duration age) throws IOException {
    return tombstones.forget(age);
  }

  /**
   * Begins an upload, after all that can be refused before the first byte.
   *
   * @throws ProtocolException {@code exists} or {@code changed} by the precondition, {@code exists}
   *     for a name that is a folder or goes through a file, {@code denied} for a live source's,
   *     {@code no-space}, and {@code busy} for a session that has an upload here already
   */
  public Upload begin(UploadRequest request) throws ProtocolException {
    FileName name = request.name();
    requireWritable(name);
    OptionalLong replaced = commits.requireUploadable(name, request.ifIdentity());
    Space.Reservation reservation = space.reserve(name, request.size().orElse(0));
    return register(
        request,
        reservation,
        () -> {
          Quota.Claim claim =
              quota.claim(request.session(), name, request.size().orElse(0), replaced);
          String part = part(request.session());
          FileChannel channel;
          try {
            channel =
                staging.file(
                    part,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
          } catch (IOException e) {
            quota.removed(request.session());
            throw e;
          }
          steps.at("put.part-created");
          return new Upload(
              this,
              request,
              new PartFile(staging, part, channel),
              reservation,
              claim,
              /* durable= */ 0,
              /* altered= */ false);
        });
  }

  /**
   * Takes up an upload of which {@code durable} bytes were acknowledged: of an earlier process, or
   * one of this process that failed and may go on (after {@code no-space}, say). What is behind
   * those bytes is cut off; they are read again, for the hash, while the transfer goes on.
   *
   * @param altered whether they may be others than were received: then nobody knows the hash of
   *     these any more
   * @throws ProtocolException {@code internal}, naming the loss, where there is less than that
   */
  public Upload reopen(UploadRequest request, long durable, boolean altered)
      throws ProtocolException {
    FileName name = request.name();
    requireWritable(name);
    Upload earlier = uploads.get(request.session());
    if (earlier != null) {
      if (earlier.failure().isEmpty() || earlier.isDiscarded()) {
        throw alreadyThere(request.session());
      }
      earlier.abandon();
      remove(earlier);
    }
    OptionalLong replaced = commits.requireUploadable(name, request.ifIdentity());
    Space.Reservation reservation =
        space.reserve(name, Math.max(0, request.size().orElse(0) - durable));
    return register(
        request,
        reservation,
        () -> {
          String part = part(request.session());
          BasicFileAttributes found = staging.find(part);
          long there = found == null || !found.isRegularFile() ? 0 : found.size();
          if (found == null || there < durable) {
            throw Refusals.internal(
                Texts.quote(name.value())
                    + " session "
                    + request.session()
                    + " lost acknowledged bytes: "
                    + (found == null ? "its part is gone" : there + " are staged")
                    + " (expected: >= "
                    + durable
                    + ")");
          }
          Quota.Claim claim =
              quota.claim(
                  request.session(), name, Math.max(durable, request.size().orElse(0)), replaced);
          FileChannel channel =
              staging.file(part, StandardOpenOption.READ, StandardOpenOption.WRITE);
          channel.truncate(durable);
          return new Upload(
              this,
              request,
              new PartFile(staging, part, channel),
              reservation,
              claim,
              durable,
              altered);
        });
  }

  /** Bytes that are staged for a session, acknowledged or not; 0 where nothing is. */
  public long stagedBytes(UUID session) throws IOException {
    BasicFileAttributes found = staging.find(part(session));
    return found == null || !found.isRegularFile() ? 0 : found.size();
  }

  @FunctionalInterface
  private interface Making {
    Upload make() throws IOException, ProtocolException;
  }

  private Upload register(UploadRequest request, Space.Reservation reservation, Making making)
      throws ProtocolException {
    UUID session = request.session();
    Upload upload = null;
    boolean mine = sessions.add(session);
    try {
      if (!mine) {
        throw alreadyThere(session);
      }
      upload = making.make();
      uploads.put(session, upload);
      upload.start();
      return upload;
    } catch (IOException e) {
      throw Refusals.io(request.name(), "staging", e);
    } finally {
      if (upload == null) {
        reservation.close();
        if (mine) {
          sessions.remove(session);
        }
      }
    }
  }

  private static ProtocolException alreadyThere(UUID session) {
    return new ProtocolException(
        ErrorCode.BUSY,
        "session " + session + " has an upload here (expected: one upload for each session)");
  }

  /**
   * What a session has committed, for {@code keep} at least: across restarts, and when the file has
   * been replaced or removed since. Durable when it is given.
   *
   * @throws ProtocolException {@code bad-field} where the session committed another name
   */
  public Optional<Completed> completed(UUID session, FileName name) throws ProtocolException {
    requireHealthy();
    return commits.completed(session, name);
  }

  /**
   * Removes what earlier processes left in staging; to be called before the first upload.
   *
   * @param sessionsWithMarks sessions of which something was acknowledged: their parts stay
   * @return the names of what is gone
   */
  public List<String> removeLeftovers(Set<UUID> sessionsWithMarks) throws IOException {
    List<String> found = new ArrayList<>();
    staging.forEach(found::add);
    Set<String> wanted = new TreeSet<>();
    Stream.concat(sessionsWithMarks.stream(), sessions.stream())
        .forEach(session -> wanted.add(part(session)));
    wanted.add(LOCK);
    wanted.add(ASIDE);
    List<String> removed = new ArrayList<>();
    for (String component : found) {
      BasicFileAttributes what = staging.find(component);
      if (what == null) {
        continue;
      }
      if (wanted.contains(component)) {
        countStaged(component, what.size());
        continue;
      }
      if (component.endsWith(PART)) {
        commits.forget(component.substring(0, component.length() - PART.length()));
      }
      if (what.isDirectory()) {
        staging.deleteFolder(component);
      } else {
        staging.deleteFile(component);
      }
      removed.add(component);
      LOG.info(
          "removed the leftover {} of {} bytes: nothing of it was acknowledged",
          component,
          what.size());
    }
    staging.force();
    return removed;
  }

  /** Removes what is staged for a session that has no upload here; may wait for the disk. */
  public void removePart(UUID session) throws IOException {
    if (!sessions.contains(session)) {
      commits.removePart(session, part(session));
    }
  }

  private void countStaged(String component, long size) {
    if (component.endsWith(PART)) {
      UUID session = UUID.fromString(component.substring(0, component.length() - PART.length()));
      if (!sessions.contains(session)) {
        quota.staged(session, size);
      }
    }
  }

  /** Whether the system calls that the Java library lacks are to be had in this process. */
  public static boolean hasNativeCalls() {
    return Native.available();
  }

  /** Why the store takes no more writes; empty while all is well. */
  public Optional<ProtocolException> failure() {
    return Optional.ofNullable(failure);
  }

  /** Descriptors that are open for readers. */
  int openFiles() {
    return shared.size();
  }

  /** What the store holds of what it may hold. */
  public StoreUse use() {
    return quota.use();
  }

  /** Bytes that uploads may still write; 0 where nobody can say. */
  public long freeBytes() {
    StoreUse use = quota.use();
    try {
      long free = space.free();
      return use.maxBytes() > 0
          ? Math.max(0, Math.min(free, use.maxBytes() - use.usedBytes()))
          : free;
    } catch (IOException e) {
      LOG.debug("free space is not known: {}", Refusals.reason(e));
      return 0;
    }
  }

  /** Bytes that are promised to uploads and not yet written. */
  public long reservedBytes() {
    return space.reserved();
  }

  /** Closes the directories. Open files and uploads end by themselves. */
  @Override
  public void close() throws IOException {
    for (Upload upload : uploads.values()) {
      upload.abandon();
    }
    live.close();
    records.close();
    staging.close();
    tree.close();
    lock.close();
  }

  // ---- for uploads and commits

  Executor disk() {
    return disk;
  }

  Steps steps() {
    return steps;
  }

  Commits commits() {
    return commits;
  }

  static String part(UUID session) {
    return session + PART;
  }

  /** The upload is over; its session may have another one. */
  void remove(Upload upload) {
    if (uploads.remove(upload.session(), upload)) {
      sessions.remove(upload.session());
    }
  }

  /**
   * An fsync that failed: the kernel may have dropped what it could not write and say nothing the
   * next time, so nothing is written here any more. A full disk is the exception: it is known. So
   * is a lack of descriptors: nothing was tried.
   */
  ProtocolException forceFailed(FileName name, IOException e) {
    ProtocolException refusal = Refusals.io(name, "fsync", e);
    if (refusal.code() == ErrorCode.NO_SPACE || refusal.code() == ErrorCode.BUSY) {
      return refusal;
    }
    ProtocolException stopped =
        Refusals.internal(
            "the disk failed to sync: "
                + Refusals.reason(e)
                + " (expected: a sound disk; check it and restart the node)");
    if (failure == null) {
      failure = stopped;
      LOG.error("uploads stop: {}", stopped.getMessage());
    }
    return stopped;
  }

  void requireHealthy() throws ProtocolException {
    ProtocolException known = failure;
    if (known != null) {
      throw Refusals.internal(String.valueOf(known.getMessage()));
    }
  }

  private void requireWritable(FileName name) throws ProtocolException {
    requireHealthy();
    requireNameable(name);
  }

  /** Refuses what can be no file's name here. */
  private void requireNameable(FileName name) throws ProtocolException {
    tree.requireEncodable(name);
    if (live.contains(name)) {
      throw new ProtocolException(
          ErrorCode.DENIED, Texts.quote(name.value()) + " is a live source (expected: a file)");
    }
    if (tree.isHidden(name.value())) {
      throw new ProtocolException(
          ErrorCode.DENIED,
          Texts.quote(name.value())
              + " is where the store keeps unfinished uploads (expected: another name)");
    }
  }

  static Instant modified(BasicFileAttributes file) {
    return file.lastModifiedTime().toInstant();
  }
}
