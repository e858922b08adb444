package io.theseus.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.bench.upgrade.Window.Phase;
import io.theseus.bench.upgrade.Window.What;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeptCellTest {
  @TempDir private Path directory;

  private static Window window(What what, long... waits) {
    Delays delays = new Delays();
    for (long each : waits) {
      delays.add(each);
    }
    return new Window(
        what,
        /* moment= */ 1_795_744_200_472_000_000L,
        Map.of(Phase.SWITCH, delays, Phase.AFTER, new Delays()),
        /* bytesInSecond= */ 4_000,
        /* busy= */ 0.25,
        List.of(0.001, 0.5),
        /* withTraffic= */ 1,
        /* missing= */ 2);
  }

  @Test
  void shouldBeWhatWasMeasured() throws Exception {
    Cell cell = Cell.all(/* quick= */ false).get(0);
    CellRun.Result measured =
        new CellRun.Result(
            cell.slower(),
            List.of(window(What.CONTROL, 1_000, 70_123, 70_124), window(What.STALL, 5_000_001)),
            window(What.SWITCH, 31_000_000));
    KeptCell.Setup setup = new KeptCell.Setup(24, 4, 1, List.of("-Xmx1g"));
    assertThat(KeptCell.read(directory, cell, setup)).isEmpty();
    new KeptCell(setup, measured).write(directory);

    CellRun.Result read = KeptCell.read(directory, cell, setup).orElseThrow();

    assertThat(read).usingRecursiveComparison().isEqualTo(measured);
    Delays waits = Objects.requireNonNull(read.windows().get(0).waits().get(Phase.SWITCH));
    assertThat(waits.size()).isEqualTo(3);
    assertThat(Statistic.MAX.of(waits)).isEqualTo(0.070124);
    KeptCell.Setup other = new KeptCell.Setup(24, 5, 1, List.of("-Xmx1g"));
    assertThat(KeptCell.read(directory, cell, other)).as("more acts").isEmpty();
    KeptCell.Setup bare = new KeptCell.Setup(24, 4, 1, List.of());
    assertThat(KeptCell.read(directory, cell, bare)).as("another Java").isEmpty();
    Cell look = Cell.all(/* quick= */ true).get(0);
    assertThat(KeptCell.read(directory, look, setup)).as("fewer connections").isEmpty();
  }

  @Test
  void shouldSayWhatIsWrongWithAFile() throws Exception {
    Path file = directory.resolve("measured.json");
    Cell cell = Cell.all(/* quick= */ false).get(0);
    KeptCell.Setup setup = new KeptCell.Setup(24, 4, 1, List.of());
    for (String wrong : List.of("{\"windows\":24}", "{\"setup\":", "", "{}", "{\"setup\":null}")) {
      Files.writeString(file, wrong);
      assertThatThrownBy(() -> KeptCell.read(directory, cell, setup))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(file + ": ")
          .hasMessageContaining("remove it");
    }
  }
}
