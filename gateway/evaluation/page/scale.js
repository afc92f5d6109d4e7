// Axes: where a number lies, and which numbers are written beside it.
const dollars = (cost) => `$${cost >= 1000 ? Math.round(cost).toLocaleString("en") : String(Number(cost.toPrecision(3)))}`;

function costScale(costs, log, from, to) {
  const paid = costs.filter((cost) => cost > 0);
  const [low, high] = [Math.min(...paid), Math.max(...paid)];
  if (!log || !paid.length) return linear(Math.min(0, ...costs), Math.max(...costs) * 1.04 || 1, from, to, dollars);
  // What costs nothing has no logarithm: it stands at the left edge.
  const free = paid.length < costs.length;
  const edges = [Math.log(low / (free ? 2 : 1.12)), Math.log(high * 1.12)];
  const at = (cost) => from + ((Math.log(Math.max(cost, Math.exp(edges[0]))) - edges[0]) / (edges[1] - edges[0])) * (to - from);
  const ticks = thinned(decades(low, high), at, 46).map((tick) => [at(tick), dollars(tick)]);
  return { at, ticks: free ? [[from, "$0"], ...ticks] : ticks };
}

function linear(low, high, from, to, text, room = 72) {
  const step = niceStep((high - low) / (Math.abs(to - from) / room));
  const at = (value) => from + ((value - low) / (high - low)) * (to - from);
  const ticks = [];
  for (let n = Math.ceil(low / step); n * step <= high + step * 1e-9; n++) ticks.push([at(n * step), text(n * step)]);
  return { at, ticks };
}

function qualityScale(values, from, to) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) * 0.05 || 0.05;
  return linear(low - room, high + room, from, to, (value) => String(Number(value.toFixed(4))), 44);
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
}

function decades(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const factor of [1, 2, 5]) found.push(factor * 10 ** power);
  return found.filter((value) => value >= low / 1.12 && value <= high * 1.12);
}

// Ticks that stand too close are left out, round numbers last.
function thinned(ticks, at, room) {
  const kept = [];
  for (const tick of [...ticks].sort((one, other) => leading(one) - leading(other)))
    if (kept.every((other) => Math.abs(at(other) - at(tick)) >= room)) kept.push(tick);
  return kept.sort((one, other) => one - other);
}

const leading = (value) => Number(value.toExponential()[0]);
