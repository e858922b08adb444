package io.theseus.bench.transfer;

import io.theseus.bench.Lab;
import io.theseus.bench.Pattern;
import io.theseus.bench.transfer.TransferCase.Way;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The servers of a case, started when they are needed and kept for further cases. */
final class Contenders implements AutoCloseable {
  /** nginx, whose client sends one request ahead. */
  static final String NGINX_AHEAD = "nginx-ahead";

  /** All peers, by the names that results have. */
  static final List<String> PEERS =
      List.of(NginxServer.NAME, NGINX_AHEAD, RsyncServer.NAME, RawServer.NAME);

  private final Lab lab;
  private final Set<String> wanted;
  private final Map<String, Server> running = new LinkedHashMap<>();

  /**
   * Nothing runs yet.
   *
   * @param wanted peers
   */
  Contenders(Lab lab, Set<String> wanted) {
    this.lab = lab;
    this.wanted = Set.copyOf(wanted);
  }

  /** Starts one server. */
  @FunctionalInterface
  private interface Starting {
    Server start() throws IOException;
  }

  /** Those of a case, ours first. */
  List<Contender> of(TransferCase what) throws IOException {
    List<Contender> all = new ArrayList<>();
    Server ours = running(TheseusServer.NAME, () -> new TheseusServer(lab));
    all.add(new Contender(TheseusServer.NAME, ours, what.ahead()));
    for (String peer : peers(what)) {
      if (!wanted.contains(peer)) {
        continue;
      }
      boolean ahead = peer.equals(NGINX_AHEAD);
      all.add(new Contender(peer, peer(peer, what), ahead));
    }
    return all;
  }

  /** The peers that a case is measured beside. */
  static List<String> peers(TransferCase what) {
    if (what.tls()) {
      return List.of(NginxServer.NAME);
    }
    if (what.ahead()) {
      return List.of(NginxServer.NAME, NGINX_AHEAD);
    }
    return what.connections() == 1
        ? List.of(NginxServer.NAME, RsyncServer.NAME, RawServer.NAME)
        : List.of(NginxServer.NAME, RawServer.NAME);
  }

  private Server peer(String name, TransferCase what) throws IOException {
    return switch (name) {
      case RsyncServer.NAME -> running(name, () -> new RsyncServer(lab));
      case RawServer.NAME ->
          running(
              name + " " + what.name(),
              () -> new RawServer(lab, what, folder(what, RawServer.NAME)));
      default -> running(NginxServer.NAME, () -> new NginxServer(lab));
    };
  }

  private Server running(String key, Starting starting) throws IOException {
    Server server = running.get(key);
    if (server == null) {
      server = starting.start();
      running.put(key, server);
    }
    return server;
  }

  /** The folder of a case's files, below the site: one for all GETs, one for each server's PUTs. */
  static String folder(TransferCase what, String server) {
    return what.way() == Way.GET ? what.name() : what.name() + "/" + server;
  }

  /** Makes the folders of a case, and the files that are sent. */
  void furnish(TransferCase what) throws IOException {
    List<String> servers = new ArrayList<>(List.of(TheseusServer.NAME));
    servers.addAll(peers(what));
    for (String server : servers) {
      Files.createDirectories(lab.site().resolve(folder(what, server)));
    }
    if (what.way() == Way.GET) {
      Path folder = lab.site().resolve(folder(what, TheseusServer.NAME));
      for (int i = 0; i < what.files(); i++) {
        Pattern.write(folder.resolve(TransferCase.fileName(i)), i, what.bytes());
      }
      lab.settle();
    }
  }

  /** Removes them. */
  void clear(TransferCase what) throws IOException {
    Lab.remove(lab.site().resolve(what.name()));
    lab.clearAside();
  }

  /** Ends all servers. */
  @Override
  public void close() throws IOException {
    for (Server server : running.values()) {
      server.close();
    }
    running.clear();
  }
}
