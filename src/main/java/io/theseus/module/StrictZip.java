package io.theseus.module;

import io.theseus.wire.Texts;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * A zip file that has one reading only, after PKWARE's APPNOTE 6.3.
 *
 * <p>A reader of our own, over bytes in memory, because a zip file has two tables of contents and
 * readers differ in which one they trust. {@code java.util.zip} has one class for each: {@code
 * ZipFile} wants a file, which could change under it, and takes the central directory at its word;
 * {@code ZipInputStream} never sees it; and neither minds bytes between entries. Here the parts
 * cover the file without a gap, in the order of the directory: each entry's header repeats what the
 * directory says of it, its content follows, then the next; the directory; the end record with its
 * comment, the last byte of the file. Whatever another reader may take differently (zip64, other
 * extra fields than times, encryption, names that are the same in other case) is refused.
 *
 * <p>Nothing is sized by what the file says before the file is seen to be able to hold it.
 */
final class StrictZip {
  /** The longest name of an entry. */
  static final int MOST_NAME = 512;

  /** Bytes of the end record without its comment. */
  static final int END_RECORD = 22;

  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int DESCRIPTOR = 0x08074b50;
  private static final int LOCAL_HEADER = 30;
  private static final int CENTRAL_HEADER = 46;
  private static final int DESCRIPTOR_LENGTH = 16;
  private static final int STORED = 0;
  private static final int DEFLATED = 8;

  /** The version of the format that has directories and deflated entries. */
  private static final int VERSION_NEEDED = 20;

  private static final int SIZES_BEHIND = 1 << 3;

  /** How hard the deflater tried; names in UTF-8, which ASCII is. */
  private static final int HARMLESS_FLAGS = 1 << 1 | 1 << 2 | 1 << 11;

  /** What the JDK's {@code jar} marks its first entry with; the times of an entry. */
  private static final Set<Integer> HARMLESS_EXTRAS = Set.of(0xCAFE, 0x5455);

  /** Deflate makes no more of a byte. */
  private static final long MOST_INFLATION = 1032;

  /** No backslash, colon or star, which file systems take for something else. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._$/ +@,=!~()-]+");

  /**
   * An entry as the directory has it.
   *
   * @param length of the content in the file
   * @param size of the content itself
   */
  private record Entry(
      String name, int flags, int method, int time, int crc, long length, long size, long offset) {
    boolean sizesBehind() {
      return (flags & SIZES_BEHIND) != 0;
    }

    ModuleException refusal(String reason) {
      return new ModuleException("entry " + Texts.quote(name) + ": " + reason);
    }
  }

  private final ByteBuffer file;
  private final int mostEntries;
  private final long mostBytes;
  private final Map<String, byte[]> contents = new LinkedHashMap<>();

  /**
   * Reads all of it.
   *
   * @param bytes not changed by anybody as long as this is in use
   * @param mostBytes of all contents together
   */
  StrictZip(byte[] bytes, int mostEntries, long mostBytes) throws ModuleException {
    this.file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.mostEntries = mostEntries;
    this.mostBytes = mostBytes;
    read(endRecord(bytes));
  }

  /** The contents by name, directories left out, in the order of the file. */
  Map<String, byte[]> contents() {
    return contents;
  }

  /**
   * Where the end record begins, whose comment is the last of the file.
   *
   * <p>The one with the shortest comment: that is how every reader looks for it.
   */
  static int endRecord(byte[] bytes) throws ModuleException {
    ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int comment = 0; comment <= ModuleSignature.MOST_COMMENT; comment++) {
      int at = bytes.length - END_RECORD - comment;
      if (at < 0) {
        break;
      }
      if (file.getInt(at) == END) {
        if (u16(file, at + 20) != comment) {
          throw new ModuleException(
              "end record: "
                  + comment
                  + " bytes behind it (expected: "
                  + u16(file, at + 20)
                  + ", its comment)");
        }
        return at;
      }
    }
    throw new ModuleException("no end record (expected: a jar, and nothing behind it)");
  }

  private void read(int end) throws ModuleException {
    int count = u16(file, end + 10);
    long length = u32(file, end + 12);
    long begin = u32(file, end + 16);
    if (u16(file, end + 4) != 0 || u16(file, end + 6) != 0 || u16(file, end + 8) != count) {
      throw new ModuleException("end record: of several files (expected: one, not a part of it)");
    }
    if (count == 0xFFFF || length == 0xFFFFFFFFL || begin == 0xFFFFFFFFL) {
      throw new ModuleException("end record: zip64 (expected: a zip file without it)");
    }
    if (count > mostEntries) {
      throw new ModuleException("entries: " + count + " (expected: at most " + mostEntries + ")");
    }
    if (begin + length != end) {
      throw new ModuleException(
          "directory: ends at "
              + (begin + length)
              + " (expected: "
              + end
              + ", the end record; nothing before, between or behind the parts)");
    }
    Set<String> names = new HashSet<>();
    int at = (int) begin;
    long expected = 0;
    long total = 0;
    for (int i = 0; i < count; i++) {
      Entry entry = central(at, end);
      at += CENTRAL_HEADER + entry.name().length() + u16(file, at + 30);
      if (!names.add(plain(entry.name()))) {
        throw entry.refusal("a second time (expected: each name once, whatever its case)");
      }
      if (entry.offset() != expected) {
        throw entry.refusal(
            "begins at " + entry.offset() + " (expected: " + expected + ", behind the one before)");
      }
      total += entry.size();
      if (total > mostBytes) {
        throw new ModuleException(
            "contents: more than " + mostBytes + " bytes (expected: at most so many)");
      }
      expected = local(entry, begin);
    }
    if (at != end) {
      throw new ModuleException(
          "directory: its entries end at " + at + " (expected: " + end + ", the end record)");
    }
    if (expected != begin) {
      throw new ModuleException(
          "entries: end at " + expected + " (expected: " + begin + ", where the directory begins)");
    }
  }

  private Entry central(int at, int end) throws ModuleException {
    if (end - at < CENTRAL_HEADER || file.getInt(at) != CENTRAL) {
      throw new ModuleException("directory: no entry at " + at + " (expected: one)");
    }
    int nameLength = u16(file, at + 28);
    int extraLength = u16(file, at + 30);
    if (end - at < CENTRAL_HEADER + nameLength + extraLength) {
      throw new ModuleException("directory: the entry at " + at + " is cut (expected: all of it)");
    }
    String name = name(at + CENTRAL_HEADER, nameLength);
    Entry entry =
        new Entry(
            name,
            u16(file, at + 8),
            u16(file, at + 10),
            file.getInt(at + 12),
            file.getInt(at + 16),
            u32(file, at + 20),
            u32(file, at + 24),
            u32(file, at + 42));
    if (u16(file, at + 6) > VERSION_NEEDED) {
      throw entry.refusal(
          "needs version " + u16(file, at + 6) + " (expected: at most " + VERSION_NEEDED + ")");
    }
    if ((entry.flags() & ~(SIZES_BEHIND | HARMLESS_FLAGS)) != 0) {
      throw entry.refusal(
          String.format("flags: %#x (expected: not encrypted, no others)", entry.flags()));
    }
    if (entry.method() != STORED && entry.method() != DEFLATED) {
      throw entry.refusal("method: " + entry.method() + " (expected: stored or deflated)");
    }
    if (u16(file, at + 32) != 0 || u16(file, at + 34) != 0) {
      throw entry.refusal("a comment, or of another file (expected: neither)");
    }
    boolean possible =
        entry.method() == STORED
            ? entry.size() == entry.length() && !entry.sizesBehind()
            : entry.size() <= entry.length() * MOST_INFLATION;
    if (!possible) {
      throw entry.refusal(
          "size: "
              + entry.size()
              + " from "
              + entry.length()
              + " bytes (expected: what can be made of them)");
    }
    if (name.endsWith("/") && entry.size() != 0) {
      throw entry.refusal("a directory with content (expected: none)");
    }
    checkExtras(entry, at + CENTRAL_HEADER + nameLength, extraLength);
    return entry;
  }

  /** Reads the entry where it stands; returns where the next one has to begin. */
  private long local(Entry entry, long limit) throws ModuleException {
    long at = entry.offset();
    if (limit - at < LOCAL_HEADER || file.getInt((int) at) != LOCAL) {
      throw entry.refusal("no header at " + at + " (expected: one)");
    }
    int header = (int) at;
    int extraLength = u16(file, header + 28);
    int nameLength = u16(file, header + 26);
    long content = at + LOCAL_HEADER + nameLength + extraLength;
    long next = content + entry.length() + (entry.sizesBehind() ? DESCRIPTOR_LENGTH : 0);
    if (next > limit) {
      throw entry.refusal("ends at " + next + " (expected: before the directory, " + limit + ")");
    }
    boolean zeros = entry.sizesBehind() && isZero(header + 14);
    boolean same =
        u16(file, header + 4) <= VERSION_NEEDED
            && u16(file, header + 6) == entry.flags()
            && u16(file, header + 8) == entry.method()
            && file.getInt(header + 10) == entry.time()
            && (zeros || sizesAre(entry, header + 14))
            && nameLength == entry.name().length()
            && name(header + LOCAL_HEADER, nameLength).equals(entry.name());
    if (!same) {
      throw entry.refusal("its header says something else than the directory (expected: the same)");
    }
    checkExtras(entry, header + LOCAL_HEADER + nameLength, extraLength);
    if (entry.sizesBehind()) {
      int behind = (int) (content + entry.length());
      if (file.getInt(behind) != DESCRIPTOR || !sizesAre(entry, behind + 4)) {
        throw entry.refusal(
            "what is behind it says something else than the directory (expected: the same)");
      }
    }
    byte[] bytes = content(entry, (int) content);
    if (!entry.name().endsWith("/")) {
      contents.put(entry.name(), bytes);
    }
    return next;
  }

  private boolean isZero(int at) {
    return file.getInt(at) == 0 && file.getInt(at + 4) == 0 && file.getInt(at + 8) == 0;
  }

  private boolean sizesAre(Entry entry, int at) {
    return file.getInt(at) == entry.crc()
        && u32(file, at + 4) == entry.length()
        && u32(file, at + 8) == entry.size();
  }

  private byte[] content(Entry entry, int at) throws ModuleException {
    byte[] bytes;
    if (entry.method() == STORED) {
      bytes = Arrays.copyOfRange(file.array(), at, at + (int) entry.length());
    } else {
      bytes = inflate(entry, at);
    }
    CRC32 crc = new CRC32();
    crc.update(bytes);
    if ((int) crc.getValue() != entry.crc()) {
      throw entry.refusal(
          "its content has another CRC than the directory says (expected: the same)");
    }
    return bytes;
  }

  private byte[] inflate(Entry entry, int at) throws ModuleException {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(file.array(), at, (int) entry.length());
      // one more than it says, to see that there is none
      byte[] bytes = new byte[(int) entry.size() + 1];
      int size = 0;
      while (!inflater.finished() && size < bytes.length) {
        int more = inflater.inflate(bytes, size, bytes.length - size);
        if (more == 0 && !inflater.finished()) {
          break;
        }
        size += more;
      }
      if (!inflater.finished() || size != entry.size() || inflater.getRemaining() != 0) {
        throw entry.refusal(
            "its content is not the " + entry.size() + " bytes of the directory (expected: these)");
      }
      return Arrays.copyOf(bytes, size);
    } catch (DataFormatException e) {
      throw entry.refusal("its content can't be inflated (expected: deflated)");
    } finally {
      inflater.end();
    }
  }

  private void checkExtras(Entry entry, int begin, int length) throws ModuleException {
    int at = begin;
    int end = begin + length;
    while (at < end) {
      int size = end - at < 4 ? Integer.MAX_VALUE - at : 4 + u16(file, at + 2);
      if (size > end - at) {
        throw entry.refusal("an extra field that is cut (expected: all of it)");
      }
      int id = u16(file, at);
      if (!HARMLESS_EXTRAS.contains(id)) {
        throw entry.refusal(
            String.format("extra field %#06x (expected: none but times; no zip64)", id));
      }
      at += size;
    }
  }

  private String name(int at, int length) throws ModuleException {
    String name =
        new String(file.array(), at, Math.min(length, MOST_NAME + 1), StandardCharsets.ISO_8859_1);
    if (length > MOST_NAME || !NAME.matcher(name).matches()) {
      throw new ModuleException(
          "entry "
              + Texts.quote(name)
              + ": its name (expected: 1 to "
              + MOST_NAME
              + " of A-Z a-z 0-9 . _ $ / - and few others)");
    }
    String path = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
    for (String part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw new ModuleException(
            "entry "
                + Texts.quote(name)
                + ": its path (expected: relative, without . and .., no / twice)");
      }
    }
    return name;
  }

  /** What is the same for a reader that has no case. */
  private static String plain(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith("/") ? lower.substring(0, lower.length() - 1) : lower;
  }

  private static int u16(ByteBuffer file, int at) {
    return Short.toUnsignedInt(file.getShort(at));
  }

  private static long u32(ByteBuffer file, int at) {
    return Integer.toUnsignedLong(file.getInt(at));
  }
}
