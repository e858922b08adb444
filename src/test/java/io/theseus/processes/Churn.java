package io.theseus.processes;

import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.PacketSocket.Data;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Clients that begin sessions and end them in every way, several at once, as fast as it goes. */
final class Churn implements AutoCloseable {
  private static final int NAMES = 20;
  private static final int PACKET = 16 << 10;

  /** Slow clients that each worker keeps open beside what it does. */
  private static final int SLOW = 20;

  private static final byte[] GIVEN_UP = {1, 0, 0, 0, 11};

  /** The ways of a session. */
  private enum Way {
    GET,
    GET_RESUMED,
    GET_LEFT,
    GET_SLOW,
    PUT,
    PUT_UNSIZED,
    PUT_RESUMED,
    PUT_LEFT,
    PUT_GIVEN_UP,
    COMMAND
  }

  private final NodeProcess node;
  private final int workers;
  private final long seed;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Content> contents = new ArrayList<>();
  private final Map<Way, AtomicLong> done = new EnumMap<>(Way.class);
  private int rounds;

  Churn(NodeProcess node, int workers, long seed) {
    this.node = node;
    this.workers = workers;
    this.seed = seed;
    Random random = new Random(seed);
    for (int i = 0; i < NAMES; i++) {
      contents.add(Content.random(seed + i, 1 + random.nextInt(8 * PACKET)));
    }
    for (Way way : Way.values()) {
      done.put(way, new AtomicLong());
    }
    for (int i = 0; i < NAMES; i++) {
      new RawPut("get" + i, contents.get(i), true, PACKET, 1 << 20).run(node.address());
    }
  }

  /** Sessions so far. */
  long sessions() {
    return done.values().stream().mapToLong(AtomicLong::get).sum();
  }

  String summary() {
    return sessions() + " sessions: " + done;
  }

  /** One round; nobody is connected behind it. */
  void run(Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    rounds++;
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < workers; i++) {
      int worker = i;
      running.add(threads.submit((Callable<Object>) () -> work(worker, end)));
    }
    for (Future<?> each : running) {
      try {
        each.get();
      } catch (ExecutionException e) {
        throw new AssertionError("a session went wrong", e.getCause());
      }
    }
  }

  private Object work(int worker, long end) throws IOException {
    Random random = new Random(seed * 1000 + worker * 100L + rounds);
    Deque<PacketSocket> slow = new ArrayDeque<>();
    try {
      while (System.nanoTime() < end) {
        Way way = Way.values()[random.nextInt(Way.values().length)];
        go(way, worker, random, slow);
        count(way);
      }
      return this;
    } finally {
      for (PacketSocket each : slow) {
        each.close();
      }
    }
  }

  private void count(Way way) {
    AtomicLong counter = done.get(way);
    if (counter != null) {
      counter.incrementAndGet();
    }
  }

  private void go(Way way, int worker, Random random, Deque<PacketSocket> slow) throws IOException {
    InetSocketAddress address = node.address();
    int number = random.nextInt(NAMES);
    Content content = contents.get(number);
    long some = random.nextInt(content.size());
    // a name of its own for each worker: which of two rivals wins is not the matter here
    String put = "put" + worker + "-" + number;
    switch (way) {
      case GET -> whole(get(number, content, random));
      case GET_RESUMED -> {
        RawGet get = get(number, content, random);
        get.run(address, some);
        whole(get);
      }
      case GET_LEFT -> get(number, content, random).run(address, some);
      case GET_SLOW -> step(number, slow);
      case PUT -> whole(new RawPut(put, content, true, PACKET, 1 << 20));
      case PUT_UNSIZED -> whole(new RawPut(put, content, false, PACKET, 1 << 20));
      case PUT_RESUMED -> {
        RawPut resumed = new RawPut(put, content, random.nextBoolean(), PACKET, PACKET);
        resumed.run(address, Math.max(1, some));
        whole(resumed);
      }
      case PUT_LEFT ->
          new RawPut(put, content, random.nextBoolean(), PACKET, PACKET)
              .run(address, Math.max(1, some));
      case PUT_GIVEN_UP -> giveUp(put);
      case COMMAND -> {
        PacketSocket.ask(address, "LIST get\n");
        PacketSocket.ask(address, "DELETE put" + worker + "-" + number + "\n");
      }
    }
  }

  private static RawGet get(int number, Content content, Random random) {
    return new RawGet("get" + number, content, random.nextBoolean() ? 1 << 20 : 0, PACKET);
  }

  private void whole(RawTransfer transfer) {
    RawTransfer.End end = transfer.run(node.address());
    if (end != RawTransfer.End.COMPLETE) {
      throw new AssertionError(transfer + " ended as " + end + ": " + transfer.loss());
    }
  }

  /** Goes one packet on with the client that has waited longest, or begins another. */
  private void step(int number, Deque<PacketSocket> slow) throws IOException {
    if (slow.size() < SLOW) {
      PacketSocket fresh = new PacketSocket(node.address());
      slow.add(fresh);
      fresh.info("GET get" + number + "\nMax-Data: 1024\n");
      fresh.take("READY");
      return;
    }
    PacketSocket waiting = slow.remove();
    try {
      Packet came = waiting.take();
      if (came instanceof Data data) {
        waiting.offset(data.offset() + data.bytes().length);
        slow.add(waiting);
        return;
      }
    } catch (IOException | PacketSocket.RefusedException e) {
      // it was too slow: the node has ended it
    }
    waiting.close();
  }

  /** A client that sends a byte and then ERROR: nothing is kept of that. */
  private void giveUp(String name) throws IOException {
    try (PacketSocket socket = new PacketSocket(node.address())) {
      socket.info("PUT " + name + "\nSize: 2\n");
      socket.take("READY");
      socket.take();
      socket.data(0, new byte[1], 0, 1);
      socket.send(GIVEN_UP);
      socket.send("denied: no.".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      while (!socket.ended()) {
        // an OFFSET may be on its way
      }
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
