package io.theseus;

/** Entry point of {@code java -jar theseus.jar}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(io.theseus.cli.Theseus.commandLine().execute(args));
  }
}
