package io.theseus.client;

import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * A PUT from its command to its COMPLETE.
 *
 * <p>{@code acknowledged} is what the server called durable, over all connections; it never goes
 * back, and a server that asks for less has lost bytes: the transfer stops and says so. {@code
 * sent} is where the next DATA of this connection starts; RESUMED with an Offset takes it back.
 */
final class PutTransfer extends FileTransfer {
  private enum Stage {
    COMMAND,
    /** READY has come, the first OFFSET not yet. */
    READY,
    SENDING,
    COMPLETE
  }

  // queue entries that keep a socket busy until the next look: three DATA
  private static final int QUEUED_MOST = 6;

  private final PutRequest request;
  private final Producer producer;

  // of the session
  private final UUID session;
  private long acknowledged;
  private long begun = -1;

  // of the connection
  private Stage stage = Stage.COMMAND;
  private long sent;
  private long sentMost;
  private boolean endSent;
  private long windowBytes;
  private int packetMost;
  private long reportedSent = -1;
  private long reportedAcknowledged = -1;
  private OptionalLong reportedEnd = OptionalLong.empty();

  PutTransfer(
      ClientSettings settings,
      PutRequest request,
      Producer producer,
      Cancellation cancellation,
      Route route,
      TransferListener listener) {
    super(settings, cancellation, route, listener);
    this.request = request;
    this.producer = producer;
    session = request.session().orElseGet(settings.sessionIds());
  }

  @Override
  UUID sessionId() {
    return session;
  }

  @Override
  String deed() {
    return "reading " + producer.describe();
  }

  @Override
  long acknowledged() {
    return acknowledged;
  }

  /** The first OFFSET: what the node had already. */
  long begun() {
    return Math.max(0, begun);
  }

  @Override
  String command() {
    Info.Builder text =
        Info.of("PUT " + request.name())
            .field("Version", 1)
            .field("Session", session)
            .field("Offset", acknowledged)
            .field("Size", producer.size());
    if (!producer.rewindable()) {
      text.field("Producer", "stream");
    }
    return text.field("SHA-256", request.sha256())
        .field("If-Identity", request.ifIdentity())
        .field("Modified", request.modified())
        .field("Token", settings.token())
        .text();
  }

  @Override
  void begin() {
    stage = Stage.COMMAND;
    sent = acknowledged;
    sentMost = acknowledged;
    endSent = false;
  }

  @Override
  boolean done() {
    return stage == Stage.COMPLETE;
  }

  @Override
  boolean owed() {
    return stage != Stage.SENDING || acknowledged < sent || endSent || producerSent();
  }

  private boolean producerSent() {
    OptionalLong size = producer.size();
    return size.isPresent() && sent == size.getAsLong();
  }

  // ---- INFO

  @Override
  void onVerb(String verb, Info info)
      throws ProtocolException, AttemptException, TransferException {
    switch (verb) {
      case "READY" -> ready(info);
      case "MODIFYING" -> modifying(info);
      case "RESUMED" -> takeResumed(info);
      case "RESTART" -> throw outOfPlace("RESTART", "in a GET only");
      case "END" -> throw outOfPlace("END", "in a GET only");
      case "COMPLETE" -> takeComplete(info);
      default -> {
        // verbs that are not known here are ignored
      }
    }
  }

  private void ready(Info info) throws ProtocolException {
    if (stage != Stage.COMMAND) {
      throw outOfPlace("READY", "one READY to one command");
    }
    Ready ready = Ready.parse(info, session, 0, false);
    stage = Stage.READY;
    windowBytes = ready.window().orElse(ready.maxData());
    if (settings.windowBytes() > 0) {
      windowBytes = Math.min(windowBytes, settings.windowBytes());
    }
    long most = Math.min(ready.maxData(), Math.max(1, windowBytes / 4));
    if (settings.maxDataBytes() > 0) {
      most = Math.min(most, settings.maxDataBytes());
    }
    packetMost = (int) Math.min(most, Chunk.BYTES);
    connection().agreed(ready.maxData(), ready.idle());
    route.ready(ready.nodes());
    listener.ready(
        new SessionInfo(
            session,
            producer.size(),
            "",
            ready.module(),
            ready.node(),
            ready.nodes(),
            windowBytes,
            ready.maxData(),
            ready.idle(),
            acknowledged,
            ready.live()));
  }

  private void takeResumed(Info info) throws ProtocolException, TransferException {
    OptionalLong offset = info.number("Offset");
    resumed(info);
    if (offset.isEmpty() || stage != Stage.SENDING) {
      return;
    }
    long from = offset.getAsLong();
    if (from < acknowledged) {
      throw lost("RESUMED with Offset", from);
    }
    if (from > sent) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "RESUMED with Offset: " + from + " (expected: at most " + sent + ", what was sent)");
    }
    // END and what was sent behind it stay sent: only DATA is repeated
    sent = from;
  }

  private void takeComplete(Info info) throws ProtocolException, TransferException {
    if (stage != Stage.SENDING) {
      throw outOfPlace("COMPLETE", "READY and OFFSET first");
    }
    long total = info.number("Size").orElseThrow(() -> Ready.missing("Size"));
    OptionalLong end = end();
    if (end.isEmpty() || end.getAsLong() != total || acknowledged != total) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "COMPLETE at "
              + total
              + " (expected: "
              + (end.isEmpty() ? "END first" : end.getAsLong() + ", with OFFSET before it")
              + ")");
    }
    info.identity("Identity");
    info.sha256("SHA-256");
    completed(info);
    stage = Stage.COMPLETE;
  }

  // ---- packets

  @Override
  public void onOffset(long offset) throws ProtocolException, TransferException {
    switch (stage) {
      case COMMAND -> throw outOfPlace("OFFSET " + offset, "READY first");
      case READY -> {
        if (offset < acknowledged) {
          throw lost("OFFSET", offset);
        }
        long most = readableTo();
        if (offset > most) {
          throw new ProtocolException(
              ErrorCode.BAD_OFFSET,
              "first OFFSET: " + offset + " (expected: at most " + most + ", all that there is)");
        }
        stage = Stage.SENDING;
        if (begun < 0) {
          begun = offset;
        }
        sent = offset;
        sentMost = offset;
        acknowledge(offset);
      }
      default -> {
        if (offset < acknowledged) {
          throw lost("OFFSET", offset);
        }
        if (offset > sentMost) {
          throw new ProtocolException(
              ErrorCode.BAD_OFFSET,
              "OFFSET: " + offset + " (expected: at most " + sentMost + ", what was sent)");
        }
        sent = Math.max(sent, offset);
        acknowledge(offset);
      }
    }
  }

  private void acknowledge(long offset) {
    if (offset > acknowledged) {
      acknowledged = offset;
      producer.acknowledged(offset);
      route.progressed();
    }
  }

  @Override
  public void onData(long offset, int length) throws ProtocolException {
    throw outOfPlace("DATA", "OFFSET, in a PUT");
  }

  @Override
  public void onPayload(Chunk chunk, int position, int length, boolean last) {}

  @Override
  long work(long nowNanos) throws TransferException {
    if (stage == Stage.SENDING) {
      try {
        send();
      } catch (IOException e) {
        throw local(e);
      }
    }
    report();
    return Long.MAX_VALUE;
  }

  @Override
  void report() throws TransferException {
    OptionalLong end = end();
    if (reportedSent != sent || reportedAcknowledged != acknowledged || !reportedEnd.equals(end)) {
      reportedSent = sent;
      reportedAcknowledged = acknowledged;
      reportedEnd = end;
      listener.progress(sent, acknowledged, end);
    }
  }

  private void send() throws IOException, TransferException {
    long readable = producer.readableTo();
    while (sent < readable) {
      if (settings.windowBytes() == 0 && sent > acknowledged) {
        break;
      }
      long room = acknowledged + windowBytes - sent;
      long most = Math.min(packetMost, readable - sent);
      // a sliver of window isn't worth a packet: more of it is on its way
      if (room < most) {
        break;
      }
      Producer.Piece piece = producer.take(sent, (int) most);
      int length = piece.bytes().remaining();
      connection().sendData(sent, piece.bytes(), piece.chunk());
      sent += length;
      sentMost = Math.max(sentMost, sent);
      if (connection().queued() >= QUEUED_MOST) {
        connection().flush();
        if (connection().queued() >= QUEUED_MOST) {
          // the socket is full and says when it isn't
          break;
        }
      }
    }
    OptionalLong end = producer.end();
    if (!endSent && producer.size().isEmpty() && end.isPresent() && sent == end.getAsLong()) {
      endSent = true;
      connection()
          .sendInfo(
              Info.of("END")
                  .field("Size", sent)
                  .field("SHA-256", producer.sha256(cancellation))
                  .text());
    }
  }

  private OptionalLong end() throws TransferException {
    try {
      return producer.end();
    } catch (IOException e) {
      throw local(e);
    }
  }

  private long readableTo() throws TransferException {
    try {
      return producer.readableTo();
    } catch (IOException e) {
      throw local(e);
    }
  }

  private TransferException lost(String what, long asked) {
    // no ERROR: it would end the session, and what is left of it may still be wanted
    return new TransferException(
        Kind.LOST_BYTES,
        what
            + ": "
            + asked
            + " (expected: >= "
            + acknowledged
            + "; "
            + connection().node()
            + " lost bytes that were acknowledged)");
  }

  private TransferException local(IOException e) {
    return gaveUp(e, "the client can't read what it puts");
  }
}
