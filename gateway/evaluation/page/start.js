// Charts replace the pictures that stand where scripts do not run.
const charts = JSON.parse(document.getElementById("data").textContent);
for (const figure of document.querySelectorAll("[data-chart]")) {
  addControls(new CostQuality(figure.querySelector(".plot"), charts[Number(figure.dataset.chart)]));
}
document.querySelectorAll("table.sortable").forEach(makeSortable);
