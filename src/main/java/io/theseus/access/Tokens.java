package io.theseus.access;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file of tokens, hashed, one on each line:
 *
 * <pre>
 * # name  SHA-256 of the token  scopes  [until=TIME]  [prefix=PREFIX ...]
 * backup  9f86d081...           read
 * alice   60303ae2...           read,write  until=2027-06-30  prefix=photos/ prefix="old photos/"
 * </pre>
 *
 * <p>A token has 256 random bits, so its hash needs no salt and no slow function. Who looks for one
 * compares hashes, whose beginnings nobody can choose: how long that takes tells nothing of a
 * token.
 */
public final class Tokens {
  private static final String PREFIX = "thst_";
  private static final int BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");
  private static final String NAME_EXPECTED = "1 to 64 of A-Z a-z 0-9 . _ @ -";
  private static final Pattern HASH = Pattern.compile("[0-9A-Fa-f]{64}");
  private static final Pattern WORD = Pattern.compile("\\s*((?:[^\\s\"]|\"[^\"]*\")+)");

  /** What the file says of one token. */
  record Entry(Rights rights, Optional<Instant> until) {}

  private final Map<String, Entry> byHash;

  private Tokens(Map<String, Entry> byHash) {
    this.byHash = Map.copyOf(byHash);
  }

  /** A new token: {@code thst_} and 43 letters, digits, - or _. */
  public static String make() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** The hash of a token as it stands in the file. */
  public static String hash(String token) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The line for a token.
   *
   * @throws IllegalArgumentException where a line can't say it
   */
  public static String line(
      String name, String token, Set<Scope> scopes, Optional<String> until, List<String> prefixes) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(bad("name", name, NAME_EXPECTED).getMessage());
    }
    StringBuilder line = new StringBuilder(name).append(' ').append(hash(token)).append(' ');
    line.append(String.join(",", scopes.stream().sorted().map(Scope::word).toList()));
    try {
      // each is checked alone: no value says more than itself
      if (until.isPresent()) {
        until(until.get());
        line.append(" until=").append(until.get());
      }
      for (String prefix : prefixes) {
        String quoted = '"' + prefix + '"';
        prefix(quoted);
        boolean plain = prefix.chars().noneMatch(Character::isWhitespace);
        line.append(" prefix=").append(plain ? prefix : quoted);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return line.toString();
  }

  /**
   * Reads a file.
   *
   * @throws IOException naming the line
   */
  public static Tokens read(Path file, byte[] content) throws IOException {
    String name = Texts.quote(file.toString());
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      throw new IOException(name + ": not UTF-8 (expected: a file of tokens)", e);
    }
    Map<String, Entry> byHash = new HashMap<>();
    Set<String> names = new HashSet<>();
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      if (line.isBlank() || line.stripLeading().startsWith("#")) {
        continue;
      }
      try {
        entry(line, byHash, names);
      } catch (IOException e) {
        throw new IOException(name + " line " + number + ": " + e.getMessage(), e);
      }
    }
    return new Tokens(byHash);
  }

  private static void entry(String line, Map<String, Entry> byHash, Set<String> names)
      throws IOException {
    List<String> words = words(line);
    if (words.size() < 3) {
      throw bad("words", String.valueOf(words.size()), "name, hash, scopes");
    }
    String name = words.get(0);
    if (!NAME.matcher(name).matches()) {
      throw bad("name", name, NAME_EXPECTED);
    }
    if (!names.add(name)) {
      throw bad("name", name, "each once");
    }
    String hash = words.get(1);
    if (!HASH.matcher(hash).matches()) {
      // it may be a token that was put there by mistake
      throw new IOException(
          "second word of "
              + hash.length()
              + " characters (expected: the SHA-256 of the token, 64 hex digits)");
    }
    boolean read = false;
    boolean write = false;
    for (String scope : words.get(2).split(",", -1)) {
      switch (scope) {
        case "read" -> read = true;
        case "write" -> write = true;
        default -> throw bad("scopes", words.get(2), "read, write or read,write");
      }
    }
    List<String> prefixes = new ArrayList<>();
    Instant until = null;
    for (String word : words.subList(3, words.size())) {
      if (word.startsWith("prefix=")) {
        prefixes.add(prefix(word.substring("prefix=".length())));
      } else if (word.startsWith("until=") && until == null) {
        until = until(word.substring("until=".length()));
      } else {
        throw bad("word", word, "until=TIME once, prefix=PREFIX");
      }
    }
    Rights rights = new Rights(name, read, write, prefixes);
    if (byHash.put(
            hash.toLowerCase(java.util.Locale.ROOT), new Entry(rights, Optional.ofNullable(until)))
        != null) {
      throw bad("hash of", name, "another token than that of a line before");
    }
  }

  private static List<String> words(String line) throws IOException {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(line);
    int end = 0;
    while (matcher.find() && matcher.start() == end) {
      words.add(matcher.group(1));
      end = matcher.end();
    }
    if (!line.substring(end).isBlank()) {
      throw new IOException("a quotation mark is left open (expected: a second one)");
    }
    return words;
  }

  private static String prefix(String text) throws IOException {
    boolean quoted = text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"");
    String prefix = quoted ? text.substring(1, text.length() - 1) : text;
    if (prefix.isEmpty()
        || prefix.startsWith("/")
        || prefix.chars().anyMatch(c -> c == '"' || Character.isISOControl(c))) {
      throw bad("prefix", text, "the beginning of names, like photos/ or \"old photos/\"");
    }
    return prefix;
  }

  private static Instant until(String text) throws IOException {
    try {
      return text.indexOf('T') >= 0
          ? Instant.parse(text)
          : LocalDate.parse(text).plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    } catch (DateTimeParseException e) {
      throw bad("until", text, "a last day, 2027-06-30, or a time, 2027-06-30T12:00:00Z");
    }
  }

  private static IOException bad(String what, String value, String expected) {
    return new IOException(what + ": " + Texts.quote(value) + " (expected: " + expected + ")");
  }

  /** What is known of a token; null where nothing is. */
  @Nullable Entry find(String token) {
    return byHash.get(hash(token));
  }

  /** How many there are. */
  public int size() {
    return byHash.size();
  }
}
