package io.theseus;

import io.theseus.admin.jmx.JmxDoor;
import io.theseus.cli.Theseus;
import io.theseus.node.DoctorCommand;
import io.theseus.node.NodeCommand;

/** Entry point of {@code java -jar theseus.jar}. */
public final class Main {
  private static final String LEAK_DETECTION = "io.netty.leakDetection.level";

  private Main() {}

  public static void main(String[] args) {
    if (System.getProperty(LEAK_DETECTION) == null) {
      // tests look for leaks; here the samples would cost a twentieth of a small GET
      System.setProperty(LEAK_DETECTION, "disabled");
    }
    if (System.getProperty(JmxDoor.STUB_HOST) == null) {
      System.setProperty(JmxDoor.STUB_HOST, JmxDoor.LOOPBACK);
    }
    System.exit(
        Theseus.commandLine()
            .addSubcommand(new NodeCommand())
            .addSubcommand(new DoctorCommand())
            .execute(args));
  }
}
