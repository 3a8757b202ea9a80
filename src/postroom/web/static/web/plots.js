// Draws every [data-plot] figure from the JSON beside it: {zone, hourly, x: [unix seconds], series: [{label, colour, values}]}.
(() => {
  "use strict";
  const HEIGHT = 240;

  // A custom property may hold another one; only a used colour is resolved.
  const colour = (figure, name) => {
    figure.style.color = `var(--tblr-${name})`;
    return getComputedStyle(figure).color;
  };

  const options = (figure, plot) => {
    const axis = { stroke: colour(figure, "secondary"), grid: { stroke: colour(figure, "border-color"), width: 1 }, ticks: { show: false } };
    const stamp = uPlot.fmtDate(plot.hourly ? "{HH}:{mm}" : "{D} {MMM}");
    const inZone = (seconds) => uPlot.tzDate(new Date(seconds * 1000), plot.zone);
    const line = (one) => ({
      label: one.label,
      stroke: colour(figure, one.colour),
      width: 2,
      points: { show: plot.x.length < 3 },
    });
    const whole = (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString() : ""));
    return {
      width: figure.clientWidth,
      height: HEIGHT,
      tzDate: inZone,
      scales: { y: { range: (_, low, high) => [0, Math.max(high, 4)] } },
      axes: [
        { ...axis, space: 70, values: (_, ticks) => ticks.map((tick) => stamp(inZone(tick))) },
        { ...axis, size: 56, values: whole },
      ],
      series: [{ label: "When", value: plot.hourly ? "{D} {MMM} {HH}:{mm}" : "{D} {MMM}" }, ...plot.series.map(line)],
    };
  };

  // What each figure shows now: a live page brings new figures under the same plot.
  const shown = new WeakMap();

  const draw = (figure) => {
    const text = document.getElementById(figure.dataset.plot).textContent;
    if (shown.get(figure) === text) return;
    shown.set(figure, text);
    const plot = JSON.parse(text);
    const wanted = options(figure, plot);
    figure.style.color = "";
    figure.replaceChildren();
    const drawing = new uPlot(wanted, [plot.x, ...plot.series.map((one) => one.values)], figure);
    figure.fit = () => drawing.setSize({ width: figure.clientWidth, height: HEIGHT });
    resized.observe(figure);
  };
  const resized = new ResizeObserver((entries) => entries.forEach((entry) => entry.target.fit()));

  const drawAll = () => document.querySelectorAll("[data-plot]").forEach(draw);
  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:after:settle", drawAll);
})();
