// Places for the names of points, where they cover neither one another nor points and curves.
const DISTANCES = [6, 12, 20, 30];
const DIRECTIONS = 12;
const MARKER = 5;

function shared(one, other) {
  const across = (one.width + other.width) / 2 - Math.abs(one.x - other.x);
  const down = (one.height + other.height) / 2 - Math.abs(one.y - other.y);
  return Math.max(0, Math.min(across, one.width, other.width)) * Math.max(0, Math.min(down, one.height, other.height));
}

function* places([x, y], { width, height }) {
  for (const distance of DISTANCES)
    for (let step = 0; step < DIRECTIONS; step++) {
      const turn = (2 * Math.PI * step) / DIRECTIONS;
      yield {
        x: x + Math.cos(turn) * (width / 2 + distance),
        y: y + Math.sin(turn) * (height / 2 + distance),
        width,
        height,
        distance,
      };
    }
}

function placeLabels(points, sizes, frame, inTheWay) {
  const taken = [...inTheWay, ...points.map(([x, y]) => ({ x, y, width: 2 * MARKER, height: 2 * MARKER }))];
  return points.map((point, number) => {
    let best = null;
    let least = Infinity;
    for (const box of places(point, sizes[number])) {
      let covered = box.width * box.height - shared(box, frame);
      for (const other of taken) covered += shared(box, other);
      if (covered < least) [best, least] = [box, covered];
      if (least < 1e-6) break;
    }
    taken.push(best);
    return best;
  });
}
