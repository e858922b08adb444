package io.theseus;

import io.theseus.cli.Theseus;
import io.theseus.node.DoctorCommand;
import io.theseus.node.NodeCommand;

/** Entry point of {@code java -jar theseus.jar}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(
        Theseus.commandLine()
            .addSubcommand(new NodeCommand())
            .addSubcommand(new DoctorCommand())
            .execute(args));
  }
}
