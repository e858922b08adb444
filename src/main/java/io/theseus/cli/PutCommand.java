package io.theseus.cli;

import io.theseus.client.ListEntry;
import io.theseus.client.Producer;
import io.theseus.client.PutRequest;
import io.theseus.client.SessionInfo;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import io.theseus.client.TransferListener;
import io.theseus.client.TransferResult;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus put}: a file, a stream or a whole folder onto a node. */
@Command(
    name = "put",
    description = {
      "Puts a file onto a node, checked against its SHA-256.",
      "",
      "When it is done, the file is safely on the node's disk. Others see what was there before"
          + " until the new file is whole, never a mixture. A lost connection is made again and the"
          + " transfer goes on where the node has it. The modification time is kept."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus put a.jpg                        as a.jpg",
      "  theseus put a.jpg photos/                as photos/a.jpg",
      "  tar c . | theseus put - backup.tar       from a pipe",
      "  theseus put big.iso --continue           go on after Ctrl-C or a failure",
      "  theseus put -r album photos/2026         all below ./album as photos/2026/...",
      "  theseus put a.conf --if-absent           only where no a.conf is there",
    })
final class PutCommand extends TransferCommand {
  @Parameters(
      index = "0",
      paramLabel = "FILE",
      description = "What is put: a file, a pipe, - for standard input; with -r a directory.")
  String fileText = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NAME",
      description = {
        "The name on the node; one that ends in / is a folder.",
        "Default: the last part of FILE. With -r the folder, '' for none."
      })
  @Nullable String nameText;

  @Option(
      names = "--if-absent",
      description = "Only where the name is free; with -r other files are left as they are.")
  boolean ifAbsent;

  @Option(
      names = "--if-identity",
      paramLabel = "ID",
      description = "Only in place of the file with this identity (`theseus stat` shows it).")
  @Nullable String ifIdentity;

  private String resultName = "";
  private boolean resumable;

  PutCommand(Streams streams) {
    super(streams);
  }

  @Override
  void check() {
    if (ifAbsent && ifIdentity != null) {
      throw usage("--if-absent: with --if-identity (expected: one of them)");
    }
    if (recursive && ifIdentity != null) {
      throw usage("--if-identity: with -r (expected: a single file)");
    }
    if (fileText.equals("-")) {
      if (recursive) {
        throw usage("-: with -r (expected: a directory)");
      }
      if (resume) {
        throw usage("-: with --continue (expected: a file, since a pipe can't be read again)");
      }
      if (nameText == null || nameText.isEmpty() || nameText.endsWith("/")) {
        throw usage("NAME: missing (expected: the name that standard input gets on the node)");
      }
    }
    if (ifIdentity != null && (ifIdentity.equals("none") || !ifIdentity.matches("[!-~]{1,128}"))) {
      throw usage(
          "--if-identity: "
              + Display.name(ifIdentity)
              + " (expected: 1 to 128 visible characters; for a free name use --if-absent)");
    }
  }

  @Override
  ExitCode run(TheseusClient client) throws TransferException, CommandException, IOException {
    if (fileText.equals("-")) {
      return stream(client, Producer.stream(streams.in()), name(String.valueOf(nameText)));
    }
    Path file = path(fileText);
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(file, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      throw new CommandException(
          ExitCode.LOCAL_IO, Display.name(fileText) + ": there is no such file here", "");
    }
    if (recursive) {
      if (!attributes.isDirectory()) {
        throw usage(fileText + ": not a directory (expected: one, because of -r)");
      }
      return folder(client, file);
    }
    if (attributes.isDirectory()) {
      throw usage(fileText + ": a directory (expected: a file; -r puts a whole directory)");
    }
    FileName name = name(target(file));
    if (!attributes.isRegularFile()) {
      return stream(client, Producer.of(file), name);
    }
    resultName = name.value();
    resumable = true;
    TransferResult result;
    try (Screen screen = Screen.ofErrors(streams);
        Progress progress = progress(name.value(), false, screen)) {
      result = send(client, file, name, Stamp.of(attributes), progress);
    }
    return done(name, result);
  }

  private ExitCode stream(TheseusClient client, Producer producer, FileName name)
      throws TransferException {
    resultName = name.value();
    TransferResult result;
    try (Screen screen = Screen.ofErrors(streams);
        Progress progress = progress(name.value(), false, screen)) {
      result =
          client.put(
              precondition(PutRequest.of(name)),
              producer,
              limited(progress.file(Progress.Direction.PUT)));
    }
    return done(name, result);
  }

  private PutRequest precondition(PutRequest request) {
    if (ifAbsent) {
      return request.withIfIdentity(PutRequest.NONE);
    }
    return ifIdentity == null ? request : request.withIfIdentity(ifIdentity);
  }

  /** One regular file, under the session of an earlier run where that is asked for and known. */
  private TransferResult send(
      TheseusClient client, Path file, FileName name, Stamp stamp, Progress progress)
      throws TransferException {
    PutRecords records = PutRecords.of(streams.environment());
    PutRecords.Key key = new PutRecords.Key(common.servers, name.value(), file, stamp);
    PutRequest request = precondition(PutRequest.of(name).withModified(stamp.modified()));
    Optional<UUID> session = resume ? records.find(key) : Optional.empty();
    if (session.isPresent()) {
      request = request.withSession(session.get());
    }
    TransferListener listener =
        new Remembering(limited(progress.file(Progress.Direction.PUT)), records, key);
    try {
      TransferResult result = client.put(request, Producer.file(file), listener);
      records.forget(key);
      return result;
    } catch (TransferException e) {
      if (endsSession(e)) {
        records.forget(key);
      }
      throw e;
    }
  }

  /** Whether nothing is left on the node that another run could go on with. */
  private static boolean endsSession(TransferException failure) {
    return switch (failure.kind()) {
      case LOST_BYTES, HASH_MISMATCH, CHANGED -> true;
      case REFUSED ->
          failure
              .code()
              .map(code -> !code.retryable() || code == ErrorCode.UNKNOWN_SESSION)
              .orElse(true);
      default -> false;
    };
  }

  private ExitCode folder(TheseusClient client, Path directory)
      throws TransferException, IOException {
    String prefix = folderName(directory);
    SourceTree tree = SourceTree.read(directory, prefix);
    resultName = prefix;
    TreeReport report = new TreeReport("put", streams, common);
    tree.leftOut().forEach(other -> report.leftOut(other.path(), other.why()));
    tree.unreadable()
        .forEach(
            other -> report.failed(other.path(), Failure.of(ExitCode.LOCAL_IO, other.why(), "")));
    Map<String, Stamp> there = resume ? there(client, prefix) : Map.of();
    resumable = true;
    try (Screen screen = Screen.ofErrors(streams);
        Progress progress = progress(prefix.isEmpty() ? "/" : prefix, false, screen)) {
      progress.total(tree.bytes());
      int count = tree.files().size();
      for (int i = 0; i < count; i++) {
        SourceTree.Source source = tree.files().get(i);
        progress.at((i + 1) + "/" + count + " " + source.name());
        Optional<Failure> failure = source(client, source, there, report, progress);
        failure.ifPresent(reason -> report.failed(source.name().value(), reason));
        if (failure.isPresent() && failure.get().endsAll()) {
          report.ended(failure.get(), count - i - 1L);
          break;
        }
        progress.fileDone(source.stamp().size());
      }
    }
    return end(report);
  }

  private Optional<Failure> source(
      TheseusClient client,
      SourceTree.Source source,
      Map<String, Stamp> there,
      TreeReport report,
      Progress progress) {
    String name = source.name().value();
    Stamp known = there.get(name);
    if (known != null && known.sameAs(source.stamp())) {
      report.unchanged(name, source.path().toString(), source.stamp().size());
      return Optional.empty();
    }
    try {
      TransferResult result = send(client, source.path(), source.name(), source.stamp(), progress);
      report.complete(name, source.path().toString(), result);
      return Optional.empty();
    } catch (TransferException e) {
      if (ifAbsent && e.code().equals(Optional.of(ErrorCode.EXISTS))) {
        report.leftOut(name, "there already");
        return Optional.empty();
      }
      return Optional.of(Failure.of(e));
    }
  }

  /** What the node has below the folder already: one listing instead of a question for each. */
  private static Map<String, Stamp> there(TheseusClient client, String prefix)
      throws TransferException {
    Map<String, Stamp> stamps = new HashMap<>();
    client.list(
        prefix,
        page -> {
          for (ListEntry entry : page.entries()) {
            Stamp.of(entry.size(), entry.modified())
                .ifPresent(stamp -> stamps.put(entry.name(), stamp));
          }
        });
    return stamps;
  }

  private String target(Path file) {
    if (nameText == null || nameText.isEmpty()) {
      return last(file);
    }
    return nameText.endsWith("/") ? nameText + last(file) : nameText;
  }

  private String folderName(Path directory) {
    String folder = nameText == null ? last(directory) : nameText;
    if (folder.endsWith("/")) {
      folder = folder.substring(0, folder.length() - 1);
    }
    return folder.isEmpty() ? "" : name(folder) + "/";
  }

  private String last(Path file) {
    Path name = file.toAbsolutePath().normalize().getFileName();
    if (name == null) {
      throw usage("NAME: missing (expected: one, since " + file + " has no last part)");
    }
    return name.toString();
  }

  private ExitCode done(FileName name, TransferResult result) {
    if (common.json) {
      streams.out().println(describe(subject(new JsonLine()), result));
    }
    if (!common.quiet) {
      String from = fileText.equals("-") ? "standard input" : fileText;
      streams.err().println(summary(from + " -> " + name.value(), result));
    }
    return ExitCode.OK;
  }

  @Override
  JsonLine subject(JsonLine line) {
    return line.put("command", "put")
        .put("name", resultName.isEmpty() ? nameText : resultName)
        .put("file", fileText);
  }

  @Override
  String afterInterrupt() {
    return resumable
        ? "The node keeps what it has for a while. Go on with: " + again("--continue")
        : "";
  }

  /** Writes down which session a file goes under, as soon as the node has accepted it. */
  private static final class Remembering extends ForwardingListener {
    private final PutRecords records;
    private final PutRecords.Key key;

    Remembering(TransferListener listener, PutRecords records, PutRecords.Key key) {
      super(listener);
      this.records = records;
      this.key = key;
    }

    @Override
    public void ready(SessionInfo session) {
      records.remember(key, session.session());
      super.ready(session);
    }
  }
}
