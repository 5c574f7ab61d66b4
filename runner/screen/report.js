"use strict";
const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (id) => document.getElementById(id);
const takes = all(".take");
const texts = new Map(takes.map((take) => [take, take.textContent.toLowerCase()]));
const wanted = { status: "", model: "", text: "" };

function filter() {
  let shown = 0;
  for (const take of takes) {
    const { status, model } = take.dataset;
    take.hidden = !((!wanted.status || status === wanted.status) && (!wanted.model || model === wanted.model)
      && texts.get(take).includes(wanted.text));
    shown += !take.hidden;
  }
  for (const variant of all(".variant")) variant.hidden = !variant.querySelector(".take:not([hidden])");
  one("none").hidden = shown > 0;
}

for (const chip of all(".chips button")) {
  chip.addEventListener("click", () => {
    wanted.status = chip.dataset.status;
    for (const other of all(".chips button")) other.setAttribute("aria-pressed", String(other === chip));
    filter();
  });
}
one("model").addEventListener("change", (event) => { wanted.model = event.target.value; filter(); });
one("search").addEventListener("input", (event) => { wanted.text = event.target.value.toLowerCase(); filter(); });
one("keys").addEventListener("click", () => {
  one("help").hidden = !one("help").hidden;
  one("keys").setAttribute("aria-expanded", String(!one("help").hidden));
});

// A clip is opened when somebody looks at it, and let go when nobody does.
function play(take, { sound = false } = {}) {
  if (!take?.dataset.clip || take.querySelector("video")) return;
  const video = document.createElement("video");
  Object.assign(video, { src: take.dataset.clip, muted: !sound, loop: true, playsInline: true, controls: sound });
  video.dataset.held = sound ? "yes" : "";
  take.querySelector(".still").append(video);
  video.play().catch(() => {});
}
function stop(take, held = true) {
  const video = take?.querySelector("video");
  if (!video || (!held && video.dataset.held)) return;
  video.removeAttribute("src");
  video.load();
  video.remove();
}
function toggle(take) {
  const video = take.querySelector("video");
  if (video?.dataset.held) return stop(take);
  stop(take);
  for (const other of takes) if (other !== take) stop(other);
  play(take, { sound: true });
}
const over = (event) => event.target.closest?.(".still")?.closest(".take");
document.addEventListener("mouseover", (event) => play(over(event)));
document.addEventListener("mouseout", (event) => {
  const take = over(event);
  if (take && !take.querySelector(".still").contains(event.relatedTarget)) stop(take, false);
});
document.addEventListener("click", (event) => {
  const take = over(event);
  if (take && event.target.tagName !== "VIDEO") toggle(take);
  else if (take && !event.target.dataset.held) toggle(take);
});

// One take of a variant is chosen; all choices make one line.
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\"'\"'")}'`);
function tell() {
  const chosen = takes.filter((take) => take.classList.contains("chosen")).map((take) => quoted(take.dataset.take));
  one("tray").hidden = chosen.length === 0;
  one("line").textContent = [one("tray").dataset.pick, ...chosen].join(" ");
}
function choose(take, on) {
  const box = take.querySelector(".choose input");
  if (!box) return;
  for (const other of all(".take", take.closest(".variant"))) {
    const mine = other === take && on;
    other.classList.toggle("chosen", mine);
    const theirs = other.querySelector(".choose input");
    if (theirs) theirs.checked = mine;
  }
  tell();
}
document.addEventListener("change", (event) => {
  if (event.target.closest(".choose")) choose(event.target.closest(".take"), event.target.checked);
});
one("copy").addEventListener("click", async () => {
  const line = one("line");
  try {
    await navigator.clipboard.writeText(line.textContent);
    one("copy").textContent = "copied";
    setTimeout(() => { one("copy").textContent = "copy"; }, 1500);
  } catch {
    getSelection().selectAllChildren(line);
  }
});
one("clear").addEventListener("click", () => { for (const take of takes) choose(take, false); });

const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
function move([rows, columns]) {
  const here = document.activeElement.closest?.(".take");
  const seen = takes.filter((take) => !take.hidden);
  if (!here || here.hidden) return seen[0]?.focus();
  if (columns) return seen[seen.indexOf(here) + columns]?.focus();
  const variants = all(".variant:not([hidden])");
  const next = variants[variants.indexOf(here.closest(".variant")) + rows];
  next?.querySelector(".take:not([hidden])")?.focus();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const take = document.activeElement.closest?.(".take");
  if (event.key === "/") one("search").focus();
  else if (steps[event.key]) move(steps[event.key]);
  else if (take && document.activeElement === take && event.key === " ") toggle(take);
  else if (take && event.key === "p") choose(take, !take.classList.contains("chosen"));
  else if (take && document.activeElement === take && event.key === "Enter") take.querySelector("details").toggleAttribute("open");
  else if (event.key === "Escape") for (const other of takes) stop(other);
  else return;
  event.preventDefault();
});
