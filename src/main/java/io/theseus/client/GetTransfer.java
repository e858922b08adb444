package io.theseus.client;

import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * A GET from its command to its COMPLETE.
 *
 * <p>Two numbers say where it stands: {@code wanted}, the next byte to take, and {@code told}, the
 * last OFFSET that was sent. Between them lies what the consumer still works on. An OFFSET is sent
 * only for the end of a packet: within one, the server may not count the bytes as sent yet and
 * would take it for a seek.
 */
final class GetTransfer extends FileTransfer {
  private enum Stage {
    COMMAND,
    RUNNING,
    /** READY named another identity than the one begun: RESTART must follow. */
    CHANGED,
    COMPLETE
  }

  private final GetRequest request;
  private final Consumer consumer;

  // of the session
  private UUID session;
  private boolean stream;
  private Optional<String> identity = Optional.empty();
  private OptionalLong size = OptionalLong.empty();
  private boolean sizeFinal;
  private long wanted;

  // of the connection
  private Stage stage = Stage.COMMAND;
  private long told;
  private long windowBytes;
  private long acknowledgeBytes;
  private int maxDataBytes;
  private boolean acknowledgeArmed;
  private long acknowledgeNanos;
  private long takeFrom;
  private long takeTo;
  private long dataAt;
  private long reportedWanted = -1;
  private long reportedTold = -1;
  private OptionalLong reportedSize = OptionalLong.empty();

  GetTransfer(
      ClientSettings settings,
      GetRequest request,
      Consumer consumer,
      Optional<Consumer.Start> start,
      Cancellation cancellation,
      Route route,
      TransferListener listener) {
    super(settings, cancellation, route, listener);
    this.request = request;
    this.consumer = consumer;
    session = start.map(Consumer.Start::session).orElseGet(settings.sessionIds());
    stream = start.map(Consumer.Start::stream).orElse(!consumer.rewindable());
    identity = start.flatMap(Consumer.Start::identity);
    wanted = start.map(Consumer.Start::offset).orElse(0L);
  }

  @Override
  UUID sessionId() {
    return session;
  }

  @Override
  String deed() {
    return "writing to " + consumer.describe();
  }

  long wanted() {
    return wanted;
  }

  @Override
  String command() {
    Info.Builder text =
        Info.of("GET " + request.name())
            .field("Version", 1)
            .field("Session", session)
            .field("Offset", wanted);
    if (wanted > 0) {
      text.field("Identity", identity);
    }
    if (settings.windowBytes() > 0) {
      text.field("Window", settings.windowBytes());
    }
    if (settings.maxDataBytes() > 0) {
      text.field("Max-Data", settings.maxDataBytes());
    }
    if (stream) {
      text.field("Consumer", "stream");
    }
    return text.field("Token", settings.token()).text();
  }

  @Override
  void begin() throws TransferException {
    try {
      // what is pending is acknowledged by the Offset, and memory stays within one window
      consumer.settle(cancellation);
      if (consumer.rewindable()) {
        // half a packet is no DATA to a server that counts packets: ask for all of it again
        wanted = consumer.settled();
      }
    } catch (IOException e) {
      throw failed(e);
    }
    stage = Stage.COMMAND;
    told = wanted;
    acknowledgeArmed = false;
    takeFrom = 0;
    takeTo = 0;
  }

  @Override
  boolean done() {
    return stage == Stage.COMPLETE;
  }

  @Override
  boolean owed() {
    return stage != Stage.RUNNING || told >= wanted || connection().midPacket();
  }

  @Override
  public boolean mayRead() {
    return consumer.mayRead();
  }

  @Override
  boolean adapted(AttemptException ended) {
    boolean live = ended.code().filter(code -> code == ErrorCode.INCOMPATIBLE).isPresent();
    if (!live || stream || wanted > 0) {
      return false;
    }
    stream = true;
    session = settings.sessionIds().get();
    listener.streaming(ended.text());
    return true;
  }

  // ---- INFO

  @Override
  void onVerb(String verb, Info info)
      throws ProtocolException, AttemptException, TransferException {
    switch (verb) {
      case "READY" -> ready(info);
      case "MODIFYING" -> modifying(info);
      case "RESUMED" -> resumed(info);
      case "END" -> end(info);
      case "RESTART" -> restart(info);
      case "COMPLETE" -> takeComplete(info);
      default -> {
        // verbs that are not known here are ignored
      }
    }
  }

  private void ready(Info info) throws ProtocolException, TransferException {
    if (stage != Stage.COMMAND) {
      throw outOfPlace("READY", "one READY to one command");
    }
    Ready ready = Ready.parse(info, session, settings.maxDataBytes(), true);
    long asked = settings.windowBytes();
    windowBytes = ready.window().orElse(0);
    if (windowBytes > asked) {
      throw Info.bad("Window", String.valueOf(windowBytes), "at most the one asked, " + asked);
    }
    acknowledgeBytes = Math.max(1, Math.min(settings.acknowledgeBytes(), windowBytes / 2));
    maxDataBytes = ready.maxData();
    connection().agreed(ready.maxData(), ready.idle());
    boolean same = wanted == 0 || identity.isEmpty() || ready.identity().equals(identity);
    if (same) {
      if (wanted > 0 && sizeFinal && ready.size().isPresent() && !ready.size().equals(size)) {
        throw Info.bad(
            "Size",
            String.valueOf(ready.size().getAsLong()),
            size.getAsLong() + ", as the identity is the same");
      }
      adopt(ready.identity(), ready.size());
      stage = Stage.RUNNING;
    } else {
      stage = Stage.CHANGED;
    }
    route.ready(ready.nodes());
    if (ready.live() && !stream && wanted == 0) {
      listener.streaming("the source is live: it can't be rewound");
    }
    listener.ready(
        new SessionInfo(
            session,
            ready.size(),
            ready.identity().orElse(""),
            ready.module(),
            ready.node(),
            ready.nodes(),
            windowBytes,
            maxDataBytes,
            ready.idle(),
            wanted,
            ready.live()));
    consumer.wakeAt(told + acknowledgeBytes);
  }

  private void adopt(Optional<String> newIdentity, OptionalLong newSize)
      throws ProtocolException, TransferException {
    if (newSize.isPresent() && newSize.getAsLong() < wanted) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "Size: " + newSize.getAsLong() + " (expected: at least the Offset, " + wanted + ")");
    }
    if (!newIdentity.equals(identity) && wanted == 0) {
      sizeFinal = false;
    }
    identity = newIdentity;
    if (newSize.isPresent() || !sizeFinal) {
      size = newSize;
      sizeFinal = newSize.isPresent();
    }
    try {
      consumer.begins(session, identity, size, stream);
    } catch (IOException e) {
      throw local(e);
    }
  }

  private void end(Info info) throws ProtocolException {
    if (stage == Stage.COMMAND) {
      throw outOfPlace("END", "READY first");
    }
    long end = info.number("Size").orElseThrow(() -> Ready.missing("Size"));
    if (stage == Stage.CHANGED) {
      return;
    }
    if (sizeFinal && size.getAsLong() != end) {
      throw Info.bad("Size", String.valueOf(end), size.getAsLong() + ", as was said before");
    }
    if (end < wanted) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET, "END at " + end + " (expected: >= " + wanted + ", which came)");
    }
    size = OptionalLong.of(end);
    sizeFinal = true;
  }

  private void restart(Info info) throws ProtocolException, TransferException {
    if (stage == Stage.COMMAND) {
      throw outOfPlace("RESTART", "READY first");
    }
    String sizeText = info.text("Size").orElseThrow(() -> Ready.missing("Size"));
    OptionalLong newSize =
        sizeText.equals("unknown")
            ? OptionalLong.empty()
            : OptionalLong.of(Info.parseNumber("Size", sizeText));
    Optional<String> newIdentity = info.identity("Identity");
    if (wanted > 0 && !consumer.rewindable()) {
      String text =
          "the file changed after "
              + wanted
              + " bytes were passed on (expected: a consumer that can be rewound)";
      connection().giveUp(ErrorCode.CHANGED.label() + ": " + text);
      throw new TransferException(Kind.CHANGED, text);
    }
    listener.restarted(
        "the file changed after " + wanted + " bytes, which are discarded; it begins anew");
    try {
      consumer.restart();
    } catch (IOException e) {
      throw local(e);
    }
    wanted = 0;
    told = 0;
    takeFrom = 0;
    takeTo = 0;
    sizeFinal = false;
    acknowledgeArmed = false;
    adopt(newIdentity, newSize);
    stage = Stage.RUNNING;
    consumer.wakeAt(acknowledgeBytes);
    // before the next packet is taken: what follows is the new content's
    connection().sendOffset(0);
  }

  private void takeComplete(Info info) throws ProtocolException {
    if (stage != Stage.RUNNING) {
      throw outOfPlace("COMPLETE", stage == Stage.CHANGED ? "RESTART" : "READY first");
    }
    long total = info.number("Size").orElseThrow(() -> Ready.missing("Size"));
    if (total != wanted || (sizeFinal && total != size.getAsLong())) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "COMPLETE at " + total + " (expected: " + wanted + ", the bytes that came)");
    }
    Optional<String> said = info.identity("Identity");
    if (said.isPresent() && identity.isPresent() && !said.equals(identity)) {
      throw Info.bad("Identity", said.get(), identity.get() + ", as the bytes that came");
    }
    info.sha256("SHA-256");
    completed(info);
    stage = Stage.COMPLETE;
  }

  // ---- packets

  @Override
  public void onOffset(long offset) throws ProtocolException {
    throw outOfPlace("OFFSET " + offset, "DATA, in a GET");
  }

  @Override
  public void onData(long offset, int length) throws ProtocolException {
    if (stage != Stage.RUNNING) {
      throw outOfPlace("DATA", stage == Stage.CHANGED ? "RESTART" : "READY first");
    }
    long end = offset + length;
    dataAt = offset;
    if (offset > wanted || end <= wanted) {
      // dropped, wherever it lies
      takeFrom = 0;
      takeTo = 0;
      return;
    }
    if (sizeFinal && end > size.getAsLong()) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "end of DATA: " + end + " (expected: at most the Size, " + size.getAsLong() + ")");
    }
    long most = told + (windowBytes > 0 ? windowBytes : 2L * maxDataBytes);
    if (end > most) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "end of DATA: " + end + " (expected: at most " + most + ", the end of the window)");
    }
    takeFrom = wanted;
    takeTo = end;
  }

  @Override
  public void onPayload(Chunk chunk, int position, int length, boolean last)
      throws TransferException {
    long from = Math.max(dataAt, takeFrom);
    long to = Math.min(dataAt + length, takeTo);
    if (from < to) {
      try {
        consumer.take(
            from, chunk, position + (int) (from - dataAt), (int) (to - from), to == takeTo);
      } catch (IOException e) {
        throw local(e);
      }
      wanted = to;
      route.progressed();
      if (!acknowledgeArmed) {
        acknowledgeArmed = true;
        acknowledgeNanos = System.nanoTime() + settings.acknowledgeAfter().toNanos();
      }
      if (last) {
        acknowledge(false);
      }
    }
    dataAt += length;
  }

  @Override
  long work(long nowNanos) throws TransferException {
    long next = Long.MAX_VALUE;
    if (stage == Stage.RUNNING) {
      boolean due = acknowledgeArmed && nowNanos - acknowledgeNanos >= 0;
      acknowledge(due);
      if (due && acknowledgeArmed) {
        // the consumer is behind: look again
        acknowledgeNanos = nowNanos + Math.max(settings.acknowledgeAfter().toNanos(), 1_000_000);
      }
      if (acknowledgeArmed) {
        next = acknowledgeNanos;
      }
    }
    report();
    return next;
  }

  @Override
  void report() {
    OptionalLong known = sizeFinal ? size : OptionalLong.empty();
    if (reportedWanted != wanted || reportedTold != told || !reportedSize.equals(known)) {
      reportedWanted = wanted;
      reportedTold = told;
      reportedSize = known;
      listener.progress(wanted, told, known);
    }
  }

  /** Sends OFFSET where there is reason to. */
  private void acknowledge(boolean due) throws TransferException {
    long settled;
    try {
      settled = consumer.settled();
    } catch (IOException e) {
      throw local(e);
    }
    if (settled <= told) {
      return;
    }
    boolean atEnd = sizeFinal && settled == size.getAsLong();
    if (windowBytes == 0 || due || atEnd || settled - told >= acknowledgeBytes) {
      told = settled;
      acknowledgeArmed = told < wanted;
      if (acknowledgeArmed) {
        acknowledgeNanos = System.nanoTime() + settings.acknowledgeAfter().toNanos();
      }
      long next = windowBytes == 0 ? told + 1 : told + acknowledgeBytes;
      consumer.wakeAt(sizeFinal ? Math.min(next, size.getAsLong()) : next);
      connection().sendOffset(told);
    }
  }

  private TransferException local(IOException e) {
    return gaveUp(e, "the client can't write what it gets");
  }
}
