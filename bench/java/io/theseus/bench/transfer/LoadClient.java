package io.theseus.bench.transfer;

import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.transfer.TransferCase.Way;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Our load clients, load_get and load_put, in one of the protocols that they speak.
 *
 * @param tlsPort where the server speaks TLS; 0 where it doesn't
 * @param fsync whether the client makes what it has put durable, as the server doesn't
 */
record LoadClient(Lab lab, String protocol, int port, int tlsPort, boolean fsync) implements Load {
  @Override
  public List<String> command(TransferCase what, String folder) {
    List<String> command =
        new ArrayList<>(
            List.of(
                lab.tool(what.way() == Way.GET ? "load_get" : "load_put"),
                "--protocol",
                protocol,
                "--port",
                Integer.toString(what.tls() ? tlsPort : port),
                "--connections",
                Integer.toString(what.connections()),
                "--files",
                Integer.toString(what.files()),
                "--size",
                Long.toString(what.bytes()),
                "--repeat",
                Integer.toString(what.repeat()),
                "--name",
                folder + "/"));
    if (what.tls()) {
      command.addAll(List.of("--tls", "1"));
    }
    if (what.ahead()) {
      command.addAll(List.of("--pipeline", "1"));
    }
    if (fsync && what.way() == Way.PUT) {
      command.addAll(List.of("--fsync", lab.site().toString()));
    }
    return command;
  }

  @Override
  public LoadRun run(TransferCase what, String folder) throws IOException {
    return LoadRun.parse(lab.load(command(what, folder)));
  }
}
