// Tables whose rows are sorted by the column that is clicked. References stay below the routers.
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = html("button", { type: "button", click: () => sortBy(table, heads, column) }, ...head.childNodes);
    head.replaceChildren(button);
  });
}

function sortBy(table, heads, column) {
  const down = heads[column].getAttribute("aria-sort") === "ascending" || (column > 0 && !heads[column].hasAttribute("aria-sort"));
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort((one, other) => compare(one, other, column, down ? -1 : 1)));
}

function compare(one, other, column, sign) {
  const below = one.classList.contains("reference") - other.classList.contains("reference");
  if (below) return below;
  const [left, right] = [one.cells[column], other.cells[column]];
  const [a, b] = [left, right].map((cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value)));
  if (a !== null && b !== null) return sign * (a - b);
  // What is not known comes last either way.
  if (a !== null || b !== null) return (a === null) - (b === null);
  return sign * left.textContent.localeCompare(right.textContent);
}
