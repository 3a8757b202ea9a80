// Draws every [data-plot] figure from the JSON beside it: {x: [unix seconds], series: [{label, colour, values, hidden}]}.
(() => {
  "use strict";

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const options = (width, plot) => {
    const axis = { stroke: css("--tblr-secondary"), grid: { stroke: css("--tblr-border-color"), width: 1 }, ticks: { show: false } };
    const line = (one) => ({
      label: one.label,
      stroke: css(`--tblr-${one.colour}`),
      fill: one.filled ? css(`--tblr-${one.colour}-lt`) : undefined,
      width: 2,
      points: { show: plot.x.length < 3 },
    });
    const whole = (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString() : ""));
    return {
      width,
      height: 240,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), plot.zone),
      scales: { y: { range: (_, low, high) => [0, Math.max(high, 4)] } },
      axes: [axis, { ...axis, size: 56, values: whole }],
      series: [{ label: "When", value: plot.hourly ? "{DD} {MMM} {HH}:{mm}" : "{DD} {MMM}" }, ...plot.series.map(line)],
    };
  };

  const draw = (figure) => {
    const plot = JSON.parse(document.getElementById(figure.dataset.plot).textContent);
    const drawing = new uPlot(options(figure.clientWidth, plot), [plot.x, ...plot.series.map((one) => one.values)], figure);
    new ResizeObserver(() => drawing.setSize({ width: figure.clientWidth, height: 240 })).observe(figure);
  };

  const drawAll = () => {
    for (const figure of document.querySelectorAll("[data-plot]:empty")) draw(figure);
  };
  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:after:settle", drawAll);
})();
