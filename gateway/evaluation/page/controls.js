// What one can change about a chart: which curves, which scale, which setting of the dial.
const STANDARD_WEIGHT = 0.7;

function addControls(chart) {
  const legend = html("div", { class: "legend", role: "group", "aria-label": "Curves" });
  const scale = html("button", { type: "button", class: "plain", "aria-pressed": "true" }, "Logarithmic cost");
  const key = html("ol", { class: "key" }, ...chart.data.models.map((model) => html("li", {}, named(model.name))));
  const mixture = html("div", { class: "mixture" });
  const redraw = () => {
    chart.draw();
    key.hidden = !chart.numbered();
    fillMixture(mixture, chart);
  };
  scale.addEventListener("click", () => {
    chart.log = !chart.log;
    scale.setAttribute("aria-pressed", String(chart.log));
    redraw();
  });
  fillLegend(legend, chart, redraw);
  chart.plot.after(html("div", { class: "controls" }, legend, scale), key, ...dial(chart, redraw), mixture);
  new ResizeObserver(() => (key.hidden = !chart.numbered())).observe(chart.plot);
  redraw();
}

function fillLegend(legend, chart, redraw) {
  const entries = [...chart.series].sort((one, other) => (other.kind === "router") - (one.kind === "router"));
  const buttons = entries.map((one) => {
    const swatch = svg("svg", { class: `swatch series ${one.colour} ${one.kind}`, viewBox: "0 0 26 12", "aria-hidden": "true" });
    if (one.kind !== "random") swatch.append(svg("path", { class: "line", d: "M0 6H26" }));
    if (one.kind === "router" || one.kind === "random") swatch.append(marker(one.shape, 13, 6, 4, { class: "point" }));
    const toggle = () => {
      if (!chart.hidden.delete(one)) chart.hidden.add(one);
      button.setAttribute("aria-pressed", String(chart.isShown(one)));
      redraw();
    };
    const button = html("button", { type: "button", "aria-pressed": String(chart.isShown(one)), title: one.name, click: toggle }, swatch, named(short(one.name, 34)));
    return button;
  });
  legend.append(...buttons);
}

function dial(chart, redraw) {
  const found = chart.data.routers.flatMap((one) => one.points.map((point) => point.weight)).filter((weight) => weight !== null);
  const weights = [...new Set(found)].sort((one, other) => one - other);
  if (!weights.length) return [];
  const off = (weight) => Math.abs(weight - STANDARD_WEIGHT);
  const start = weights.reduce((best, weight, number) => (off(weight) < off(weights[best]) ? number : best), 0);
  const output = html("output", {});
  const slider = html("input", { type: "range", min: 0, max: weights.length - 1, step: 1, value: start });
  const turn = () => {
    chart.weight = weights[slider.valueAsNumber];
    output.textContent = chart.weight.toFixed(2);
    slider.setAttribute("aria-valuetext", `quality weight ${chart.weight}`);
  };
  slider.addEventListener("input", () => {
    turn();
    redraw();
  });
  turn();
  return [html("label", { class: "dial" }, html("span", {}, "Quality weight"), html("span", { class: "quiet" }, "cheapest"), slider, html("span", { class: "quiet" }, "best"), output)];
}

function fillMixture(mixture, chart) {
  const rows = chart.series.filter((one) => one.kind === "router" && chart.isShown(one)).map((one) => [one, chart.setting(one)]);
  mixture.replaceChildren(...rows.filter(([, point]) => point).map(([one, point]) => mixtureRow(one, point, chart.data.models)));
}

function mixtureRow(one, point, models) {
  const swatch = svg("svg", { class: `swatch series ${one.colour}`, viewBox: "0 0 12 12", "aria-hidden": "true" }, marker(one.shape, 6, 6, 4, { class: "point" }));
  const largest = parts(point.shares).slice(0, 3).flatMap(([name, share], number) => [number ? ", " : "", `${percent(share)} `, named(short(name))]);
  return html(
    "div",
    { class: "row" },
    html("div", { class: "name" }, swatch, named(short(one.name)), html("span", { class: "quiet" }, ` ${point.quality.toFixed(3)} at ${dollars(point.cost)}`)),
    bar(point.shares, models),
    html("div", { class: "quiet" }, ...largest),
  );
}

// From the cheapest model on the left to the dearest; darker is dearer.
function bar(shares, models) {
  const drawing = svg("svg", { class: "shares", "aria-hidden": "true" });
  let left = 0;
  models.forEach((model, rank) => {
    const share = Object.hasOwn(shares, model.name) ? shares[model.name] : 0;
    if (!share) return;
    const strength = 0.26 + (0.74 * rank) / Math.max(1, models.length - 1);
    const piece = svg("rect", { x: `${100 * left}%`, width: `${100 * share}%`, height: "100%", "fill-opacity": strength.toFixed(3) });
    piece.append(svg("title", {}, `${model.name}: ${percent(share)}`));
    drawing.append(piece);
    left += share;
  });
  return drawing;
}
