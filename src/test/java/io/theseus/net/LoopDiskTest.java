package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How the tasks of one loop come to the disk threads. */
@SuppressWarnings("FutureReturnValueIgnored") // of what is shut down
class LoopDiskTest {
  private static final long PATIENCE_SECONDS = 30;

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void close() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    threads.shutdownNow();
  }

  @Test
  void shouldNotWaitForATaskThatIsStuck() throws Exception {
    LoopDisk disk = new LoopDisk(loop, threads);
    CountDownLatch stuck = new CountDownLatch(1);
    CompletableFuture<Void> ran = new CompletableFuture<>();
    inOneTurn(
        () -> {
          disk.execute(() -> await(stuck));
          disk.execute(() -> ran.complete(null));
        });
    ran.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(stuck.getCount()).isEqualTo(1);
    stuck.countDown();
  }

  @Test
  void shouldAskForNoSecondThreadWhileNoneIsFree() throws Exception {
    BlockingQueue<Runnable> asked = new LinkedBlockingQueue<>();
    LoopDisk disk = new LoopDisk(loop, asked::add);
    CompletableFuture<Void> ran = new CompletableFuture<>();
    inOneTurn(() -> disk.execute(() -> ran.complete(null)));
    // by then the loop has looked again some thirty times
    loop.schedule(() -> {}, 50, TimeUnit.MILLISECONDS).sync();
    assertThat(asked).hasSize(1);
    asked.remove().run();
    assertThat(ran).isCompleted();

    inOneTurn(() -> disk.execute(() -> {}));
    assertThat(next(asked)).as("with the next task").isNotNull();
  }

  @Test
  void shouldGoOnBehindATaskThatBrokeItsThread() throws Exception {
    BlockingQueue<Runnable> asked = new LinkedBlockingQueue<>();
    LoopDisk disk = new LoopDisk(loop, asked::add);
    inOneTurn(
        () ->
            disk.execute(
                () -> {
                  throw new StackOverflowError("as a broken module's");
                }));
    Runnable first = next(asked);
    assertThat(catchThrowable(first::run)).isInstanceOf(StackOverflowError.class);
    CompletableFuture<Void> ran = new CompletableFuture<>();
    inOneTurn(() -> disk.execute(() -> ran.complete(null)));
    next(asked).run();
    assertThat(ran).isCompleted();
  }

  /** What is wanted in a turn of the loop is handed over at its end. */
  private void inOneTurn(Runnable work) throws Exception {
    loop.submit(work).sync();
  }

  private static Runnable next(BlockingQueue<Runnable> asked) throws Exception {
    Runnable next = asked.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(next).as("a thread was asked for").isNotNull();
    return next;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
