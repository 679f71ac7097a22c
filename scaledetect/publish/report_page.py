"""One offline HTML page: sections, tables that sort and filter, charts and data that can be downloaded."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["Cell", "Section", "figures", "page", "picture", "stored_table", "table"]

Cell = str | tuple[str, float | None]
"""Text, or text with the number that the column sorts by."""

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--accent:#0072B2}
@media(prefers-color-scheme:dark){:root{--accent:#56B4E9}}
body{font:16px/1.5 system-ui,sans-serif;max-width:68rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2}h2{margin-top:2.4rem;border-bottom:1px solid var(--line)}
nav a{margin-right:.9rem;color:var(--accent)}p.note{opacity:.75;font-size:.9rem}
.wide{overflow-x:auto;margin:.5rem 0}table{border-collapse:collapse;font-size:.88rem;overflow-wrap:normal}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;vertical-align:top}
th:first-child,td:first-child,th.text,td.text{text-align:left}td.long{white-space:normal;min-width:14rem}
th button{all:unset;cursor:pointer;font-weight:600}th button:focus-visible{outline:2px solid var(--accent)}
th[aria-sort=ascending] button::after{content:" \\2191"}th[aria-sort=descending] button::after{content:" \\2193"}
.tools{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin-top:.4rem}
input,.tools button{font:inherit;font-size:.85rem;padding:.2rem .5rem;border:1px solid var(--line);border-radius:.3rem;
background:var(--soft);color:inherit}.tools button{cursor:pointer}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem}
figure{margin:0}svg.chart{width:100%;height:auto}@media(min-width:46rem){figure:only-child{grid-column:span 2}}
figure.picture{grid-column:1/-1}figure.picture img{width:100%;background:#fff}
summary{cursor:pointer;margin-top:.6rem}pre{overflow-x:auto;background:var(--soft);padding:.7rem}
"""

SCRIPT = """
"use strict";
const save=(name,text,type)=>{const link=document.createElement("a");
 link.href=URL.createObjectURL(new Blob([text],{type}));link.download=name;link.click();
 setTimeout(()=>URL.revokeObjectURL(link.href),1000)};
const number=cell=>cell.dataset.value===undefined?NaN:parseFloat(cell.dataset.value);
for(const button of document.querySelectorAll("th button"))button.addEventListener("click",()=>{
 const head=button.parentElement,place=head.cellIndex,body=head.closest("table").tBodies[0];
 const down=head.getAttribute("aria-sort")==="ascending";
 for(const other of head.parentElement.cells)other.removeAttribute("aria-sort");
 head.setAttribute("aria-sort",down?"descending":"ascending");
 const rows=[...body.rows],sign=down?-1:1;
 rows.sort((a,b)=>{const x=a.cells[place],y=b.cells[place],p=number(x),q=number(y);
  if(isNaN(p)&&isNaN(q))return sign*x.textContent.localeCompare(y.textContent);
  if(isNaN(p))return 1;if(isNaN(q))return -1;return sign*(p-q)});
 body.append(...rows)});
for(const input of document.querySelectorAll("input[data-filters]"))input.addEventListener("input",()=>{
 const word=input.value.toLowerCase();
 for(const row of document.getElementById(input.dataset.filters).tBodies[0].rows)
  row.hidden=!row.textContent.toLowerCase().includes(word)});
for(const button of document.querySelectorAll("button[data-csv]"))button.addEventListener("click",()=>{
 const rows=[...document.getElementById(button.dataset.csv).rows].map(row=>[...row.cells].map(
  cell=>'"'+cell.textContent.replaceAll('"','""')+'"').join(","));
 save(button.dataset.csv+".csv",rows.join("\\n")+"\\n","text/csv")});
for(const button of document.querySelectorAll("button[data-json]"))button.addEventListener("click",()=>
 save(button.dataset.json+".json",document.getElementById(button.dataset.json).textContent,"application/json"));
for(const button of document.querySelectorAll("button[data-svg]"))button.addEventListener("click",()=>{
 const copy=button.closest("figure").querySelector("svg").cloneNode(true);copy.setAttribute("color","#000");
 save(copy.dataset.name+".svg",copy.outerHTML,"image/svg+xml")});
for(const button of document.querySelectorAll("button[data-stored]"))button.addEventListener("click",()=>{
 const data=JSON.parse(document.getElementById("report-data").textContent);
 save(button.dataset.stored,data.tables[button.dataset.stored],"text/csv")});
for(const button of document.querySelectorAll("button[data-picture]"))button.addEventListener("click",()=>{
 const bytes=Uint8Array.from(atob(button.closest("figure").querySelector("img").src.split(",")[1]),c=>c.charCodeAt(0));
 save(button.dataset.picture,bytes,"image/svg+xml")});
"""


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it, as HTML."""

    name: str
    title: str
    body: str


def page(title: str, lead: str, sections: Sequence[Section], data: Any) -> str:
    """The whole document; `data` is embedded as JSON and can be downloaded."""
    # A tag that closes the script would end the data early.
    text = json.dumps(data, allow_nan=False).replace("</", "<\\/")
    links = "".join(f'<a href="#{one.name}">{escape(one.title)}</a>' for one in sections)
    bodies = "".join(f'<section id="{one.name}"><h2>{escape(one.title)}</h2>{one.body}</section>' for one in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{lead}"
        f'<nav>{links}</nav><div class="tools"><button data-json="report-data">all data (JSON)</button></div>{bodies}'
        f'<script type="application/json" id="report-data">{text}</script><script>{SCRIPT}</script></body></html>\n'
    )


def table(name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, texts: Sequence[int] = (0,)) -> str:
    """A table that sorts by a click on a heading and filters as one types; columns `texts` are flush left."""
    head = "".join(
        f"<th{_text(place in texts)}><button>{escape(heading)}</button></th>" for place, heading in enumerate(headings)
    )
    body = "".join(f"<tr>{''.join(_cell(cell, place in texts) for place, cell in enumerate(row))}</tr>" for row in rows)
    tools = (
        f'<div class="tools"><input type="search" data-filters="{name}" placeholder="filter" aria-label="filter rows">'
        f'<button data-csv="{name}">CSV</button></div>'
    )
    rest = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'{tools}<div class="wide" tabindex="0"><table id="{name}">{rest}</table></div>'


def figures(charts: Sequence[str]) -> str:
    """Charts side by side, each with a button that saves it; empty ones are left out."""
    button = '<div class="tools"><button data-svg>SVG</button></div>'
    shown = "".join(one if one.startswith("<figure") else f"<figure>{one}{button}</figure>" for one in charts if one)
    return f'<div class="charts">{shown}</div>' if shown else ""


def picture(name: str, svg: str) -> str:
    """A finished drawing, on white paper whatever the page, with a button that saves it as the file `name`."""
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    button = f'<div class="tools"><button data-picture="{escape(name)}">SVG</button></div>'
    return f'<figure class="picture"><img alt="{escape(name)}" src="{source}">{button}</figure>'


def stored_table(name: str, text: str) -> str:
    """A line about a table that is too long to be shown, with a button that saves it from the data of the page."""
    return f'<div class="tools"><span>{escape(text)}</span><button data-stored="{escape(name)}">CSV</button></div>'


def _text(flush: bool) -> str:
    return ' class="text"' if flush else ""


def _cell(cell: Cell, flush: bool) -> str:
    text, value = cell if isinstance(cell, tuple) else (cell, None)
    number = f' data-value="{value!r}"' if value is not None else ""
    kind = ' class="text long"' if flush and len(text) > 60 else _text(flush)
    return f"<td{kind}{number}>{escape(text)}</td>"
