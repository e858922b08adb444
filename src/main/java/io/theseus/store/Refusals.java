package io.theseus.store;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.util.Locale;

/** The store's refusals and failures as errors of the protocol, each named once. */
final class Refusals {
  private Refusals() {}

  static ProtocolException notFound(FileName name, String what) {
    return new ProtocolException(
        ErrorCode.NOT_FOUND, quote(name) + ": " + what + " (expected: a regular file)");
  }

  static ProtocolException exists(FileName name, String what, String expected) {
    return new ProtocolException(
        ErrorCode.EXISTS, quote(name) + ": " + what + " (expected: " + expected + ")");
  }

  static ProtocolException changed(FileName name, String found, String expected) {
    return new ProtocolException(
        ErrorCode.CHANGED,
        quote(name) + " has identity " + found + " (expected: " + expected + ")");
  }

  static ProtocolException internal(String text) {
    return new ProtocolException(ErrorCode.INTERNAL, text);
  }

  /** A failed call on a file; paths of this machine stay out of the text. */
  static ProtocolException io(FileName name, String deed, IOException e) {
    String reason = reason(e);
    String text = quote(name) + ": " + deed + " failed: " + reason;
    if (isNoSpace(reason)) {
      return new ProtocolException(
          ErrorCode.NO_SPACE, text + " (expected: free space, free inodes, and quota for both)");
    }
    if (isNoDescriptor(reason)) {
      return new ProtocolException(
          ErrorCode.BUSY,
          text + " (expected: fewer transfers at once, or a higher limit of open files)");
    }
    if (e instanceof AccessDeniedException) {
      return new ProtocolException(
          ErrorCode.DENIED, text + " (expected: the node's user may do that)");
    }
    return new ProtocolException(
        ErrorCode.INTERNAL, text + " (expected: a disk that can be read and written)");
  }

  /** Whether the system said ENOSPC or EDQUOT; Java gives the words only. */
  static boolean isNoSpace(String reason) {
    String words = reason.toLowerCase(Locale.ROOT);
    return words.contains("no space left") || words.contains("quota exceeded");
  }

  /** Whether the system said EMFILE or ENFILE: nothing was tried then. */
  static boolean isNoDescriptor(String reason) {
    return reason.toLowerCase(Locale.ROOT).contains("too many open files");
  }

  static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileSystemException detailed && detailed.getReason() != null) {
      return detailed.getReason();
    }
    if (e instanceof FileSystemException) {
      return e.getClass().getSimpleName();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static String quote(FileName name) {
    return Texts.quote(name.value());
  }
}
