package io.theseus.bench.transfer;

import io.theseus.bench.Lab;
import java.io.IOException;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A server as a process of this benchmark's lab. */
abstract class ServerProcess implements Server {
  private final Lab lab;
  private final String name;
  private final List<String> command;
  private final Process process;

  /**
   * Starts it and waits until it serves.
   *
   * @throws IOException with what it said, where it doesn't; it has ended then
   */
  ServerProcess(Lab lab, String name, ProcessBuilder builder, BooleanSupplier serves)
      throws IOException {
    this.lab = lab;
    this.name = name;
    this.command = List.copyOf(builder.command());
    this.process = lab.serve(name, builder);
    try {
      lab.await(name, process, serves);
    } catch (IOException e) {
      lab.end(process);
      throw e;
    }
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final ProcessHandle process() {
    return process.toHandle();
  }

  @Override
  public final List<String> started() {
    return command;
  }

  @Override
  public void close() {
    lab.end(process);
  }
}
