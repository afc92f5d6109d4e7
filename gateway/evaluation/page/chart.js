// The chart of one table, drawn anew at each change: it is small.
const SHAPES = [
  "M0-1A1 1 0 1 1 0 1A1 1 0 1 1 0-1Z",
  "M-.9-.9H.9V.9H-.9Z",
  "M0-1.15L1.1 .85H-1.1Z",
  "M0-1.3L1.2 0L0 1.3L-1.2 0Z",
  "M0 1.15L1.1-.85H-1.1Z",
  "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z",
  "M0-.5L.7-1.2L1.2-.7L.5 0L1.2 .7L.7 1.2L0 .5L-.7 1.2L-1.2 .7L-.5 0L-1.2-.7L-.7-1.2Z",
  "M-1 0L-.5-.95H.5L1 0L.5 .95H-.5Z",
];
const COLOURS = 8;
const SHOWN_AT_FIRST = 6;
const RECOMMENDED = "recommended";
const MOST_LABELS = 12;
const BENDS = 24;
const REACH = 28;

const look = (number) => ({ colour: `s${number % COLOURS}`, shape: SHAPES[(number + Math.floor(number / COLOURS)) % SHAPES.length] });

const marker = (shape, x, y, size, attributes) =>
  svg("path", { d: shape, transform: `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${size})`, ...attributes });

class CostQuality {
  constructor(plot, data) {
    this.plot = plot;
    this.data = data;
    this.series = [
      ...data.references.map((one) => ({ ...one, colour: one.kind, shape: SHAPES[5] })),
      ...data.routers.map((one, number) => ({ ...one, ...look(number) })),
    ];
    const later = this.series.filter((one) => one.kind === "router").slice(SHOWN_AT_FIRST);
    this.hidden = new Set(later.filter((one) => one.name !== RECOMMENDED));
    this.log = true;
    this.weight = null;
    this.focus = null;
    this.tip = html("div", { class: "tip", hidden: true });
    this.said = html("p", { class: "unseen", "aria-live": "polite" });
    this.canvas = html("div", {
      class: "canvas",
      tabindex: 0,
      role: "group",
      "aria-roledescription": "chart",
      "aria-label": `Quality against cost on ${data.table}; the arrow keys go from point to point`,
      pointermove: (event) => this.pointed(event),
      pointerleave: () => this.show(null),
      blur: () => this.show(null),
      keydown: (event) => this.pressed(event),
    });
    plot.replaceChildren(this.canvas, this.tip, this.said);
    new ResizeObserver(() => this.canvas.clientWidth !== this.width && this.draw()).observe(plot);
  }

  isShown(one) {
    return !this.hidden.has(one);
  }

  places() {
    const { models, references, routers } = this.data;
    return [...models, ...[...references, ...routers].flatMap((one) => [...one.points, ...one.hull.map(([cost, quality]) => ({ cost, quality }))])];
  }

  draw() {
    this.width = this.canvas.clientWidth;
    const height = Math.round(Math.min(520, Math.max(300, this.width * 0.56)));
    this.frame = { left: 44, right: this.width - 10, top: 10, bottom: height - 42 };
    const all = this.places();
    this.x = costScale(all.map((one) => one.cost), this.log, this.frame.left, this.frame.right);
    this.y = qualityScale(all.map((one) => one.quality), this.frame.bottom, this.frame.top);
    this.points = [];
    this.mark = svg("g", { class: "focus" });
    const shown = this.series.filter((one) => this.isShown(one));
    const drawn = [this.axes(height), ...shown.map((one) => this.curve(one)), this.models(shown), this.dialled(shown), this.mark];
    this.canvas.replaceChildren(svg("svg", { viewBox: `0 0 ${this.width} ${height}`, width: this.width, height, "aria-hidden": "true" }, ...drawn));
    this.points.sort((one, other) => one.x - other.x);
    this.show(null);
  }

  axes(height) {
    const { left, right, top, bottom } = this.frame;
    const group = svg("g", { class: "axes" });
    for (const [x, text] of this.x.ticks) group.append(svg("line", { x1: x, x2: x, y1: top, y2: bottom }), svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, text));
    for (const [y, text] of this.y.ticks) group.append(svg("line", { x1: left, x2: right, y1: y, y2: y }), svg("text", { x: left - 7, y: y + 4, "text-anchor": "end" }, text));
    group.append(svg("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, "USD for 1,000 prompts"));
    group.append(svg("text", { x: left + 6, y: top + 12, class: "unit" }, "quality"));
    return group;
  }

  curve(one) {
    const group = svg("g", { class: `series ${one.colour} ${one.kind}` });
    one.line = this.bent(one.hull);
    if (one.line.length > 1) group.append(svg("path", { class: "line", d: `M${one.line.map((place) => place.map((length) => length.toFixed(2)).join(" ")).join("L")}` }));
    for (const point of one.points) {
      const [x, y] = [this.x.at(point.cost), this.y.at(point.quality)];
      if (one.kind === "router" || one.kind === "random") group.append(marker(one.shape, x, y, 3.6, { class: "point" }));
      if (one.kind !== "zero") this.points.push({ x, y, name: one.name, ...point });
    }
    return group;
  }

  // Mixing two settings is straight in dollars, and so bent where the axis is logarithmic.
  bent(hull) {
    const line = [];
    hull.slice(1).forEach(([cost, quality], number) => {
      const [lastCost, lastQuality] = hull[number];
      for (let step = number ? 1 : 0; step <= BENDS; step++) {
        const part = step / BENDS;
        line.push([this.x.at(lastCost + part * (cost - lastCost)), this.y.at(lastQuality + part * (quality - lastQuality))]);
      }
    });
    return line;
  }

  models(shown) {
    const group = svg("g", { class: "models" });
    const { models } = this.data;
    const spots = models.map((model) => [this.x.at(model.cost), this.y.at(model.quality)]);
    const texts = models.map((model, number) => (this.numbered() ? String(number + 1) : short(model.name)));
    spots.forEach(([x, y], number) => {
      group.append(svg("circle", { cx: x, cy: y, r: 4 }));
      this.points.push({ x, y, ...models[number], weight: null, shares: {} });
    });
    this.canvas.replaceChildren(svg("svg", {}, group));
    const labels = texts.map((text) => svg("text", { "text-anchor": "middle" }, text));
    group.append(...labels);
    const sizes = labels.map((label) => ({ width: label.getComputedTextLength() + 2, height: 11 }));
    const curves = shown.flatMap((one) => one.line.map(([x, y]) => ({ x, y, width: 4, height: 4 })));
    const { left, right, top, bottom } = this.frame;
    const frame = { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top };
    placeLabels(spots, sizes, frame, curves).forEach((box, number) => {
      labels[number].setAttribute("x", box.x.toFixed(2));
      labels[number].setAttribute("y", (box.y + 4).toFixed(2));
      const [x, y] = spots[number];
      if (box.distance > 20) group.prepend(svg("line", { x1: x, y1: y, x2: Math.max(box.x - box.width / 2, Math.min(x, box.x + box.width / 2)), y2: box.y }));
    });
    return group;
  }

  numbered() {
    return this.data.models.length > MOST_LABELS || this.width < 620;
  }

  // The setting of a router that is nearest to the dial's.
  setting(one) {
    const set = one.points.filter((point) => point.weight !== null);
    if (this.weight === null || !set.length) return null;
    const off = (point) => Math.abs(point.weight - this.weight);
    return set.reduce((best, point) => (off(point) < off(best) ? point : best));
  }

  dialled(shown) {
    const group = svg("g", { class: "dialled" });
    for (const one of shown.filter((each) => each.kind === "router")) {
      const point = this.setting(one);
      if (point) group.append(svg("circle", { cx: this.x.at(point.cost), cy: this.y.at(point.quality), r: 8, class: one.colour }));
    }
    return group;
  }

  pointed(event) {
    const box = this.canvas.getBoundingClientRect();
    const off = (point) => Math.hypot(point.x - (event.clientX - box.left), point.y - (event.clientY - box.top));
    const nearest = this.points.reduce((best, point) => (best && off(best) <= off(point) ? best : point), null);
    this.show(nearest && off(nearest) < REACH ? nearest : null);
  }

  pressed(event) {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (event.key === "Escape") this.show(null);
    if (!step || !this.points.length) return;
    event.preventDefault();
    const now = this.points.indexOf(this.focus);
    const next = now < 0 ? 0 : (now + step + this.points.length) % this.points.length;
    this.show(this.points[next]);
    this.said.textContent = this.tip.innerText;
  }

  show(point) {
    this.focus = point;
    this.mark.replaceChildren();
    this.tip.hidden = !point;
    if (!point) return;
    this.mark.append(svg("circle", { cx: point.x, cy: point.y, r: 7 }));
    const weight = point.weight === null ? [] : [html("span", {}, `quality weight ${point.weight}`)];
    const mixture = parts(point.shares).slice(0, 3).map(([name, share]) => html("span", {}, `${percent(share)} `, named(short(name))));
    this.tip.replaceChildren(html("b", {}, named(short(point.name, 40))), html("span", {}, `quality ${point.quality.toFixed(3)}, ${dollars(point.cost)}`), ...weight, ...mixture);
    const side = point.x > this.width / 2 ? -this.tip.offsetWidth - 14 : 14;
    this.tip.style.left = `${Math.max(0, Math.min(point.x + side, this.width - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${Math.max(0, point.y - this.tip.offsetHeight / 2)}px`;
  }
}

const parts = (shares) => Object.entries(shares).sort((one, other) => other[1] - one[1]);
const percent = (share) => `${(100 * share).toFixed(share === 1 || (share >= 0.0995 && share < 0.995) ? 0 : 1)} %`;
