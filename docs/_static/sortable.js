// Tables of the site sort when a heading is clicked: by number where a column starts with numbers, else by text.
(() => {
  const number = (text) => {
    const found = text.replace(/[≤>≥~]/g, "").trim().match(/^[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?/i);
    return found ? parseFloat(found[0].replace(/,/g, "")) : NaN;
  };
  const value = (row, column) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
  const compare = (a, b, numeric) => {
    if (!numeric) return a.localeCompare(b);
    const [x, y] = [number(a), number(b)];
    // What has no number stands last, whichever way the column is sorted.
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.localeCompare(b);
    return x - y;
  };
  const sort = (table, heading, column) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const numeric = rows.filter((row) => !Number.isNaN(number(value(row, column)))).length * 2 > rows.length;
    rows.sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      const missing = numeric && (Number.isNaN(number(x)) || Number.isNaN(number(y)));
      return (down && !missing ? -1 : 1) * compare(x, y, numeric);
    });
    body.append(...rows);
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  document.addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll("article table.table, article table.docutils")) {
      const heads = table.tHead ? table.tHead.rows[0].cells : [];
      [...heads].forEach((heading, column) => {
        heading.tabIndex = 0;
        heading.classList.add("sortable-heading");
        heading.addEventListener("click", () => sort(table, heading, column));
        heading.addEventListener("keydown", (event) => {
          if (event.key === "Enter") sort(table, heading, column);
        });
      });
    }
  });
})();
