package io.theseus.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.theseus.bench.Measurement.Better;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The results of a benchmark, written as NAME.json (for programs), NAME.md (with notes and the
 * machine) and NAME.svg (a plot of the ratios).
 *
 * <p>The JSON is a list of {@code case, metric, unit, ours, peer, peerName, ratio, ratioMin,
 * ratioMax, rounds, command}: medians of the rounds, the ratio ours to peer of each round's pair. A
 * case may stand in it once for each metric and peer.
 */
public final class BenchResults {
  private final String name;
  private final String title;
  private final List<Measurement> measurements = new ArrayList<>();
  private final Map<String, List<String>> notes = new LinkedHashMap<>();
  private final List<String> remarks = new ArrayList<>();

  /**
   * Results without a measurement.
   *
   * @param name of the files, without their endings, like {@code transfer}
   * @param title the Markdown's heading
   */
  public BenchResults(String name, String title) {
    this.name = name;
    this.title = title;
  }

  /** Adds a measurement; shown in the order in which they are added. */
  public void add(Measurement measurement) {
    measurements.add(measurement);
  }

  /** Adds what a reader of a case should know, a line. */
  public void note(String caseName, String line) {
    notes.computeIfAbsent(caseName, any -> new ArrayList<>()).add(line);
  }

  /** Adds what holds for all cases, a paragraph: how it was measured. */
  public void remark(String paragraph) {
    remarks.add(paragraph);
  }

  /** What was added. */
  public List<Measurement> measurements() {
    return List.copyOf(measurements);
  }

  /** Writes the three files, each at once or not at all, and makes the directory. */
  public void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    replace(directory.resolve(name + ".json"), json());
    replace(directory.resolve(name + ".svg"), new RatioPlot(title, measurements).svg());
    replace(directory.resolve(name + ".md"), markdown());
  }

  /** Writes a file at once or not at all. */
  public static void replace(Path file, String text) throws IOException {
    Path fresh = file.resolveSibling("." + file.getFileName() + ".new");
    Files.write(fresh, text.getBytes(StandardCharsets.UTF_8));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** What stands in NAME.json. */
  public String json() throws IOException {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Measurement each : measurements) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("case", each.name());
      row.put("metric", each.metric());
      row.put("unit", each.unit());
      row.put("ours", rounded(each.oursMedian()));
      row.put("peer", rounded(each.peerMedian()));
      row.put("peerName", each.peerName());
      row.put("ratio", rounded(each.ratio()));
      row.put("ratioMin", rounded(each.ratioMin()));
      row.put("ratioMax", rounded(each.ratioMax()));
      row.put("rounds", each.ours().size());
      row.put("command", each.command());
      rows.add(row);
    }
    return new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .writerWithDefaultPrettyPrinter()
            .writeValueAsString(rows)
        + "\n";
  }

  /** Six digits: more says nothing. */
  private static double rounded(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.6g", value));
  }

  private String markdown() {
    StringBuilder text = new StringBuilder("# " + title + "\n\n");
    text.append("![Ratios of all cases](").append(name).append(".svg)\n\n");
    for (String remark : remarks) {
      text.append(remark).append("\n\n");
    }
    text.append(
        """
        Ours and the peer's are medians of the rounds; the ratio is ours to the peer's of the same
        round: its median, and the least and the greatest of the rounds.
        """);
    measurements.stream()
        .map(Measurement::metric)
        .distinct()
        .forEach(metric -> table(metric, text));
    if (!notes.isEmpty()) {
      text.append("\n## Notes\n\n");
      notes.forEach(
          (about, lines) ->
              lines.forEach(line -> text.append("- `" + about + "`: " + line + "\n")));
    }
    text.append("\n## Machine\n\n");
    Machine.facts().forEach(fact -> text.append("- ").append(fact).append('\n'));
    text.append("\n## Again\n\n```sh\n");
    measurements.stream()
        .map(Measurement::command)
        .distinct()
        .forEach(command -> text.append(command).append('\n'));
    return text.append("```\n").toString();
  }

  private void table(String metric, StringBuilder text) {
    text.append("\n## ").append(metric).append("\n\n");
    text.append("| case | ours | peer | ratio | least to greatest | goal | rounds |\n");
    text.append("| --- | --- | --- | --- | --- | --- | --- |\n");
    for (Measurement each : measurements) {
      if (each.metric().equals(metric)) {
        text.append(
            String.format(
                Locale.ROOT,
                "| %s | %s %s | %s: %s | **%s** | %s to %s | %s | %d |%n",
                each.name(),
                number(each.oursMedian()),
                each.unit(),
                each.peerName(),
                number(each.peerMedian()),
                number(each.ratio()),
                number(each.ratioMin()),
                number(each.ratioMax()),
                goal(each),
                each.ours().size()));
      }
    }
  }

  private static String goal(Measurement each) {
    OptionalDouble goal = each.goal();
    if (goal.isEmpty()) {
      return "";
    }
    return (each.better() == Better.HIGHER ? "≥ " : "≤ ")
        + number(goal.getAsDouble())
        + (each.meetsGoal() ? ": met" : ": **missed**");
  }

  /** As people write it: three digits that say something, or all of a large one. */
  public static String number(double value) {
    double size = Math.abs(value);
    if (size >= 1000) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    if (size >= 100 || size == 0) {
      return String.format(Locale.ROOT, "%.0f", value);
    }
    if (size >= 10) {
      return String.format(Locale.ROOT, "%.1f", value);
    }
    return size >= 0.1
        ? String.format(Locale.ROOT, "%.2f", value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}
