package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Switches names: commit and delete, and what is remembered of both.
 *
 * <p><b>Durable before it is said.</b> The content with its attribute is fsynced before the rename;
 * the folder that has the name, the one that lost the part, and every folder on the way that this
 * process has not seen synced, after it. What a switch makes forgotten (the session of a file that
 * is replaced or removed) is in the records before it.
 *
 * <p><b>One winner.</b> A name has a lock (of 256), held from the last look at the precondition to
 * the rename. Folders are made and empty ones removed under the exclusive half of {@code folders},
 * everything else goes on under the shared half, so that a folder can't vanish between the moment
 * when it is found and the rename into it.
 *
 * <p><b>Folders are made in staging and moved into place</b>: the library can move and remove below
 * an open directory, but make one only by a path, which somebody could lead elsewhere by a link.
 */
final class Commits {
  private static final Logger LOG = LoggerFactory.getLogger(Commits.class);
  private static final int NAME_LOCKS = 256;
  private static final int MOST_SYNCED_FOLDERS = 10_000;
  private static final int MOST_ASIDE_CHARS = 60;

  private final FileStore store;
  private final Tree tree;
  private final Folder staging;
  private final Path stagingPath;
  private final FolderForces forces = new FolderForces();
  private final Records records;
  private final Tombstones tombstones;
  private final Contents contents;
  private final Quota quota;
  private final Duration keep;
  private final Clock clock;
  private final boolean attributes;
  private final List<Lock> names = new ArrayList<>();
  private final ReadWriteLock folders = new ReentrantReadWriteLock();
  // a folder's name and file key, once its entry in its parent is known to be durable
  private final Map<String, Object> synced =
      Collections.synchronizedMap(
          new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
              return size() > MOST_SYNCED_FOLDERS;
            }
          });

  Commits(
      FileStore store,
      Tree tree,
      Folder staging,
      Path stagingPath,
      Records records,
      Tombstones tombstones,
      Contents contents,
      Quota quota,
      Duration keep,
      Clock clock,
      boolean attributes) {
    this.store = store;
    this.tree = tree;
    this.staging = staging;
    this.stagingPath = stagingPath;
    this.records = records;
    this.tombstones = tombstones;
    this.contents = contents;
    this.quota = quota;
    this.keep = keep;
    this.clock = clock;
    this.attributes = attributes;
    for (int i = 0; i < NAME_LOCKS; i++) {
      names.add(new ReentrantLock());
    }
  }

  /** Makes the names in staging durable. */
  void forceStaging() throws IOException {
    forces.force(staging);
  }

  // ---- looking

  /** Refuses what can be known before the first byte; gives the size of what is replaced. */
  OptionalLong requireUploadable(FileName name, Optional<String> ifIdentity)
      throws ProtocolException {
    String[] components = name.components();
    try (Folder folder = tree.parent(components)) {
      BasicFileAttributes found = folder.find(components[components.length - 1]);
      return sizeOf(
          requireReplaceable(name, ifIdentity, folder, components[components.length - 1], found));
    } catch (NoSuchFileException e) {
      requireIdentity(name, ifIdentity, Optional.empty());
      return OptionalLong.empty();
    } catch (NotDirectoryException e) {
      throw throughFile(name);
    } catch (IOException e) {
      throw Refusals.io(name, "opening", e);
    }
  }

  private static OptionalLong sizeOf(Optional<Facts> file) {
    return file.isPresent() ? OptionalLong.of(file.get().size()) : OptionalLong.empty();
  }

  /** The file that was found at the name, which an upload may replace; empty for none. */
  private Optional<Facts> requireReplaceable(
      FileName name,
      Optional<String> ifIdentity,
      Folder folder,
      String component,
      @Nullable BasicFileAttributes found)
      throws IOException, ProtocolException {
    Optional<Facts> facts = Optional.empty();
    if (found != null && found.isDirectory()) {
      try (Folder inner = folder.folder(component)) {
        if (holdsSomething(inner)) {
          throw Refusals.exists(name, "is a folder that holds names", "no folder there");
        }
      }
    } else if (found != null && !found.isRegularFile()) {
      throw Refusals.exists(name, FileStore.kind(found), "a regular file or nothing");
    } else if (found != null) {
      facts = Optional.of(Facts.of(found, tree.path(name.value())));
    }
    requireIdentity(name, ifIdentity, facts.map(Facts::identity));
    return facts;
  }

  private static void requireIdentity(
      FileName name, Optional<String> wanted, Optional<String> found) throws ProtocolException {
    if (wanted.isEmpty()) {
      return;
    }
    if (wanted.get().equals("none")) {
      if (found.isPresent()) {
        throw Refusals.exists(name, "has identity " + found.get(), "none");
      }
    } else if (!found.equals(wanted)) {
      throw Refusals.changed(name, found.orElse("none"), wanted.get());
    }
  }

  private static ProtocolException throughFile(FileName name) {
    return Refusals.exists(name, "goes through what is no folder", "folders on the way");
  }

  /** Whether there is anything but empty folders in a folder. */
  private static boolean holdsSomething(Folder folder) throws IOException {
    List<String> components = new ArrayList<>();
    folder.forEach(components::add);
    for (String component : components) {
      BasicFileAttributes found = folder.find(component);
      if (found == null) {
        continue;
      }
      if (!found.isDirectory()) {
        return true;
      }
      try (Folder inner = folder.folder(component)) {
        if (holdsSomething(inner)) {
          return true;
        }
      }
    }
    return false;
  }

  // ---- commit

  /**
   * Decides on a whole and checked part: what is to be said of it, durably. It has no name yet.
   *
   * @param channel the part, which is written to the end
   * @param sha of the part
   * @param received of what the client sent, where that is known
   * @param version of the name from then on, where one was given
   */
  Completed seal(
      UploadRequest request,
      PartFile part,
      FileChannel channel,
      long size,
      String sha,
      Optional<String> received,
      Optional<String> version)
      throws ProtocolException {
    store.requireHealthy();
    store.steps().at("commit.decided");
    try {
      return write(request, part, channel, size, sha, received, version);
    } catch (IOException e) {
      throw Refusals.io(request.name(), "commit", e);
    }
  }

  /**
   * Gives a sealed part its name, durably. Where the name has a higher version already it is as if
   * this one had come before: it is replaced as soon as it is there.
   *
   * @param version of the name from then on, where one was given
   */
  void publish(UploadRequest request, PartFile part, Completed completed, Optional<String> version)
      throws ProtocolException {
    FileName name = request.name();
    store.requireHealthy();
    try (Folder target = rename(request, part, completed, version)) {
      if (target == null) {
        return;
      }
      store.steps().at("commit.renamed");
      force(name, () -> forces.force(target));
      force(name, this::forceStaging);
      forceAncestors(name);
    } catch (IOException e) {
      throw Refusals.io(name, "commit", e);
    }
    store.steps().at("commit.directory-synced");
  }

  /** Time, attribute, fsync; where there is no attribute, the record that stands for it. */
  private Completed write(
      UploadRequest request,
      PartFile part,
      FileChannel channel,
      long size,
      String sha,
      Optional<String> received,
      Optional<String> version)
      throws IOException, ProtocolException {
    String component = part.component();
    if (request.modified().isPresent() && !Native.setModified(channel, request.modified().get())) {
      staging.setModified(component, FileTime.from(request.modified().get()));
    }
    BasicFileAttributes file = staging.find(component);
    if (file == null || file.size() != size) {
      throw Refusals.internal(
          Texts.quote(request.name().value())
              + ": the part has "
              + (file == null ? "gone" : file.size() + " bytes")
              + " (expected: "
              + size
              + " bytes)");
    }
    Instant modified = FileStore.modified(file);
    Instant now = clock.instant();
    Attribute attribute =
        new Attribute(request.session(), size, modified, sha, received, now, version);
    boolean travels =
        attributes && Native.setAttribute(stagingPath.resolve(component), attribute.text());
    store.steps().at("commit.attributes");
    force(request.name(), () -> Fsync.force(channel, true));
    store.steps().at("commit.file-synced");
    Completed completed =
        new Completed(
            request.session(),
            request.name(),
            size,
            travels ? attribute.identity() : Attribute.identity(size, modified),
            received);
    if (!travels) {
      // staging is synced first, or a power cut could leave the record of a part that never was
      force(request.name(), this::forceStaging);
      remember(new Records.Entry(Records.State.INTENT, now.plus(keep), completed));
    }
    return completed;
  }

  /** Switches the name; gives the folder that holds it, or null where nothing was to be done. */
  private @Nullable Folder rename(
      UploadRequest request, PartFile part, Completed completed, Optional<String> version)
      throws IOException, ProtocolException {
    FileName name = request.name();
    String[] components = name.components();
    long size = completed.size();
    Lock nameLock = lockOf(name);
    nameLock.lock();
    try {
      if (version.isPresent() && entry(name).version().compareTo(version.get()) > 0) {
        remember(new Records.Entry(Records.State.DONE, clock.instant().plus(keep), completed));
        staging.deleteFile(part.component());
        quota.removed(request.session());
        return null;
      }
      folders.readLock().lock();
      try {
        Folder folder = tree.parent(components);
        boolean done = false;
        try {
          done = renameInto(request, part, size, folder, components[components.length - 1], false);
          if (done) {
            return folder;
          }
        } finally {
          if (!done) {
            folder.close();
          }
        }
      } catch (NoSuchFileException e) {
        // a folder is missing: made below
        if (staging.find(part.component()) == null) {
          throw e;
        }
      } catch (NotDirectoryException e) {
        throw throughFile(name);
      } finally {
        folders.readLock().unlock();
      }
      folders.writeLock().lock();
      try {
        return renameAmongFolders(request, part, size, components);
      } finally {
        folders.writeLock().unlock();
      }
    } finally {
      nameLock.unlock();
    }
  }

  /** The same where folders have to be made, or an empty one is in the way. */
  private Folder renameAmongFolders(
      UploadRequest request, PartFile part, long size, String[] components)
      throws IOException, ProtocolException {
    Folder folder = tree.folder(components, 0);
    boolean done = false;
    try {
      for (int i = 0; i < components.length - 1; i++) {
        BasicFileAttributes found = folder.find(components[i]);
        if (found == null) {
          make(request.session(), folder, components[i]);
          force(request.name(), folder::force);
        }
        Folder next = folder.folder(components[i]);
        folder.close();
        folder = next;
      }
      done = renameInto(request, part, size, folder, components[components.length - 1], true);
      return folder;
    } catch (NotDirectoryException e) {
      throw throughFile(request.name());
    } finally {
      if (!done) {
        folder.close();
      }
    }
  }

  private void make(UUID session, Folder folder, String component) throws IOException {
    String temporary = session + ".folder";
    Files.createDirectory(stagingPath.resolve(temporary));
    boolean moved = false;
    try {
      staging.move(temporary, folder, component);
      moved = true;
    } finally {
      if (!moved) {
        staging.deleteFolder(temporary);
      }
    }
  }

  /** The last look and the rename; false where an empty folder is in the way and may not go. */
  private boolean renameInto(
      UploadRequest request,
      PartFile part,
      long size,
      Folder folder,
      String component,
      boolean exclusively)
      throws IOException, ProtocolException {
    FileName name = request.name();
    BasicFileAttributes found = folder.find(component);
    Optional<Facts> replaced =
        requireReplaceable(name, request.ifIdentity(), folder, component, found);
    if (found != null && found.isDirectory()) {
      if (!exclusively) {
        return false;
      }
      removeEmpty(name, folder, component);
    }
    quota.beforeSwitch(request.session(), name, size, sizeOf(replaced));
    rememberReplaced(name, replaced);
    staging.move(part.component(), folder, component);
    contents.replaced(name);
    quota.switched(request.session());
    return true;
  }

  private void removeEmpty(FileName name, Folder folder, String component)
      throws IOException, ProtocolException {
    try (Folder inner = folder.folder(component)) {
      List<String> components = new ArrayList<>();
      inner.forEach(components::add);
      for (String each : components) {
        removeEmpty(name, inner, each);
      }
    }
    try {
      folder.deleteFolder(component);
    } catch (DirectoryNotEmptyException e) {
      throw Refusals.exists(name, "is a folder that holds names", "no folder there");
    }
  }

  // ---- versions

  /** What is known of a name. */
  Entry entry(FileName name) throws ProtocolException {
    try {
      Optional<String> deleted = tombstones.find(name);
      Entry found = file(name);
      return deleted.isPresent() && deleted.get().compareTo(found.version()) > 0
          ? new Entry(Entry.Kind.DELETED, deleted.get(), Optional.empty())
          : found;
    } catch (IOException e) {
      throw Refusals.io(name, "opening", e);
    }
  }

  private Entry file(FileName name) throws IOException {
    String[] components = name.components();
    try (Folder folder = tree.parent(components)) {
      BasicFileAttributes found = folder.find(components[components.length - 1]);
      if (found == null || !found.isRegularFile()) {
        return Entry.NONE;
      }
      Path path = tree.path(name.value());
      Facts facts = Facts.of(found, path);
      return new Entry(Entry.Kind.FILE, facts.version(path), Optional.of(facts.stat(name)));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Entry.NONE;
    }
  }

  /**
   * Removes what is older than a version of the name that is somewhere else.
   *
   * @param deleted whether that version is a deletion, to be remembered here
   * @param keeps whether a file that no node gave a version is set aside instead
   * @return what is known of the name then
   */
  Entry supersede(FileName name, String version, boolean deleted, boolean keeps)
      throws ProtocolException {
    Lock nameLock = lockOf(name);
    nameLock.lock();
    try {
      Entry known = entry(name);
      if (known.version().compareTo(version) >= 0) {
        return known;
      }
      if (known.kind() == Entry.Kind.FILE) {
        if (keeps && VersionClock.isNobodys(known.version())) {
          setAside(name, known.version(), "since other nodes have a newer one");
        } else {
          removeIfThere(name);
        }
        store.steps().at("supersede.removed");
      }
      if (deleted) {
        try {
          tombstones.add(name, version);
        } catch (IOException e) {
          throw store.forceFailed(name, e);
        }
      }
      return entry(name);
    } finally {
      nameLock.unlock();
    }
  }

  private void removeIfThere(FileName name) throws ProtocolException {
    try {
      remove(name, Optional.empty());
    } catch (ProtocolException e) {
      if (e.code() != ErrorCode.NOT_FOUND) { // somebody has taken it away by hand
        throw e;
      }
    }
  }

  /** Sets a file aside that has that version still. */
  boolean setAside(FileName name, String version) throws ProtocolException {
    Lock nameLock = lockOf(name);
    nameLock.lock();
    try {
      Entry known = entry(name);
      boolean same = known.kind() == Entry.Kind.FILE && known.version().equals(version);
      if (same) {
        setAside(name, version, "since no other node has it, and it may have been deleted");
      }
      return same;
    } finally {
      nameLock.unlock();
    }
  }

  /** Moves a file to where it is no name any more, and a person finds it. */
  private void setAside(FileName name, String version, String why) throws ProtocolException {
    String[] components = name.components();
    String component = components[components.length - 1];
    String kept = version.substring(0, version.indexOf('@')) + "-" + lastOf(component);
    try (Folder folder = tree.parent(components)) {
      Files.createDirectories(stagingPath.resolve(FileStore.ASIDE));
      try (Folder aside = staging.folder(FileStore.ASIDE)) {
        BasicFileAttributes found = folder.find(component);
        folder.move(component, aside, kept);
        contents.replaced(name);
        quota.deleted(found == null ? 0 : found.size());
        force(name, () -> forces.force(aside));
        force(name, () -> forces.force(folder));
        force(name, this::forceStaging);
      }
    } catch (IOException e) {
      throw Refusals.io(name, "setting aside", e);
    }
    LOG.warn(
        "{} is set aside as {}, {}",
        Texts.quote(name.value()),
        stagingPath.resolve(FileStore.ASIDE).resolve(kept),
        why);
  }

  /** So much of a name's end that something fits in front of it. */
  private static String lastOf(String component) {
    int from = Math.max(0, component.length() - MOST_ASIDE_CHARS);
    return component.substring(Character.isLowSurrogate(component.charAt(from)) ? from + 1 : from);
  }

  /** Sets the attribute of a file that is still what is known of it. */
  boolean say(FileName name, Facts known, Attribute attribute) throws ProtocolException {
    Lock nameLock = lockOf(name);
    nameLock.lock();
    try {
      return store.inFolderOf(
          name,
          (folder, component) -> {
            Path path = tree.path(name.value());
            BasicFileAttributes found = folder.find(component);
            return found != null
                && found.isRegularFile()
                && Facts.of(found, path).equals(known)
                && Native.setAttribute(path, attribute.text());
          });
    } finally {
      nameLock.unlock();
    }
  }

  // ---- delete

  /** Removes a file that has that version still. */
  boolean letGo(FileName name, String version) throws ProtocolException {
    Lock nameLock = lockOf(name);
    nameLock.lock();
    try {
      Entry known = entry(name);
      if (known.kind() != Entry.Kind.FILE || !known.version().equals(version)) {
        return false;
      }
      removeIfThere(name);
      return true;
    } finally {
      nameLock.unlock();
    }
  }

  /** Removes a file; gives its identity. */
  String delete(FileName name, Optional<String> ifIdentity) throws ProtocolException {
    Lock nameLock = lockOf(name);
    nameLock.lock();
    try {
      return remove(name, ifIdentity);
    } finally {
      nameLock.unlock();
    }
  }

  /** The same by who holds the name's lock. */
  private String remove(FileName name, Optional<String> ifIdentity) throws ProtocolException {
    String[] components = name.components();
    String component = components[components.length - 1];
    try (Folder folder = tree.parent(components)) {
      BasicFileAttributes found = folder.find(component);
      if (found == null) {
        throw Refusals.notFound(name, "nothing is there");
      }
      if (!found.isRegularFile()) {
        throw Refusals.notFound(name, FileStore.kind(found));
      }
      Facts facts = Facts.of(found, tree.path(name.value()));
      requireIdentity(name, ifIdentity, Optional.of(facts.identity()));
      rememberReplaced(name, Optional.of(facts));
      folder.deleteFile(component);
      contents.replaced(name);
      quota.deleted(facts.size());
      force(name, () -> forces.force(folder));
      return facts.identity();
    } catch (NoSuchFileException e) {
      throw Refusals.notFound(name, "nothing is there");
    } catch (NotDirectoryException e) {
      throw Refusals.notFound(name, "goes through what is no folder");
    } catch (IOException e) {
      throw Refusals.io(name, "delete", e);
    }
  }

  // ---- remembering

  /** What a session committed; durable when it is given. */
  Optional<Completed> completed(UUID session, FileName name) throws ProtocolException {
    Optional<Completed> known = records.find(session).filter(this::isTrue).map(e -> e.completed());
    if (known.isPresent() && !known.get().name().equals(name)) {
      throw new ProtocolException(
          ErrorCode.BAD_FIELD,
          "Session: "
              + session
              + " completed "
              + Texts.quote(known.get().name().value())
              + " (expected: that name, not "
              + Texts.quote(name.value())
              + ")");
    }
    if (known.isEmpty()) {
      known = byFile(session, name);
    }
    if (known.isPresent()) {
      // a process may have been killed between the rename and the fsync of the folder
      try (Folder folder = tree.parent(name.components())) {
        force(name, () -> forces.force(folder));
        force(name, this::forceStaging);
        forceAncestors(name);
      } catch (NoSuchFileException | NotDirectoryException e) {
        // the file was removed since, with its folder: nothing to make durable
        return known;
      } catch (IOException e) {
        throw Refusals.io(name, "opening", e);
      }
    }
    return known;
  }

  /** An intent has come true once its part is gone. */
  private boolean isTrue(Records.Entry entry) {
    if (entry.state() != Records.State.INTENT) {
      return true;
    }
    try {
      return staging.find(FileStore.part(entry.completed().session())) == null;
    } catch (IOException e) {
      return false;
    }
  }

  private Optional<Completed> byFile(UUID session, FileName name) throws ProtocolException {
    String[] components = name.components();
    try (Folder folder = tree.parent(components)) {
      BasicFileAttributes found = folder.find(components[components.length - 1]);
      if (found == null || !found.isRegularFile()) {
        return Optional.empty();
      }
      // also where somebody has changed the file since: the upload was completed all the same
      Facts facts = Facts.of(found, tree.path(name.value()));
      if (contents.isRotten(name, facts)) {
        return Optional.empty();
      }
      return facts
          .attribute()
          .filter(a -> a.session().equals(session))
          .map(a -> new Completed(session, name, a.size(), a.identity(), a.received()));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw Refusals.io(name, "opening", e);
    }
  }

  /** Remembers the session of a file that is about to go, where it was completed not long ago. */
  private void rememberReplaced(FileName name, Optional<Facts> replaced) throws ProtocolException {
    Optional<Attribute> attribute = replaced.flatMap(Facts::attribute);
    if (attribute.isEmpty()) {
      return;
    }
    Attribute known = attribute.get();
    Instant until = known.committed().plus(keep);
    if (until.isAfter(clock.instant())) {
      remember(
          new Records.Entry(
              Records.State.DONE,
              until,
              new Completed(
                  known.session(), name, known.size(), known.identity(), known.received())));
    }
  }

  /** Removes the part of a session that gives it up; one that has its name already stays. */
  void removePart(UUID session, String component) throws IOException {
    if (staging.find(component) != null) {
      forget(session.toString());
      staging.deleteFile(component);
    }
    quota.removed(session);
  }

  /** The session has given its part up: what it intended does not come true by that. */
  void forget(String session) throws IOException {
    UUID id;
    try {
      id = UUID.fromString(session);
    } catch (IllegalArgumentException e) {
      return;
    }
    Optional<Records.Entry> entry = records.find(id);
    if (entry.isPresent() && entry.get().state() == Records.State.INTENT) {
      records.persist(
          new Records.Entry(Records.State.VOID, entry.get().until(), entry.get().completed()));
    }
  }

  private void remember(Records.Entry entry) throws ProtocolException {
    try {
      records.persist(entry);
    } catch (IOException e) {
      throw store.forceFailed(entry.completed().name(), e);
    }
  }

  // ---- syncing

  private void force(FileName name, GroupForce.Call call) throws ProtocolException {
    try {
      call.force();
    } catch (IOException e) {
      throw store.forceFailed(name, e);
    }
  }

  /** Makes durable the folders on the way to a name that are not known to be. */
  private void forceAncestors(FileName name) throws IOException, ProtocolException {
    String[] components = name.components();
    Folder folder = tree.folder(components, 0);
    try {
      StringBuilder path = new StringBuilder();
      for (int i = 0; i < components.length - 1; i++) {
        path.append(components[i]).append('/');
        BasicFileAttributes found = folder.find(components[i]);
        Object key = found == null ? null : found.fileKey();
        if (key == null || !key.equals(synced.get(path.toString()))) {
          force(name, folder::force);
          if (key != null) {
            synced.put(path.toString(), key);
          }
        }
        if (i + 1 < components.length - 1) {
          Folder next = folder.folder(components[i]);
          folder.close();
          folder = next;
        }
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      // removed since, with the file, by one who answers for that himself
      LOG.debug("a folder of {} is gone", Texts.escape(name.value()));
    } finally {
      folder.close();
    }
  }

  private Lock lockOf(FileName name) {
    return names.get(Math.floorMod(name.hashCode(), NAME_LOCKS));
  }
}
