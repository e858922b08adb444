package io.theseus.cli;

import io.theseus.client.TransferException;
import io.theseus.wire.ErrorCode;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a command ended, for scripts; the one table of exit codes. Numbers are stable. */
public enum ExitCode {
  /** Done. */
  OK(0, "ok", "done"),
  /** A fault that the caller can do nothing about. */
  INTERNAL(1, "internal", "a fault of the node or of this program"),
  /** Wrong arguments. */
  USAGE(2, "usage", "the command line is wrong, or a name that no node would take"),
  /** No such name. */
  NOT_FOUND(3, "not-found", "there is no such file on the node"),
  /** The name is taken, or holds something else than expected. */
  PRECONDITION(4, "precondition", "the file exists already, or is not (or no longer) the expected"),
  /** Not permitted. */
  DENIED(5, "denied", "the node refuses: not permitted"),
  /** No node, or none any more. */
  UNREACHABLE(
      6, "unreachable", "no node could be reached or trusted, or the connection was lost for good"),
  /** Reading or writing on this side failed. */
  LOCAL_IO(7, "local-io", "reading or writing on this side failed"),
  /** Content and SHA-256 don't agree. */
  HASH_MISMATCH(8, "hash-mismatch", "the content is not what its SHA-256 says"),
  /** A node no longer has what it acknowledged. */
  LOST_BYTES(9, "lost-bytes", "the node lost bytes that it had acknowledged"),
  /** Of many files or nodes some failed, or a listing may lack some. */
  SOME_FAILED(10, "some-failed", "of many files or nodes some failed, or a list may be incomplete"),
  /** The node's disk or a quota is full. */
  NO_SPACE(11, "no-space", "the node has no space for it"),
  /** Not now. */
  BUSY(12, "busy", "the node is busy, was silent, or another client took the transfer over"),
  /** One end can't be rewound and the other needs it. */
  INCOMPATIBLE(13, "incompatible", "one end is a stream and the other one needs to go back"),
  /** The two sides don't understand each other. */
  PROTOCOL(14, "protocol", "the two sides do not understand each other"),
  /** {@code status}: the node runs, and a part of it is not normal. */
  NOT_NORMAL(15, "not-normal", "status: the node runs, and something in it is not normal"),
  /** {@code node}: in the way of a start, or a wrong configuration. */
  CANT_START(16, "cant-start", "node: it can't start, or its configuration is wrong"),
  /** {@code module}: one that no node would take, or that breaks a rule. */
  BAD_MODULE(17, "bad-module", "module: it does not compile, is refused, or breaks a rule"),
  /** {@code admin}: nothing was changed. */
  REFUSED(18, "refused", "admin: refused, and nothing is changed"),
  /** {@code admin}: it had begun. */
  ROLLED_BACK(19, "rolled-back", "admin: it was begun and taken back; all is as before"),
  /** Ended by Ctrl-C; what the JVM exits with after SIGINT. */
  INTERRUPTED(130, "interrupted", "ended by Ctrl-C");

  private final int number;
  private final String label;
  private final String meaning;

  ExitCode(int number, String label, String meaning) {
    this.number = number;
    this.label = label;
    this.meaning = meaning;
  }

  /** What the process exits with. */
  public int number() {
    return number;
  }

  /** The word for it in {@code --json}. */
  public String label() {
    return label;
  }

  /** One line for {@code --help}. */
  public String meaning() {
    return meaning;
  }

  /** The table as picocli shows it. */
  static Map<String, String> help() {
    Map<String, String> table = new LinkedHashMap<>();
    for (ExitCode code : values()) {
      table.put(String.valueOf(code.number), code.meaning);
    }
    return table;
  }

  /** The exit code of a failed transfer. */
  public static ExitCode of(TransferException failure) {
    return switch (failure.kind()) {
      case REFUSED -> failure.code().map(ExitCode::of).orElse(INTERNAL);
      case CONNECT_FAILED, UNTRUSTED, CONNECTION_LOST -> UNREACHABLE;
      case PROTOCOL -> PROTOCOL;
      case LOCAL_IO -> LOCAL_IO;
      case HASH_MISMATCH -> HASH_MISMATCH;
      case LOST_BYTES -> LOST_BYTES;
      case CHANGED -> PRECONDITION;
      case CANCELLED -> INTERRUPTED;
    };
  }

  /** The exit code of a refusal. */
  public static ExitCode of(ErrorCode code) {
    return switch (code) {
      case BAD_NAME -> USAGE;
      case NOT_FOUND -> NOT_FOUND;
      case EXISTS, CHANGED -> PRECONDITION;
      case DENIED -> DENIED;
      case INCOMPATIBLE -> INCOMPATIBLE;
      case BUSY, SUPERSEDED, TIMEOUT -> BUSY;
      case UNKNOWN_SESSION -> LOST_BYTES;
      case NO_SPACE -> NO_SPACE;
      case BAD_PACKET, BAD_FIELD, BAD_OFFSET, VERSION -> PROTOCOL;
      case INTERNAL -> INTERNAL;
    };
  }
}
