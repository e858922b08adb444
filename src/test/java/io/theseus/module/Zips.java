package io.theseus.module;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Writes zip files byte by byte, wrong ones too. */
final class Zips {
  /** One entry; the fields may be set to what is not so. */
  static final class Entry {
    String name;
    String localName;
    byte[] content;
    int method;
    int flags;
    int needed = 20;
    int localMethod = -1;
    int localCrc;
    boolean otherLocalCrc;
    long size = -1;
    byte[] extra = new byte[0];
    byte[] localExtra = new byte[0];
    byte[] gap = new byte[0];
    byte[] tail = new byte[0];
    long offset = -1;
    String comment = "";

    Entry(String name, byte[] content) {
      this.name = name;
      this.localName = name;
      this.content = content;
    }
  }

  final List<Entry> entries = new ArrayList<>();
  byte[] before = new byte[0];
  byte[] beforeDirectory = new byte[0];
  byte[] beforeEnd = new byte[0];
  byte[] comment = new byte[0];
  byte[] behind = new byte[0];
  int count = -1;

  Zips add(String name, String content) {
    return add(name, content.getBytes(StandardCharsets.UTF_8));
  }

  Zips add(String name, byte[] content) {
    entries.add(new Entry(name, content));
    return this;
  }

  Entry last() {
    return entries.get(entries.size() - 1);
  }

  static byte[] deflate(byte[] content) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    deflater.setInput(content);
    deflater.finish();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] buffer = new byte[8192];
    while (!deflater.finished()) {
      out.write(buffer, 0, deflater.deflate(buffer));
    }
    deflater.end();
    return out.toByteArray();
  }

  byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream directory = new ByteArrayOutputStream();
    out.writeBytes(before);
    for (Entry each : entries) {
      out.writeBytes(each.gap);
      long offset = each.offset >= 0 ? each.offset : out.size();
      byte[] plain = each.method == 8 ? deflate(each.content) : each.content;
      byte[] stored = Arrays.copyOf(plain, plain.length + each.tail.length);
      System.arraycopy(each.tail, 0, stored, plain.length, each.tail.length);
      CRC32 crc = new CRC32();
      crc.update(each.content);
      long size = each.size >= 0 ? each.size : each.content.length;
      boolean behindIt = (each.flags & 8) != 0;
      byte[] localName = each.localName.getBytes(StandardCharsets.UTF_8);
      byte[] name = each.name.getBytes(StandardCharsets.UTF_8);
      int localCrc = each.otherLocalCrc ? each.localCrc : (int) crc.getValue();
      out.writeBytes(
          little(30)
              .putInt(0x04034b50)
              .putShort((short) each.needed)
              .putShort((short) each.flags)
              .putShort((short) (each.localMethod >= 0 ? each.localMethod : each.method))
              .putInt(0x00210000)
              .putInt(behindIt ? 0 : localCrc)
              .putInt(behindIt ? 0 : stored.length)
              .putInt(behindIt ? 0 : (int) size)
              .putShort((short) localName.length)
              .putShort((short) each.localExtra.length)
              .array());
      out.writeBytes(localName);
      out.writeBytes(each.localExtra);
      out.writeBytes(stored);
      if (behindIt) {
        out.writeBytes(
            little(16)
                .putInt(0x08074b50)
                .putInt(localCrc)
                .putInt(stored.length)
                .putInt((int) size)
                .array());
      }
      directory.writeBytes(
          little(46)
              .putInt(0x02014b50)
              .putShort((short) 20)
              .putShort((short) each.needed)
              .putShort((short) each.flags)
              .putShort((short) each.method)
              .putInt(0x00210000)
              .putInt((int) crc.getValue())
              .putInt(stored.length)
              .putInt((int) size)
              .putShort((short) name.length)
              .putShort((short) each.extra.length)
              .putShort((short) each.comment.length())
              .putShort((short) 0)
              .putShort((short) 0)
              .putInt(0)
              .putInt((int) offset)
              .array());
      directory.writeBytes(name);
      directory.writeBytes(each.extra);
      directory.writeBytes(each.comment.getBytes(StandardCharsets.US_ASCII));
    }
    out.writeBytes(beforeDirectory);
    int begin = out.size();
    out.writeBytes(directory.toByteArray());
    out.writeBytes(beforeEnd);
    int number = count >= 0 ? count : entries.size();
    out.writeBytes(
        little(22)
            .putInt(0x06054b50)
            .putInt(0)
            .putShort((short) number)
            .putShort((short) number)
            .putInt(directory.size())
            .putInt(begin)
            .putShort((short) comment.length)
            .array());
    out.writeBytes(comment);
    out.writeBytes(behind);
    return out.toByteArray();
  }

  static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
