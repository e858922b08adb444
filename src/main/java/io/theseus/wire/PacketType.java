package io.theseus.wire;

/** The type bytes of packets. */
public final class PacketType {
  public static final byte ERROR = 1;
  public static final byte INFO = 2;
  public static final byte DATA = 3;
  public static final byte OFFSET = 4;
  public static final byte BACKUPINFO = 5;
  public static final byte BACKUPDATA = 6;

  private PacketType() {}
}
