package io.theseus.store;

import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * One walk for one LIST: gives names in the byte order of the whole name and holds a bounded part
 * of each folder on its way.
 *
 * <p>A folder's place among its siblings is that of its name with {@code /} behind it ({@code a},
 * {@code a-b}, {@code a/c}), but whether a component is a folder is only known once it has been
 * looked at, and looking at a million of them for one page is too slow. So a scan keeps the
 * smallest components by their bare names, looks at those, and gives only what lies below the
 * smallest one that it did not keep; what lies above waits for the next scan. A component stays a
 * candidate while it or it with {@code /} is not below the point reached: those are the new ones
 * and at most 255 old ones, the beginnings of that point's own component, so a scan that keeps more
 * always gets on.
 */
final class Lister {
  private static final int LEAST_KEPT = 512;
  private static final int LEAST_LINE_BYTES = 64;

  private final Tree tree;
  private final String prefix;
  private final String after;
  private final int maxBytes;
  private final int kept;
  private final Iterator<FileName> live;
  private @Nullable FileName nextLive;

  private final List<FileStat> entries = new ArrayList<>();
  private long bytes;
  private boolean more;

  /** One thing in a folder, by its place in the order. */
  private record Item(String key, String component, BasicFileAttributes found) {}

  Lister(Tree tree, SortedSet<FileName> live, String prefix, String after, int maxBytes) {
    this(tree, live, prefix, after, maxBytes, Math.max(LEAST_KEPT, maxBytes / LEAST_LINE_BYTES));
  }

  /** {@code kept} is at least 257. */
  Lister(Tree tree, SortedSet<FileName> live, String prefix, String after, int maxBytes, int kept) {
    this.tree = tree;
    this.prefix = prefix;
    this.after = after;
    this.maxBytes = maxBytes;
    this.kept = kept;
    this.live = live.stream().filter(name -> isWanted(name.value())).iterator();
    this.nextLive = this.live.hasNext() ? this.live.next() : null;
  }

  Listing list() throws IOException {
    String base = prefix.substring(0, prefix.lastIndexOf('/') + 1);
    if (base.isEmpty() || isName(base.substring(0, base.length() - 1))) {
      String[] components =
          base.isEmpty() ? new String[0] : base.substring(0, base.length() - 1).split("/", -1);
      try (Folder folder = tree.folder(components, components.length)) {
        scan(folder, base);
      } catch (NoSuchFileException | NotDirectoryException e) {
        // nothing on the disk begins so
      }
    }
    while (!more && nextLive != null) {
      giveLive();
    }
    return new Listing(entries, more);
  }

  /** Gives what a folder holds; false when the page is full. */
  private boolean scan(Folder folder, String path) throws IOException {
    String from = "";
    while (true) {
      PriorityQueue<String> smallest = new PriorityQueue<>(byBytes().reversed());
      String start = from;
      String[] left = new String[1];
      folder.forEach(
          component -> {
            if (!isCandidate(path, component, start)) {
              return;
            }
            smallest.add(component);
            if (smallest.size() > kept) {
              String out = smallest.remove();
              if (left[0] == null || FileName.compareBytes(out, left[0]) < 0) {
                left[0] = out;
              }
            }
          });
      String bound = left[0];
      for (Item item : look(folder, smallest)) {
        if (FileName.compareBytes(item.key, start) < 0) {
          continue;
        }
        if (bound != null && FileName.compareBytes(item.key, bound) >= 0) {
          break;
        }
        if (!give(folder, path, item)) {
          return false;
        }
      }
      if (bound == null) {
        return true;
      }
      from = bound;
    }
  }

  /** Whether a component, or something in it, may have to be given, from a point on. */
  private boolean isCandidate(String path, String component, String from) {
    String name = path + component;
    String folder = name + "/";
    return name.startsWith(prefix)
        && (FileName.compareBytes(component, from) >= 0
            || FileName.compareBytes(component + "/", from) >= 0)
        && (FileName.compareBytes(folder, after) > 0 || after.startsWith(folder))
        && !tree.isHidden(name);
  }

  private static List<Item> look(Folder folder, Iterable<String> components) throws IOException {
    List<Item> items = new ArrayList<>();
    for (String component : components) {
      BasicFileAttributes found = folder.find(component);
      if (found == null) {
        continue;
      }
      if (found.isDirectory()) {
        items.add(new Item(component + "/", component, found));
      } else if (found.isRegularFile()) {
        items.add(new Item(component, component, found));
      }
    }
    items.sort(Comparator.comparing(Item::key, byBytes()));
    return items;
  }

  private boolean give(Folder folder, String path, Item item) throws IOException {
    String name = path + item.component;
    if (item.found.isDirectory()) {
      if (!isName(name)) {
        return true;
      }
      try (Folder inner = folder.folder(item.component)) {
        return scan(inner, name + "/");
      } catch (NoSuchFileException | NotDirectoryException | AccessDeniedException e) {
        return true; // gone since it was looked at, or closed to this process: no names
      }
    }
    if (!isWanted(name) || !isName(name)) {
      return true;
    }
    FileName fileName = new FileName(name);
    while (!more && nextLive != null && nextLive.compareTo(fileName) < 0) {
      giveLive();
    }
    if (nextLive != null && nextLive.equals(fileName)) {
      return true; // the live source has the name
    }
    return !more && add(Facts.of(item.found, tree.path(name)).stat(fileName));
  }

  private void giveLive() {
    FileName name = nextLive;
    if (name != null && add(FileStat.live(name))) {
      nextLive = live.hasNext() ? live.next() : null;
    }
  }

  /** Adds a line where there is room; false, and more to come, where there is none. */
  private boolean add(FileStat stat) {
    int size = stat.line().getBytes(StandardCharsets.UTF_8).length + 1;
    if (!entries.isEmpty() && bytes + size > maxBytes) {
      more = true;
      return false;
    }
    entries.add(stat);
    bytes += size;
    return true;
  }

  private boolean isWanted(String name) {
    return name.startsWith(prefix) && FileName.compareBytes(name, after) > 0;
  }

  private static boolean isName(String text) {
    try {
      FileName.parse(text);
      return true;
    } catch (ProtocolException e) {
      return false;
    }
  }

  private static Comparator<String> byBytes() {
    return FileName::compareBytes;
  }
}
