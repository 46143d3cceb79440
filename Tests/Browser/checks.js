// Runs in a copy of a film's page, after the page's own script, and writes a line for each check
// into the page. `live` has the pages that are in use at each step that the film shows, counted by
// somebody else; `hugePages` how many huge pages pagetool told of as JSON; `expectedTitle` what the
// page is to be called.
"use strict";
const verdicts = [];
let failures = 0;
function check(name, holds, found) {
  if (!holds) failures++;
  verdicts.push(holds ? "ok: " + name : "FAILED: " + name + ": " + found);
}
const same = (name, found, expected) =>
  check(name, found === expected, "found " + found + ", expected " + expected);
const number = (text) => Number(text.replace(/,/g, ""));
const frames = film.steps.length;

function moveSlider(frame) {
  slider.value = frame;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}
const press = (key, target = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

// How many cells have the colour of each state, one dot of each cell looked at.
function colouredCells() {
  const image = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const hex = (at) => "#" + [0, 1, 2].map(
    (place) => image[at + place].toString(16).padStart(2, "0")).join("");
  const counts = new Array(6).fill(0);
  for (let cell = 0; cell < film.cells; cell++) {
    const row = y(Math.floor(cell / perRow)) + 1;
    counts[colours.indexOf(hex((row * canvas.width + x(cell % perRow)) * 4))]++;
  }
  return counts;
}

// How many units of 2 MiB have a frame, each looked at left of its cells, above and below them.
function framedUnits() {
  const image = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const isFrame = (column, row) => [0, 1, 2].every((place) =>
    image[(row * canvas.width + column) * 4 + place] ===
      parseInt(frameColour.slice(1 + 2 * place, 3 + 2 * place), 16));
  let count = 0;
  for (let unit = 0; unit < huge.length; unit++) {
    const cell = unit * perUnit;
    const left = x(cell % perRow), top = y(Math.floor(cell / perRow));
    const dots = [[left - 2, top], [left, top - 2], [left, top + height + 1]];
    const framed = dots.filter(([column, row]) => isFrame(column, row)).length;
    check("the frame of unit " + unit + " is whole or not there", framed % 3 === 0, framed);
    if (framed === 3) count++;
  }
  return count;
}

function checkFrame(frame, how) {
  const name = how + ", frame " + frame + ": ";
  same(name + "slider", Number(slider.value), frame);
  same(name + "step", element("step").textContent,
    "Step " + grouped(film.steps[frame]) + " of " + grouped(film.events));
  const rows = film.kinds.map((kind) => element("row-" + kind));
  const shown = rows.map((row) => (row ? number(row.cells[1].textContent) : 0));
  same(name + "pages in use", shown[1] + shown[2], live[film.steps[frame]]);
  same(name + "pages", shown.reduce((sum, count) => sum + count), film.pages[frame]);
  if (film.pagesPerCell === 1) {
    // What the heap has not grown to at this frame is in none of the figures.
    shown[0] += film.cells - film.pages[frame];
    same(name + "colours of cells", String(colouredCells()), String(shown));
  }
  if (film.huge) {
    const count = hugePages[film.steps[frame]];
    if (gap > 0) same(name + "frames of huge pages", framedUnits(), count);
    const words = grouped(count) + " huge page" + (count === 1 ? "" : "s") + " of 2 MiB";
    check(name + "huge pages", element("huge").textContent.startsWith(words), words);
  }
  const cursorX = Number(/^M([\d.]+) /.exec(cursor.getAttribute("d"))[1]);
  const part = (film.steps[frame] - film.steps[0]) / (film.steps.at(-1) - film.steps[0]);
  const place = film.frame.left + part * (film.frame.right - film.frame.left);
  check(name + "cursor", Math.abs(cursorX - place) < 0.01, cursorX + ", not " + place);
  const words = slider.getAttribute("aria-valuetext");
  check(name + "words", words.startsWith(element("step").textContent + ": "), words);
  same(name + "words for the map", canvas.getAttribute("aria-label"),
    "Map of the heap. " + words + ".");
}

// Contrast of two colours as WCAG has it.
function contrast(one, other) {
  const light = (colour) => {
    const parts = colour.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16) / 255);
    const linear = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const [a, b] = [light(one), light(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function runChecks() {
  same("title", document.querySelector("h1").textContent, expectedTitle);
  same("nothing is fetched", performance.getEntriesByType("resource").length, 0);
  const most = Math.max(...Object.values(live));
  same("it begins at the peak", live[film.steps[current]], most);
  for (const frame of [0, 1, 2, 31, 32, 33, frames >> 1, frames - 2, frames - 1, 5]) {
    if (frame >= frames) continue;
    moveSlider(frame);
    checkFrame(frame, "slider");
  }

  // One step forwards draws only what changes; a jump draws all. Both look alike.
  moveSlider(frames >> 1);
  for (let count = 0; count < 40; count++) press("ArrowRight");
  const there = Math.min(frames - 1, (frames >> 1) + 40);
  checkFrame(there, "arrows");
  const byArrows = canvas.toDataURL();
  moveSlider(0);
  moveSlider(there);
  check("arrows and a jump show the same", canvas.toDataURL() === byArrows, "other pictures");
  moveSlider(0);
  check("another frame is another picture", canvas.toDataURL() !== byArrows, "the same picture");

  press("End");
  same("End", current, frames - 1);
  press("ArrowRight");
  same("right of the end", current, frames - 1);
  press("ArrowLeft");
  same("left", current, frames - 2);
  press("Home");
  same("Home", current, 0);
  press("PageUp");
  same("Page up", current, Math.min(frames - 1, 10));
  press("PageDown");
  same("Page down", current, 0);
  press("ArrowRight", play);
  same("keys of a button are the button's", current, 0);
  press(" ");
  same("Space plays", play.textContent, "Stop");
  press(" ");
  same("Space stops", play.textContent, "Play");

  const named = (control) => control.textContent.trim() || control.getAttribute("aria-label") ||
    (control.labels && control.labels[0] && control.labels[0].textContent.trim());
  for (const control of document.querySelectorAll("button, input, select, canvas")) {
    check("a name for " + control.id, Boolean(named(control)), "none");
  }
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue("--" + name).trim();
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  same("ground", value("ground"), isDark ? "#0d1117" : "#ffffff");
  for (const [name, least] of [["text", 7], ["faint", 4.5], ["strong", 3], ["inUse", 3]]) {
    const found = contrast(value(name), value("ground"));
    check("contrast of " + name, found >= least, found);
  }
  const box = document.documentElement;
  check("no scrolling sideways", box.scrollWidth <= box.clientWidth, box.scrollWidth);

  play.click();
  return isDark ? "dark" : "light";
}

function report(ground) {
  const text = document.createElement("pre");
  text.id = "verdicts";
  text.textContent = verdicts.concat(
    pageErrors.map((error) => "FAILED: " + error),
    "ground: " + ground, "milliseconds: " + document.documentElement.dataset.milliseconds,
    "checks: " + verdicts.length, "failures: " + (failures + pageErrors.length)).join("\n");
  document.body.prepend(text);
}

let ground = "none";
try {
  ground = runChecks();
} catch (error) {
  check("the checks run", false, error.stack);
}
// Two seconds of playing, as the browser counts them.
setTimeout(() => {
  // At 15 frames a second; a browser that has much to do shows fewer.
  check("it plays", current >= 10 && current <= Math.min(frames - 1, 40), "frame " + current);
  play.click();
  const stopped = current;
  checkFrame(stopped, "played");
  setTimeout(() => {
    same("it stays where it was stopped", current, stopped);
    report(ground);
  }, 500);
}, 2000);
