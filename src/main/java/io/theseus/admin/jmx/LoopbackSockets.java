package io.theseus.admin.jmx;

import java.io.IOException;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.rmi.server.RMIClientSocketFactory;
import java.rmi.server.RMIServerSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sockets of the JMX door: loopback on both ends, whatever address RMI believes this host to have.
 * The client's half travels in the stub; equal to every other, as RMI wants it of factories.
 */
final class LoopbackSockets
    implements RMIClientSocketFactory, RMIServerSocketFactory, Serializable {
  private static final long serialVersionUID = 1L;
  private static final int CONNECT_MILLIS = 5_000;
  private static final int BACKLOG = 16;

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    Socket socket = new Socket();
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
    return socket;
  }

  @Override
  public ServerSocket createServerSocket(int port) throws IOException {
    return new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LoopbackSockets;
  }

  @Override
  public int hashCode() {
    return LoopbackSockets.class.hashCode();
  }
}
