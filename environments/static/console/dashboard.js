/* Charts of the overview, drawn by the Chart.js that the theme brings along; again when light turns to dark. */

(() => {
  "use strict";

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const axis = (grid) => ({
    stacked: false,
    border: { display: false },
    grid: { color: grid, drawTicks: false },
    ticks: { color: token("--console-faint"), maxRotation: 0, padding: 8, precision: 0 },
  });

  const options = () => ({
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: { legend: { display: false } },
    scales: { x: axis("transparent"), y: { ...axis(token("--console-line")), beginAtZero: true } },
  });

  const datasets = (series) =>
    series.map(({ label, colour, values }) => ({
      label,
      data: values,
      backgroundColor: token(`--console-series-${colour}`),
      borderRadius: 2,
      maxBarThickness: 14,
    }));

  const draw = (canvas) => {
    const { labels, series } = JSON.parse(canvas.dataset.chart);
    Chart.getChart(canvas)?.destroy();
    Chart.defaults.font.family = "Inter, sans-serif";
    new Chart(canvas, { type: "bar", data: { labels, datasets: datasets(series) }, options: options() });
  };

  window.addEventListener("load", () => {
    const canvases = document.querySelectorAll("canvas[data-chart]");
    const drawAll = () => canvases.forEach(draw);
    if (canvases.length) {
      drawAll();
      new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
    }
  });
})();
