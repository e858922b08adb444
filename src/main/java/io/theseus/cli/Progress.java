package io.theseus.cli;

import io.theseus.client.NodeAddress;
import io.theseus.client.SessionInfo;
import io.theseus.client.TransferListener;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/**
 * What a person is told while one file or many are transferred; the {@link TransferListener} of
 * each.
 *
 * <p>On a terminal a bar, and lines above it for what happens; elsewhere lines alone, those about
 * progress rare; or nothing.
 */
abstract sealed class Progress implements AutoCloseable {
  /** How often lines tell of progress where no bar can be drawn. */
  static final Duration RARE = Duration.ofSeconds(10);

  private static final int REDRAW_MILLIS = 200;

  /** Bytes of the files before this one. */
  private final AtomicLong before = new AtomicLong();

  private volatile OptionalLong total = OptionalLong.empty();
  private volatile boolean totalFixed;

  /** A bar at the bottom of a terminal. */
  static Progress bar(Screen screen, String label, boolean unicode) {
    return bar(screen, label, unicode, screen::print);
  }

  /** The same, with what stays printed otherwise. */
  static Progress bar(Screen screen, String label, boolean unicode, Consumer<String> printer) {
    return new Bar(screen, label, unicode, printer);
  }

  /** Lines, one about progress after each interval at most. */
  static Progress lines(Consumer<String> printer, String label, Duration every) {
    return new Lines(printer, label, every.toNanos());
  }

  /** Only what must be said. */
  static Progress none() {
    return new None();
  }

  /** How many bytes there are in all files; without it, the size of the one file counts. */
  final void total(long bytes) {
    total = OptionalLong.of(bytes);
    totalFixed = true;
    show(before.get(), total);
  }

  /** The listener for one file; what it moves comes on top of the files before. */
  final TransferListener file(Direction direction) {
    return new Listener(direction);
  }

  /** One file is done with: it counts as so many bytes. */
  final void fileDone(long bytes) {
    show(before.addAndGet(bytes), total);
  }

  /** Which of many files is at work. */
  abstract void at(String file);

  /** What stands behind the numbers: module, or why nothing moves. */
  abstract void state(String text);

  /** Something that is said once and stays. */
  abstract void say(String text);

  abstract void show(long bytes, OptionalLong of);

  /** The transfer goes on at another place, which is not speed. */
  abstract void jumped();

  @Override
  public abstract void close();

  /** Which way bytes go. */
  enum Direction {
    GET,
    PUT
  }

  private final class Listener implements TransferListener {
    private final Direction direction;
    private boolean lost;
    private boolean begun;
    private boolean moving;

    Listener(Direction direction) {
      this.direction = direction;
    }

    @Override
    public void connected(NodeAddress node) {
      if (lost) {
        state("connected to " + node);
      }
    }

    @Override
    public void ready(SessionInfo session) {
      if (!totalFixed) {
        total = session.size();
      }
      jumped();
      if (lost) {
        say(
            "Connected to "
                + Display.name(session.node())
                + " again; "
                + (direction == Direction.GET ? "going on at " : "the node has ")
                + Display.size(session.offset())
                + ".");
        lost = false;
      } else if (!begun && session.offset() > 0) {
        say("Going on at " + Display.size(session.offset()) + ".");
      }
      begun = true;
      state(Display.name(session.module()));
      show(before.get() + session.offset(), total);
    }

    @Override
    public void progress(long transferred, long acknowledged, OptionalLong size) {
      if (!totalFixed) {
        total = size;
      }
      if (!moving && transferred > 0) {
        moving = true;
        if (direction == Direction.PUT && acknowledged > 0) {
          jumped();
          say("The node has " + Display.size(acknowledged) + " already; going on there.");
        }
      }
      // a PUT has done what the node has on its disk, not what went into the network
      show(before.get() + (direction == Direction.GET ? transferred : acknowledged), total);
    }

    @Override
    public void held(String reason) {
      state(reason.isBlank() ? "held by the node" : "held by the node: " + reason);
    }

    @Override
    public void resumed(String module) {
      say("The node goes on with module " + Display.name(module) + ".");
      state(module);
    }

    @Override
    public void notice(String text) {
      say("The node says: " + Display.name(text));
    }

    @Override
    public void reconnecting(String reason, int attempt, Duration delay) {
      if (!lost) {
        lost = true;
        say("Connection lost: " + Display.name(reason) + ". Reconnecting.");
      }
      state("reconnecting, attempt " + attempt);
    }

    @Override
    public void restarted(String reason) {
      jumped();
      say("Starting over: " + Display.name(reason));
    }

    @Override
    public void streaming(String reason) {
      say("Going on as a stream, which can't be resumed: " + Display.name(reason));
    }
  }

  private static final class Bar extends Progress {
    private final Consumer<String> printer;
    private final BarRenderer renderer;
    private final ProgressBar bar;
    private final String label;
    private volatile String current = "";

    Bar(Screen screen, String label, boolean unicode, Consumer<String> printer) {
      this.printer = printer;
      renderer = new BarRenderer(unicode, System::nanoTime);
      bar =
          new ProgressBarBuilder()
              .setTaskName(label)
              .setInitialMax(-1)
              .setUpdateIntervalMillis(REDRAW_MILLIS)
              .continuousUpdate()
              .setRenderer(renderer)
              .setConsumer(screen.line())
              .build();
      this.label = label;
    }

    @Override
    void at(String file) {
      current = file;
      state("");
    }

    @Override
    void state(String text) {
      bar.setExtraMessage(
          current.isEmpty() || text.isEmpty() ? current + text : current + "  " + text);
    }

    @Override
    void say(String text) {
      printer.accept(Display.name(current.isEmpty() ? label : current) + ": " + text);
    }

    @Override
    void show(long bytes, OptionalLong of) {
      bar.maxHint(of.orElse(-1));
      bar.stepTo(bytes);
    }

    @Override
    void jumped() {
      renderer.jumped();
    }

    @Override
    public void close() {
      bar.close();
    }
  }

  private static final class Lines extends Progress {
    private final Consumer<String> printer;
    private final String label;
    private final long everyNanos;
    private long saidNanos = System.nanoTime();
    private volatile String current = "";

    Lines(Consumer<String> printer, String label, long everyNanos) {
      this.printer = printer;
      this.label = label;
      this.everyNanos = everyNanos;
    }

    @Override
    void at(String file) {
      current = file;
    }

    @Override
    void state(String text) {
      // only what lasts is told in lines
    }

    @Override
    void say(String text) {
      printer.accept(Display.name(current.isEmpty() ? label : current) + ": " + text);
    }

    @Override
    void show(long bytes, OptionalLong of) {
      long now = System.nanoTime();
      if (now - saidNanos >= everyNanos) {
        saidNanos = now;
        printer.accept(
            Display.name(label)
                + ": "
                + Display.size(bytes)
                + (of.isPresent()
                    ? " of " + Display.size(of.getAsLong()) + percent(bytes, of.getAsLong())
                    : ""));
      }
    }

    private static String percent(long bytes, long size) {
      return size == 0 ? "" : " (" + (int) Math.floor(100.0 * bytes / size) + " %)";
    }

    @Override
    void jumped() {}

    @Override
    public void close() {}
  }

  private static final class None extends Progress {
    @Override
    void at(String file) {}

    @Override
    void state(String text) {}

    @Override
    void say(String text) {}

    @Override
    void show(long bytes, OptionalLong of) {}

    @Override
    void jumped() {}

    @Override
    public void close() {}
  }
}
