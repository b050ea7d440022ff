"use strict";

// Everything that is shown of a prompt or a name goes in as textContent or as an attribute.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const column = Object.fromEntries(data.fields.map((field, place) => [field.name, place]));

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// The sheet: a card for each output, whose pictures are set when it comes near the window.

const sheet = $("sheet");
const rows = data.rows.map((row, place) => {
  const prompt = row.recipe?.prompt ?? row.picture?.name ?? "";
  const words = [...row.values, row.state, row.error, row.details, row.picture?.name];
  const source = row.source === null ? null : data.sources[row.source];
  const search = words.filter((word) => word !== null).join("\n").toLowerCase();
  return { ...row, place, prompt, source, search, card: null };
});
let shown = rows;
let current = 0; // place in `shown` of the one card that Tab reaches
let stop; // its button

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) fill(target);
  }
}, { rootMargin: "800px 0px" });

function fill(card) {
  for (const image of card.querySelectorAll("img:not([src])")) image.src = image.small;
  near.unobserve(card);
}

function small(picture) {
  return picture?.jpeg ? `data:image/jpeg;base64,${picture.jpeg}` : null;
}

function thumbnail(picture, alt) {
  const image = element("img", { alt, decoding: "async", small: small(picture) });
  image.width = picture.width;
  image.height = picture.height;
  return image;
}

function stateOf(row) {
  if (row.state === "failed") return row.error ?? "Failed.";
  return row.state === "done" ? `${row.picture?.name ?? "The picture"} can't be shown: it is not there, or damaged.` : row.state;
}

function makeCard(row) {
  const pictures = element("span", { className: "pictures" });
  if (row.source?.jpeg) {
    const image = thumbnail(row.source, "");
    image.classList.add("source");
    pictures.append(image);
  }
  const told = [row.prompt, row.details].filter(Boolean).join(", ");
  let label = null;
  if (row.state === "done" && row.picture?.jpeg) pictures.append(thumbnail(row.picture, told));
  else {
    pictures.append(element("span", { className: "state", textContent: stateOf(row) }));
    label = `${told}: ${stateOf(row)}`;
  }
  const button = element("button", { type: "button", tabIndex: -1, ariaLabel: label }, pictures);
  const card = element("li", { className: `card ${row.state === "failed" ? "failed" : ""}` }, button);
  card.append(element("p", { className: "prompt", textContent: row.prompt, title: row.prompt }));
  if (row.details) card.append(element("p", { className: "details", textContent: row.details }));
  card.row = row;
  return card;
}

function build() {
  for (const row of rows) {
    row.card = makeCard(row);
    near.observe(row.card);
  }
  const sizes = rows.map((row) => row.picture).filter((picture) => picture?.width);
  const ratios = sizes.map((size) => size.width / size.height).sort((a, b) => a - b);
  sheet.style.setProperty("--ratio", ratios[ratios.length >> 1] ?? 4 / 3);
}

function focusCard(place) {
  if (!shown.length) return;
  tabStop(Math.max(0, Math.min(place, shown.length - 1)));
  const { card } = shown[current];
  card.firstElementChild.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function tabStop(place) {
  if (stop) stop.tabIndex = -1;
  current = place;
  stop = shown[place]?.card.firstElementChild;
  if (stop) stop.tabIndex = 0;
}

// Filters: one for each setting that varies, and words.

function option(value, field) {
  const text = value === null ? `no ${field.title.toLowerCase()}` : String(value);
  return element("option", { value: JSON.stringify(value), textContent: text });
}

function facet(title, place, values) {
  const select = element("select", {}, element("option", { value: "", textContent: "all" }));
  select.place = place;
  select.name = title.toLowerCase();
  select.append(...values.map((value) => option(value, { title })));
  select.addEventListener("change", filter);
  return element("label", {}, title, select);
}

function different(values) {
  const found = [...new Set(values)];
  const rank = (value) => (typeof value === "number" ? value : Infinity);
  return found.every((value) => typeof value !== "string")
    ? found.sort((a, b) => rank(a) - rank(b))
    : found;
}

function makeFacets() {
  for (const place of data.varying) {
    const values = different(rows.map((row) => row.values[place]));
    $("facets").append(facet(data.fields[place].title, place, values));
  }
  const states = different(rows.map((row) => row.state));
  if (states.length > 1) $("facets").append(facet("State", "state", states));
}

function filter() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = [...$("facets").querySelectorAll("select")]
    .filter((select) => select.value)
    .map((select) => [select.place, JSON.parse(select.value)]);
  const fits = (row) =>
    chosen.every(([place, value]) => (place === "state" ? row.state : row.values[place]) === value) &&
    words.every((word) => row.search.includes(word));
  const kept = shown[current];
  shown = [];
  for (const row of rows) {
    if (fits(row)) shown.push(row);
  }
  // Cards that are hidden instead took Chromium ten times as long to lay out.
  const focused = sheet.contains(document.activeElement);
  sheet.replaceChildren(...shown.map((row) => row.card));
  tabStop(Math.max(0, shown.indexOf(kept)));
  if (focused) focusCard(current);
  $("count").textContent = counted();
  $("none").hidden = shown.length > 0;
}

// "12 of 60 pictures, 1 failed"
function counted() {
  const number = (state, among) => among.filter((row) => row.state === state).length;
  const here = number("done", shown);
  const all = number("done", rows);
  const of = here < all ? `${here.toLocaleString("en")} of ` : "";
  const others = different(shown.map((row) => row.state)).filter((state) => state !== "done");
  return [
    `${of}${all.toLocaleString("en")} ${all === 1 ? "picture" : "pictures"}`,
    ...others.map((state) => `${number(state, shown).toLocaleString("en")} ${state}`),
  ].join(", ");
}

function showAll() {
  $("find").value = "";
  for (const select of $("facets").querySelectorAll("select")) select.value = "";
  filter();
}

function sideBySide() {
  const on = !document.body.classList.contains("side");
  document.body.classList.toggle("side", on);
  $("side").setAttribute("aria-pressed", String(on));
  shown[current]?.card.scrollIntoView({ block: "nearest" });
}

// The large view.

const large = $("large");
const stage = large.querySelector(".stage");
const wipe = large.querySelector(".wipe");
const missing = large.querySelector(".missing");
let mode = "concept";
let seen = 0; // place in `shown` of what is large

function setMode(wanted) {
  mode = wanted;
  const row = shown[seen];
  const both = Boolean(row?.source && row.state === "done");
  stage.dataset.mode = both ? mode : "concept";
  $("modes").hidden = !both;
  for (const button of $("modes").children) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
}

// The small picture at once, then the file beside this page, if it is still there.
function load(frame, picture, alt) {
  const image = frame.firstElementChild;
  const wanted = picture?.link ?? "";
  image.dataset.wanted = wanted;
  image.alt = alt;
  const first = small(picture);
  frame.hidden = !first;
  if (!first) return;
  image.src = first;
  const full = new Image();
  full.onload = () => {
    if (image.dataset.wanted === wanted) image.src = full.src;
  };
  full.onerror = () => {
    if (image.dataset.wanted === wanted) say(`${picture.name} is not where it was beside this page, so this is its small picture. Put it back, or make the sheet again where the pictures are now.`);
  };
  full.src = wanted;
}

function say(sentence) {
  missing.textContent = sentence;
  missing.hidden = false;
}

function fact(name, value) {
  if (value === null || value === undefined || value === "") return;
  const text = value instanceof Node ? value : String(value);
  $("facts").append(element("dt", { textContent: name }), element("dd", {}, text));
}

function showLarge(place) {
  seen = place;
  const row = shown[place];
  missing.hidden = true;
  const ratio = row.picture?.width ? row.picture.width / row.picture.height : 4 / 3;
  stage.style.setProperty("--ratio", ratio);
  load(stage.querySelector(".source"), row.source, "Source");
  load(stage.querySelector(".concept"), row.state === "done" ? row.picture : null, row.prompt);
  setMode(mode);
  stage.classList.toggle("failed", row.state === "failed");
  if (row.state !== "done" || !row.picture?.jpeg) say(stateOf(row));
  $("place").textContent = `${place + 1} of ${shown.length}`;
  $("previous").disabled = place === 0;
  $("next").disabled = place === shown.length - 1;
  $("large-prompt").textContent = row.prompt || "No prompt";
  $("facts").replaceChildren();
  data.fields.forEach((field, index) => {
    if (index !== column.prompt) fact(field.title, row.values[index]);
  });
  fact("Not", row.recipe?.negative_prompt);
  fact("Size", row.picture?.width && `${row.picture.width} × ${row.picture.height}`);
  fact("Took", row.seconds && `${row.seconds.toFixed(1)} s`);
  if (row.picture) fact("File", element("a", { href: row.picture.link, textContent: row.picture.name }));
  $("recipe").hidden = !row.recipe;
  $("recipe").querySelector("pre").textContent = JSON.stringify(row.recipe, null, 2);
  $("copy").textContent = "Copy";
}

function openLarge(place) {
  if (!shown[place]) return;
  showLarge(place);
  large.showModal();
  $("large-prompt").focus();
}

function step(by) {
  if (shown[seen + by]) showLarge(seen + by);
}

async function copyRecipe() {
  const pre = $("recipe").querySelector("pre");
  try {
    await navigator.clipboard.writeText(pre.textContent);
    $("copy").textContent = "Copied";
  } catch {
    // Some browsers give pages from disk no clipboard.
    getSelection().selectAllChildren(pre);
    $("copy").textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
  }
}

// Keys.

const typing = (target) => target.matches("input[type='search'], select, input[type='range']");

const isKey = (event, letter) => event.key.toLowerCase() === letter;

function columns() {
  return getComputedStyle(sheet).gridTemplateColumns.split(" ").length;
}

function keyInSheet(event) {
  const moves = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns(),
    Home: -shown.length, End: shown.length,
  };
  const onCard = event.target.closest?.(".card");
  if (event.key in moves && (onCard || event.target === document.body)) {
    focusCard(onCard ? current + moves[event.key] : current);
  } else if (isKey(event, "s")) sideBySide();
  else if (event.key === "/") $("find").focus();
  else if (event.key === "Escape") showAll();
  else return;
  event.preventDefault();
}

function keyInLarge(event) {
  const toggle = (wanted) => !$("modes").hidden && setMode(mode === wanted ? "concept" : wanted);
  if (event.key === "ArrowLeft" || event.key === "ArrowUp") step(-1);
  else if (event.key === "ArrowRight" || event.key === "ArrowDown") step(1);
  else if (isKey(event, "s")) toggle("side");
  else if (isKey(event, "w")) toggle("wipe");
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (typing(event.target)) {
    if (event.target === $("find") && ["Escape", "Enter"].includes(event.key)) {
      if (event.key === "Escape") showAll();
      else focusCard(0);
      event.preventDefault(); // Enter would open the card that it leads to
    }
    if (event.target !== wipe || !(isKey(event, "s") || isKey(event, "w"))) return;
  }
  if (event.key === "?") $("help").showModal();
  else if (large.open) keyInLarge(event);
  else keyInSheet(event);
});

sheet.addEventListener("click", (event) => {
  const card = event.target.closest("button")?.parentElement;
  if (card) openLarge(shown.indexOf(card.row));
});
sheet.addEventListener("focusin", (event) => tabStop(shown.indexOf(event.target.closest(".card").row)));
// The browser first gives the focus back to the card that was opened, not to the last one seen.
large.addEventListener("close", () => focusCard(seen));
wipe.addEventListener("input", () => stage.style.setProperty("--wipe", `${wipe.value}%`));
for (const button of $("modes").children) {
  button.addEventListener("click", () => setMode(button.dataset.mode));
}
$("find").addEventListener("input", filter);
$("zoom").addEventListener("input", () => sheet.style.setProperty("--tile", `${$("zoom").value}px`));
$("side").addEventListener("click", sideBySide);
$("keys").addEventListener("click", () => $("help").showModal());
$("reset").addEventListener("click", () => { showAll(); focusCard(0); });
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("close").addEventListener("click", () => large.close());
$("copy").addEventListener("click", copyRecipe);
addEventListener("beforeprint", () => shown.forEach((row) => fill(row.card)));

$("tools").hidden = false;
$("side").hidden = !rows.some((row) => row.source?.jpeg);
makeFacets();
build();
filter();
