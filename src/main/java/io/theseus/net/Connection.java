package io.theseus.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.theseus.access.Access;
import io.theseus.access.Rights;
import io.theseus.access.Source;
import io.theseus.control.Control;
import io.theseus.names.Place;
import io.theseus.session.Closure;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.PacketDecoder;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection, owned by its event loop.
 *
 * <p>It reads packets and hands them to the session that it serves, one session after another. What
 * can't be taken yet stays unread: input waits here, then in the kernel, then at the client.
 * Nothing but the event loop's thread calls any method of it, {@link #execute} apart.
 *
 * <pre>
 * IDLE       between sessions: takes a command
 * OPENING    a GET or PUT was handed to control: takes nothing until READY or a refusal
 * SERVING    within a session
 * ANSWERING  STAT, LIST, DELETE: takes nothing until the answer
 * CLOSING    ERROR was sent, or all is over: reads and drops until end of stream or for 2 s
 * </pre>
 */
// a write that fails is followed by the end of the channel, which is heard of
@SuppressWarnings("FutureReturnValueIgnored")
final class Connection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final long DRAIN_SECONDS = 2;
  private static final long ALIVE_NANOS = TimeUnit.SECONDS.toNanos(4);

  /** Least bytes a second at which a packet counts as moving. */
  private static final long MOVING = 1024;

  private static final int LIST_BYTES = Packets.MAX_TEXT - 1024;

  private static final String NO_MEMORY =
      ErrorCode.BUSY.label() + ": no memory for another buffer (expected: some; try again)";

  private static final ByteBuf NO_MEMORY_PACKET = made(Packets.error(NO_MEMORY));

  private static ByteBuf made(ByteBuffer packet) {
    ByteBuf copy = Unpooled.directBuffer(packet.remaining()).writeBytes(packet);
    return Unpooled.unreleasableBuffer(copy.asReadOnly());
  }

  private enum Phase {
    IDLE,
    OPENING,
    SERVING,
    ANSWERING,
    CLOSING
  }

  private final Channel channel;
  private final int lane;
  private final Executor disk;
  private final NetSettings settings;
  private final Control control;
  private final DoorContext door;
  private final PacketDecoder decoder;
  private final ArrayDeque<ByteBuf> inputs = new ArrayDeque<>();
  private final String remote;
  private final Source source;

  /** Why the client may not stay; null for one that counts. */
  private final @Nullable String unwelcome;

  /** Set once its handshake is done; null on a connection without TLS. */
  private @Nullable SslHandler tls;

  private Phase phase = Phase.IDLE;
  private @Nullable Link link;
  private ClientMessage.@Nullable Command next;
  private boolean processing;
  private boolean inputEnded;
  private boolean flushDue;
  private boolean flushing;
  private final Outbox outbox;
  private final LateFlush late;
  private final Runnable flushNow = this::flushNow;

  /** Bytes of a DATA that fit the rate at which this client takes them. */
  private int packetSize = GetLink.LEAST_PACKET;

  // deadlines, all of System.nanoTime
  private long idleSince;
  private long packetSince;
  private long packetBytes;
  private long lastSent;
  private long stuckSince;
  private long outboundMark;
  private long lastTick;

  /**
   * A connection that has just been accepted.
   *
   * @param unwelcome what it is told instead of being served; null where it is served
   */
  Connection(
      Channel channel,
      int lane,
      Executor disk,
      LateFlush late,
      NetSettings settings,
      Control control,
      DoorContext door,
      Source source,
      @Nullable String unwelcome) {
    this.channel = channel;
    this.lane = lane;
    this.disk = disk;
    this.late = late;
    this.outbox = new Outbox(channel);
    this.settings = settings;
    this.control = control;
    this.door = door;
    this.source = source;
    this.unwelcome = unwelcome;
    this.decoder = new PacketDecoder(settings.maxData());
    SocketAddress address = channel.remoteAddress();
    this.remote = address == null ? "?" : address.toString().replaceFirst("^.*/", "");
    long now = System.nanoTime();
    idleSince = now;
    lastSent = now;
    stuckSince = now;
    lastTick = now;
  }

  // ---- for the links of sessions

  Channel channel() {
    return channel;
  }

  NetSettings settings() {
    return settings;
  }

  DoorContext door() {
    return door;
  }

  String remote() {
    return remote;
  }

  int lane() {
    return lane;
  }

  /** Runs what may block on files. */
  Executor disk() {
    return disk;
  }

  PacketDecoder decoder() {
    return decoder;
  }

  Source source() {
    return source;
  }

  int packetSize() {
    return packetSize;
  }

  void packetSize(int bytes) {
    packetSize = bytes;
  }

  boolean isWelcome() {
    return unwelcome == null;
  }

  /** Packets may flow from here on. */
  void begun() {
    if (unwelcome != null) {
      fail(ErrorCode.BUSY.label() + ": " + unwelcome);
    }
  }

  /**
   * Runs a task on the event loop; from any thread. At once where the caller is on it and not in
   * the middle of taking input, as actors are that live there. A task behind the end of the loop is
   * dropped.
   */
  void execute(Runnable task) {
    EventLoop loop = channel.eventLoop();
    if (loop.inEventLoop() && !processing) {
      run(task);
    } else {
      later(task);
    }
  }

  /** Runs a task on the event loop, in a turn of its own; from any thread. */
  void later(Runnable task) {
    EventLoop loop = channel.eventLoop();
    if (!loop.isShuttingDown()) {
      loop.execute(() -> run(task));
    }
  }

  private void run(Runnable task) {
    task.run();
    process();
    flush();
  }

  /** The session of a link was accepted. */
  void serving(Link accepted) {
    if (accepted == link) {
      phase = Phase.SERVING;
    }
  }

  /** The session of a link ended well: the connection is free for the next command. */
  void sessionOver(Link ended) {
    if (ended != link) {
      return;
    }
    link = null;
    phase = Phase.IDLE;
    idleSince = System.nanoTime();
    decoder.maxData(settings.maxData());
    ClientMessage.Command waiting = next;
    next = null;
    if (waiting != null) {
      begin(waiting);
    } else if (inputEnded && inputs.isEmpty()) {
      closeAfterFlush();
    }
  }

  void sendInfo(String text) {
    sendText(Packets.info(text));
  }

  private void sendText(ByteBuffer packet) {
    outbox.append(packet.remaining()).writeBytes(packet);
    written();
  }

  void sendOffset(long offset) {
    ByteBuf packet = outbox.append(Packets.OFFSET_LENGTH);
    Packets.putOffset(
        packet.internalNioBuffer(packet.writerIndex(), Packets.OFFSET_LENGTH), offset);
    packet.writerIndex(packet.writerIndex() + Packets.OFFSET_LENGTH);
    written();
  }

  /** For what is appended to it; {@link #written} tells that something was. */
  Outbox outbox() {
    return outbox;
  }

  /** Writes what is not small. */
  ChannelFuture write(Object message) {
    return write(message, channel.newPromise());
  }

  ChannelFuture write(Object message, ChannelPromise promise) {
    outbox.pass();
    written();
    return channel.write(message, promise);
  }

  /** Whether TLS carries this connection: what leaves must be bytes, no regions of files. */
  boolean encrypted() {
    return tls != null;
  }

  void written() {
    lastSent = System.nanoTime();
    flushDue = true;
  }

  /**
   * Lets what was written go out, together with what else this turn of the event loop brings; and
   * where the client has sent its next command already, with the answer to that, if it comes soon.
   */
  void flush() {
    if (!flushDue || flushing) {
      return;
    }
    if (phase == Phase.OPENING) {
      late.add(flushNow);
    } else {
      flushing = true;
      ((SingleThreadEventLoop) channel.eventLoop()).executeAfterEventLoopIteration(flushNow);
    }
  }

  private void flushNow() {
    flushing = false;
    flushDue = false;
    outbox.pass();
    channel.flush();
  }

  /** Sends ERROR and closes with care; the session hears of it only where it does not know yet. */
  void refuse(ProtocolException refusal, boolean endsSession) {
    Link serving = link;
    if (serving != null) {
      serving.close(new Closure(endsSession, refusal.errorText()));
    }
    fail(refusal.errorText());
  }

  /** Sends ERROR, shuts down sending, drops what comes until end of stream or for 2 s, closes. */
  void fail(String errorText) {
    if (phase == Phase.CLOSING) {
      return;
    }
    LOG.info("{}: ERROR {}", remote, Texts.escape(errorText));
    door.counters()
        .error(
            ErrorCode.ofText(errorText).orElse(ErrorCode.INTERNAL),
            phase == Phase.OPENING || phase == Phase.SERVING);
    enterClosing();
    sendText(Packets.error(errorText));
    shutDownOutput();
  }

  /** Sends the client to another node, and closes with the same care. */
  void migrate(UUID session, Place to) {
    if (phase == Phase.CLOSING) {
      return;
    }
    String address = encrypted() ? to.encrypted() : to.plain();
    if (address.isEmpty()) {
      fail(
          ErrorCode.DENIED.label()
              + ": node "
              + to.node()
              + " has it, and serves no clients "
              + (encrypted() ? "over TLS" : "without TLS")
              + " (expected: a client that reaches it)");
      return;
    }
    LOG.info("{}: MIGRATE to {}", remote, address);
    sendInfo(Replies.migrate(session, address));
    closeAfterFlush();
  }

  private void closeAfterFlush() {
    if (phase != Phase.CLOSING) {
      enterClosing();
      shutDownOutput();
    }
  }

  private void enterClosing() {
    phase = Phase.CLOSING;
    link = null;
    next = null;
    releaseInputs();
  }

  private void shutDownOutput() {
    outbox.pass();
    channel
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            written -> {
              if (!written.isSuccess()) {
                channel.close();
              } else if (inputEnded) {
                channel.close();
              } else {
                endOutput();
              }
            });
    if (!inputEnded) {
      channel.config().setAutoRead(true);
    }
    channel.eventLoop().schedule(() -> channel.close(), DRAIN_SECONDS, TimeUnit.SECONDS);
  }

  private void endOutput() {
    SslHandler handler = tls;
    if (handler == null) {
      ((DuplexChannel) channel).shutdownOutput();
      return;
    }
    handler
        .closeOutbound()
        .addListener(
            said ->
                // later: it may be in the middle of a read
                channel
                    .eventLoop()
                    .execute(
                        () -> {
                          // what still comes is dropped, encrypted as it is
                          if (channel.isOpen() && channel.pipeline().context(handler) != null) {
                            channel.pipeline().remove(handler);
                            ((DuplexChannel) channel).shutdownOutput();
                          }
                        }));
  }

  // ---- input

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf input = (ByteBuf) message;
    if (phase == Phase.CLOSING) {
      input.release();
      return;
    }
    if (SpareReceive.used(input)) {
      input.release();
      shed();
      return;
    }
    if (input.isReadable()) {
      inputs.add(input);
    } else {
      input.release();
    }
    process();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (context.pipeline().first() == this) {
      begun(); // where TLS comes first, behind its handshake
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    flush();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent
        || (event instanceof SslCloseCompletionEvent closed && closed.isSuccess())) {
      inputEnded = true;
      process();
      flush();
    } else if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (handshake.isSuccess()) {
        tls = channel.pipeline().get(SslHandler.class);
        idleSince = System.nanoTime();
        begun();
      } else {
        tlsFailed(handshake.cause());
      }
    }
  }

  /** One line: it may be anybody who knocks. */
  private void tlsFailed(@Nullable Throwable cause) {
    if (phase != Phase.CLOSING) {
      String reason =
          cause == null || cause.getMessage() == null
              ? String.valueOf(cause)
              : cause.getMessage().replaceFirst("(?s)^error:[0-9a-f]+:", "");
      LOG.info("{}: TLS failed: {}", remote, Texts.escape(reason));
      lost("TLS failed: " + reason);
      enterClosing();
    }
    channel.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    inputEnded = true;
    door.remove(this);
    lost("the connection is gone");
    outbox.pass(); // which releases it
    releaseInputs();
    phase = Phase.CLOSING;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    Throwable inner = cause instanceof DecoderException ? cause.getCause() : cause;
    if (inner instanceof SSLException) {
      tlsFailed(inner);
      return;
    }
    if (cause instanceof OutOfMemoryError) {
      shed();
      return;
    }
    if (cause instanceof java.io.IOException) {
      // a client that went away: its message says how
      lost(String.valueOf(cause.getMessage()));
    } else {
      LOG.warn("{}: unexpected failure", remote, cause);
      lost(String.valueOf(cause));
    }
    channel.close();
  }

  /**
   * Lets go of a client for which there is no buffer; its session stays resumable. What says so was
   * made ahead. (Where the heap is full the process has ended.)
   */
  private void shed() {
    if (phase == Phase.CLOSING) {
      return;
    }
    LOG.info("{}: ERROR {}", remote, NO_MEMORY);
    door.counters().error(ErrorCode.BUSY, phase == Phase.OPENING || phase == Phase.SERVING);
    lost(NO_MEMORY);
    enterClosing();
    write(NO_MEMORY_PACKET.duplicate());
    shutDownOutput();
  }

  private void lost(String reason) {
    Link serving = link;
    link = null;
    if (serving != null) {
      serving.close(new Closure(/* endsSession= */ false, reason));
    }
  }

  private void releaseInputs() {
    ByteBuf input;
    while ((input = inputs.poll()) != null) {
      input.release();
    }
  }

  /** Takes input as long as it can be taken; called again whenever that may have changed. */
  void process() {
    if (processing) {
      return;
    }
    processing = true;
    try {
      while (phase != Phase.CLOSING && mayTake()) {
        ByteBuf input = inputs.peek();
        if (input == null) {
          break;
        }
        take(input);
        ByteBuf rest = inputs.peek(); // none where an ERROR let go of them
        if (rest != null && !rest.isReadable()) {
          inputs.remove().release();
        }
      }
    } catch (ProtocolException e) {
      refuse(e, /* endsSession= */ false);
    } finally {
      processing = false;
    }
    if (phase == Phase.CLOSING) {
      return;
    }
    boolean wanted = inputs.isEmpty();
    // behind the end of input the transport has let go of the descriptor: no more asking for input
    if (!inputEnded && channel.config().isAutoRead() != wanted) {
      channel.config().setAutoRead(wanted);
    }
    if (inputEnded && inputs.isEmpty()) {
      onEnd();
    }
  }

  private boolean mayTake() {
    Link serving = link;
    return switch (phase) {
      case IDLE -> true;
      case SERVING -> next == null && serving != null && serving.mayTake();
      case OPENING, ANSWERING, CLOSING -> false;
    };
  }

  private void take(ByteBuf input) throws ProtocolException {
    int readable = input.readableBytes();
    ByteBuffer view = input.internalNioBuffer(input.readerIndex(), readable);
    int base = view.position();
    boolean inside = decoder.midPacket();
    PacketDecoder.Event event = decoder.next(view);
    int used = view.position() - base;
    int from = input.readerIndex();
    input.skipBytes(used);
    if (!inside) {
      packetSince = System.nanoTime();
      packetBytes = 0;
    }
    packetBytes += used;
    switch (event) {
      case NEED_INPUT -> {}
      case INFO -> onInfo(decoder.text());
      case ERROR -> onError(decoder.text());
      case OFFSET -> onOffset(decoder.offset());
      case DATA -> onData(decoder.offset(), decoder.length());
      case PAYLOAD ->
          onPayload(input, from + decoder.payloadPosition() - base, decoder.payloadLength());
      case BACKUPINFO, BACKUPDATA ->
          throw new IllegalStateException("a packet between members was let through");
    }
  }

  private void wholePacket() {
    if (phase != Phase.IDLE) {
      idleSince = System.nanoTime();
    }
  }

  private void onInfo(String text) throws ProtocolException {
    ClientMessage message = ClientMessage.parse(text);
    wholePacket();
    Link serving = link;
    if (message instanceof ClientMessage.Command command) {
      if (serving == null) {
        begin(command);
      } else if (serving.takesNextCommand()) {
        next = command;
      } else {
        throw new ProtocolException(
            ErrorCode.BAD_PACKET,
            "a command within a session (expected: after COMPLETE, or one behind the last byte)");
      }
    } else if (message instanceof ClientMessage.End end && serving != null) {
      serving.onEnd(end);
    }
  }

  private void onError(String text) {
    LOG.info("{}: client sent ERROR {}", remote, Texts.escape(text));
    Link serving = link;
    link = null;
    if (serving != null) {
      serving.close(new Closure(/* endsSession= */ true, "the client gave up: " + text));
    }
    closeAfterFlush();
  }

  private void onOffset(long offset) throws ProtocolException {
    wholePacket();
    Link serving = link;
    if (serving != null) {
      serving.onOffset(offset);
    }
  }

  private void onData(long offset, int length) throws ProtocolException {
    Link serving = link;
    if (serving == null) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET, "DATA at " + offset + " between sessions (expected: a command)");
    }
    serving.onData(offset, length);
  }

  private void onPayload(ByteBuf input, int index, int length) throws ProtocolException {
    if (decoder.lastPiece()) {
      wholePacket();
    }
    Link serving = link;
    if (serving != null) {
      serving.onPayload(input, index, length);
    }
  }

  private void onEnd() {
    Link serving = link;
    switch (phase) {
      case IDLE -> closeAfterFlush();
      case OPENING -> {
        lost("end of stream before READY");
        closeAfterFlush();
      }
      case SERVING -> {
        if (serving != null && !serving.outlivesInput()) {
          lost("end of stream");
          closeAfterFlush();
        }
      }
      case ANSWERING, CLOSING -> {}
    }
  }

  // ---- commands

  private void begin(ClientMessage.Command command) {
    idleSince = System.nanoTime();
    Access.Answer answer = door.admission().ask(command, source);
    if (answer instanceof Access.Answer.Granted granted) {
      carryOut(command, granted.rights());
    } else if (answer instanceof Access.Answer.Refused refused) {
      deny(refused);
    }
  }

  /** At once or late; nothing waits for it but this connection. */
  private void deny(Access.Answer.Refused refused) {
    ProtocolException refusal = new ProtocolException(ErrorCode.DENIED, refused.message());
    if (refused.delay().isZero()) {
      refuse(refusal, /* endsSession= */ false);
      return;
    }
    phase = Phase.ANSWERING;
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (phase == Phase.ANSWERING) {
                refuse(refusal, /* endsSession= */ false);
                flush();
              }
            },
            refused.delay().toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private void carryOut(ClientMessage.Command command, Rights rights) {
    if (command instanceof ClientMessage.Get get) {
      open(new GetLink(this, get), command);
    } else if (command instanceof ClientMessage.Put put) {
      open(new PutLink(this, put), command);
    } else if (command instanceof ClientMessage.Stat stat) {
      answer(control.catalogue().stat(stat.name()), Replies::stat);
    } else if (command instanceof ClientMessage.List list) {
      answer(
          control.catalogue().list(rights.within(list.prefix()), list.after(), LIST_BYTES),
          Replies::list);
    } else if (command instanceof ClientMessage.Delete delete) {
      answer(control.catalogue().delete(delete.name(), delete.ifIdentity()), Replies::deleted);
    }
  }

  private void open(Link opened, ClientMessage.Command command) {
    phase = Phase.OPENING;
    link = opened;
    control.open(opened, command);
  }

  private <T> void answer(CompletionStage<T> stage, Function<T, String> text) {
    phase = Phase.ANSWERING;
    stage.whenComplete(
        (value, failure) ->
            execute(() -> answered(failure == null ? text.apply(value) : null, failure)));
  }

  private void answered(@Nullable String text, @Nullable Throwable failure) {
    if (phase != Phase.ANSWERING) {
      return;
    }
    if (text != null) {
      sendInfo(text);
      phase = Phase.IDLE;
      idleSince = System.nanoTime();
      return;
    }
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ProtocolException refusal) {
      refuse(refusal, /* endsSession= */ false);
    } else {
      LOG.warn("{}: unexpected failure", remote, cause);
      refuse(
          new ProtocolException(ErrorCode.INTERNAL, String.valueOf(cause)),
          /* endsSession= */ false);
    }
  }

  // ---- deadlines

  /** Called about once a second: idle, silent and never-reading clients; signs of life. */
  void tick(long now) {
    long elapsed = now - lastTick;
    lastTick = now;
    if (phase == Phase.CLOSING) {
      return;
    }
    Link current = link;
    boolean ours =
        !channel.config().isAutoRead()
            || phase == Phase.OPENING
            || phase == Phase.ANSWERING
            || (current != null && (current.outlivesInput() || current.owes()));
    if (ours || moving(now)) {
      idleSince += elapsed;
    }
    long idleNanos = settings.idle().toNanos();
    if (reading()) {
      stuckSince = now;
    } else if (now - stuckSince >= idleNanos) {
      LOG.info("{}: took no byte for {}", remote, settings.idle());
      door.counters().error(ErrorCode.TIMEOUT, phase == Phase.SERVING);
      lost("the client takes no byte");
      // the text can't be sent: reset
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
      channel.close();
      return;
    }
    if (now - idleSince >= idleNanos) {
      if (phase == Phase.IDLE && !decoder.midPacket()) {
        closeAfterFlush();
      } else {
        refuse(
            new ProtocolException(
                ErrorCode.TIMEOUT,
                "no whole packet for "
                    + settings.idle().toSeconds()
                    + " s (expected: a packet, ALIVE at least, within the Idle of "
                    + settings.idle().toSeconds()
                    + " s)"),
            /* endsSession= */ false);
        flush();
      }
      return;
    }
    Link serving = link;
    if (serving != null && phase == Phase.SERVING) {
      serving.tick(now);
    }
    if (phase != Phase.IDLE && now - lastSent >= ALIVE_NANOS && outboundEmpty()) {
      boolean said = phase == Phase.SERVING && serving != null && serving.remarked();
      if (!said) {
        sendInfo(Replies.alive());
      }
    }
    flush();
  }

  /** Whether a packet stands half read, but moves fast enough. */
  private boolean moving(long now) {
    return decoder.midPacket()
        && packetBytes >= MOVING * TimeUnit.NANOSECONDS.toSeconds(now - packetSince);
  }

  /** Whether the client took bytes since the last tick, or none are there for it. */
  private boolean reading() {
    ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    if (outbound == null || outbound.isEmpty()) {
      return true;
    }
    long mark =
        System.identityHashCode(outbound.current())
            + 31L * outbound.size()
            + 1009L * outbound.currentProgress();
    boolean moved = mark != outboundMark;
    outboundMark = mark;
    return moved;
  }

  private boolean outboundEmpty() {
    if (!outbox.isEmpty()) {
      return false;
    }
    ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    return outbound == null || outbound.isEmpty();
  }

  /** Ends the connection because the node stops; the session stays resumable. */
  void stop() {
    lost("the node stops");
    closeAfterFlush();
    flush();
  }
}
