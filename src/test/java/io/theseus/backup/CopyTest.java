package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.peer.PeerPort;
import io.theseus.peer.PeerSettings;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.StoreSettings;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.wire.Epoch;
import io.theseus.wire.FileName;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a copy says of its blocks; how it gets them is {@link BackupSessionTest}'s. */
final class CopyTest {
  private static final int MIB = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<String> corrupt = new ArrayList<>();

  private final class Listening implements Copy.Listener {
    @Override
    public void reached(long received) {
      corrupt.add("reached " + received);
    }

    @Override
    public void interrupted(String reason, boolean refused) {
      corrupt.add("interrupted: " + reason);
    }

    @Override
    public void corrupt(String reason) {
      corrupt.add(reason);
    }
  }

  /** Who asks may come between finding it and saying so: then it is no copy to be let go of for. */
  @Test
  void shouldNeverTakeABlockThatDiffersForCompared(@TempDir Path directory) throws Exception {
    ExecutorService disk = Executors.newFixedThreadPool(2);
    try (FileStore store =
            FileStore.open(
                StoreSettings.of(
                    directory.resolve("files"),
                    directory.resolve("records"),
                    0,
                    Duration.ofHours(1)),
                disk,
                Clock.systemUTC(),
                Steps.NONE);
        PeerPort port =
            PeerPort.open(
                new PeerSettings("backup", Set.of("owner"), "127.0.0.1", 0, "", MIB),
                (asked, epoch) -> {
                  throw new IllegalStateException("nobody asks");
                },
                disk,
                null)) {
      Upload upload =
          store.begin(
              new UploadRequest(
                  UUID.randomUUID(),
                  FileName.parse("f"),
                  OptionalLong.of(3 * MIB),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  UploadRequest.Hashing.SUMS));
      upload.takeOver().write(ByteBuffer.allocateDirect(3 * MIB), () -> {});
      await().atMost(PATIENCE).until(() -> upload.summed() == 3);
      int right = upload.sums(0, 1)[0];
      Copy copy =
          new Copy(
              port,
              new PeerPort.Address("owner", "127.0.0.1", 1),
              Epoch.first("owner"),
              upload,
              OptionalLong.of(3 * MIB),
              Optional.empty(),
              disk,
              new Listening());

      copy.sums(0, new int[] {right, right ^ 1, right});

      assertThat(copy.isCompared(1)).isTrue();
      assertThat(copy.isCompared(2)).isFalse();
      assertThat(copy.isCompared(3)).isFalse();
      assertThat(corrupt)
          .isNotEmpty()
          .containsOnly("block 1 of 1 MiB has another CRC32C than where it came from");
    } finally {
      disk.shutdown();
    }
  }
}
